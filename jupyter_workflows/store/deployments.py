"""Versions of workflows, and which of them is live with its hooks and schedules."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

from sqlalchemy import Connection, Select, delete, exists, func, insert, or_, select, update

from jupyter_workflows.model.schedule import Schedule, ScheduleError

from . import auditing, hook_secrets
from .deployment_records import (
    Activated,
    DeploymentRecord,
    HookRecord,
    NewDeployment,
    ScheduleRecord,
    WorkflowRecord,
)
from .errors import NotFound, SlugTaken, StoreError, WrongState
from .graphs import Parsed
from .runs import document_hash
from .statements import insert_new
from .tables import deployments, documents, hooks, runs, schedules, workflows

_w = workflows.c
_d = deployments.c
_h = hooks.c
_s = schedules.c

#: Puts the snapshot where it stays, while the version is known and nobody sees it yet: takes the folder
#: where it belongs, relative to the state folder, and returns the one where it is.
Place = Callable[[str], str]

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


def snapshot_folder(uid: str, version: int) -> str:
    """Return where a version's snapshot lies, relative to the state folder."""
    return str(PurePosixPath("deployments") / uid / str(version))


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


# -- deploying --------------------------------------------------------------------------------------------


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


def add(
    connection: Connection, new: NewDeployment, parsed: Parsed, place: Place, now: datetime
) -> DeploymentRecord:
    """Make the next version of a workflow; it is not live yet."""
    document = parsed.document
    uid = document.uid
    slug = check_slug(connection, uid, new.slug)
    row = {
        "uid": uid,
        "slug": slug,
        "title": document.title,
        "last_version": 0,
        "created_at": now,
        "paused": False,
    }
    insert_new(connection, workflows, [row])
    try:
        workflow = lock_workflow(connection, uid)
    except NotFound:  # somebody took the slug at this moment, so that nothing was inserted
        check_slug(connection, uid, slug)
        raise
    version = workflow.last_version + 1
    folder = place(snapshot_folder(uid, version))
    hashed = document_hash(new.document_text)
    insert_new(
        connection,
        documents,
        [
            {
                "hash": hashed,
                "workflow_uid": uid,
                "title": document.title,
                "text": new.document_text,
                "created_at": now,
            }
        ],
    )
    connection.execute(
        insert(deployments),
        {
            "id": new.id,
            "workflow_uid": uid,
            "version": version,
            "title": document.title,
            "document_hash": hashed,
            "snapshot": folder,
            "snapshot_hash": new.snapshot_hash,
            "size": new.size,
            "project": new.project,
            "created_by": new.created_by,
            "created_at": now,
            "note": new.note,
        },
    )
    values: dict[str, Any] = {"last_version": version}
    if new.owner_address is not None:
        values["owner_address"] = new.owner_address
    connection.execute(update(workflows).where(_w.uid == uid).values(values))
    return get_deployment(connection, new.id)


def activate(
    connection: Connection,
    deployment: DeploymentRecord,
    parsed: Parsed,
    *,
    by: str | None,
    now: datetime,
    what: str = "activated",
) -> Activated:
    """Make a version the live one; its hooks and schedules take the place of the others'."""
    uid = deployment.workflow_uid
    before = lock_workflow(connection, uid)
    connection.execute(
        update(workflows)
        .where(_w.uid == uid)
        .values(live_deployment=deployment.id, title=parsed.document.title)
    )
    _replace_hooks(connection, deployment, parsed, before.slug)
    _replace_schedules(connection, deployment, parsed, active=not before.paused, now=now)
    live = hooks_of(connection, uid)
    made = hook_secrets.make_missing(connection, live, by=by, now=now)
    auditing.note(
        connection,
        by,
        what,
        f"workflow:{uid}",
        now,
        detail={
            "version": deployment.version,
            "deployment": deployment.id,
            "instead_of": before.live_version,
        },
    )
    return Activated(
        get_deployment(connection, deployment.id),
        get_workflow(connection, uid),
        live,
        schedules_of(connection, uid),
        made,
    )


