"""What the routes of runs read and write."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, RootModel

from jupyter_workflows.authoring.wire import public
from jupyter_workflows.model.states import AttemptState, RunMode, RunState, StageRunState
from jupyter_workflows.store import AttemptRecord, RunDetails, RunRecord, StageRunRecord

from ..events.cells import CellBoard
from ..models import (
    ErrorModel,
    Id,
    JsonObject,
    Model,
    Moment,
    PageQuery,
    Query,
    Request,
    StagePath,
    Text,
    WorkflowPath,
    error_model,
)

_STATES = "May be given again, for runs in any of these states."


class RunFilterQuery(Query):
    """Which runs."""

    workflow: Text | None = Field(None, description="Uid of a workflow.")
    state: list[RunState] = Field([], description=_STATES)
    mode: RunMode | None = None
    text: Text | None = Field(None, description="Part of the title, the id, or who started it.")
    started_by: Text | None = None
    since: Moment | None = Field(None, description="Started at this time or later.")
    until: Moment | None = Field(None, description="Started before this time.")
    parent: Id | None = Field(None, description="Runs that repeat this one.")


class RunsQuery(PageQuery, RunFilterQuery):
    """Which runs, and which part of them."""


class RunModel(Model):
    """A run."""

    id: str
    workflow: str = Field(description="Uid of the workflow.")
    title: str
    mode: RunMode
    state: RunState
    deployment: str | None = Field(description="Id of the deployment that it follows; null for a test run.")
    project: str = Field(description="Folder of the notebooks.")
    entry: str = Field(description="Key of the stage that began.")
    started_by: str | None
    created_at: datetime
    ended_at: datetime | None
    scheduled_time: datetime | None
    parent: str | None = Field(description="The run that this one repeats.")
    cancelled_by: str | None
    stage_runs: int = Field(description="How many stage runs it has.")
    until: str | None = Field(description="Key of the stage with which a test run ends; null: with the last.")
    temporary: bool = Field(
        description="It is erased when the server that started it from the editor starts again."
    )

    @classmethod
    def of(cls, run: RunRecord) -> RunModel:
        """Return a run's model."""
        return cls(**_run_fields(run))


def _run_fields(run: RunRecord) -> dict[str, Any]:
    return {
        "id": run.id,
        "workflow": run.workflow_uid,
        "title": run.title,
        "mode": run.mode,
        "state": run.state,
        "deployment": run.deployment,
        "project": run.project,
        "entry": run.entry_stage,
        "started_by": run.started_by,
        "created_at": run.created_at,
        "ended_at": run.ended_at,
        "scheduled_time": run.scheduled_time,
        "parent": run.parent,
        "cancelled_by": run.cancelled_by,
        "stage_runs": run.total,
        "until": run.until,
        "temporary": run.editor is not None,
    }


class RunList(Model):
    """Runs, the newest first."""

    runs: list[RunModel]
    cursor: str | None = Field(description="Where the list goes on; null at its end.")


class RunCounts(Model):
    """How many runs are in each state."""

    running: int
    waiting: int
    completed: int
    failed: int
    cancelled: int


class StandIn(Model):
    """What stood in for executing a stage: pinned data, or an earlier execution with the same inputs."""

    kind: Literal["pinned", "reused"]
    run: str | None = None
    stage_run: str | None = None
    attempt: int | None = None


class AttemptModel(Model):
    """One execution of a stage's notebook."""

    attempt: int
    state: AttemptState
    started_at: datetime
    ended_at: datetime | None
    notebook: str | None = Field(description="Path of the executed copy on the server's disk.")
    error: ErrorModel | None
    warnings: list[str]
    timings: dict[str, float] = Field(description="Seconds that its parts took.")
    stand_in: StandIn | None = Field(description="What stood in for executing the notebook, in a test run.")

    @classmethod
    def of(cls, attempt: AttemptRecord) -> AttemptModel:
        """Return an attempt's model."""
        return cls(
            attempt=attempt.number,
            state=attempt.state,
            started_at=attempt.started_at,
            ended_at=attempt.ended_at,
            notebook=attempt.output,
            error=error_model(attempt.error),
            warnings=list(attempt.warnings),
            timings=dict(attempt.timings),
            stand_in=None if attempt.stand_in is None else StandIn(**attempt.stand_in),
        )


