"""Who did what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from .tables import audit

_INSERT = insert(audit)


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Something that a person (or a program in their name) did.

    Parameters
    ----------
    object
        On what: ``run:ID``, ``stage-run:ID`` …
    """

    id: int
    at: datetime
    who: str | None
    what: str
    object: str
    run_id: str | None
    detail: Mapping[str, Any] | None


def note(
    connection: Connection,
    who: str | None,
    what: str,
    object_: str,
    now: datetime,
    *,
    run_id: str | None = None,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Write an entry."""
    connection.execute(
        _INSERT,
        {
            "at": now,
            "who": who,
            "what": what,
            "object": object_,
            "run_id": run_id,
            "detail": dict(detail) if detail else None,
        },
    )


def entries(
    connection: Connection, *, run_id: str | None = None, before: int | None = None, limit: int = 100
) -> list[AuditEntry]:
    """Return entries, the newest first; `before` is the id of the last one already seen."""
    statement = select(audit).order_by(audit.c.id.desc()).limit(limit)
    if run_id is not None:
        statement = statement.where(audit.c.run_id == run_id)
    if before is not None:
        statement = statement.where(audit.c.id < before)
    return [AuditEntry(*row) for row in connection.execute(statement)]
