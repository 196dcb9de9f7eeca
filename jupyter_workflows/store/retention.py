"""Removing runs that are too old or too many, and what only they used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, delete, exists, func, select, update

from jupyter_workflows.model.states import RunMode, RunState

from .tables import deployments, documents, idempotency_keys, runs

#: Begins the scope of the keys under which due times have their runs.
SCHEDULES = "schedule:"

_KEEP_DUE_TIMES = timedelta(days=400)
_r = runs.c
_ended = _r.state.in_([RunState.COMPLETED.value, RunState.FAILED.value, RunState.CANCELLED.value])


@dataclass(frozen=True, slots=True)
class Removed:
    """What was removed.

    Parameters
    ----------
    more
        Whether there is more to remove: not all of it is done at once.
    """

    runs: tuple[str, ...] = ()
    artifacts: tuple[str, ...] = ()
    more: bool = False


def too_old(connection: Connection, mode: RunMode, before: datetime, limit: int) -> list[str]:
    """Return the runs of a mode that ended before a time, the oldest first."""
    statement = (
        select(_r.id)
        # None ended before it was created, and by that there is an index.
        .where(_ended, _r.mode == mode.value, _r.ended_at < before, _r.created_at < before)
        .order_by(_r.created_at)
        .limit(limit)
    )
    return list(connection.execute(statement).scalars())


def too_many(connection: Connection, keep: int, limit: int) -> list[str]:
    """Return the ended live runs that each workflow has beyond its newest `keep`."""
    many = select(_r.workflow_uid).group_by(_r.workflow_uid).having(func.count() > keep)
    found: list[str] = []
    for workflow in connection.execute(many).scalars().all():
        statement = (
            select(_r.id)
            .where(_ended, _r.mode == RunMode.LIVE.value, _r.workflow_uid == workflow)
            .order_by(_r.created_at.desc(), _r.id.desc())
            .offset(keep)
            .limit(limit - len(found))
        )
        found += connection.execute(statement).scalars()
        if len(found) >= limit:
            break
    return found


def owned(connection: Connection, owner: str, limit: int) -> list[str]:
    """Return the runs that belong to an owner."""
    return list(connection.execute(select(_r.id).where(_r.owner == owner).limit(limit)).scalars())


def editors(connection: Connection, prefix: str) -> list[str]:
    """Return the servers, as runs name them, that begin with `prefix` and have started test runs."""
    statement = select(_r.editor).where(_r.editor.startswith(prefix, autoescape=True)).distinct()
    return [name for name in connection.execute(statement).scalars() if name is not None]


def started_in(connection: Connection, editor: str, limit: int) -> list[str]:
    """Return the runs that a server's editor has started."""
    return list(connection.execute(select(_r.id).where(_r.editor == editor).limit(limit)).scalars())


def delete_runs(connection: Connection, ids: Sequence[str]) -> None:
    """Remove runs with all that belongs to them, and documents that nothing follows any more."""
    if not ids:
        return
    hashes = set(connection.execute(select(_r.document_hash).where(_r.id.in_(ids))).scalars())
    keys = idempotency_keys.c
    # A due time had its run, also when that is gone and the clock goes back, or somebody fills the past in.
    connection.execute(
        update(idempotency_keys)
        .where(keys.run_id.in_(ids), keys.scope.startswith(SCHEDULES))
        .values(expires_at=datetime.now(UTC) + _KEEP_DUE_TIMES)
    )
    connection.execute(
        delete(idempotency_keys).where(keys.run_id.in_(ids), ~keys.scope.startswith(SCHEDULES))
    )
    connection.execute(delete(runs).where(_r.id.in_(ids)))
    connection.execute(
        delete(documents).where(
            documents.c.hash.in_(hashes),
            ~exists().where(_r.document_hash == documents.c.hash),
            ~exists().where(deployments.c.document_hash == documents.c.hash),
        )
    )


def delete_expired_keys(connection: Connection, now: datetime) -> None:
    """Remove idempotency keys whose time is over."""
    connection.execute(delete(idempotency_keys).where(idempotency_keys.c.expires_at <= now))


def existing(connection: Connection, ids: Sequence[str]) -> set[str]:
    """Return which of the runs exist."""
    return set(connection.execute(select(_r.id).where(_r.id.in_(ids))).scalars())