class StageRunModel(Model):
    """One stage's execution within a run."""

    id: str
    stage: str = Field(description="Key of the stage in the document.")
    path: str
    title: str
    type: str
    state: StageRunState
    key: list[int] = Field(description="Its branch; stage runs are sorted by key, then sequence.")
    sequence: int
    transition: str | None
    parents: list[str] = Field(description="Ids of the stage runs that it follows.")
    handled: bool = Field(description="It failed, and a failed transition took over.")
    failures: int = Field(description="How many of its attempts have failed since it was last tried by hand.")
    assignee: str | None
    opened_by: str | None
    due_at: datetime | None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    deadline: datetime | None
    expires_at: datetime | None
    error: ErrorModel | None
    conflicts: list[JsonObject] | None = Field(description="Keys that unrelated branches wrote.")
    cell: int | None = Field(description="The cell that is being executed, counted from 1; null if unknown.")
    cells: int | None = Field(description="How many cells the notebook has that is being executed.")
    attempts: list[AttemptModel]

    @classmethod
    def of(
        cls, stage_run: StageRunRecord, attempts: tuple[AttemptRecord, ...], board: CellBoard
    ) -> StageRunModel:
        """Return a stage run's model."""
        return cls(**_stage_run_fields(stage_run, attempts, board))


def _stage_run_fields(
    stage_run: StageRunRecord, attempts: tuple[AttemptRecord, ...], board: CellBoard
) -> dict[str, Any]:
    failed = stage_run.state is StageRunState.FAILED
    running = stage_run.state is StageRunState.RUNNING
    at = board.of(stage_run.id, stage_run.attempt) if running else None
    return {
        "id": stage_run.id,
        "stage": stage_run.stage,
        "path": stage_run.path,
        "title": stage_run.title,
        "type": stage_run.type,
        "state": stage_run.state,
        "key": list(stage_run.key),
        "sequence": stage_run.sequence,
        "transition": stage_run.transition,
        "parents": list(stage_run.parents),
        "handled": stage_run.handled,
        "failures": stage_run.failures,
        "assignee": stage_run.assignee,
        "opened_by": stage_run.opened_by,
        "due_at": stage_run.due_at,
        "created_at": stage_run.created_at,
        "started_at": stage_run.started_at,
        "ended_at": stage_run.ended_at,
        "deadline": stage_run.deadline,
        "expires_at": stage_run.expires_at,
        "error": error_model(stage_run.failure) if failed else None,
        "conflicts": stage_run.conflicts,
        "cell": at.cell if at is not None else None,
        "cells": at.cells if at is not None else None,
        "attempts": [AttemptModel.of(attempt) for attempt in attempts],
    }


class StageRunDetail(StageRunModel):
    """A stage run with its data. A value that is not JSON is an object that names its kind."""

    run: str
    data: JsonObject = Field(description="What it started with.")
    result: JsonObject | None = Field(description="The data after it; null until it completed.")
    inputs: list[JsonObject] | None = Field(description="The data of each arrival, for a joined one.")
    failure: ErrorModel | None = Field(description="What happened before, after a failed transition.")

    @classmethod
    def detailed(
        cls, stage_run: StageRunRecord, attempts: tuple[AttemptRecord, ...], board: CellBoard
    ) -> StageRunDetail:
        """Return a stage run's model with its data."""
        return cls(
            **_stage_run_fields(stage_run, attempts, board),
            run=stage_run.run_id,
            data=public(dict(stage_run.data.values)),
            result=None if stage_run.result is None else public(dict(stage_run.result.values)),
            inputs=None if stage_run.inputs is None else [public(one) for one in stage_run.inputs],
            failure=error_model(stage_run.source_failure),
        )


class RunDetail(RunModel):
    """A run with its stage runs, without their data."""

    stages: list[StageRunModel]

    @classmethod
    def detailed(cls, details: RunDetails, board: CellBoard) -> RunDetail:
        """Return a run's model with its stage runs."""
        stages = [
            StageRunModel.of(stage_run, details.attempts.get(stage_run.id, ()), board)
            for stage_run in details.stage_runs
        ]
        return cls(**_run_fields(details.run), stages=stages)


class ReportStage(Model):
    """What became of a stage run."""

    id: str = Field(description="Key of the stage in the document.")
    path: str
    state: StageRunState
    attempts: int
    notebook: str | None
    data: JsonObject
    error: ErrorModel | None


class RunReport(Model):
    """What `jupyter workflows run --json` prints."""

    run: str
    state: RunState
    stages: list[ReportStage]
    data: JsonObject = Field(description="The data of the ends of the run, merged in branch order.")


class Hashes(Request):
    """SHA-256 of the files that are meant: others may have been saved meanwhile."""

    document: Text | None = None
    notebooks: dict[str, str] = Field({}, description="By path within the project.")


class StartLive(Request):
    """Start a run of a workflow's live deployment."""

    mode: Literal["live"]
    workflow: Text = Field(description="Uid of a workflow, or its name in addresses.")
    stage: StagePath | None = Field(None, description="Path of the stage to begin with.")
    data: JsonObject = Field({}, description="Stage data to begin with.")
    request: JsonObject | None = Field(None, description="The request, for a hook.")
    scheduled_time: Moment | None = Field(None, description="For a job: the time that it is run for.")


