"""Notebooks and attempts for tests."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jupyter_workflows.execution.spec import AttemptOutcome, AttemptSpec


def code(source: str, *tags: str) -> dict[str, Any]:
    """Return a code cell."""
    return {
        "cell_type": "code",
        "metadata": {"tags": list(tags)} if tags else {},
        "source": source,
        "outputs": [],
        "execution_count": None,
    }


def notebook(*cells: str | dict[str, Any], **metadata: Any) -> dict[str, Any]:
    """Return a notebook; plain strings are code cells."""
    complete = [code(cell) if isinstance(cell, str) else cell for cell in cells]
    for place, cell in enumerate(complete):
        cell.setdefault("id", f"cell-{place}")
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": complete}


def wait_until(condition: Callable[[], Any], timeout: float = 30.0) -> Any:
    """Wait until a condition holds and return its value."""
    deadline = time.monotonic() + timeout
    while not (value := condition()):
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(0.01)
    return value


@dataclasses.dataclass
class Stage:
    """A project with one notebook, and specifications of attempts to execute it."""

    folder: Path

    def spec(self, content: dict[str, Any] | str | bytes, **changes: Any) -> AttemptSpec:
        """Write the notebook and return the specification of an attempt."""
        project = self.folder / "project"
        stages = project / "stages"
        stages.mkdir(parents=True, exist_ok=True)
        path = stages / changes.pop("name", "check.ipynb")
        if isinstance(content, dict):
            content = json.dumps(content)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        number = changes.pop("number", 1)
        folder = self.folder / "state" / f"stage-run-{number}"
        attempt = changes.get("attempt", 1)
        values: dict[str, Any] = {
            "run_id": "run-1",
            "stage_run_id": f"stage-run-{number}",
            "attempt": attempt,
            "workflow_uid": "uid-1",
            "workflow_title": "Expenses",
            "stage_id": "s1",
            "stage_path": "check",
            "stage_title": "Check the rules",
            "stage_type": "script",
            "mode": "test",
            "notebook": str(path),
            "project": str(project),
            "cwd": str(stages),
            "folder": str(folder),
            "output": str(folder / f"executed-{attempt}.ipynb"),
            "artifacts": str(self.folder / "artifacts"),
        }
        return AttemptSpec(**{**values, **changes})


def is_cell(value: Any) -> bool:
    return isinstance(value, str) or "cell_type" in value


def executed(outcome: AttemptOutcome) -> dict[str, Any]:
    """Return the executed copy."""
    assert outcome.output is not None
    content: dict[str, Any] = json.loads(Path(outcome.output).read_text())
    return content


def text_of(cell: dict[str, Any]) -> str:
    """Return what a cell printed."""
    return "".join("".join(output["text"]) for output in cell["outputs"] if output["output_type"] == "stream")


def cells_of(outcome: AttemptOutcome) -> list[dict[str, Any]]:
    """Return the cells of the executed copy, without those that papermill adds to show an error."""
    return [
        cell
        for cell in executed(outcome)["cells"]
        if "papermill-error-cell-tag" not in cell["metadata"].get("tags", [])
    ]
