"""Starting and cancelling runs."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from jupyter_workflows.model.advance import start
from jupyter_workflows.model.document import Document
from jupyter_workflows.model.graph import Graph
from jupyter_workflows.model.states import ACTIVE, AttemptState, RunState, StageRunState

from .completion import lock_run
from .errors import IdempotencyConflict, WrongState
from .ids import new_id
from .making import insert_stage_runs, stage_run_row
from .records import Idempotency, NewRun
from .tables import attempts, documents, idempotency_keys, runs, stage_runs

_s = stage_runs.c
_ENDED = frozenset({RunState.COMPLETED, RunState.FAILED, RunState.CANCELLED})


def document_hash(text: str) -> str:
    """Return the hash under which a document's text is kept."""
    return hashlib.sha256(text.encode()).hexdigest()


def insert_new(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    """Insert rows, leaving alone those whose key exists already."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    connection.execute(dialect.insert(table).on_conflict_do_nothing(), rows)


def create_run(connection: Connection, new: NewRun, document: Document, graph: Graph, now: datetime) -> str:
    """Start a run; see `Store.create_run`."""
    run_id = new_id()
    if new.idempotency is not None:
        known = _remember(connection, new.idempotency, run_id, now)
        if known is not None:
            return known
    hashed = document_hash(new.document_text)
    insert_new(
        connection,
        documents,
        [
            {
                "hash": hashed,
                "workflow_uid": document.uid,
                "title": document.title,
                "text": new.document_text,
                "created_at": now,
            }
        ],
    )
    entry = graph.stages[new.entry_stage]
    answered = entry.path in (new.answers or {}) or new.request is not None
    first = start(
        graph,
        new.entry_stage,
        new.data,
        new_id=new_id,
        answered=frozenset({new.entry_stage}) if answered else frozenset(),
        assignee=new.assignee,
    )
    waits = first.stage_run.state is StageRunState.WAITING
    connection.execute(
        insert(runs),
        {
            "id": run_id,
            "workflow_uid": document.uid,
            "title": document.title,
            "document_hash": hashed,
            "project": new.project,
            "mode": new.mode.value,
            "state": (RunState.WAITING if waits else RunState.RUNNING).value,
            "entry_stage": new.entry_stage,
            "started_by": new.started_by,
            "owner": new.owner,
            "parent": new.parent,
            "scheduled_time": new.scheduled_time,
            "created_at": now,
            "total": 1,
            "requests": dict(new.requests) if new.requests else None,
            "answers": dict(new.answers) if new.answers else None,
        },
    )
    insert_stage_runs(
        connection,
        [
            stage_run_row(
                graph,
                first,
                run_id=run_id,
                workflow_uid=document.uid,
                owner=new.owner,
                started_by=new.started_by,
                now=now,
                request=None if new.request is None else dict(new.request),
            )
        ],
    )
    return run_id


def _remember(connection: Connection, idempotency: Idempotency, run_id: str, now: datetime) -> str | None:
    """Keep the key for this run; return the run that has it already, if there is one."""
    keys = idempotency_keys.c
    mine = (keys.scope == idempotency.scope) & (keys.key == idempotency.key)
    connection.execute(idempotency_keys.delete().where(mine, keys.expires_at <= now))
    insert_new(
        connection,
        idempotency_keys,
        [
            {
                "scope": idempotency.scope,
                "key": idempotency.key,
                "body_hash": idempotency.body_hash,
                "run_id": run_id,
                "created_at": now,
                "expires_at": None if idempotency.lifetime is None else now + idempotency.lifetime,
            }
        ],
    )
    row = connection.execute(select(keys.run_id, keys.body_hash).where(mine)).one()
    if row.body_hash != idempotency.body_hash:
        raise IdempotencyConflict(
            f"the key {idempotency.key!r} was used for another request", "Use a new key for a new request"
        )
    return None if row.run_id == run_id else str(row.run_id)


def cancel_run(connection: Connection, run_id: str, by: str | None, now: datetime) -> bool:
    """Cancel a run; see `Store.cancel_run`."""
    run = lock_run(connection, run_id)
    if run.state in _ENDED:
        if run.state == RunState.CANCELLED:
            return False
        raise WrongState(f"run {run_id} is {run.state} already")
    connection.execute(
        update(stage_runs)
        .where(_s.run_id == run_id, _s.state.in_([state.value for state in ACTIVE]))
        .values(
            state=StageRunState.CANCELLED.value,
            # The fence: whatever the running attempts still write is stale from here on.
            attempt=_s.attempt + 1,
            runner=None,
            lease_until=None,
            due_at=None,
            expires_at=None,
            remind_at=None,
            ended_at=now,
        )
    )
    connection.execute(
        update(attempts)
        .where(attempts.c.run_id == run_id, attempts.c.state == AttemptState.RUNNING.value)
        .values(state=AttemptState.CANCELLED.value, ended_at=now)
    )
    connection.execute(
        update(runs)
        .where(runs.c.id == run_id)
        .values(state=RunState.CANCELLED.value, cancelled=True, cancelled_by=by, ended_at=now)
    )
    return True
