"""What the routes of schedules do. All methods may block: they are called on threads."""

from __future__ import annotations

from datetime import UTC, datetime

from jupyter_workflows.model.schedule import Schedule, ScheduleError
from jupyter_workflows.runner.wakeup import wake
from jupyter_workflows.store import NotFound, Store
from jupyter_workflows.store.schedules import ScheduledJob

from ..problems import Problem
from ..runs.models import RunModel
from .models import (
    BackfilledRun,
    BackfillModel,
    BackfillRequest,
    PreviewModel,
    PreviewRequest,
    ScheduleList,
    ScheduleModel,
    SchedulesQuery,
)


def preview(wanted: PreviewRequest) -> PreviewModel:
    """Return when a schedule that is being written is due."""
    try:
        schedule = Schedule(wanted.cron, wanted.timezone)
    except ScheduleError as error:
        raise Problem(
            422, "invalid-schedule", error.message, error.mend, errors=[(error.field, error.message)]
        ) from error
    return PreviewModel.of(schedule, datetime.now(UTC), wanted.times)


class SchedulesManager:
    """Jobs with their due times, for people and programs that ask over HTTP."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def list(self, query: SchedulesQuery) -> ScheduleList:
        """Return the jobs with a schedule."""
        uid = None if query.workflow is None else self._store.get_workflow(query.workflow).uid
        now = self._store.now()
        found = self._store.list_schedules(uid)
        return ScheduleList(schedules=[ScheduleModel.of(job, now, query.times) for job in found])

    def show(self, workflow: str, stage: str, times: int) -> ScheduleModel:
        """Return a job."""
        return ScheduleModel.of(self._find(workflow, stage), self._store.now(), times)

    def run_now(self, workflow: str, stage: str, *, by: str) -> RunModel:
        """Start a job, whatever its schedule says."""
        job = self._find(workflow, stage)
        run = self._store.run_job_now(job.workflow_uid, job.stage, by=by)
        self._wake()
        return RunModel.of(self._store.get_run_record(run))

    def backfill(self, workflow: str, stage: str, wanted: BackfillRequest, *, by: str) -> BackfillModel:
        """Start a job for past times."""
        job = self._find(workflow, stage)
        done = self._store.backfill(
            job.workflow_uid, job.stage, wanted.start, wanted.end, by=by, again=wanted.again
        )
        self._wake()
        return BackfillModel(
            started=[
                BackfilledRun(run=run.run_id, scheduled_time=run.scheduled_time) for run in done.started
            ],
            known=[BackfilledRun(run=run, scheduled_time=time) for time, run in done.known],
        )

    def _find(self, workflow: str, path: str) -> ScheduledJob:
        uid = self._store.get_workflow(workflow).uid
        for job in self._store.list_schedules(uid):
            if job.path == path:
                return job
        raise NotFound(f"the live version of {workflow} has no job {path!r} with a schedule")

    def _wake(self) -> None:
        wake(self._store.state_folder / "wake")
