"""Requests to hooks: a waiting stage run is found for each, or a run is started, in one transaction."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, func, literal, literal_column, or_, select, update

from jupyter_workflows.authoring.wire import public
from jupyter_workflows.model.states import RunMode, RunState, StageRunState

from . import artifact_refs, callbacks, tasks
from .completion import lock_run
from .deployment_records import HookRecord
from .errors import IdempotencyConflict, NotFound, StoreError, WrongState
from .graphs import Parsed
from .ids import new_id
from .records import NewRun
from .runs import create_run
from .statements import insert_new
from .tables import (
    deployments,
    hook_secrets,
    hooks,
    idempotency_keys,
    runs,
    stage_runs,
    workflows,
)

#: For how long a key finds the run that it started.
KEY_LIFETIME = timedelta(hours=24)
#: A secret's last use is noted this often.
_USED_INTERVAL = timedelta(minutes=1)

_s = stage_runs.c
_k = idempotency_keys.c
_ENDED_RUN = frozenset({RunState.COMPLETED, RunState.FAILED, RunState.CANCELLED})
_ENDED = [state.value for state in (StageRunState.COMPLETED, StageRunState.FAILED, StageRunState.CANCELLED)]
_WAITING = literal_column("stage_runs.state") == literal_column("'waiting'")
_QUEUED = literal_column("stage_runs.state") == literal_column("'queued'")


class NobodyWaits(NotFound):
    """No stage run waits for a request, and the hook does not start runs."""


class SeveralWait(StoreError):
    """More than one stage run waits for a request like this one."""


class RunEnded(StoreError):
    """The run that an address belongs to has ended."""


class QueueFull(StoreError):
    """So many stage runs of the workflow are queued that no request is taken."""

    def __init__(self, depth: int) -> None:
        super().__init__(f"{depth} requests are waiting already", "Try again later")
        self.depth = depth


@dataclass(frozen=True, slots=True)
class HookSecret:
    """What a caller may prove itself with: of a token the hash."""

    id: str
    kind: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Hook:
    """A hook of a live deployment, with all that a request needs.

    Parameters
    ----------
    record
        Its settings.
    paused
        Whether its workflow takes no new requests.
    document_hash, snapshot
        Of the live deployment; the snapshot's folder is relative to the state folder.
    secrets
        Those that are valid now.
    """

    record: HookRecord
    paused: bool
    document_hash: str
    snapshot: str
    secrets: tuple[HookSecret, ...]
    parsed: Parsed


@dataclass(frozen=True, slots=True)
class HookCall:
    """A request that was let in.

    Parameters
    ----------
    request
        As JSON, in the form that `authoring.requests.Request.from_json` reads.
    artifacts
        Hash and size of a body that is too large for the database.
    wanted
        Key of the stage data to the value that the request has for it; `None`: the hook has no ``match``.
    key, body_hash
        The caller's key for this request, and what must be the same when it comes again.
    secret_id
        What the caller proved itself with.
    depth
        How many stage runs of the workflow may be queued already.
    """

    request: Mapping[str, Any]
    body_hash: str
    artifacts: Mapping[str, int] = field(default_factory=dict)
    wanted: Mapping[str, Any] | None = None
    key: str | None = None
    secret_id: str | None = None
    depth: int | None = None


@dataclass(frozen=True, slots=True)
class Received:
    """What became of a request.

    Parameters
    ----------
    stage_run_id
        The one that answers it; `None`: the request came before there is one.
    repeated
        Whether it had come before.
    """

    run_id: str
    stage_run_id: str | None
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class HookAnswer:
    """Where a request stands.

    Parameters
    ----------
    state
        Of the stage run that answers it.
    response
        What the notebook answered; `None`: nothing up to now.
    """

    stage_run_id: str
    run_id: str
    state: StageRunState
    response: Mapping[str, Any] | None

    @property
    def is_final(self) -> bool:
        """Whether a caller needs to wait no longer."""
        return self.response is not None or self.state.value in _ENDED


_FIND = (
    select(hooks, workflows.c.paused, deployments.c.document_hash, deployments.c.snapshot)
    .join_from(hooks, workflows, workflows.c.uid == hooks.c.workflow_uid)
    .join(deployments, deployments.c.id == hooks.c.deployment)
    .where(hooks.c.slug == bindparam("slug"), hooks.c.path == bindparam("path"))
)
_SECRETS = (
    select(hook_secrets.c.id, hook_secrets.c.kind, hook_secrets.c.secret)
    .where(
        hook_secrets.c.workflow_uid == bindparam("workflow"),
        hook_secrets.c.stage == bindparam("stage"),
        or_(hook_secrets.c.expires_at.is_(None), hook_secrets.c.expires_at > bindparam("now")),
    )
    .order_by(hook_secrets.c.created_at.desc())
)


def find(connection: Connection, slug: str, path: str, now: datetime) -> Any:
    """Return the row of a hook and the secrets that are valid now; `None` if there is no such hook."""
    row = connection.execute(_FIND, {"slug": slug, "path": path}).first()
    if row is None:
        return None
    secrets: tuple[HookSecret, ...] = ()
    if row.auth != "none":
        parameters = {"workflow": row.workflow_uid, "stage": row.stage, "now": now}
        secrets = tuple(HookSecret(*found) for found in connection.execute(_SECRETS, parameters))
    return row, secrets


def record_of(row: Any) -> HookRecord:
    """Return the settings of a hook's row."""
    return HookRecord(
        workflow_uid=row.workflow_uid,
        stage=row.stage,
        deployment=row.deployment,
        slug=row.slug,
        path=row.path,
        title=row.title,
        entry=row.entry,
        methods=tuple(row.methods),
        auth=row.auth,
        response=row.response,
        response_timeout=row.response_timeout,
        match=row.match,
    )


