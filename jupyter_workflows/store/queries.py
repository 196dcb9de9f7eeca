"""Reading runs, stage runs and attempts."""

from __future__ import annotations

import base64
from collections import defaultdict
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    bindparam,
    func,
    literal,
    literal_column,
    null,
    or_,
    select,
    tuple_,
)

from jupyter_workflows.model.states import RunMode, RunState, StageRunState

from .errors import InvalidCursor, NotFound
from .records import (
    AttemptRecord,
    RunDetails,
    RunFilter,
    RunPage,
    RunRecord,
    StageRunRecord,
    Task,
    TaskFilter,
    TaskPage,
)
from .rows import (
    ATTEMPT_COLUMNS,
    RUN_COLUMNS,
    STAGE_RUN_COLUMNS,
    attempt_record,
    run_record,
    stage_run_record,
)
from .tables import attempts, idempotency_keys, runs, stage_runs

_s = stage_runs.c
_a = attempts.c
_r = runs.c
_WITHOUT_DATA = [
    null().label(column.name)
    if column.name in ("data", "writers", "result", "result_writers", "inputs")
    else column
    for column in STAGE_RUN_COLUMNS
]
_STATE: ColumnElement[str] = literal_column("stage_runs.state")
_WAITING = literal_column("'waiting'") == _STATE
_OPENED = (literal_column("'running'") == _STATE) & _s.opened_by.is_not(None)
_TASK_COLUMNS = [
    _s.id,
    _s.run_id,
    _s.workflow_uid,
    _r.title.label("workflow_title"),
    _r.mode,
    _s.stage,
    _s.path,
    _s.title,
    _s.type,
    _s.state,
    _s.assignee,
    _r.started_by,
    _s.opened_by,
    _s.created_at,
    _s.deadline,
    _s.expires_at,
    _s.attempt,
]


#: How many runs there are in each state.
RunCounts = dict[RunState, int]

_DOCUMENT = select(_r.document_hash).where(_r.id == bindparam("run"))


def document_of(connection: Connection, run_id: str) -> str:
    """Return the hash of the document that a run follows."""
    hashed: str | None = connection.execute(_DOCUMENT, {"run": run_id}).scalar()
    if hashed is None:
        raise NotFound(f"there is no run {run_id}")
    return hashed


def find_run(connection: Connection, scope: str, key: str, now: datetime) -> str | None:
    """Return the run that was started under an idempotency key, if it is remembered."""
    keys = idempotency_keys.c
    statement = select(keys.run_id).where(
        keys.scope == scope, keys.key == key, or_(keys.expires_at.is_(None), keys.expires_at > now)
    )
    found: str | None = connection.execute(statement).scalar()
    return found


def get_run_record(connection: Connection, run_id: str) -> RunRecord:
    """Return a run."""
    row = connection.execute(select(*RUN_COLUMNS).where(runs.c.id == run_id)).first()
    if row is None:
        raise NotFound(f"there is no run {run_id}")
    return run_record(row)


def get_run(connection: Connection, run_id: str, *, data: bool = True) -> RunDetails:
    """Return a run with its stage runs and their attempts."""
    run = get_run_record(connection, run_id)
    columns = STAGE_RUN_COLUMNS if data else _WITHOUT_DATA
    rows = connection.execute(select(*columns).where(_s.run_id == run_id)).all()
    found = sorted(
        (stage_run_record(row) for row in rows), key=lambda one: (one.key, one.sequence, one.stage, one.id)
    )
    by_stage_run: dict[str, list[AttemptRecord]] = defaultdict(list)
    statement = select(*ATTEMPT_COLUMNS).where(_a.run_id == run_id).order_by(_a.stage_run_id, _a.number)
    for row in connection.execute(statement):
        by_stage_run[row.stage_run_id].append(attempt_record(row))
    return RunDetails(run, tuple(found), {name: tuple(tried) for name, tried in by_stage_run.items()})


def get_stage_run(connection: Connection, stage_run_id: str) -> StageRunRecord:
    """Return a stage run."""
    row = connection.execute(select(*STAGE_RUN_COLUMNS).where(_s.id == stage_run_id)).first()
    if row is None:
        raise NotFound(f"there is no stage run {stage_run_id}")
    return stage_run_record(row)


def get_request(connection: Connection, stage_run_id: str) -> dict[str, Any] | None:
    """Return the request that a stage run was given, by itself or with its run."""
    statement = (
        select(_s.request, _s.path, _r.requests).join_from(stage_runs, runs).where(_s.id == stage_run_id)
    )
    row = connection.execute(statement).first()
    if row is None:
        raise NotFound(f"there is no stage run {stage_run_id}")
    found = row.request if row.request is not None else (row.requests or {}).get(row.path)
    return None if found is None else dict(found)


def list_attempts(connection: Connection, stage_run_id: str) -> tuple[AttemptRecord, ...]:
    """Return the attempts of a stage run, in order."""
    statement = select(*ATTEMPT_COLUMNS).where(_a.stage_run_id == stage_run_id).order_by(_a.number)
    return tuple(attempt_record(row) for row in connection.execute(statement))


