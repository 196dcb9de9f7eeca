"""Jobs: starting what is due, what a person wants now, and what was not run in the past."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection

from .. import auditing, deployments, jobs, schedules
from ..deployment_records import DeploymentRecord
from ..errors import WrongState
from ..jobs import JobRun, JobStarter
from ..schedules import Due, ScheduledJob
from .base import StoreBase
from .deployments import PROJECT

log = logging.getLogger(__name__)
T = TypeVar("T")

#: Times that one backfill may take.
MOST = 1000

_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class DueWork:
    """What became of all jobs that were due.

    Parameters
    ----------
    released
        Runs that waited for an earlier one of their job, and may begin.
    next_due
        When the next job is due that is not due yet.
    more
        Whether there is more to start: not all of it is done at once.
    failed
        Jobs that could not be started, by workflow and stage, with the reason.
    """

    due: tuple[Due, ...]
    released: tuple[str, ...]
    next_due: datetime | None
    more: bool = False
    failed: tuple[tuple[str, str, Exception], ...] = ()

    @property
    def started(self) -> list[JobRun]:
        """The new runs."""
        return [run for due in self.due for run in due.started]


@dataclass(frozen=True, slots=True)
class Backfill:
    """What became of past times.

    Parameters
    ----------
    started
        The new runs.
    known
        Times that had a run already, and the run.
    """

    started: tuple[JobRun, ...]
    known: tuple[tuple[datetime, str], ...]


class ScheduleOperations(StoreBase):
    """What is done with jobs."""

    def list_schedules(self, workflow_uid: str | None = None) -> list[ScheduledJob]:
        """Return the jobs of live deployments that have a schedule."""
        with self.database.read() as connection:
            return schedules.list_jobs(connection, workflow_uid)

    def get_schedule(self, workflow_uid: str, stage: str) -> ScheduledJob:
        """Return a job by its stage's key."""
        with self.database.read() as connection:
            return schedules.get_job(connection, workflow_uid, stage)

    def start_due(self, now: datetime | None = None) -> DueWork:
        """Start the jobs that are due, at most one run for each due time, whoever else does the same.

        Parameters
        ----------
        now
            The scheduler's time; the database's by default.
        """
        with self.database.read() as connection:
            now = now or self.database.now(connection)
            needing = schedules.needing_attention(connection, now)
            held = jobs.jobs_with_held_runs(connection)
            held = [job for job in held if jobs.may_release(connection, *job)]
        done: list[Due] = []
        released: list[str] = []
        failed: list[tuple[str, str, Exception]] = []
        for uid, stage in needing:
            try:
                due = self._in_workflow(uid, lambda connection: self._deal_with(connection, uid, stage, now))  # noqa: B023
            except Exception as error:  # one job must not hold up the others
                failed.append((uid, stage, error))
            else:
                done += [due] if due is not None else []
        for uid, stage in held:
            run = self._in_workflow(
                uid,
                lambda connection: jobs.release(connection, uid, stage, self.database.now(connection)),  # noqa: B023
            )
            released += [run] if run is not None else []
        with self.database.read() as connection:
            following = schedules.next_due(connection, now)
        more = any(due.next_due is not None and due.next_due <= now for due in done)
        return DueWork(tuple(done), tuple(released), following, more, tuple(failed))

    def run_job_now(self, workflow_uid: str, stage: str, *, by: str | None = None) -> str:
        """Start a job because a person wants it, whatever its schedule says, and return the run."""

        def start(connection: Connection) -> str:
            now = self.database.now(connection)
            run = self._starter(connection, workflow_uid, stage).start(
                now.replace(microsecond=0), by=by, once=False
            )
            auditing.note(
                connection, by, "ran-now", f"schedule:{workflow_uid}:{stage}", now, run_id=run.run_id
            )
            return run.run_id

        return self._in_workflow(workflow_uid, start)

    def backfill(
        self,
        workflow_uid: str,
        stage: str,
        start: datetime,
        end: datetime,
        *,
        by: str | None = None,
        again: bool = False,
    ) -> Backfill:
        """Start a job for the past times from `start` to `end`, both included.

        They run one after the other, unless the job's runs may overlap.

        Parameters
        ----------
        again
            Also for times that had their run.

        Raises
        ------
        WrongState
            The range reaches into the future, or has more times than can be started at once.
        """
        job = self.get_schedule(workflow_uid, stage)
        started: list[JobRun] = []
        known: list[tuple[datetime, str]] = []
        times = self.backfill_times(job, start, end)
        object_ = f"schedule:{workflow_uid}:{stage}"

        def batch(connection: Connection, chosen: list[datetime]) -> None:
            starter = self._starter(connection, workflow_uid, stage)
            now = self.database.now(connection)
            for time in chosen:
                run = starter.known(time)
                if run is not None and not again:
                    known.append((time, run))
                    continue
                new = starter.start(time, by=by, hold=job.overlap != "allow", once=run is None)
                auditing.note(
                    connection,
                    by,
                    "backfilled",
                    object_,
                    now,
                    run_id=new.run_id,
                    detail={"scheduled_time": time.isoformat(), "again": run is not None},
                )
                started.append(new)

        rest = iter(times)
        while chosen := list(islice(rest, schedules.BATCH)):
            before = len(started), len(known)

            def repeatable(
                connection: Connection,
                chosen: list[datetime] = chosen,
                before: tuple[int, int] = before,
            ) -> None:
                del started[before[0] :], known[before[1] :]
                batch(connection, chosen)

            self._in_workflow(workflow_uid, repeatable)
        return Backfill(tuple(started), tuple(known))

    def backfill_times(self, job: ScheduledJob, start: datetime, end: datetime) -> list[datetime]:
        """Return the times that a backfill would take.

        Raises
        ------
        WrongState
            The range reaches into the future, or has more times than can be started at once.
        """
        if end > self.now():
            raise WrongState("a backfill is for times that have passed", "Let it end before now")
        if start > end:
            raise WrongState("the backfill ends before it begins", "Exchange the two times")
        times: list[datetime] = []
        for time in job.schedule.times(start.astimezone(UTC) - _INSTANT):
            if time > end:
                break
            if len(times) == MOST:
                raise WrongState(
                    f"the job is due more than {MOST} times in that range",
                    "Take smaller ranges, one after the other",
                )
            times.append(time)
        return times

    def _deal_with(self, connection: Connection, uid: str, stage: str, now: datetime) -> Due | None:
        job = schedules.get_job(connection, uid, stage)
        if job.next_due is not None and job.next_due > now and not (job.last_due and job.last_due > now):
            return None  # somebody else was faster
        starter = self._starter(connection, uid, stage) if job.active else None
        return schedules.deal_with(connection, job, starter, now)

    def _starter(self, connection: Connection, uid: str, stage: str) -> JobStarter:
        now = self.database.now(connection)
        return JobStarter(connection, self._graphs.get, self._project_of, uid, stage, now=now)

    def _project_of(self, deployment: DeploymentRecord) -> Path:
        return self.state_folder / deployment.snapshot / PROJECT

    def _in_workflow(self, uid: str, function: Callable[[Connection], T]) -> T:
        def locked(connection: Connection) -> T:
            deployments.lock_workflow(connection, uid)
            return function(connection)

        return self.database.transact(locked)