class StartTest(Request):
    """Start a test run of a working copy."""

    mode: Literal["test"]
    path: WorkflowPath
    stage: StagePath | None = Field(None, description="Path of the stage to begin with.")
    alone: bool = Field(False, description="End after the stage with which the run begins.")
    until: StagePath | None = Field(
        None, description="End after this stage; only stages on the way there are executed."
    )
    reuse: bool = Field(
        False,
        description="Do not execute a stage before the last one whose notebook and settings have not changed "
        "since the last test run that began with the same stage, if it begins with the same data again.",
    )
    recorded: Id | None = Field(
        None, description="A stage run: begin with the data, the inputs and the request that it began with."
    )
    data: JsonObject = Field({}, description="Stage data to begin with.")
    request: JsonObject | None = Field(None, description="The request, for a hook.")
    answers: dict[str, Any] | None = Field(None, description="Answers of forms, by stage path.")
    hashes: Hashes | None = None


class PinRequest(Request):
    """For which document a stage run's data is pinned."""

    path: WorkflowPath


class Pinned(Model):
    """What a document keeps of a stage run for tests."""

    pinned: JsonObject = Field(
        description="For the stage's `pinned`. Large values lie in a folder beside the document, by hash."
    )
    files: int = Field(description="How many large values there are.")
    size: int = Field(description="Their bytes.")


class RowsQuery(Query):
    """Which rows."""

    offset: int = Field(0, ge=0, le=2**53, description="The first row, from 0.")
    limit: int = Field(100, ge=1, le=500, description="How many at most.")


class TableColumn(Model):
    """A column of a table."""

    name: str
    type: str = Field(description="Arrow's name of the type.")
    index: bool = Field(description="It is the index of a pandas frame.")


class TableRows(Model):
    """Some rows of a data frame."""

    columns: list[TableColumn]
    column_count: int = Field(description="How many columns there are; the first 200 are handed out.")
    rows: list[list[Any]] = Field(
        description="Values as JSON. Numbers that JSON cannot hold exactly, moments and the like are text; "
        "long text is cut."
    )
    offset: int
    total: int = Field(description="How many rows there are.")


class StartRun(RootModel[Annotated[StartLive | StartTest, Field(discriminator="mode")]]):
    """Start a run."""


class Done(Request):
    """The result of a `once` call whose effect has happened."""

    done: Any


class RetryRequest(Request):
    """Which failed stage runs are tried again."""

    stage_runs: list[Id] = Field([], max_length=1000, description="By default all that failed.")
    once: dict[Text, Literal["again"] | Done] = Field(
        {}, description="What became of `once` calls that have no end, by key."
    )


class RetriedStage(Model):
    """A stage run that is tried again."""

    stage: str
    stage_run: str


class Retried(Model):
    """What is tried again."""

    run: str
    state: RunState
    retried: list[RetriedStage]


class RerunRequest(Request):
    """From where a run is run again."""

    stage_run: Id | None = Field(None, description="By default the one that the run began with.")


class Cancelled(Model):
    """A run that is cancelled."""

    run: str
    state: RunState
    cancelled: bool = Field(description="Whether it was this request that cancelled it.")


class LogQuery(Query):
    """Which logs."""

    stage: list[StagePath] = Field([], description="Paths of stages; may be given again.")


class CellLog(Model):
    """What a cell printed, as plain text."""

    cell: int
    text: str


class AttemptLog(Model):
    """What an attempt's notebook printed."""

    stage: str
    stage_run: str
    attempt: int
    state: AttemptState
    notebook: str | None
    cells: list[CellLog]
    error: ErrorModel | None

    @classmethod
    def of(
        cls, stage_run: StageRunRecord, attempt: AttemptRecord, cells: list[tuple[int, str]]
    ) -> AttemptLog:
        """Return the log of an attempt."""
        return cls(
            stage=stage_run.path,
            stage_run=stage_run.id,
            attempt=attempt.number,
            state=attempt.state,
            notebook=attempt.output,
            cells=[CellLog(cell=cell, text=text) for cell, text in cells],
            error=error_model(attempt.error),
        )


class RunLog(Model):
    """What a run's notebooks printed, attempt by attempt in the order in which they began."""

    run: str
    state: RunState
    logs: list[AttemptLog]


class DocumentAnswer(RootModel[JsonObject]):
    """A workflow document."""


def notebook_path(folder: Path, attempt: AttemptRecord) -> Path:
    """Return where an attempt's executed copy is, also while the attempt lasts."""
    return Path(attempt.output) if attempt.output else folder / f"executed-{attempt.number}.ipynb"
