"""What the state machine reads and writes: light records without storage or notebooks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from .states import RunState, StageRunState

#: A path key: the places of the branches that led to a stage run.
Key = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class StageData:
    """Stage data in wire form, and who wrote each key last.

    Parameters
    ----------
    values
        Key to value in wire form (`jupyter_workflows.authoring.wire`).
    writers
        Key to the id of the stage run that last set or deleted it; `None` for what the run started
        with. A key in `writers` that is not in `values` was deleted.
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    writers: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a stage run failed, in words for the person who reads it."""

    name: str
    message: str
    cell: int | None = None
    retriable: bool = True


@dataclass(frozen=True, slots=True)
class Arrival:
    """One branch that reached a joining stage.

    Parameters
    ----------
    source
        Id of the stage run from which the transition came.
    key
        The key that the successor would have had; the order of `inputs` follows it.
    sequence
        The sequence of the source.
    empty
        Whether it stands for an `each` over an empty list: it lets the join start, without an input.
    scope
        The items that the branch is for.
    assignee
        To whom `next_stage` gave the successor.
    """

    source: str
    transition: str
    key: Key
    sequence: int
    data: StageData = field(default_factory=StageData)
    empty: bool = False
    scope: Mapping[str, str] = field(default_factory=dict)
    assignee: str | None = None


@dataclass(frozen=True, slots=True)
class StageRun:
    """What the state machine needs to know about one stage run.

    Parameters
    ----------
    stage
        The stage's key in the document.
    key, sequence
        Where it stands among the others. Of a joining one: where it would stand if it started with what
        arrived so far, as `Changes.gathered` said; so with `scope`.
    scope
        For each `each` above it, the name `as` and which item this branch is for.
    handled
        Failed, but a ``failed`` transition took over.
    failures
        Failed and timed-out attempts so far; `lost` those lost in a row.
    arrivals
        Of a joining one: what arrived so far. They and their data may be left out of a view.
    """

    id: str
    stage: str
    state: StageRunState
    key: Key
    sequence: int
    scope: Mapping[str, str] = field(default_factory=dict)
    parents: tuple[str, ...] = ()
    handled: bool = False
    attempt: int = 0
    failures: int = 0
    lost: int = 0
    arrivals: tuple[Arrival, ...] = ()

    @property
    def is_unhandled(self) -> bool:
        """Whether it failed and nothing took over."""
        return self.state is StageRunState.FAILED and not self.handled


@dataclass(frozen=True, slots=True)
class StageCount:
    """Stage runs of one stage and state that a view counts instead of listing them."""

    stage: str
    state: StageRunState
    scope: Mapping[str, str] = field(default_factory=dict)
    count: int = 1


@dataclass(frozen=True, slots=True)
class RunView:
    """The part of a run that a decision depends on.

    Every stage run that is active, or failed and not handled, is in it, either in `stage_runs` or in
    `counts`. The stage run that the outcome is about and all joining ones must be in `stage_runs`.

    Parameters
    ----------
    stage_runs
        Stage runs one by one.
    total
        How many stage runs the run has, ended ones included.
    cancelled
        Whether somebody cancelled the run.
    counts
        The others, grouped by stage, state and scope, so that a wide fan-out costs one row a stage. If no
        join of the graph says `per`, the scope may be left out. If the graph has no joins, one count for
        each state is enough, with any stage. Handled failures are not counted.
    """

    stage_runs: tuple[StageRun, ...]
    total: int
    cancelled: bool = False
    counts: tuple[StageCount, ...] = ()


@dataclass(frozen=True, slots=True)
class NextStage:
    """A successor that a completion makes: where to, with what.

    `place` is its place among the successors that are not `empty`; `scope` is what it adds to the source's.
    Produced by `routing.route`, before the transaction; `advance` turns it into stage runs and arrivals.
    """

    stage: str
    transition: str
    place: int
    values: Mapping[str, Any] | None = None
    assignee: str | None = None
    scope: Mapping[str, str] = field(default_factory=dict)
    empty: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt of a stage run ended, with the routing already decided.

    Parameters
    ----------
    kind
        ``completed``; ``failed`` (also timed out: counted for retries); ``lost`` (its runner or kernel
        vanished for no fault of the notebook); ``parked`` (a form waits for a person); ``cancelled``;
        ``expired``.
    data
        The stage data after the stage (of a failed one: what it had started with).
    next
        For ``completed`` the successors; for ``failed`` those by ``failed`` transitions, used only if no
        automatic retry is left.
    now
        The time of the decision, for the delay of a retry.
    """

    stage_run: str
    kind: Literal["completed", "failed", "lost", "parked", "cancelled", "expired"]
    now: datetime
    data: StageData = field(default_factory=StageData)
    next: tuple[NextStage, ...] = ()
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class NewStageRun:
    """A stage run to be made."""

    stage_run: StageRun
    data: StageData
    transition: str | None = None
    assignee: str | None = None
    failure: Failure | None = None
    failed_stage: str | None = None


@dataclass(frozen=True, slots=True)
class Gathered:
    """Where a joining stage run stands after new arrivals."""

    key: Key
    sequence: int
    scope: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class StartedJoin:
    """A joining stage run whose time has come. Its arrivals' data must be merged (`merge.merge`).

    Parameters
    ----------
    arrivals, parents
        What arrived, in branch order, and the stage runs that it came from. Of a view that left earlier
        arrivals out, only those of this outcome.
    assignee
        The one that the last arrival with an assignee names.
    """

    stage_run: str
    key: Key
    sequence: int
    scope: Mapping[str, str]
    parents: tuple[str, ...]
    state: StageRunState
    arrivals: tuple[Arrival, ...]
    assignee: str | None = None


@dataclass(frozen=True, slots=True)
class Settled:
    """What may go on, and the run's state after it."""

    started: tuple[StartedJoin, ...]
    run_state: RunState


@dataclass(frozen=True, slots=True)
class Cancelled:
    """What cancelling a run ends: the listed stage runs, and those that the view only counted."""

    stage_runs: tuple[str, ...]
    run_state: RunState = RunState.CANCELLED


@dataclass(frozen=True, slots=True)
class Changes:
    """What one outcome changes; applied in one transaction.

    Parameters
    ----------
    stage_run, state
        The stage run whose attempt ended and the state it takes.
    due_at
        When it may be claimed again, if it was queued for another attempt.
    created
        New stage runs (joining ones included, with their first arrivals).
    arrived
        Arrivals at joining stage runs that exist already, by the id of these.
    gathered
        The new key, sequence and scope of these.
    started
        Joins that start now, existing or just created ones.
    run_state
        The run's state after all this.
    """

    stage_run: str
    state: StageRunState
    run_state: RunState
    handled: bool = False
    failures: int = 0
    lost: int = 0
    due_at: datetime | None = None
    failure: Failure | None = None
    created: tuple[NewStageRun, ...] = ()
    arrived: Mapping[str, tuple[Arrival, ...]] = field(default_factory=dict)
    gathered: Mapping[str, Gathered] = field(default_factory=dict)
    started: tuple[StartedJoin, ...] = ()
