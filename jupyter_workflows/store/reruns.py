"""Running again from a stage run: a new run with the same inputs."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select, update

from jupyter_workflows.model.records import StageData

from . import artifact_refs, auditing
from .completion import load_stage_run
from .errors import WrongState
from .graphs import Parsed
from .queries import get_run_record
from .records import Idempotency, NewRun
from .rows import STAGE_RUN_COLUMNS, stage_run_record
from .runs import create_run
from .tables import runs, stage_runs

_s = stage_runs.c


def rerun(
    connection: Connection,
    parsed: Parsed,
    run_id: str,
    stage_run_id: str | None,
    *,
    by: str | None,
    idempotency: Idempotency | None,
    now: datetime,
) -> str:
    """Start a run from a stage run of another one; see `Store.rerun`."""
    run = get_run_record(connection, run_id)
    if stage_run_id is None:
        first = select(_s.id).where(_s.run_id == run_id).order_by(_s.key, _s.sequence, _s.id).limit(1)
        stage_run_id = connection.execute(first).scalar_one()
    row = load_stage_run(connection, run_id, stage_run_id)
    source = stage_run_record(
        connection.execute(select(*STAGE_RUN_COLUMNS).where(_s.id == stage_run_id)).one()
    )
    if parsed.graph.stages[source.stage].disabled:
        raise WrongState(f"the stage {source.path!r} is disabled, a run cannot start with it")
    asked = connection.execute(select(runs.c.requests, runs.c.answers).where(runs.c.id == run_id)).one()
    given = connection.execute(select(_s.request, _s.answers).where(_s.id == row.id)).one()
    answers = dict(asked.answers or {})
    if given.answers is not None:
        answers[source.path] = given.answers
    new = NewRun(
        document_text=parsed.text,
        project=run.project,
        entry_stage=source.stage,
        data=StageData(source.data.values, dict.fromkeys(source.data.values)),
        mode=run.mode,
        started_by=by,
        request=given.request if given.request is not None else (asked.requests or {}).get(source.path),
        requests=asked.requests,
        answers=answers or None,
        assignee=source.assignee,
        parent=run_id,
        scheduled_time=run.scheduled_time,
        deployment=run.deployment,
        idempotency=idempotency,
        artifacts=artifact_refs.of_run(connection, run_id),
    )
    made = create_run(connection, new, parsed, now)
    connection.execute(
        update(stage_runs)
        .where(_s.run_id == made, _s.parents.is_(None))
        .values(
            inputs=source.inputs,
            source_failure=source.source_failure,
            # What is there for an item of an `each` is so again: joins `per` item ask for it.
            scope=dict(source.scope) or None,
        )
    )
    auditing.note(connection, by, "run-again", f"run:{made}", now, run_id=made, detail={"from": stage_run_id})
    return made
