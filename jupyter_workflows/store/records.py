"""What the store gives and takes: plain records, without a database behind them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from jupyter_workflows.model.records import Key, StageData, StageRun
from jupyter_workflows.model.states import AttemptState, RunMode, RunState, StageRunState


@dataclass(frozen=True, slots=True)
class Idempotency:
    """A key under which a request is taken once.

    Parameters
    ----------
    scope
        Within what the key is unique, for example the hook that was called.
    body_hash
        Hash of the request: the same key with another request is refused.
    lifetime
        How long the key is remembered; `None`: as long as the run.
    """

    scope: str
    key: str
    body_hash: str = ""
    lifetime: timedelta | None = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class NewRun:
    """What a run is started with.

    Parameters
    ----------
    document_text
        The workflow document, which the run follows to its end.
    project
        Where its notebooks lie.
    entry_stage
        Key of the stage that begins.
    owner
        Id of the runner that alone may claim its stage runs; `None`: any runner.
    request
        For an entry that is a hook.
    requests
        For hooks in the middle, by stage path: they do not wait then.
    answers
        For forms, by stage path: they do not wait then.
    parent
        The run that this one repeats.
    deployment
        The deployment that it follows; `None` for a run of a working copy.
    artifacts
        Hash to size of the artifacts that `data` refers to.
    editor
        Of a test run: the server whose editor started it, as `EditorServer.text` names it.
    until
        Key of the stage with which it ends: only stages on the way there are executed.
    reuse
        ``{"run", "stages"}``: stage runs of that run, at those stages, stand in for executing them again
        with the same inputs.
    """

    document_text: str
    project: str
    entry_stage: str
    data: StageData = field(default_factory=StageData)
    mode: RunMode = RunMode.LIVE
    started_by: str | None = None
    owner: str | None = None
    request: Mapping[str, Any] | None = None
    requests: Mapping[str, Any] | None = None
    answers: Mapping[str, Any] | None = None
    assignee: str | None = None
    parent: str | None = None
    scheduled_time: datetime | None = None
    idempotency: Idempotency | None = None
    deployment: str | None = None
    artifacts: Mapping[str, int] = field(default_factory=dict)
    editor: str | None = None
    until: str | None = None
    reuse: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run as it is stored."""

    id: str
    workflow_uid: str
    title: str
    document_hash: str
    project: str
    mode: RunMode
    state: RunState
    entry_stage: str
    started_by: str | None
    owner: str | None
    parent: str | None
    scheduled_time: datetime | None
    created_at: datetime
    ended_at: datetime | None
    cancelled_by: str | None
    total: int
    deployment: str | None = None
    editor: str | None = None
    until: str | None = None
    reuse: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class StageRunRecord:
    """A stage run as it is stored.

    Parameters
    ----------
    data
        What it started with (or will start with).
    result
        The data after it; `None` until it completed.
    failure
        Why it failed: ``{"name", "message", "cell", "retriable"}``.
    source_failure
        For the target of a ``failed`` transition, what happened: ``{"stage", "name", "message", "cell"}``.
    conflicts
        For a joined one: the keys that unrelated branches wrote, and whose value was taken.
    """

    id: str
    run_id: str
    workflow_uid: str
    stage: str
    path: str
    title: str
    type: str
    pool: str | None
    state: StageRunState
    key: Key
    sequence: int
    transition: str | None
    handled: bool
    attempt: int
    failures: int
    lost: int
    due_at: datetime | None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    runner: str | None
    assignee: str | None
    deadline: datetime | None
    remind_at: datetime | None
    expires_at: datetime | None
    scope: Mapping[str, str]
    parents: tuple[str, ...]
    failure: Mapping[str, Any] | None
    source_failure: Mapping[str, Any] | None
    conflicts: list[dict[str, Any]] | None
    data: StageData
    result: StageData | None
    inputs: list[dict[str, Any]] | None
    response: Mapping[str, Any] | None
    opened_by: str | None

    def to_model(self) -> StageRun:
        """Return what the state machine needs to know."""
        return StageRun(
            id=self.id,
            stage=self.stage,
            state=self.state,
            key=self.key,
            sequence=self.sequence,
            scope=self.scope,
            parents=self.parents,
            handled=self.handled,
            attempt=self.attempt,
            failures=self.failures,
            lost=self.lost,
        )


