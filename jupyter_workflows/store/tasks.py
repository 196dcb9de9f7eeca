"""Waiting stage runs: tasks of people, and hooks that wait for their request."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, literal_column, select, update

from jupyter_workflows.authoring.wire import Load
from jupyter_workflows.model.records import Changes, Outcome
from jupyter_workflows.model.states import RunState, StageRunState

from . import auditing
from .completion import decide, load_stage_run, lock_run
from .errors import NotFound, StaleClaim, WrongState
from .graphs import Parsed
from .making import duration
from .notices import announce_task
from .records import Claim, StageRunRecord
from .recovery import failed_routes
from .rows import STAGE_RUN_COLUMNS, stage_run_record
from .tables import audit, runs, stage_runs
from .views import model_stage_run

_s = stage_runs.c
_WAITING = literal_column("stage_runs.state") == literal_column("'waiting'")


def run_of(connection: Connection, stage_run_id: str) -> str:
    """Return the id of a stage run's run."""
    run: str | None = connection.execute(select(_s.run_id).where(_s.id == stage_run_id)).scalar()
    if run is None:
        raise NotFound(f"there is no stage run {stage_run_id}")
    return run


def _waiting(connection: Connection, stage_run_id: str) -> tuple[Any, Any]:
    """Lock a waiting stage run's run, and return both rows."""
    run = lock_run(connection, run_of(connection, stage_run_id))
    row = load_stage_run(connection, run.id, stage_run_id)
    if row.state != StageRunState.WAITING:
        raise WrongState(f"stage run {stage_run_id} does not wait: it is {row.state}")
    return run, row


def deliver(
    connection: Connection,
    stage_run_id: str,
    *,
    request: Mapping[str, Any] | None,
    answers: Any,
    by: str | None,
    now: datetime,
) -> None:
    """Queue a waiting stage run; see `Store.deliver`."""
    run, _ = _waiting(connection, stage_run_id)
    brought = {}
    if request is not None:
        brought["request"] = dict(request)
    if answers is not None:
        brought["answers"] = answers
    connection.execute(
        update(stage_runs)
        .where(_s.id == stage_run_id)
        .values(state=StageRunState.QUEUED.value, due_at=now, **brought)
    )
    connection.execute(update(runs).where(runs.c.id == run.id).values(state=RunState.RUNNING.value))
    auditing.note(connection, by, "delivered", f"stage-run:{stage_run_id}", now, run_id=run.id)


def assign(
    connection: Connection, parsed: Parsed, stage_run_id: str, assignee: str, by: str | None, now: datetime
) -> None:
    """Give a task to somebody else; see `Store.assign`."""
    run, row = _waiting(connection, stage_run_id)
    connection.execute(update(stage_runs).where(_s.id == stage_run_id).values(assignee=assignee))
    auditing.note(
        connection,
        by,
        "assigned",
        f"stage-run:{stage_run_id}",
        now,
        run_id=run.id,
        detail={"from": row.assignee, "to": assignee},
    )
    announce_task(connection, run, stage_run_id, parsed.stage(row.stage), assignee, now)


def team_of(connection: Connection, stage_run_id: str) -> str | None:
    """Return the team from which the assignee of a task took it; `None` if it was not taken from one."""
    row = connection.execute(select(_s.assignee, _s.run_id).where(_s.id == stage_run_id)).one_or_none()
    if row is None or row.assignee is None or row.assignee.startswith("team:"):
        return None
    statement = (
        select(audit.c.detail)
        .where(
            audit.c.run_id == row.run_id,
            audit.c.object == f"stage-run:{stage_run_id}",
            audit.c.what == "assigned",
        )
        .order_by(audit.c.id.desc())
        .limit(1)
    )
    detail = connection.execute(statement).scalar() or {}
    before = detail.get("from")
    return before if detail.get("to") == row.assignee and str(before).startswith("team:") else None


