"""When jobs are due: times lie in the database, and each is dealt with in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, select, update

from jupyter_workflows.model.schedule import GRACE, Schedule

from .errors import NotFound
from .jobs import JobRun, JobStarter
from .tables import deployments, schedules, workflows

#: Runs that one transaction starts: what is left follows in the next, so that nobody waits for long.
BATCH = 50
#: Runs of a job that may wait for an earlier one; what is due beyond counts as missed.
QUEUE = 100

_SECOND = timedelta(seconds=1)

_c = schedules.c
_w = workflows.c


@dataclass(frozen=True, slots=True)
class ScheduledJob:
    """A job of a live deployment, and when it is due.

    Parameters
    ----------
    slug, workflow_title, version
        Of the workflow and its live deployment.
    active
        False while the workflow is paused.
    activated_at
        Since when this schedule has been live: it is never due before.
    last_due
        Up to when due times have been dealt with.
    """

    workflow_uid: str
    slug: str
    workflow_title: str
    deployment: str
    version: int
    stage: str
    path: str
    title: str
    cron: str
    timezone: str
    missed: str
    overlap: str
    active: bool
    activated_at: datetime
    next_due: datetime | None
    last_due: datetime | None

    @property
    def schedule(self) -> Schedule:
        """When it is due."""
        return Schedule(self.cron, self.timezone)

    def next_times(self, now: datetime, n: int) -> list[datetime]:
        """Return the next `n` times for which it will be started."""
        return self.schedule.next(max(now, watermark(self)), n)


@dataclass(frozen=True, slots=True)
class Due:
    """What became of a job that was due.

    Parameters
    ----------
    started
        Its new runs.
    skipped
        Times without a run, for an earlier run was still going on.
    waiting
        Whether so many runs wait that no more can be queued.
    next_due
        When it is due next; a time that has passed means that there is more to start.
    """

    job: ScheduledJob
    started: tuple[JobRun, ...]
    skipped: tuple[datetime, ...]
    waiting: bool
    next_due: datetime | None


def watermark(job: Any) -> datetime:
    """Return up to when a job's due times need no attention any more."""
    activated: datetime = job.activated_at
    return activated if job.last_due is None else max(activated, job.last_due)


def list_jobs(connection: Connection, workflow_uid: str | None = None) -> list[ScheduledJob]:
    """Return the jobs with a schedule, sorted by workflow and path."""
    statement = _jobs().order_by(_w.slug, _c.path)
    if workflow_uid is not None:
        statement = statement.where(_c.workflow_uid == workflow_uid)
    return [_job(row) for row in connection.execute(statement)]


def get_job(connection: Connection, workflow_uid: str, stage: str) -> ScheduledJob:
    """Return a job by its stage's key.

    Raises
    ------
    NotFound
        No live deployment has such a job with a schedule.
    """
    row = connection.execute(_jobs().where(_c.workflow_uid == workflow_uid, _c.stage == stage)).first()
    if row is None:
        raise NotFound(f"workflow {workflow_uid} has no schedule for a stage {stage}")
    return _job(row)


def needing_attention(connection: Connection, now: datetime) -> list[tuple[str, str]]:
    """Return the jobs that are due, or for which the clock has gone back."""
    statement = select(_c.workflow_uid, _c.stage).where(
        _c.next_due.is_(None) | (_c.next_due <= now) | (_c.last_due > now)
    )
    return [(row.workflow_uid, row.stage) for row in connection.execute(statement.order_by(_c.next_due))]


def next_due(connection: Connection, now: datetime) -> datetime | None:
    """Return when the next job is due that is not due yet."""
    statement = select(_c.next_due).where(_c.next_due > now).order_by(_c.next_due).limit(1)
    found: datetime | None = connection.execute(statement).scalar()
    return found


def deal_with(connection: Connection, job: ScheduledJob, starter: JobStarter | None, now: datetime) -> Due:
    """Start what is due of a job, and move its due time on.

    Parameters
    ----------
    starter
        `None` while the job is paused: times pass it by then.
    now
        By the scheduler's clock.
    """
    schedule = job.schedule
    if job.last_due is not None and now < job.last_due:
        # The clock was ahead, and was set right. Times come again; those that had their run keep it.
        last = now.replace(microsecond=0) - _SECOND
        return _move(connection, job, last, schedule.next(max(last, job.activated_at))[0])
    after = watermark(job)
    if starter is None:
        last = max(after, now.replace(microsecond=0))
        return _move(connection, job, last, schedule.next(last)[0])
    times = schedule.due_times(after, now, job.missed, limit=BATCH)  # type: ignore[arg-type]
    started: list[JobRun] = []
    skipped: list[datetime] = []
    last_due = job.last_due
    for time in times:
        if starter.known(time) is None:
            rule = _overlap(job, time, now)
            if rule == "skip" and starter.busy:
                skipped.append(time)
            elif rule == "queue" and starter.busy and starter.held >= QUEUE:
                due = schedule.next(now)[0]
                return _move(connection, job, last_due, due, started, skipped, waiting=True)
            else:
                started.append(starter.start(time, hold=rule != "allow"))
        last_due = time
    done_to = times[-1] if len(times) == BATCH else max(after, now)
    return _move(connection, job, last_due, schedule.next(done_to)[0], started, skipped)


def _overlap(job: ScheduledJob, time: datetime, now: datetime) -> str:
    # Who wants all that was missed does not want the second of them left out for the first.
    if job.overlap == "skip" and job.missed == "all" and time < now - GRACE:
        return "queue"
    return job.overlap


def _move(
    connection: Connection,
    job: ScheduledJob,
    last_due: datetime | None,
    due: datetime | None,
    started: Sequence[JobRun] = (),
    skipped: Sequence[datetime] = (),
    *,
    waiting: bool = False,
) -> Due:
    connection.execute(
        update(schedules)
        .where(_c.workflow_uid == job.workflow_uid, _c.stage == job.stage)
        .values(last_due=last_due, next_due=due)
    )
    return Due(job, tuple(started), tuple(skipped), waiting, due)


def _jobs() -> Any:
    return (
        select(
            _c.workflow_uid,
            _w.slug,
            _w.title.label("workflow_title"),
            _c.deployment,
            deployments.c.version,
            _c.stage,
            _c.path,
            _c.title,
            _c.cron,
            _c.timezone,
            _c.missed,
            _c.overlap,
            (_c.active & ~_w.paused).label("active"),
            _c.activated_at,
            _c.next_due,
            _c.last_due,
        )
        .join(workflows, _w.uid == _c.workflow_uid)
        .join(deployments, deployments.c.id == _c.deployment)
    )


def _job(row: Row[Any]) -> ScheduledJob:
    fields = row._asdict()
    return ScheduledJob(**{**fields, "active": bool(fields["active"])})
