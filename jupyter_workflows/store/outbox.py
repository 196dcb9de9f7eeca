"""What is to be sent, written in the transaction that it tells of, and sent at least once."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, func, literal_column, select, update

from .statements import insert_new
from .tables import outbox

#: While one process sends an entry, others leave it alone for so long.
_HOLD = timedelta(minutes=2)
_FIRST_RETRY = timedelta(seconds=30)
_LAST_RETRY = timedelta(hours=6)
#: When what cannot be sent is due.
_NEVER = datetime(9000, 1, 1, tzinfo=UTC)

_o = outbox.c
_UNSENT = literal_column("outbox.sent_at").is_(None)


@dataclass(frozen=True, slots=True)
class OutboxEntry:
    """Something to be sent.

    Parameters
    ----------
    kind
        What it is: ``task-assigned``, ``task-reminder``, ``run-failed`` …
    attempts
        How often it was tried, this time included.
    """

    id: int
    kind: str
    payload: Mapping[str, Any]
    run_id: str | None
    attempts: int
    created_at: datetime


def add(
    connection: Connection,
    kind: str,
    payload: Mapping[str, Any],
    *,
    now: datetime,
    run_id: str | None = None,
    dedupe_key: str | None = None,
    due_at: datetime | None = None,
) -> None:
    """Put an entry into the outbox, unless there is one with its `dedupe_key`."""
    row = {
        "kind": kind,
        "payload": dict(payload),
        "run_id": run_id,
        "dedupe_key": dedupe_key,
        "due_at": due_at or now,
        "attempts": 0,
        "created_at": now,
    }
    insert_new(connection, outbox, [row])


_DUE = (
    select(_o.id, _o.kind, _o.payload, _o.run_id, _o.attempts, _o.created_at)
    .where(_UNSENT, _o.due_at <= bindparam("now"))
    .order_by(_o.due_at, _o.id)
    .limit(bindparam("limit"))
    .with_for_update(skip_locked=True)
)


def take(
    connection: Connection,
    *,
    limit: int,
    now: datetime,
    kinds: Collection[str] | None = None,
    hold: timedelta = _HOLD,
) -> list[OutboxEntry]:
    """Return entries that are due; nobody else gets them for a while."""
    statement = _DUE if kinds is None else _DUE.where(_o.kind.in_(kinds))
    rows = connection.execute(statement, {"now": now, "limit": limit}).all()
    if rows:
        connection.execute(
            update(outbox)
            .where(_o.id.in_([row.id for row in rows]))
            .values(attempts=_o.attempts + 1, due_at=now + hold)
        )
    return [
        OutboxEntry(row.id, row.kind, row.payload, row.run_id, row.attempts + 1, row.created_at)
        for row in rows
    ]


def sent(connection: Connection, entry: OutboxEntry, now: datetime) -> None:
    """Note that an entry was sent."""
    connection.execute(update(outbox).where(_o.id == entry.id).values(sent_at=now, error=None))


def failed(connection: Connection, entry: OutboxEntry, error: str, now: datetime) -> datetime:
    """Note that an entry could not be sent, and return when it is tried again: later each time."""
    doubled: int = 2 ** min(entry.attempts - 1, 20)
    delay = min(_FIRST_RETRY * doubled, _LAST_RETRY)
    connection.execute(
        update(outbox).where(_o.id == entry.id, _UNSENT).values(due_at=now + delay, error=error)
    )
    return now + delay


def give_up(connection: Connection, entry: OutboxEntry, error: str) -> None:
    """Note that an entry cannot be sent, ever."""
    connection.execute(update(outbox).where(_o.id == entry.id, _UNSENT).values(due_at=_NEVER, error=error))


def count_due(connection: Connection, kinds: Collection[str], now: datetime) -> int:
    """Return how many entries are due."""
    statement = select(func.count()).select_from(outbox)
    due = statement.where(_UNSENT, _o.due_at <= now, _o.kind.in_(kinds))
    return int(connection.execute(due).scalar_one())