# Taking a request


def receive(connection: Connection, hook: Hook, call: HookCall, project: str, now: datetime) -> Received:
    """Give a request to the stage run that waits for it, or start a run; see `Store.receive`."""
    record = hook.record
    scope = f"hook:{record.workflow_uid}:{record.stage}"
    if call.key is not None:
        known = _take_key(connection, scope, call, now)
        if known is not None:
            return known
    if call.secret_id is not None:
        _note_use(connection, call.secret_id, now)
    target = _waiting(connection, record, call.wanted)
    if target is not None:
        _deliver(connection, target, call, record, now)
        received = Received(tasks.run_of(connection, target), target)
    else:
        received = _start(connection, hook, call, project, now)
    if call.key is not None:
        connection.execute(
            update(idempotency_keys)
            .where(_k.scope == scope, _k.key == call.key)
            .values(run_id=received.run_id, stage_run_id=received.stage_run_id)
        )
    return received


def _take_key(connection: Connection, scope: str, call: HookCall, now: datetime) -> Received | None:
    """Take a key for this request; return what became of the one that has it already."""
    mine = (_k.scope == scope) & (_k.key == call.key)
    connection.execute(idempotency_keys.delete().where(mine, _k.expires_at <= now))
    mark = f"new:{new_id()}"
    row = {
        "scope": scope,
        "key": call.key,
        "body_hash": call.body_hash,
        "run_id": mark,
        "created_at": now,
        "expires_at": now + KEY_LIFETIME,
    }
    # Another transaction that is about to take the same key is waited for here.
    insert_new(connection, idempotency_keys, [row])
    found = connection.execute(select(_k.run_id, _k.stage_run_id, _k.body_hash).where(mine)).one()
    if found.run_id == mark:
        return None
    if found.body_hash != call.body_hash:
        raise IdempotencyConflict("the key was used for another request", "Use a new key for a new request")
    return Received(found.run_id, found.stage_run_id, repeated=True)


def _note_use(connection: Connection, secret_id: str, now: datetime) -> None:
    before = or_(hook_secrets.c.last_used_at.is_(None), hook_secrets.c.last_used_at < now - _USED_INTERVAL)
    connection.execute(
        update(hook_secrets).where(hook_secrets.c.id == secret_id, before).values(last_used_at=now)
    )


def _start(connection: Connection, hook: Hook, call: HookCall, project: str, now: datetime) -> Received:
    record = hook.record
    if not record.entry:
        raise NobodyWaits("no run waits for a request like this one")
    if call.depth is not None and queued(connection, record.workflow_uid, call.depth, now) >= call.depth:
        raise QueueFull(call.depth)
    run_id = create_run(
        connection,
        NewRun(
            document_text=hook.parsed.text,
            project=project,
            entry_stage=record.stage,
            mode=RunMode.LIVE,
            deployment=record.deployment,
            request=call.request,
            artifacts=call.artifacts,
        ),
        hook.parsed,
        now,
    )
    stage_run_id = connection.execute(select(_s.id).where(_s.run_id == run_id)).scalar_one()
    return Received(run_id, stage_run_id)


def queued(connection: Connection, workflow_uid: str, most: int, now: datetime) -> int:
    """Count the stage runs of a workflow that are queued and due, up to `most`."""
    found = (
        select(literal(1)).where(_QUEUED, _s.workflow_uid == workflow_uid, _s.due_at <= now).limit(most)
    ).subquery()
    counted: int = connection.execute(select(func.count()).select_from(found)).scalar_one()
    return counted


# Hooks in the middle of a run


