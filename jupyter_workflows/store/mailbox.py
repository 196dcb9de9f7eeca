"""Mail, to look at: what was written for live runs, and what test runs would write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, func, select

from jupyter_workflows.model.states import RunMode, RunState

from .tables import outbox, runs, stage_runs, workflows

MailState = Literal["waiting", "sent", "failed", "test"]

_o = outbox.c
_r = runs.c
_s = stage_runs.c
_FAR = 8000


@dataclass(frozen=True, slots=True)
class Mail:
    """A letter.

    Parameters
    ----------
    kind
        ``task-assigned``, ``task-reminder``, ``run-failed`` …
    payload
        As in the outbox.
    state
        ``test``: of a test run, which sends nothing.
    to
        Who would get it: an assignee, or the owner's address.
    """

    id: str
    kind: str
    payload: Mapping[str, Any]
    run_id: str | None
    state: MailState
    to: str | None
    created_at: datetime
    sent_at: datetime | None = None
    error: str | None = None


def newest(connection: Connection, *, run_id: str | None, limit: int) -> list[Mail]:
    """Return letters, the newest first."""
    found = [
        *_written(connection, run_id, limit),
        *_of_test_tasks(connection, run_id, limit),
        *_of_test_failures(connection, run_id, limit),
    ]
    return sorted(found, key=lambda mail: (mail.created_at, mail.id), reverse=True)[:limit]


def _written(connection: Connection, run_id: str | None, limit: int) -> list[Mail]:
    statement = (
        select(outbox, workflows.c.owner_address)
        .join_from(outbox, runs, _o.run_id == _r.id)
        .join(workflows, workflows.c.uid == _r.workflow_uid, isouter=True)
        .order_by(_o.id.desc())
        .limit(limit)
    )
    if run_id is not None:
        statement = statement.where(_o.run_id == run_id)
    return [
        Mail(
            id=str(row.id),
            kind=row.kind,
            payload=row.payload,
            run_id=row.run_id,
            state="sent"
            if row.sent_at is not None
            else "failed"
            if row.error is not None and row.due_at.year > _FAR
            else "waiting",
            to=row.payload.get("assignee") or row.owner_address,
            created_at=row.created_at,
            sent_at=row.sent_at,
            error=row.error,
        )
        for row in connection.execute(statement)
    ]


def _of_test_tasks(connection: Connection, run_id: str | None, limit: int) -> list[Mail]:
    statement = (
        select(
            _s.id,
            _s.path,
            _s.title,
            _s.assignee,
            _s.created_at,
            _s.run_id,
            _s.workflow_uid,
            _r.title.label("of"),
        )
        .join_from(stage_runs, runs, _s.run_id == _r.id)
        # Nobody is told of the task with which they began.
        .where(
            _r.mode == RunMode.TEST,
            _s.type == "form",
            _s.assignee.is_not(None),
            _s.transition.is_not(None),
        )
        .order_by(_s.created_at.desc(), _s.id.desc())
        .limit(limit)
    )
    if run_id is not None:
        statement = statement.where(_s.run_id == run_id)
    return [
        Mail(
            id=f"task-{row.id}",
            kind="task-assigned",
            payload={
                "run": row.run_id,
                "stage_run": row.id,
                "workflow": row.workflow_uid,
                "workflow_title": row.of,
                "path": row.path,
                "title": row.title,
                "assignee": row.assignee,
            },
            run_id=row.run_id,
            state="test",
            to=row.assignee,
            created_at=row.created_at,
        )
        for row in connection.execute(statement)
    ]


def _of_test_failures(connection: Connection, run_id: str | None, limit: int) -> list[Mail]:
    statement = (
        select(
            _r.id,
            _r.title,
            _r.workflow_uid,
            _r.started_by,
            workflows.c.owner_address,
            func.coalesce(_r.ended_at, _r.created_at).label("at"),
        )
        .join_from(runs, workflows, workflows.c.uid == _r.workflow_uid, isouter=True)
        .where(_r.mode == RunMode.TEST, _r.state == RunState.FAILED)
        .order_by(_r.created_at.desc())
        .limit(limit)
    )
    if run_id is not None:
        statement = statement.where(_r.id == run_id)
    return [
        Mail(
            id=f"failed-{row.id}",
            kind="run-failed",
            payload={
                "run": row.id,
                "workflow": row.workflow_uid,
                "workflow_title": row.title,
                "started_by": row.started_by,
            },
            run_id=row.id,
            state="test",
            to=row.owner_address,
            created_at=row.at,
        )
        for row in connection.execute(statement)
    ]
