"""Versions of workflows, and which of them is live with its hooks and schedules."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, delete, exists, func, or_, select

from . import auditing
from .deployment_records import (
    DeploymentRecord,
    HookRecord,
    ScheduleRecord,
    WorkflowRecord,
)
from .errors import NotFound, SlugTaken, WrongState
from .tables import deployments, documents, hooks, runs, schedules, workflows

_w = workflows.c
_d = deployments.c
_h = hooks.c
_s = schedules.c

_WORKFLOWS = select(
    _w.uid,
    _w.slug,
    _w.title,
    _w.live_deployment,
    _d.version,
    _w.last_version,
    _w.created_at,
    _w.owner_address,
    _w.paused,
).select_from(workflows.outerjoin(deployments, _d.id == _w.live_deployment))

_DEPLOYMENTS = select(
    _d.id,
    _d.workflow_uid,
    _w.slug,
    _d.version,
    _d.title,
    _d.document_hash,
    _d.snapshot,
    _d.snapshot_hash,
    _d.size,
    _d.project,
    _d.created_by,
    _d.created_at,
    _d.note,
    (_d.id == func.coalesce(_w.live_deployment, "")).label("live"),
).select_from(deployments.join(workflows))


# -- reading ----------------------------------------------------------------------------------------------


def get_workflow(connection: Connection, name: str) -> WorkflowRecord:
    """Return the workflow with a uid or a slug."""
    found = [
        WorkflowRecord(*row)
        for row in connection.execute(_WORKFLOWS.where(or_(_w.uid == name, _w.slug == name)))
    ]
    if not found:
        raise NotFound(
            f"no workflow {name} was ever deployed here", "Deploy it: jupyter workflows deploy FILE"
        )
    # A uid could look like another one's slug.
    return next((record for record in found if record.uid == name), found[0])


def list_workflows(connection: Connection, *, after: str | None, limit: int) -> list[WorkflowRecord]:
    """Return workflows by slug, those after one of them."""
    statement = _WORKFLOWS.order_by(_w.slug).limit(limit)
    if after is not None:
        statement = statement.where(_w.slug > after)
    return [WorkflowRecord(*row) for row in connection.execute(statement)]


def get_deployment(connection: Connection, deployment_id: str) -> DeploymentRecord:
    """Return a deployment."""
    return _one(
        connection, _DEPLOYMENTS.where(_d.id == deployment_id), f"there is no deployment {deployment_id}"
    )


def get_version(connection: Connection, uid: str, version: int) -> DeploymentRecord:
    """Return a version of a workflow."""
    wanted = _DEPLOYMENTS.where(_d.workflow_uid == uid, _d.version == version)
    return _one(connection, wanted, f"workflow {uid} has no version {version}")


def _one(connection: Connection, statement: Select[Any], otherwise: str) -> DeploymentRecord:
    row = connection.execute(statement).one_or_none()
    if row is None:
        raise NotFound(otherwise, "See: jupyter workflows deployments")
    return _deployment(row)


def _deployment(row: Any) -> DeploymentRecord:
    return DeploymentRecord(*row)


def list_deployments(
    connection: Connection, uid: str | None, *, before: int | None, limit: int
) -> list[DeploymentRecord]:
    """Return deployments, the newest first; of one workflow those before a version."""
    statement = _DEPLOYMENTS.limit(limit)
    if uid is None:
        statement = statement.order_by(_d.created_at.desc(), _d.id.desc())
    else:
        statement = statement.where(_d.workflow_uid == uid).order_by(_d.version.desc())
        if before is not None:
            statement = statement.where(_d.version < before)
    return [_deployment(row) for row in connection.execute(statement)]


def page_deployments(
    connection: Connection, uid: str | None, *, after: str | None, limit: int
) -> list[DeploymentRecord]:
    """Return deployments of one workflow or of all, the newest first, beyond the one with the id `after`."""
    statement = _DEPLOYMENTS.order_by(_d.id.desc()).limit(limit)
    if uid is not None:
        statement = statement.where(_d.workflow_uid == uid)
    if after is not None:
        statement = statement.where(_d.id < after)
    return [_deployment(row) for row in connection.execute(statement)]


def hooks_of(connection: Connection, uid: str) -> tuple[HookRecord, ...]:
    """Return a workflow's live hooks by path."""
    rows = connection.execute(select(hooks).where(_h.workflow_uid == uid).order_by(_h.path))
    return tuple(_hook(row) for row in rows)


