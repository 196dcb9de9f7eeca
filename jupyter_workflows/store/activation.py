"""Making versions and making them live, with their hooks and schedules."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

from sqlalchemy import Connection, delete, insert, update

from jupyter_workflows.model.schedule import Schedule, ScheduleError

from . import auditing, hook_secrets
from .deployment_records import Activated, DeploymentRecord, NewDeployment
from .deployments import (
    check_slug,
    get_deployment,
    get_workflow,
    hooks_of,
    lock_workflow,
    schedules_of,
)
from .errors import NotFound, StoreError
from .graphs import Parsed
from .runs import document_hash
from .statements import insert_new
from .tables import deployments, documents, hooks, schedules, workflows

_w = workflows.c
_h = hooks.c
_s = schedules.c

#: Puts the snapshot where it stays, while the version is known and nobody sees it yet: takes the folder
#: where it belongs, relative to the state folder, and returns the one where it is.
Place = Callable[[str], str]


def snapshot_folder(uid: str, version: int) -> str:
    """Return where a version's snapshot lies, relative to the state folder."""
    return str(PurePosixPath("deployments") / uid / str(version))


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