@dataclass(frozen=True, slots=True)
class AttemptRecord:
    """One execution of a notebook, as it is stored."""

    stage_run_id: str
    number: int
    run_id: str
    state: AttemptState
    runner: str | None
    started_at: datetime
    ended_at: datetime | None
    output: str | None
    error: Mapping[str, Any] | None
    warnings: list[str]
    timings: Mapping[str, float]
    route: list[dict[str, Any]] | None = None
    stand_in: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class RunDetails:
    """A run with its stage runs, sorted by key and sequence, and their attempts by stage run."""

    run: RunRecord
    stage_runs: tuple[StageRunRecord, ...]
    attempts: Mapping[str, tuple[AttemptRecord, ...]]


@dataclass(frozen=True, slots=True)
class RunFilter:
    """Which runs a list shows; what is `None` or empty does not narrow it.

    Parameters
    ----------
    text
        Part of the title, the id or the name of who started it, whatever the case.
    """

    workflow_uid: str | None = None
    states: tuple[RunState, ...] = ()
    mode: RunMode | None = None
    text: str | None = None
    started_by: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    parent: str | None = None
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class RunPage:
    """A part of a list of runs, the newest first; `cursor` continues it, `None` at its end."""

    runs: tuple[RunRecord, ...]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class TaskFilter:
    """Which tasks a list shows.

    Parameters
    ----------
    assignees
        A person's names and ``team:…``; `None`: whosever they are.
    types
        ``form``, ``hook``.
    """

    assignees: tuple[str, ...] | None = None
    workflow_uid: str | None = None
    run_id: str | None = None
    path: str | None = None
    mode: RunMode | None = None
    types: tuple[str, ...] = ("form",)


@dataclass(frozen=True, slots=True)
class TaskPage:
    """A part of a list of tasks, the oldest first; `cursor` continues it, `None` at its end."""

    tasks: tuple[Task, ...]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class Task:
    """A stage run that waits for a person or a request, with what a list shows of its run."""

    id: str
    run_id: str
    workflow_uid: str
    workflow_title: str
    mode: RunMode
    stage: str
    path: str
    title: str
    type: str
    state: StageRunState
    assignee: str | None
    started_by: str | None
    opened_by: str | None
    created_at: datetime
    deadline: datetime | None
    expires_at: datetime | None
    attempt: int


@dataclass(frozen=True, slots=True)
class Claim:
    """A stage run that this runner executes now, with everything that its attempt depends on.

    Parameters
    ----------
    attempt
        The attempt's number, and the fence of everything that it writes.
    once
        How a person resolved `once` calls that had no end: key to ``"again"`` or ``"done:JSON"``.
    once_after
        The last attempt of which that person knew.
    """

    run: RunRecord
    stage_run: StageRunRecord
    attempt: int
    lease_until: datetime
    document_text: str
    request: Mapping[str, Any] | None = None
    answers: Any = None
    once: Mapping[str, str] = field(default_factory=dict)
    once_after: int = 0

    @property
    def id(self) -> str:
        """The stage run's id."""
        return self.stage_run.id

    @property
    def data(self) -> StageData:
        """What the stage run starts with."""
        return self.stage_run.data


@dataclass(frozen=True, slots=True)
class AttemptReport:
    """How an attempt went, for the people who look at it later.

    Parameters
    ----------
    output
        The executed notebook.
    artifacts
        Hash to size of the artifacts that the stage run's data refers to.
    response
        The answer to a hook's request, for the case that it was not stored before.
    route
        What `next_stage` named, for a later test run that need not execute the stage again.
    stand_in
        What stood in for executing the notebook: ``{"kind": "pinned"}``, or ``{"kind": "reused", "run",
        "stage_run", "attempt"}``.
    """

    state: AttemptState
    error: Mapping[str, Any] | None = None
    output: str | None = None
    warnings: tuple[str, ...] = ()
    timings: Mapping[str, float] = field(default_factory=dict)
    artifacts: Mapping[str, int] = field(default_factory=dict)
    response: Mapping[str, Any] | None = None
    route: list[dict[str, Any]] | None = None
    stand_in: Mapping[str, Any] | None = None
