"""What a runner expects of an executor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from jupyter_workflows.execution.spec import AttemptOutcome, AttemptSpec, Progress

OnProgress = Callable[[Progress], None]


class Executor(Protocol):
    """Executes attempts somewhere, several at a time. All methods are called on one event loop."""

    async def start(self) -> None:
        """Get ready; may return before everything is."""

    async def stop(self, *, wait: bool = True) -> None:
        """Take no more attempts and end.

        Parameters
        ----------
        wait
            Let those that are being executed come to their end; else they are lost.
        """

    async def execute(self, spec: AttemptSpec, on_progress: OnProgress | None = None) -> AttemptOutcome:
        """Execute an attempt and return its outcome; wait for a free place first."""

    def cancel(self, stage_run_id: str) -> None:
        """Have an attempt interrupted, then ended; its outcome says that it was cancelled."""

    def kill(self, stage_run_id: str) -> None:
        """End an attempt at once, with all its processes; its outcome says that it was lost."""
