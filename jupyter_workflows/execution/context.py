"""What a kernel is told about the attempt that it executes."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jupyter_workflows.execution.files import write_atomically
from jupyter_workflows.execution.spec import AttemptSpec

#: Names the context file in the kernel's environment.
CONTEXT_VARIABLE = "JUPYTER_WORKFLOWS_CONTEXT"

#: Settings and tokens of Jupyter's and of our own processes, which a notebook has no business with.
_PRIVATE = ("JUPYTERHUB_", "JPY_", "JUPYTER_TOKEN", "JUPYTER_WORKFLOWS_")


def context(spec: AttemptSpec, artifacts: str | Path) -> dict[str, Any]:
    """Return the context of an attempt.

    Parameters
    ----------
    artifacts
        Local folder in which the bytes of the artifacts are found.
    """
    return {
        "format": 1,
        "run_id": spec.run_id,
        "stage_run_id": spec.stage_run_id,
        "attempt": spec.attempt,
        "mode": spec.mode,
        "workflow": {"uid": spec.workflow_uid, "title": spec.workflow_title},
        "stage": {
            "id": spec.stage_id,
            "path": spec.stage_path,
            "title": spec.stage_title,
            "type": spec.stage_type,
        },
        "folder": spec.folder,
        "project": spec.project,
        "data": spec.data,
        "inputs": spec.inputs,
        "failure": spec.failure,
        "successors": [dataclasses.asdict(successor) for successor in spec.successors],
        "callbacks": [dataclasses.asdict(callback) for callback in spec.callbacks],
        "request": spec.request,
        "answers": spec.answers,
        "scheduled_time": spec.scheduled_time,
        "assignee": spec.assignee,
        "user": spec.user,
        "live": spec.live,
        "artifacts": str(artifacts),
    }


def context_path(spec: AttemptSpec) -> Path:
    """Return where the context of an attempt lies."""
    return Path(spec.folder) / f"context-{spec.attempt}.json"


def write_context(spec: AttemptSpec, artifacts: str | Path) -> None:
    """Write the context into the stage run's folder."""
    write_atomically(context_path(spec), json.dumps(context(spec, artifacts)).encode(), durable=False)


def kernel_environment(
    context_file: Path, spec: AttemptSpec, environ: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """Return the environment variables of an attempt's kernel."""
    environment = {name: value for name, value in environ.items() if not name.startswith(_PRIVATE)}
    environment.update(spec.environment)
    paths = [spec.project, *environment.get("PYTHONPATH", "").split(os.pathsep)]
    environment["PYTHONPATH"] = os.pathsep.join(path for path in paths if path)
    environment[CONTEXT_VARIABLE] = str(context_file)
    return environment