def _replace_hooks(connection: Connection, deployment: DeploymentRecord, parsed: Parsed, slug: str) -> None:
    entries = set(parsed.graph.entries)
    rows = [
        {
            "workflow_uid": deployment.workflow_uid,
            "stage": key,
            "deployment": deployment.id,
            "slug": slug,
            "path": stage.path,
            "title": stage.title,
            "entry": key in entries,
            "methods": list(dict.fromkeys(stage.methods)),
            "auth": stage.auth.kind,
            "response": stage.response,
            "response_timeout": stage.response_timeout,
            "match": dict(stage.match) if stage.match else None,
        }
        for key, stage in parsed.document.stages.items()
        if stage.type == "hook" and not stage.disabled
    ]
    connection.execute(delete(hooks).where(_h.workflow_uid == deployment.workflow_uid))
    if rows:
        connection.execute(insert(hooks), rows)


def _replace_schedules(
    connection: Connection, deployment: DeploymentRecord, parsed: Parsed, *, active: bool, now: datetime
) -> None:
    """Write the schedules of a version.

    A job whose cron expression and zone stay as they were goes on as if nothing had happened: a time that
    came while the new version was made is not lost. Any other is due after this moment only.
    """
    uid = deployment.workflow_uid
    old = {record.stage: record for record in schedules_of(connection, uid)}
    rows = []
    for key, stage in parsed.document.stages.items():
        if stage.type != "job" or stage.disabled or stage.schedule is None:
            continue
        schedule = _schedule(stage.schedule.cron, stage.schedule.timezone, stage.path)
        known = old.get(key)
        goes_on = (
            known is not None
            and known.active
            and active
            and (known.cron, known.timezone) == (schedule.cron, schedule.timezone)
        )
        rows.append(
            {
                "workflow_uid": uid,
                "stage": key,
                "deployment": deployment.id,
                "path": stage.path,
                "title": stage.title,
                "cron": schedule.cron,
                "timezone": schedule.timezone,
                "missed": stage.schedule.missed,
                "overlap": stage.schedule.overlap,
                "active": active,
                "activated_at": known.activated_at if goes_on and known else now,
                "next_due": known.next_due if goes_on and known else next_due(schedule, now),
                "last_due": known.last_due if known else None,
            }
        )
    connection.execute(delete(schedules).where(_s.workflow_uid == uid))
    if rows:
        connection.execute(insert(schedules), rows)


def _schedule(cron: str, timezone: str, path: str) -> Schedule:
    try:
        return Schedule(cron, timezone)
    except ScheduleError as error:
        raise StoreError(f"the schedule of {path!r} is not valid: {error.message}", error.mend) from error


def next_due(schedule: Schedule, after: datetime) -> datetime | None:
    """Return when a schedule is due next; `None`: never again."""
    return next(iter(schedule.next(after)), None)


# -- pausing ----------------------------------------------------------------------------------------------


def pause(connection: Connection, uid: str, *, by: str | None, now: datetime) -> bool:
    """Let a workflow rest; return whether it did not already."""
    if lock_workflow(connection, uid).paused:
        return False
    connection.execute(update(workflows).where(_w.uid == uid).values(paused=True))
    connection.execute(update(schedules).where(_s.workflow_uid == uid).values(active=False))
    auditing.note(connection, by, "paused", f"workflow:{uid}", now)
    return True


def resume(connection: Connection, uid: str, *, by: str | None, now: datetime) -> bool:
    """Let a workflow go on; what was due meanwhile is not made up for. Return whether it was paused."""
    if not lock_workflow(connection, uid).paused:
        return False
    connection.execute(update(workflows).where(_w.uid == uid).values(paused=False))
    for record in schedules_of(connection, uid):
        schedule = _schedule(record.cron, record.timezone, record.path)
        connection.execute(
            update(schedules)
            .where(_s.workflow_uid == uid, _s.stage == record.stage)
            .values(active=True, activated_at=now, next_due=next_due(schedule, now))
        )
    auditing.note(connection, by, "resumed", f"workflow:{uid}", now)
    return True


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
