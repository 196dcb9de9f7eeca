"""What the routes of schedules read and write."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from jupyter_workflows.store.schedules import ScheduledJob

from ..models import Model, Moment, Query, Request, Text


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
