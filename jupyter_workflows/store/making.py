"""Rows for new stage runs and arrivals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Connection, insert

from jupyter_workflows.model.document import Stage
from jupyter_workflows.model.records import Arrival, NewStageRun
from jupyter_workflows.model.states import StageRunState

from .tables import arrivals, stage_runs

_duration: TypeAdapter[timedelta] = TypeAdapter(timedelta)
_INSERT_STAGE_RUNS = insert(stage_runs)
_INSERT_ARRIVALS = insert(arrivals)


@lru_cache(maxsize=256)
def duration(text: str | None) -> timedelta | None:
    """Return an ISO 8601 duration of the document, `None` for one that cannot be read."""
    if not text:
        return None
    try:
        return _duration.validate_python(text)
    except ValidationError:  # the document's check reports it; a run goes on without
        return None


def assignee_of(
    stage: Stage, given: str | None, values: Mapping[str, Any], started_by: str | None
) -> str | None:
    """Return to whom a task belongs: the entry's assignee, else the stage's, else who started the run."""
    if given is not None:
        return given
    named = getattr(stage, "assignee", None)
    if isinstance(named, str):
        return named
    if named is not None:
        value = values.get(named.from_)
        if isinstance(value, str) and value:
            return value
    return started_by


def waiting_times(stage: Stage, state: StageRunState, now: datetime) -> dict[str, datetime | None]:
    """Return when a waiting stage run is due, is to be reminded of, and expires."""
    if state is not StageRunState.WAITING:
        return {"deadline": None, "remind_at": None, "expires_at": None}
    after = {
        column: duration(getattr(stage, field, None))
        for column, field in (("deadline", "due"), ("remind_at", "remind"), ("expires_at", "expires"))
    }
    return {column: None if length is None else now + length for column, length in after.items()}


def stage_run_row(
    stage: Stage,
    new: NewStageRun,
    *,
    run_id: str,
    workflow_uid: str,
    owner: str | None,
    started_by: str | None,
    now: datetime,
    request: Any = None,
) -> dict[str, Any]:
    """Return the row of a new stage run."""
    stage_run = new.stage_run
    failure = None
    if new.failure is not None:
        failure = {
            "stage": new.failed_stage,
            "name": new.failure.name,
            "message": new.failure.message,
            "cell": new.failure.cell,
        }
    return {
        "id": stage_run.id,
        "run_id": run_id,
        "workflow_uid": workflow_uid,
        "owner": owner,
        "stage": stage_run.stage,
        "path": stage.path,
        "title": stage.title,
        "type": stage.type,
        "pool": stage.pool,
        "state": stage_run.state.value,
        "key": stage_run.key,
        "sequence": stage_run.sequence,
        "transition": new.transition,
        "due_at": now if stage_run.state is StageRunState.QUEUED else None,
        "created_at": now,
        # A joining one's is known when it starts, for it may depend on the merged data.
        "assignee": new.assignee
        if stage_run.state is StageRunState.JOINING
        else assignee_of(stage, new.assignee, new.data.values, started_by),
        **waiting_times(stage, stage_run.state, now),
        "scope": dict(stage_run.scope) or None,
        "parents": list(stage_run.parents) or None,
        "source_failure": failure,
        "request": request,
        "data": dict(new.data.values) or None,
        "writers": dict(new.data.writers) or None,
    }


def insert_stage_runs(connection: Connection, rows: list[dict[str, Any]]) -> None:
    """Insert the rows of new stage runs."""
    if rows:
        connection.execute(_INSERT_STAGE_RUNS, rows)


def insert_arrivals(connection: Connection, arrived: Iterable[tuple[str, Arrival]]) -> None:
    """Insert arrivals, each with the id of the joining stage run."""
    rows = [
        {
            "stage_run_id": stage_run,
            "source": arrival.source,
            "transition": arrival.transition,
            "key": arrival.key,
            "sequence": arrival.sequence,
            "empty": arrival.empty,
            "assignee": arrival.assignee,
            "scope": dict(arrival.scope) or None,
            "data": dict(arrival.data.values) or None,
            "writers": dict(arrival.data.writers) or None,
        }
        for stage_run, arrival in arrived
    ]
    if rows:
        connection.execute(_INSERT_ARRIVALS, rows)
