"""Requests to callback addresses: each is taken once, also one that comes before a stage waits for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, insert, literal_column, select, update

from jupyter_workflows.model.states import RunState, StageRunState

from .tables import early_requests, runs, stage_runs

_s = stage_runs.c
_e = early_requests.c
_WAITING = literal_column("stage_runs.state") == literal_column("'waiting'")

_PARENTS = select(_s.id, _s.parents).where(_s.run_id == bindparam("run"))
_HOOKS = select(_s.id, _s.path).where(_s.run_id == bindparam("run"), _WAITING, _s.type == "hook")
_EARLY = (
    select(_e.stage_run_id, _e.name, _e.request)
    .join_from(early_requests, stage_runs, _s.id == _e.stage_run_id)
    .where(_s.run_id == bindparam("run"), _e.consumed.is_(False))
    .order_by(_e.received_at, _e.stage_run_id)
)
_CONSUME = (
    update(early_requests)
    .where(_e.stage_run_id == bindparam("id_"), _e.name == bindparam("name_"))
    .values(consumed=True, target=bindparam("target_"))
)
_QUEUE = (
    update(stage_runs)
    .where(_s.id == bindparam("id_"))
    .values(
        state=StageRunState.QUEUED.value,
        due_at=bindparam("now_", type_=_s.due_at.type),
        request=bindparam("request_", type_=_s.request.type),
    )
)


def waiting_for(connection: Connection, run_id: str, origin: str, name: str) -> list[str]:
    """Return the waiting hooks of a path that come after the stage run that gave the address out."""
    found = [row.id for row in connection.execute(_HOOKS, {"run": run_id}) if row.path == name]
    return _descendants(connection, run_id, origin, found) if found else []


def _descendants(connection: Connection, run_id: str, origin: str, found: Iterable[str]) -> list[str]:
    parents = {row.id: tuple(row.parents or ()) for row in connection.execute(_PARENTS, {"run": run_id})}

    def comes_after(stage_run: str) -> bool:
        seen, open_ = {stage_run}, [stage_run]
        while open_:
            for parent in parents.get(open_.pop(), ()):
                if parent == origin:
                    return True
                if parent not in seen:
                    seen.add(parent)
                    open_.append(parent)
        return False

    return [stage_run for stage_run in found if comes_after(stage_run)]


def find(connection: Connection, origin: str, name: str) -> Any:
    """Return the row of a request that came to an address before, or `None`."""
    statement = select(_e.body_hash, _e.consumed, _e.target).where(_e.stage_run_id == origin, _e.name == name)
    return connection.execute(statement).first()


def keep(
    connection: Connection,
    origin: str,
    name: str,
    request: Mapping[str, Any],
    body_hash: str,
    target: str | None,
    now: datetime,
) -> None:
    """Note that a request has come to an address, and who was given it, if somebody was."""
    connection.execute(
        insert(early_requests),
        {
            "stage_run_id": origin,
            "name": name,
            # Given to somebody, it is kept there.
            "request": {} if target is not None else dict(request),
            "body_hash": body_hash,
            "received_at": now,
            "consumed": target is not None,
            "target": target,
        },
    )


def consume(connection: Connection, run_id: str, now: datetime) -> list[str]:
    """Give requests that came early to the hooks of a run that wait for them now.

    Returns
    -------
    The stage runs that are queued by that.
    """
    waiting = {row.id: row.path for row in connection.execute(_HOOKS, {"run": run_id})}
    if not waiting:
        return []
    queued = []
    for early in connection.execute(_EARLY, {"run": run_id}).all():
        candidates = [name for name, path in waiting.items() if path == early.name]
        found = _descendants(connection, run_id, early.stage_run_id, candidates) if candidates else []
        if len(found) != 1:
            continue  # nobody, or it is not clear who: a later arrival may decide
        target = found[0]
        del waiting[target]
        connection.execute(_QUEUE, {"id_": target, "now_": now, "request_": early.request})
        connection.execute(_CONSUME, {"id_": early.stage_run_id, "name_": early.name, "target_": target})
        queued.append(target)
    if queued:
        connection.execute(
            update(runs).where(runs.c.id == run_id).values(state=RunState.RUNNING.value, ended_at=None)
        )
    return queued
