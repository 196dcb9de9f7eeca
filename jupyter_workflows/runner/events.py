"""What a runner tells those who watch it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from jupyter_workflows.execution.spec import AttemptError

EventKind = Literal[
    "run-started", "stage-started", "cell", "stage-ended", "stage-waiting", "run-ended", "notice"
]


@dataclass(frozen=True, slots=True)
class RunEvent:
    """One thing that happened to a run.

    Parameters
    ----------
    kind
        ``run-started``; ``stage-started``; ``cell`` (cell `cell` of `cells` begins, counted from 1);
        ``stage-ended`` (`state` is the attempt's; `due_at` is set when it will be tried again);
        ``stage-waiting`` (a task; `message` names the assignee); ``run-ended`` (`state` is the run's);
        ``notice`` (`message` is for the person who watches).
    path, title
        Of the stage.
    seconds
        How long the attempt took.
    output
        Path of the attempt's executed notebook.
    """

    kind: EventKind
    run_id: str
    stage_run_id: str | None = None
    path: str | None = None
    title: str | None = None
    attempt: int | None = None
    cell: int | None = None
    cells: int | None = None
    state: str | None = None
    error: AttemptError | None = None
    seconds: float | None = None
    output: str | None = None
    message: str | None = None
    due_at: datetime | None = None
    workflow_uid: str | None = None


Listener = Callable[[RunEvent], None]