def waiting_for_request(connection: Connection, workflow_uid: str, path: str) -> list[StageRunRecord]:
    """Return the stage runs of a hook that wait, in runs of any version of the workflow."""
    statement = (
        select(*STAGE_RUN_COLUMNS)
        .where(_WAITING, _s.workflow_uid == workflow_uid, _s.path == path, _s.type == "hook")
        .order_by(_s.created_at, _s.id)
    )
    return [stage_run_record(row) for row in connection.execute(statement)]


_RESPOND = (
    update(stage_runs)
    .where(
        _s.id == bindparam("id_"),
        _s.attempt == bindparam("attempt_"),
        _s.state == StageRunState.RUNNING.value,
        _s.response.is_(None),
    )
    .values(response=bindparam("response_", type_=_s.response.type))
)


def respond(connection: Connection, claim: Claim, response: Mapping[str, Any]) -> bool:
    """Store a hook's response; see `Store.respond`."""
    done = connection.execute(
        _RESPOND, {"id_": claim.id, "attempt_": claim.attempt, "response_": dict(response)}
    )
    if done.rowcount:
        return True
    row = load_stage_run(connection, claim.run.id, claim.id)
    if row.state != StageRunState.RUNNING or row.attempt != claim.attempt:
        raise StaleClaim(claim.id, claim.attempt)
    return False


_EXPIRED = (
    select(_s.id, _s.run_id)
    .where(_WAITING, _s.expires_at <= bindparam("now"))
    .order_by(_s.expires_at)
    .limit(bindparam("limit"))
)


def expired(connection: Connection, now: datetime, limit: int) -> list[tuple[str, str]]:
    """Return run and stage run of what has waited too long."""
    return [(row.run_id, row.id) for row in connection.execute(_EXPIRED, {"now": now, "limit": limit})]


def expire(
    connection: Connection,
    parsed: Parsed,
    run_id: str,
    stage_run_id: str,
    *,
    load: Load | None,
    now: datetime,
    limit: int,
) -> Changes | None:
    """End a stage run that has waited too long; `None` if it does not wait any more."""
    run = lock_run(connection, run_id)
    row = load_stage_run(connection, run_id, stage_run_id)
    if row.state != StageRunState.WAITING or row.expires_at is None or row.expires_at > now:
        return None
    loaded = connection.execute(select(*STAGE_RUN_COLUMNS).where(_s.id == stage_run_id)).one()
    data = stage_run_record(loaded).data
    following = failed_routes(parsed.graph, model_stage_run(row), data, load)
    outcome = Outcome(stage_run_id, "expired", now, data, following)
    return decide(connection, parsed, run, row, outcome, now=now, limit=limit)


_REMINDED = (
    select(_s.id, _s.run_id, _s.stage, _s.assignee, _s.remind_at, runs.c.document_hash)
    .join_from(stage_runs, runs)
    .where(_WAITING, _s.remind_at <= bindparam("now"))
    .order_by(_s.remind_at)
    .limit(bindparam("limit"))
)


def to_remind(connection: Connection, now: datetime, limit: int) -> list[Any]:
    """Return the tasks whose assignee is to be reminded."""
    return list(connection.execute(_REMINDED, {"now": now, "limit": limit}))


def remind(connection: Connection, parsed: Parsed, task: Any, now: datetime) -> bool:
    """Put a reminder into the outbox, and set the time of the next one."""
    stage = parsed.stage(task.stage)
    interval = duration(getattr(stage, "remind", None))
    run = lock_run(connection, task.run_id)
    moved = connection.execute(
        update(stage_runs)
        .where(_s.id == task.id, _WAITING, _s.remind_at == task.remind_at)
        .values(remind_at=now + interval if interval else None)
    )
    if not moved.rowcount:  # done meanwhile, or another runner was faster
        return False
    announce_task(
        connection,
        run,
        task.id,
        stage,
        task.assignee,
        now,
        kind="task-reminder",
        dedupe_key=f"task-reminder:{task.id}:{task.remind_at.isoformat()}",
    )
    return True