def _waiting(connection: Connection, record: HookRecord, wanted: Mapping[str, Any] | None) -> str | None:
    """Return the one live stage run that waits for this request; `None` if there is none."""
    statement = (
        select(_s.id, _s.data)
        .join_from(stage_runs, runs)
        .where(
            _WAITING,
            _s.workflow_uid == record.workflow_uid,
            _s.path == record.path,
            _s.type == "hook",
            runs.c.mode == RunMode.LIVE.value,
        )
        .order_by(_s.created_at, _s.id)
    )
    for value in (wanted or {}).values():
        # The database leaves out most of those that cannot be meant, before their data is read.
        if isinstance(value, str):
            statement = statement.where(_s.data.contains(_json(value)[1:-1], autoescape=True))
    found = []
    for row in connection.execute(statement):
        if wanted is None or _fits(row.data or {}, wanted):
            found.append(row.id)
            if len(found) > 1:
                raise SeveralWait(
                    "more than one run waits for a request like this one",
                    "Give the hook a match by which they differ, or use callback addresses",
                )
    return found[0] if found else None


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _fits(data: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    return all(name in data and same(data[name], value) for name, value in wanted.items())


def same(wire: Any, value: Any) -> bool:
    """Return whether a value of stage data is what a request names.

    What comes in a path or a query is text, so a number is also the same as its digits, and a date or an id
    as its usual spelling.
    """
    plain = public(wire)
    if isinstance(plain, dict) and "kind" in plain and "value" in plain and not isinstance(wire, str):
        plain = plain["value"]
    if isinstance(plain, bool) or isinstance(value, bool):
        return plain is value or (isinstance(value, str) and value == _json(plain))
    if plain == value:
        return True
    if isinstance(plain, str) != isinstance(value, str):
        return all(isinstance(one, str | int | float) for one in (plain, value)) and str(plain) == str(value)
    return False


def _deliver(
    connection: Connection, stage_run_id: str, call: HookCall, record: HookRecord, now: datetime
) -> None:
    tasks.deliver(
        connection,
        stage_run_id,
        request=call.request,
        answers=None,
        by=f"hook:{record.slug}/{record.path}",
        now=now,
    )
    if call.artifacts:
        run_id = tasks.run_of(connection, stage_run_id)
        artifact_refs.refer(connection, call.artifacts, run_id=run_id, stage_run_id=stage_run_id, now=now)


def receive_callback(
    connection: Connection, origin: str, name: str, call: HookCall, now: datetime
) -> Received:
    """Take a request to a callback address; see `Store.receive_callback`."""
    run = lock_run(connection, tasks.run_of(connection, origin))
    known = callbacks.find(connection, origin, name)
    if known is not None:
        if known.body_hash == call.body_hash:
            return Received(run.id, known.target, repeated=True)
        if run.state not in _ENDED_RUN:
            raise WrongState("this address was used already, for another request")
    if run.state in _ENDED_RUN:
        raise RunEnded("the run that this address belongs to has ended")
    found = callbacks.waiting_for(connection, run.id, origin, name)
    if len(found) > 1:
        raise SeveralWait(
            "more than one stage waits for a request to this address",
            "Make the address in the stage right before the hook, after the branches have parted",
        )
    target = found[0] if found else None
    if target is not None:
        tasks.deliver(
            connection, target, request=call.request, answers=None, by=f"callback:{origin}", now=now
        )
    artifact_refs.refer(connection, call.artifacts, run_id=run.id, stage_run_id=target or origin, now=now)
    callbacks.keep(connection, origin, name, call.request, call.body_hash, target, now)
    return Received(run.id, target)


# Answers

_ANSWERS = select(_s.id, _s.run_id, _s.state, _s.response).where(
    _s.id.in_(bindparam("ids", expanding=True)), or_(_s.response.is_not(None), _s.state.in_(_ENDED))
)
_ANSWER = select(_s.id, _s.run_id, _s.state, _s.response).where(_s.id == bindparam("id"))


def answers(connection: Connection, stage_run_ids: Collection[str]) -> list[HookAnswer]:
    """Return the answers that are there."""
    rows = connection.execute(_ANSWERS, {"ids": list(stage_run_ids)})
    return [HookAnswer(row.id, row.run_id, StageRunState(row.state), row.response) for row in rows]


def answer(connection: Connection, stage_run_id: str) -> tuple[HookAnswer, RunState]:
    """Return where a request stands, and its run."""
    row = connection.execute(_ANSWER, {"id": stage_run_id}).first()
    if row is None:
        raise NotFound("the run is not kept any more")
    state = connection.execute(select(runs.c.state).where(runs.c.id == row.run_id)).scalar_one()
    found = HookAnswer(row.id, row.run_id, StageRunState(row.state), row.response)
    return found, RunState(state)
