"""The states of runs, stage runs and attempts."""

from __future__ import annotations

from enum import StrEnum


class StageRunState(StrEnum):
    """Where one stage's execution within a run stands."""

    QUEUED = "queued"
    WAITING = "waiting"
    JOINING = "joining"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


#: States from which something can still happen without anybody asking for it again.
ACTIVE = frozenset(
    {StageRunState.QUEUED, StageRunState.WAITING, StageRunState.JOINING, StageRunState.RUNNING}
)


class RunState(StrEnum):
    """The state of a run; always the one that the states of its stage runs imply."""

    RUNNING = "running"
    WAITING = "waiting"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class AttemptState(StrEnum):
    """How one execution of a notebook stands or ended."""

    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    LOST = "lost"
    PARKED = "parked"
    CANCELLED = "cancelled"


class RunMode(StrEnum):
    """Live runs come from a deployment, test runs from the working copy."""

    LIVE = "live"
    TEST = "test"
