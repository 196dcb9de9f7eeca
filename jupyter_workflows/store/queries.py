"""Reading runs, stage runs and attempts."""

from __future__ import annotations

from collections import defaultdict

from sqlalchemy import Connection, select

from .errors import NotFound
from .records import AttemptRecord, RunDetails, RunRecord, StageRunRecord
from .rows import (
    ATTEMPT_COLUMNS,
    RUN_COLUMNS,
    STAGE_RUN_COLUMNS,
    attempt_record,
    run_record,
    stage_run_record,
)
from .tables import attempts, runs, stage_runs

_s = stage_runs.c
_a = attempts.c


def get_run_record(connection: Connection, run_id: str) -> RunRecord:
    """Return a run."""
    row = connection.execute(select(*RUN_COLUMNS).where(runs.c.id == run_id)).first()
    if row is None:
        raise NotFound(f"there is no run {run_id}")
    return run_record(row)


def get_run(connection: Connection, run_id: str) -> RunDetails:
    """Return a run with its stage runs and their attempts."""
    run = get_run_record(connection, run_id)
    rows = connection.execute(select(*STAGE_RUN_COLUMNS).where(_s.run_id == run_id)).all()
    found = sorted(
        (stage_run_record(row) for row in rows), key=lambda one: (one.key, one.sequence, one.stage, one.id)
    )
    by_stage_run: dict[str, list[AttemptRecord]] = defaultdict(list)
    statement = select(*ATTEMPT_COLUMNS).where(_a.run_id == run_id).order_by(_a.stage_run_id, _a.number)
    for row in connection.execute(statement):
        by_stage_run[row.stage_run_id].append(attempt_record(row))
    return RunDetails(run, tuple(found), {name: tuple(tried) for name, tried in by_stage_run.items()})


def get_stage_run(connection: Connection, stage_run_id: str) -> StageRunRecord:
    """Return a stage run."""
    row = connection.execute(select(*STAGE_RUN_COLUMNS).where(_s.id == stage_run_id)).first()
    if row is None:
        raise NotFound(f"there is no stage run {stage_run_id}")
    return stage_run_record(row)
