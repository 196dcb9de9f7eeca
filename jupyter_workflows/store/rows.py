"""From rows to records."""

from __future__ import annotations

from typing import Any

from jupyter_workflows.model.records import StageData
from jupyter_workflows.model.states import AttemptState, RunMode, RunState, StageRunState

from .records import AttemptRecord, RunRecord, StageRunRecord
from .tables import attempts, runs, stage_runs

_runs = runs.c
#: What `run_record` needs; labelled, so that it can be selected beside a stage run's columns.
RUN_COLUMNS = [
    column.label(f"run__{column.name}")
    for column in (
        _runs.id,
        _runs.workflow_uid,
        _runs.title,
        _runs.document_hash,
        _runs.project,
        _runs.mode,
        _runs.state,
        _runs.entry_stage,
        _runs.started_by,
        _runs.owner,
        _runs.parent,
        _runs.scheduled_time,
        _runs.created_at,
        _runs.ended_at,
        _runs.cancelled_by,
        _runs.total,
        _runs.deployment,
        _runs.editor,
        _runs.until,
        _runs.reuse,
    )
]

#: What `stage_run_record` needs.
STAGE_RUN_COLUMNS = list(stage_runs.c)

ATTEMPT_COLUMNS = list(attempts.c)


def run_record(row: Any, prefix_length: int = 0) -> RunRecord:
    """Return the run whose `RUN_COLUMNS` begin at `prefix_length` in the row."""
    (
        run_id,
        workflow_uid,
        title,
        document_hash,
        project,
        mode,
        state,
        entry_stage,
        started_by,
        owner,
        parent,
        scheduled_time,
        created_at,
        ended_at,
        cancelled_by,
        total,
        deployment,
        editor,
        until,
        reuse,
    ) = row[prefix_length : prefix_length + len(RUN_COLUMNS)]
    return RunRecord(
        run_id,
        workflow_uid,
        title,
        document_hash,
        project,
        RunMode(mode),
        RunState(state),
        entry_stage,
        started_by,
        owner,
        parent,
        scheduled_time,
        created_at,
        ended_at,
        cancelled_by,
        total,
        deployment,
        editor,
        until,
        reuse,
    )


def stage_run_record(row: Any) -> StageRunRecord:
    """Return the stage run of a row that has its `STAGE_RUN_COLUMNS`."""
    return StageRunRecord(
        id=row.id,
        run_id=row.run_id,
        workflow_uid=row.workflow_uid,
        stage=row.stage,
        path=row.path,
        title=row.title,
        type=row.type,
        pool=row.pool,
        state=StageRunState(row.state),
        key=row.key,
        sequence=row.sequence,
        transition=row.transition,
        handled=row.handled,
        attempt=row.attempt,
        failures=row.failures,
        lost=row.lost,
        due_at=row.due_at,
        created_at=row.created_at,
        started_at=row.started_at,
        ended_at=row.ended_at,
        runner=row.runner,
        assignee=row.assignee,
        deadline=row.deadline,
        remind_at=row.remind_at,
        expires_at=row.expires_at,
        scope=row.scope or {},
        parents=tuple(row.parents or ()),
        failure=row.failure,
        source_failure=row.source_failure,
        conflicts=row.conflicts,
        data=StageData(row.data or {}, row.writers or {}),
        result=None if row.result is None else StageData(row.result, row.result_writers or {}),
        inputs=row.inputs,
        response=row.response,
        opened_by=row.opened_by,
    )


def attempt_record(row: Any) -> AttemptRecord:
    """Return the attempt of a row that has its `ATTEMPT_COLUMNS`."""
    return AttemptRecord(
        stage_run_id=row.stage_run_id,
        number=row.number,
        run_id=row.run_id,
        state=AttemptState(row.state),
        runner=row.runner,
        started_at=row.started_at,
        ended_at=row.ended_at,
        output=row.output,
        error=row.error,
        warnings=row.warnings or [],
        timings=row.timings or {},
        route=row.route,
        stand_in=row.stand_in,
    )