def get_task(connection: Connection, stage_run_id: str, *, ended: bool = False) -> Task:
    """Return a task that waits or that somebody has open; with `ended` also one that is over."""
    statement = (
        select(*_TASK_COLUMNS)
        .join_from(stage_runs, runs)
        .where(_s.id == stage_run_id, _s.type.in_(("form", "hook")))
    )
    if not ended:
        statement = statement.where(or_(_WAITING, _OPENED))
    row = connection.execute(statement).first()
    if row is None:
        raise NotFound(f"there is no task {stage_run_id} (any more)")
    return _task(row)


def _cursor(created_at: datetime, name: str) -> str:
    return base64.urlsafe_b64encode(f"{created_at.isoformat()} {name}".encode()).decode().rstrip("=")


def _place(cursor: str) -> tuple[datetime, str]:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        moment, name = text.split(" ")
        created_at = datetime.fromisoformat(moment)
        if created_at.tzinfo is None or not name.isalnum():
            raise ValueError(text)
        return created_at.astimezone(UTC), name
    except (ValueError, OverflowError) as error:
        raise InvalidCursor("the cursor is not one that this list gave", "Begin the list anew") from error


def _conditions(wanted: RunFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    for column, value in (
        (_r.workflow_uid, wanted.workflow_uid),
        (_r.mode, wanted.mode),
        (_r.started_by, wanted.started_by),
        (_r.parent, wanted.parent),
        (_r.owner, wanted.owner),
    ):
        if value is not None:
            found.append(column == value)
    if len(wanted.states) == 1:
        found.append(_r.state == wanted.states[0].value)
    elif wanted.states:
        found.append(_r.state.in_([state.value for state in wanted.states]))
    if wanted.since is not None:
        found.append(_r.created_at >= wanted.since)
    if wanted.until is not None:
        found.append(_r.created_at < wanted.until)
    if wanted.text:
        found.append(_r.search.contains(wanted.text.casefold(), autoescape=True))
    return found


def list_runs(connection: Connection, wanted: RunFilter, cursor: str | None, limit: int) -> RunPage:
    """Return a page of runs, the newest first."""
    conditions = _conditions(wanted)
    if cursor is not None:
        created_at, name = _place(cursor)
        conditions.append(
            tuple_(_r.created_at, _r.id) < tuple_(literal(created_at, _r.created_at.type), literal(name))
        )
    newest = (_r.created_at.desc(), _r.id.desc())
    if wanted.text:
        # Found in the index first, for most of the runs that are looked at are not wanted.
        ids = select(_r.id).where(*conditions).order_by(*newest).limit(limit + 1)
        conditions = [_r.id.in_(connection.execute(ids).scalars().all())]
    statement = select(*RUN_COLUMNS).where(*conditions).order_by(*newest).limit(limit + 1)
    found = [run_record(row) for row in connection.execute(statement)]
    more = len(found) > limit
    found = found[:limit]
    return RunPage(tuple(found), _cursor(found[-1].created_at, found[-1].id) if more else None)


def count_runs(connection: Connection, wanted: RunFilter) -> RunCounts:
    """Return how many runs are in each state."""
    statement = select(_r.state, func.count()).where(*_conditions(wanted)).group_by(_r.state)
    counted = {RunState(state): number for state, number in connection.execute(statement)}
    return {state: counted.get(state, 0) for state in RunState}


def list_tasks(connection: Connection, wanted: TaskFilter, cursor: str | None, limit: int) -> TaskPage:
    """Return a page of waiting and opened stage runs, the oldest first."""
    conditions: list[ColumnElement[bool]] = [_s.type.in_(wanted.types)]
    if wanted.assignees is not None:
        conditions.append(_s.assignee.in_(wanted.assignees))
    for column, value in (
        (_s.workflow_uid, wanted.workflow_uid),
        (_s.run_id, wanted.run_id),
        (_s.path, wanted.path),
        (_r.mode, wanted.mode),
    ):
        if value is not None:
            conditions.append(column == value)
    if cursor is not None:
        created_at, name = _place(cursor)
        conditions.append(
            tuple_(_s.created_at, _s.id) > tuple_(literal(created_at, _s.created_at.type), literal(name))
        )
    # Two halves, so that each finds its partial index.
    halves = [
        select(*_TASK_COLUMNS)
        .join_from(stage_runs, runs)
        .where(state, *conditions)
        .order_by(_s.created_at, _s.id)
        .limit(limit + 1)
        for state in (_WAITING, _OPENED)
    ]
    rows = [row for half in halves for row in connection.execute(half)]
    found = sorted((_task(row) for row in rows), key=lambda task: (task.created_at, task.id))
    more = len(found) > limit
    found = found[:limit]
    return TaskPage(tuple(found), _cursor(found[-1].created_at, found[-1].id) if more else None)


def _task(row: Any) -> Task:
    return Task(
        id=row.id,
        run_id=row.run_id,
        workflow_uid=row.workflow_uid,
        workflow_title=row.workflow_title,
        mode=RunMode(row.mode),
        stage=row.stage,
        path=row.path,
        title=row.title,
        type=row.type,
        state=StageRunState(row.state),
        assignee=row.assignee,
        started_by=row.started_by,
        opened_by=row.opened_by,
        created_at=row.created_at,
        deadline=row.deadline,
        expires_at=row.expires_at,
        attempt=row.attempt,
    )
