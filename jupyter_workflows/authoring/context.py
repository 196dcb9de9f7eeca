"""What an attempt is told when it starts: the context file that an environment variable names."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

#: Names the context file; without it the notebook is executed by hand, as a draft.
VARIABLE = "JUPYTER_WORKFLOWS_CONTEXT"


@dataclass(frozen=True, slots=True)
class Successor:
    """A stage to which the executing one has a transition."""

    path: str
    title: str
    each: str | None = None

    def __str__(self) -> str:
        return f"{self.path} ({json.dumps(self.title, ensure_ascii=False)})" if self.title else self.path


@dataclass(frozen=True, slots=True)
class Callback:
    """A hook that can come after the executing stage; without `url` the server has no public address."""

    path: str
    title: str
    url: str | None = None

    def __str__(self) -> str:
        return f"{self.path} ({json.dumps(self.title, ensure_ascii=False)})" if self.title else self.path


@dataclass(frozen=True, slots=True)
class Context:
    """The surroundings of one execution of a stage's notebook.

    Parameters
    ----------
    folder
        The stage run's private folder; `None` for a draft, which gets a temporary one if it needs one.
    data, inputs
        Stage data in wire form (`wire`): what the stage starts with, and each arrival's at a join.
    artifacts
        Folder in which the bytes of an artifact lie as ``<first two digits>/<hash>``.
    live
        Seconds that a form waits for input from the person who has it open; 0: nobody has.
    draft
        Whether the notebook is executed by hand rather than in a run.
    origin
        For a draft: the document that its test data came from.
    """

    run_id: str = "draft"
    stage_run_id: str = "draft"
    attempt: int = 1
    mode: str = "draft"
    stage_path: str = ""
    stage_title: str = ""
    stage_type: str = "script"
    workflow_title: str = ""
    folder: Path | None = None
    project: Path | None = None
    artifacts: Path | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    inputs: list[Mapping[str, Any]] | None = None
    failure: Mapping[str, Any] | None = None
    successors: tuple[Successor, ...] = ()
    callbacks: tuple[Callback, ...] = ()
    request: Mapping[str, Any] | None = None
    answers: Any = None
    scheduled_time: str | None = None
    assignee: str | None = None
    user: str | None = None
    live: float = 0
    draft: bool = False
    origin: Path | None = None


def read_context(file: Path) -> Context:
    """Read a context file.

    Raises
    ------
    RuntimeError
        It is missing, damaged, or written by a version that this one does not know.
    """
    try:
        raw = json.loads(file.read_bytes())
        if raw.get("format") != 1:
            raise RuntimeError(
                f"the context file {file} has format {raw.get('format')!r}; this version reads format 1: "
                "the environment of the kernel needs the jupyter_workflows of the server"
            )
        stage, workflow = raw["stage"], raw["workflow"]
        return Context(
            run_id=raw["run_id"],
            stage_run_id=raw["stage_run_id"],
            attempt=int(raw["attempt"]),
            mode=raw["mode"],
            stage_path=stage["path"],
            stage_title=stage["title"],
            stage_type=stage["type"],
            workflow_title=workflow["title"],
            folder=Path(raw["folder"]),
            project=_path(raw.get("project")),
            artifacts=_path(raw.get("artifacts")),
            data=raw["data"],
            inputs=raw.get("inputs"),
            failure=raw.get("failure"),
            successors=tuple(
                Successor(item["path"], item.get("title") or "", item.get("each"))
                for item in raw.get("successors") or ()
            ),
            callbacks=tuple(
                Callback(item["path"], item.get("title") or "", item.get("url"))
                for item in raw.get("callbacks") or ()
            ),
            request=raw.get("request"),
            answers=raw.get("answers"),
            scheduled_time=raw.get("scheduled_time"),
            assignee=raw.get("assignee"),
            user=raw.get("user"),
            live=float(raw.get("live") or 0),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise RuntimeError(
            f"{VARIABLE} names {file}, which can't be read as a context: {type(error).__name__}: {error}"
        ) from error


def context_file() -> Path | None:
    """Return the context file that the environment names, if this is an attempt of a run."""
    name = os.environ.get(VARIABLE)
    return Path(name) if name else None


def _path(name: str | None) -> Path | None:
    return Path(name) if name else None
