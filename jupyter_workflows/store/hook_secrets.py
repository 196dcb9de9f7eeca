"""Secrets of hooks: made, rotated with an overlap, revoked, recognised."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, delete, exists, insert, or_, select, update

from . import auditing
from .deployment_records import HookRecord, HookSecretRecord, NewSecret
from .errors import NotFound, WrongState
from .ids import new_id
from .tables import hook_secrets

_c = hook_secrets.c
_BYTES = 32
_HINT = 4
#: As the Standard Webhooks specification marks the secrets of signatures.
_SIGNATURE_PREFIX = "whsec_"
_TOKEN_PREFIX = "jwh_"
#: Without the secret itself.
_COLUMNS = [
    _c.id,
    _c.workflow_uid,
    _c.stage,
    _c.kind,
    _c.hint,
    _c.created_at,
    _c.created_by,
    _c.expires_at,
    _c.last_used_at,
]


def token_hash(token: str) -> str:
    """Return what is kept of a token. It is random, so no salt and no slow hash are needed."""
    return hashlib.sha256(token.encode()).hexdigest()


def _generate(kind: str) -> str:
    if kind == "signature":
        return _SIGNATURE_PREFIX + base64.b64encode(secrets.token_bytes(_BYTES)).decode()
    return _TOKEN_PREFIX + secrets.token_urlsafe(_BYTES)


def _valid(now: datetime) -> ColumnElement[bool]:
    return or_(_c.expires_at.is_(None), _c.expires_at > now)


def make(
    connection: Connection,
    workflow_uid: str,
    stage: str,
    path: str,
    kind: str,
    *,
    by: str | None,
    now: datetime,
    expires_at: datetime | None = None,
) -> NewSecret:
    """Make a secret and return it, for the only time."""
    secret = _generate(kind)
    new = NewSecret(new_id(), stage, path, kind, secret, expires_at)
    connection.execute(
        insert(hook_secrets),
        {
            "id": new.id,
            "workflow_uid": workflow_uid,
            "stage": stage,
            "kind": kind,
            "secret": token_hash(secret) if kind == "token" else secret,
            "hint": secret[-_HINT:],
            "created_at": now,
            "created_by": by,
            "expires_at": expires_at,
        },
    )
    detail = {"stage": stage, "path": path, "kind": kind, "secret": new.id}
    auditing.note(connection, by, "made a hook's secret", f"workflow:{workflow_uid}", now, detail=detail)
    return new


def make_missing(
    connection: Connection, hooks: Iterable[HookRecord], *, by: str | None, now: datetime
) -> tuple[NewSecret, ...]:
    """Make a secret for each hook that asks for one and has none that is valid."""
    made = []
    for hook in hooks:
        if hook.auth == "none":
            continue
        valid = exists().where(
            _c.workflow_uid == hook.workflow_uid,
            _c.stage == hook.stage,
            _c.kind == hook.auth,
            _valid(now),
        )
        if not connection.execute(select(valid)).scalar():
            made.append(make(connection, hook.workflow_uid, hook.stage, hook.path, hook.auth, by=by, now=now))
    return tuple(made)


def rotate(
    connection: Connection, hook: HookRecord, *, overlap: timedelta, by: str | None, now: datetime
) -> NewSecret:
    """Make a new secret; the old ones are valid for `overlap` longer, but never longer than they were."""
    if hook.auth == "none":
        raise WrongState(
            f"the hook {hook.path!r} is open to everybody, so it has no secret",
            'Give it "auth": {"kind": "token"} or "signature", and deploy it',
        )
    mine = (_c.workflow_uid == hook.workflow_uid) & (_c.stage == hook.stage)
    until = now + overlap
    if overlap <= timedelta():
        connection.execute(delete(hook_secrets).where(mine))
    else:
        later = or_(_c.expires_at.is_(None), _c.expires_at > until)
        connection.execute(update(hook_secrets).where(mine, later).values(expires_at=until))
    return make(connection, hook.workflow_uid, hook.stage, hook.path, hook.auth, by=by, now=now)


def revoke(
    connection: Connection, workflow_uid: str, secret_id: str, *, by: str | None, now: datetime
) -> HookSecretRecord:
    """Remove a secret: from here on nobody gets in with it."""
    mine = (_c.workflow_uid == workflow_uid) & (_c.id == secret_id)
    row = connection.execute(select(*_COLUMNS).where(mine)).one_or_none()
    if row is None:
        raise NotFound(f"there is no secret {secret_id} of this workflow")
    connection.execute(delete(hook_secrets).where(mine))
    detail = {"stage": row.stage, "kind": row.kind, "secret": secret_id}
    auditing.note(connection, by, "revoked a hook's secret", f"workflow:{workflow_uid}", now, detail=detail)
    return HookSecretRecord(*row)


def of_workflow(connection: Connection, workflow_uid: str) -> list[HookSecretRecord]:
    """Return a workflow's secrets, those of one stage together, the newest first."""
    statement = (
        select(*_COLUMNS).where(_c.workflow_uid == workflow_uid).order_by(_c.stage, _c.created_at.desc())
    )
    return [HookSecretRecord(*row) for row in connection.execute(statement)]


def delete_expired(connection: Connection, now: datetime) -> int:
    """Remove the secrets whose time is over."""
    return connection.execute(delete(hook_secrets).where(_c.expires_at <= now)).rowcount