def find_hook(connection: Connection, slug: str, path: str) -> HookRecord | None:
    """Return the live hook at an address."""
    row = connection.execute(select(hooks).where(_h.slug == slug, _h.path == path)).one_or_none()
    return None if row is None else _hook(row)


def _hook(row: Any) -> HookRecord:
    return HookRecord(**{**row._mapping, "methods": tuple(row.methods)})


def schedules_of(connection: Connection, uid: str) -> tuple[ScheduleRecord, ...]:
    """Return a workflow's live schedules by path."""
    rows = connection.execute(select(schedules).where(_s.workflow_uid == uid).order_by(_s.path))
    return tuple(ScheduleRecord(**row._mapping) for row in rows)


def lock_workflow(connection: Connection, uid: str, *, share: bool = False) -> WorkflowRecord:
    """Return a workflow and keep it as it is until the transaction ends.

    Parameters
    ----------
    share
        Let others do the same.
    """
    locked = select(_w.uid).where(_w.uid == uid).with_for_update(read=share, key_share=not share)
    if connection.execute(locked).one_or_none() is None:
        raise NotFound(
            f"workflow {uid} was never deployed here", "Deploy it first: jupyter workflows deploy FILE"
        )
    return get_workflow(connection, uid)


def check_slug(connection: Connection, uid: str, slug: str) -> str:
    """Return the slug that a workflow has or will have.

    Raises
    ------
    SlugTaken
        Another workflow has it.
    """
    rows = connection.execute(
        select(_w.uid, _w.slug, _w.title).where(or_(_w.uid == uid, _w.slug == slug))
    ).all()
    for row in rows:
        if row.uid == uid:
            return str(row.slug)
    if rows:
        raise SlugTaken(slug, rows[0].title, rows[0].uid)
    return slug


def previous(connection: Connection, uid: str) -> int:
    """Return the version before the live one: where a rollback leads that names none."""
    workflow = get_workflow(connection, uid)
    older = select(func.max(_d.version)).where(_d.workflow_uid == uid)
    if workflow.live_version is not None:
        older = older.where(_d.version < workflow.live_version)
    version = connection.execute(older).scalar()
    if version is None:
        raise WrongState(
            f"there is no version before {workflow.live_version or 'this one'}",
            f"See: jupyter workflows deployments {workflow.slug}",
        )
    return int(version)


# -- removing ---------------------------------------------------------------------------------------------


def removable(connection: Connection, keep: int) -> list[DeploymentRecord]:
    """Return the versions beyond each workflow's newest `keep` that are not live and that no run follows."""
    unused = ~exists().where(runs.c.deployment == _d.id)
    newer = deployments.alias()
    count = (
        select(func.count())
        .where(newer.c.workflow_uid == _d.workflow_uid, newer.c.version > _d.version)
        .scalar_subquery()
    )
    statement = _DEPLOYMENTS.where(unused, _d.id != func.coalesce(_w.live_deployment, ""), count >= keep)
    return [_deployment(row) for row in connection.execute(statement)]


def remove(connection: Connection, deployment: DeploymentRecord, *, by: str | None, now: datetime) -> None:
    """Forget a version that is not live and that no run follows.

    Raises
    ------
    WrongState
        It is live, or a run follows it.
    """
    workflow = lock_workflow(connection, deployment.workflow_uid)
    if workflow.live_deployment == deployment.id:
        raise WrongState(f"version {deployment.version} is live", "Activate another version first")
    if connection.execute(select(runs.c.id).where(runs.c.deployment == deployment.id).limit(1)).first():
        raise WrongState(f"runs follow version {deployment.version}", "They go when their time is over")
    connection.execute(delete(deployments).where(_d.id == deployment.id))
    connection.execute(
        delete(documents).where(
            documents.c.hash == deployment.document_hash,
            ~exists().where(runs.c.document_hash == documents.c.hash),
            ~exists().where(_d.document_hash == documents.c.hash),
        )
    )
    auditing.note(
        connection,
        by,
        "removed a version",
        f"workflow:{deployment.workflow_uid}",
        now,
        detail={"version": deployment.version, "deployment": deployment.id},
    )


def known_snapshots(connection: Connection, uid: str) -> set[str]:
    """Return the snapshots of a workflow that belong to a version."""
    return set(connection.execute(select(_d.snapshot).where(_d.workflow_uid == uid)).scalars())
