"""Starting and cancelling runs."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, or_, select, update

from jupyter_workflows.model.advance import retry, start
from jupyter_workflows.model.states import ACTIVE, AttemptState, RunMode, RunState, StageRunState

from . import artifact_refs, auditing
from .completion import load_stage_run, lock_run
from .errors import IdempotencyConflict, WrongState
from .graphs import Parsed
from .ids import new_id
from .making import assignee_of, insert_stage_runs, stage_run_row
from .notices import announce_task
from .records import Idempotency, NewRun
from .statements import insert_new
from .tables import attempts, documents, idempotency_keys, runs, stage_runs
from .views import load_view, model_stage_run

_s = stage_runs.c
_ENDED = frozenset({RunState.COMPLETED, RunState.FAILED, RunState.CANCELLED})


def document_hash(text: str) -> str:
    """Return the hash under which a document's text is kept."""
    return hashlib.sha256(text.encode()).hexdigest()


def search_text(run_id: str, title: str, started_by: str | None) -> str:
    """Return what a search in the list of runs looks at."""
    return f"{run_id} {title} {started_by or ''}".casefold()


def create_run(connection: Connection, new: NewRun, parsed: Parsed, now: datetime) -> str:
    """Start a run; see `Store.create_run`."""
    run_id = new_id()
    if new.idempotency is not None:
        known = _remember(connection, new.idempotency, run_id, now)
        if known is not None:
            return known
    document, graph = parsed.document, parsed.graph
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
    entry = parsed.stage(new.entry_stage)
    pinned = new.mode is RunMode.TEST and entry.pinned is not None
    answered = entry.path in (new.answers or {}) or new.request is not None or pinned
    first = start(
        graph,
        new.entry_stage,
        new.data,
        new_id=new_id,
        answered=frozenset({entry.path}) if answered else frozenset(),
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
            "deployment": new.deployment,
            "editor": new.editor,
            "until": new.until,
            "reuse": dict(new.reuse) if new.reuse else None,
            "search": search_text(run_id, document.title, new.started_by),
        },
    )
    insert_stage_runs(
        connection,
        [
            stage_run_row(
                entry,
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
    artifact_refs.refer(connection, new.artifacts, run_id=run_id, stage_run_id="", now=now)
    if waits:
        assignee = assignee_of(entry, first.assignee, first.data.values, new.started_by)
        if assignee != new.started_by:  # who starts a run has its first form before them
            announce_task(connection, lock_run(connection, run_id), first.stage_run.id, entry, assignee, now)
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
    known = known_run(connection, idempotency, now)
    return None if known == run_id else known


def known_run(connection: Connection, idempotency: Idempotency, now: datetime) -> str | None:
    """Return the run that was started under a key, if it is remembered.

    Raises
    ------
    IdempotencyConflict
        The key was used for another request.
    """
    keys = idempotency_keys.c
    row = connection.execute(
        select(keys.run_id, keys.body_hash).where(
            keys.scope == idempotency.scope,
            keys.key == idempotency.key,
            or_(keys.expires_at.is_(None), keys.expires_at > now),
        )
    ).one_or_none()
    if row is None:
        return None
    if row.body_hash != idempotency.body_hash:
        raise IdempotencyConflict(
            f"the key {idempotency.key!r} was used for another request", "Use a new key for a new request"
        )
    return str(row.run_id)


def cancel_run(connection: Connection, run_id: str, by: str | None, now: datetime) -> bool:
    """Cancel a run; see `Store.cancel_run`."""
    run = lock_run(connection, run_id)
    if run.state in _ENDED:
        if run.state == RunState.CANCELLED:
            return False
        raise WrongState(f"run {run_id} is {run.state} already")
    active = (_s.run_id == run_id, _s.state.in_([state.value for state in ACTIVE]))
    # Locked in one order, as renewing leases does it too: else each could wait for the other.
    connection.execute(select(_s.id).where(*active).order_by(_s.id).with_for_update(key_share=True))
    connection.execute(
        update(stage_runs)
        .where(*active)
        .values(
            state=StageRunState.CANCELLED.value,
            # The fence: whatever the running attempts still write is stale from here on.
            attempt=_s.attempt + 1,
            runner=None,
            lease_until=None,
            opened_by=None,
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
    auditing.note(connection, by, "cancelled", f"run:{run_id}", now, run_id=run_id)
    return True


def retry_stage_run(
    connection: Connection,
    parsed: Parsed,
    run: Any,
    stage_run_id: str,
    *,
    once: Mapping[str, str] | None,
    by: str | None,
    now: datetime,
) -> None:
    """Queue a failed stage run again; see `Store.retry_stage_run`."""
    row = load_stage_run(connection, run.id, stage_run_id)
    view = load_view(connection, parsed.graph, run, model_stage_run(row))
    try:
        changes = retry(view, stage_run_id)
    except ValueError as error:
        raise WrongState(f"stage run {stage_run_id} cannot be tried again: {error}") from error
    connection.execute(
        update(stage_runs)
        .where(_s.id == stage_run_id)
        .values(
            state=changes.state.value,
            handled=changes.handled,
            failures=changes.failures,
            lost=changes.lost,
            due_at=now,
            ended_at=None,
            failure=None,
            deadline=None,
            remind_at=None,
            expires_at=None,
            once={"after": row.attempt, "how": dict(once)} if once else None,
        )
    )
    connection.execute(
        update(runs).where(runs.c.id == run.id).values(state=changes.run_state.value, ended_at=None)
    )
    auditing.note(
        connection,
        by,
        "retried",
        f"stage-run:{stage_run_id}",
        now,
        run_id=run.id,
        detail={"once": dict(once)} if once else None,
    )
