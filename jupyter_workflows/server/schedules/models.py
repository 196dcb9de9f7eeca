"""What the routes of schedules read and write."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from jupyter_workflows.model.schedule import Schedule
from jupyter_workflows.store.schedules import ScheduledJob

from ..models import Model, Moment, Query, Request, Text, Whole


class ScheduleQuery(Query):
    """How many times are wanted."""

    times: int = Field(3, ge=0, le=50, description="How many of its next times are listed.")


class SchedulesQuery(ScheduleQuery):
    """Which schedules."""

    workflow: Text | None = Field(None, description="Uid of a workflow, or its name in addresses.")


class ScheduleModel(Model):
    """A job of a live deployment, and when it is due."""

    workflow: str = Field(description="Uid of the workflow.")
    slug: str
    workflow_title: str
    deployment: str
    version: int
    stage: str = Field(description="Key of the stage in the document.")
    path: str
    title: str
    cron: str
    timezone: str
    missed: str
    overlap: str
    active: bool = Field(description="False while the workflow is paused.")
    activated_at: datetime
    last_due: datetime | None
    next_due: datetime | None
    next_times: list[datetime]

    @classmethod
    def of(cls, job: ScheduledJob, now: datetime, times: int) -> ScheduleModel:
        """Return a job's model, with its next times."""
        return cls(
            workflow=job.workflow_uid,
            slug=job.slug,
            workflow_title=job.workflow_title,
            deployment=job.deployment,
            version=job.version,
            stage=job.stage,
            path=job.path,
            title=job.title,
            cron=job.cron,
            timezone=job.timezone,
            missed=job.missed,
            overlap=job.overlap,
            active=job.active,
            activated_at=job.activated_at,
            last_due=job.last_due,
            next_due=job.next_due,
            next_times=job.next_times(now, times) if times else [],
        )


class ScheduleList(Model):
    """All jobs of live deployments that have a schedule: there are so few that this list has one page."""

    schedules: list[ScheduleModel]


class BackfillRequest(Request):
    """Past times for which a job is run."""

    start: Moment
    end: Moment
    again: bool = Field(False, description="Also for times that had their run.")


class BackfilledRun(Model):
    """A run of a past time."""

    run: str
    scheduled_time: datetime


class BackfillModel(Model):
    """What became of past times."""

    started: list[BackfilledRun]
    known: list[BackfilledRun] = Field(description="Times that had a run already.")


class PreviewRequest(Request):
    """A schedule that is being written."""

    cron: Annotated[str, StringConstraints(max_length=200)] = Field(
        description="Five cron fields, or six with seconds first."
    )
    timezone: Annotated[str, StringConstraints(max_length=100)] = Field(
        "UTC", description="IANA name of the time zone."
    )
    times: Whole = Field(5, ge=1, le=50, description="How many of its next times are listed.")


class ClockChangeModel(Model):
    """The clock of the zone is put forward or back."""

    time: datetime = Field(description="In the schedule's zone, after the change.")
    minutes: int = Field(description="By how much; less than nothing if it is put back.")
    effect: Literal["moved", "once"] | None = Field(
        description="`moved`: a due time does not exist then, and is due at the change. `once`: a due time "
        "comes twice then, and is due the first time only."
    )


class PreviewModel(Model):
    """When a schedule is due."""

    description: str
    times: list[datetime] = Field(description="The next times, in the schedule's zone.")
    clock_changes: list[ClockChangeModel] = Field(
        description="Those up to the last of these times, and those of the next year that touch a due time."
    )

    @classmethod
    def of(cls, schedule: Schedule, now: datetime, times: int) -> PreviewModel:
        """Return when a schedule is due after a moment."""
        due = schedule.next(now, times)
        last = due[-1] if due else now
        year = now + timedelta(days=366)
        changes = schedule.clock_changes(now, max(min(last, now + timedelta(days=5 * 366)), year))
        return cls(
            description=schedule.describe(),
            times=[time.astimezone(schedule.zone) for time in due],
            clock_changes=[
                ClockChangeModel(
                    time=change.time.astimezone(schedule.zone),
                    minutes=round(change.shift.total_seconds() / 60),
                    effect=change.effect,
                )
                for change in changes
                if change.time <= last or (change.effect is not None and change.time <= year)
            ],
        )
