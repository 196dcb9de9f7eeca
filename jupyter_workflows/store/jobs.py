"""Runs of jobs: one for each due time at most, and one after the other where they must not overlap."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, func, select, update

from jupyter_workflows.model.states import RunMode, RunState, StageRunState

from . import deployments
from .deployment_records import DeploymentRecord
from .errors import NotFound, WrongState
from .graphs import Parsed
from .queries import find_run
from .records import Idempotency, NewRun
from .retention import SCHEDULES
from .runs import create_run
from .tables import runs, stage_runs

#: A stage run that is due then waits for the previous run of its job to end.
HELD = datetime(9000, 1, 1, tzinfo=UTC)

_r = runs.c
_s = stage_runs.c
_going_on = (
    _r.mode == RunMode.LIVE.value,
    _r.state.in_([RunState.RUNNING.value, RunState.WAITING.value]),
)
_held = ((_s.state == StageRunState.QUEUED.value), (_s.due_at == HELD))


@dataclass(frozen=True, slots=True)
class JobRun:
    """The run of a job for a time.

    Parameters
    ----------
    held
        Whether it waits for an earlier run of the job to end.
    """

    run_id: str
    workflow_uid: str
    stage: str
    scheduled_time: datetime
    held: bool = False


class JobStarter:
    """Starts runs of one job of a live deployment; it locks the workflow.

    Parameters
    ----------
    parsed
        From the hash of a document to the document.
    project
        Where the project of a deployment lies.
    now
        By the database's clock: from then on the runs can be claimed.
    """

    def __init__(
        self,
        connection: Connection,
        parsed: Callable[[Connection, str], Parsed],
        project: Callable[[DeploymentRecord], Path],
        workflow_uid: str,
        stage: str,
        *,
        now: datetime,
    ) -> None:
        self._connection = connection
        self._now = now
        self._workflow_uid = workflow_uid
        self._stage = stage
        workflow = deployments.lock_workflow(connection, workflow_uid)
        if workflow.paused:
            raise WrongState(
                f"the workflow {workflow.title or workflow.slug!r} is paused",
                f"Let it go on: jupyter workflows deployments {workflow.slug} --resume",
            )
        if workflow.live_deployment is None:
            raise NotFound(f"no version of {workflow.slug} is live", "Activate or deploy one")
        self._deployment = deployments.get_deployment(connection, workflow.live_deployment)
        self._parsed = parsed(connection, self._deployment.document_hash)
        self._project = project(self._deployment)
        described = self._parsed.document.stages.get(stage)
        if described is None or described.type != "job":
            raise NotFound(f"the live version of {workflow.slug} has no job {stage!r}")
        if described.disabled:
            raise WrongState(f"the job {described.path!r} is disabled", "Enable it and deploy again")
        self.held = held_runs(connection, workflow_uid, stage)
        self._going_on = going_on(connection, workflow_uid, stage)

    @property
    def busy(self) -> bool:
        """Whether a run of the job goes on, or waits for one that does."""
        return bool(self._going_on)

    def known(self, time: datetime) -> str | None:
        """Return the run that was started for a time."""
        scope, key = _key(self._workflow_uid, self._stage, time)
        return find_run(self._connection, scope, key, self._now)

    def start(
        self, time: datetime, *, by: str | None = None, hold: bool = False, once: bool = True
    ) -> JobRun:
        """Start a run for a time.

        Parameters
        ----------
        hold
            Let it wait while an earlier run goes on.
        once
            At most one for this time, ever.
        """
        scope, key = _key(self._workflow_uid, self._stage, time)
        new = NewRun(
            document_text=self._parsed.text,
            project=str(self._project),
            entry_stage=self._stage,
            started_by=by,
            scheduled_time=time,
            deployment=self._deployment.id,
            idempotency=Idempotency(scope, key, lifetime=None) if once else None,
        )
        run_id = create_run(self._connection, new, self._parsed, self._now)
        waits = hold and self.busy
        if waits:
            self._connection.execute(
                update(stage_runs)
                .where(_s.run_id == run_id, _s.state == StageRunState.QUEUED.value)
                .values(due_at=HELD)
            )
            self.held += 1
        self._going_on += 1
        return JobRun(run_id, self._workflow_uid, self._stage, time, waits)


def going_on(connection: Connection, workflow_uid: str, stage: str) -> int:
    """Return how many live runs that began with a job have not ended, those that are held too."""
    statement = (
        select(func.count())
        .select_from(runs)
        .where(_r.workflow_uid == workflow_uid, _r.entry_stage == stage, *_going_on)
    )
    return int(connection.execute(statement).scalar_one())


def held_runs(connection: Connection, workflow_uid: str, stage: str) -> int:
    """Return how many runs of a job wait for an earlier one to end."""
    statement = (
        select(func.count())
        .select_from(stage_runs)
        .where(_s.workflow_uid == workflow_uid, _s.stage == stage, *_held)
    )
    return int(connection.execute(statement).scalar_one())


def jobs_with_held_runs(connection: Connection) -> list[tuple[str, str]]:
    """Return the workflow and the stage of each job that has runs which wait."""
    statement = select(_s.workflow_uid, _s.stage).where(*_held).distinct()
    return [(row.workflow_uid, row.stage) for row in connection.execute(statement)]


def may_release(connection: Connection, workflow_uid: str, stage: str) -> bool:
    """Return whether nothing is in the way of the oldest run that waits."""
    return going_on(connection, workflow_uid, stage) <= held_runs(connection, workflow_uid, stage)


def release(connection: Connection, workflow_uid: str, stage: str, now: datetime) -> str | None:
    """Let the oldest run that waits begin, if nothing is in its way, and return it.

    The workflow is locked in this transaction.
    """
    if not may_release(connection, workflow_uid, stage):
        return None
    oldest = (
        select(_s.id, _s.run_id)
        .join(runs, _r.id == _s.run_id)
        .where(_s.workflow_uid == workflow_uid, _s.stage == stage, *_held)
        .order_by(_r.scheduled_time, _r.id)
        .limit(1)
    )
    row = connection.execute(oldest).first()
    if row is None:
        return None
    released = connection.execute(update(stage_runs).where(_s.id == row.id, *_held).values(due_at=now))
    return str(row.run_id) if released.rowcount else None


def _key(workflow_uid: str, stage: str, time: datetime) -> tuple[str, str]:
    return f"{SCHEDULES}{workflow_uid}:{stage}", time.astimezone(UTC).isoformat()
