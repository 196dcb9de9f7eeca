"""``jupyter workflows schedules list``: when jobs are due next."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from jupyter_workflows.cli.base import Command
from jupyter_workflows.cli.commands.schedules.naming import find_workflow
from jupyter_workflows.cli.output import Output, json_option, pass_output, table
from jupyter_workflows.cli.stores import database_option, iso_time, opened_store

if TYPE_CHECKING:
    from jupyter_workflows.store.schedules import ScheduledJob


@click.command(cls=Command)
@click.argument("workflow", required=False, metavar="[WORKFLOW]")
@click.option(
    "--next",
    "count",
    type=click.IntRange(1, 1000),
    default=1,
    show_default=True,
    metavar="N",
    help="Show the next N times of each job.",
)
@database_option
@json_option
@pass_output
def list_schedules(output: Output, workflow: str | None, count: int, database: str | None) -> None:
    """List the jobs of deployed workflows, and when they are due next.

    WORKFLOW is its name in URLs, its uid or its file. Times are in the time zone of each schedule.

    \b
    Examples:
      jupyter workflows schedules
      jupyter workflows schedules monthly-report --next 5
    """
    with opened_store(database) as store:
        uid = None if workflow is None else find_workflow(store, workflow).uid
        jobs = store.list_schedules(uid)
        now = store.now()
    if output.json:
        output.emit({"schedules": [_json(job, now, count) for job in jobs]})
        return
    if not jobs:
        output.print("No job of a live version has a schedule.")
        return
    made = table(["workflow", "job", "schedule", "missed", "overlap", "next"])
    for job in jobs:
        made.add_row(
            job.slug,
            job.path,
            f"{job.cron} ({job.timezone})\n{_words(job)}",
            job.missed,
            job.overlap,
            "\n".join(_shown(job, now, count)),
        )
    output.out.print(made)


def _words(job: ScheduledJob) -> str:
    return job.schedule.describe().removesuffix(f" ({job.timezone})")


def _times(job: ScheduledJob, now: datetime, count: int) -> list[datetime]:
    zone = job.schedule.zone
    return [time.astimezone(zone) for time in job.next_times(now, count)] if job.active else []


def _shown(job: ScheduledJob, now: datetime, count: int) -> list[str]:
    if not job.active:
        return ["paused"]
    times = [f"{time:%a %Y-%m-%d %H:%M:%S %Z}" for time in _times(job, now, count)]
    if job.next_due is not None and job.next_due <= now:
        times.insert(0, "now due; is a runner working? (jupyter workflows runner)")
    return times


def _json(job: ScheduledJob, now: datetime, count: int) -> dict[str, Any]:
    return {
        "workflow": job.workflow_uid,
        "slug": job.slug,
        "workflow_title": job.workflow_title,
        "version": job.version,
        "stage": job.stage,
        "path": job.path,
        "title": job.title,
        "cron": job.cron,
        "timezone": job.timezone,
        "words": _words(job),
        "missed": job.missed,
        "overlap": job.overlap,
        "active": job.active,
        "activated_at": iso_time(job.activated_at),
        "last_due": iso_time(job.last_due),
        "due": job.active and job.next_due is not None and job.next_due <= now.astimezone(UTC),
        "next": [iso_time(time) for time in _times(job, now, count)],
    }
