"""The one transaction that ends an attempt: data, successors, joins, the run's state."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from jupyter_workflows.model.advance import advance
from jupyter_workflows.model.graph import Graph
from jupyter_workflows.model.records import Changes, NextStage, Outcome
from jupyter_workflows.model.states import AttemptState, RunMode, RunState, StageRunState

from . import artifact_refs, callbacks
from .errors import NotFound, StaleClaim
from .graphs import Parsed
from .ids import new_id
from .joining import start_join
from .making import insert_arrivals, insert_stage_runs, stage_run_row, waiting_times
from .notices import announce_failure, announce_task
from .records import AttemptReport
from .tables import attempts, runs, stage_runs
from .views import load_view, model_stage_run

LIMIT = 10_000

_r = runs.c
_s = stage_runs.c
_ENDED = frozenset({StageRunState.COMPLETED, StageRunState.FAILED, StageRunState.CANCELLED})
_RUN_ENDED = frozenset({RunState.COMPLETED, RunState.FAILED, RunState.CANCELLED})

# The key is locked as far as that no foreign key of a new row has to wait for it.
_LOCK_RUN = (
    select(
        _r.id,
        _r.workflow_uid,
        _r.title,
        _r.mode,
        _r.state,
        _r.owner,
        _r.started_by,
        _r.cancelled,
        _r.total,
        _r.answers,
        _r.requests,
        _r.ended_at,
        _r.entry_stage,
        _r.until,
    )
    .where(_r.id == bindparam("run"))
    .with_for_update(key_share=True)
)
_STAGE_RUN = select(
    _s.id,
    _s.stage,
    _s.path,
    _s.state,
    _s.key,
    _s.sequence,
    _s.scope,
    _s.parents,
    _s.handled,
    _s.attempt,
    _s.failures,
    _s.lost,
    _s.runner,
    _s.lease_until,
    _s.assignee,
    _s.deadline,
    _s.remind_at,
    _s.expires_at,
).where(_s.id == bindparam("stage_run"), _s.run_id == bindparam("run"))

_END = (
    update(stage_runs)
    .where(_s.id == bindparam("id_"))
    .values(
        {
            name: bindparam(f"{name}_", type_=_s[name].type)
            for name in (
                "state",
                "handled",
                "failures",
                "lost",
                "due_at",
                "ended_at",
                "failure",
                "result",
                "result_writers",
                "deadline",
                "remind_at",
                "expires_at",
            )
        }
        | {"runner": None, "lease_until": None, "opened_by": None}
    )
)
_END_ATTEMPT = (
    update(attempts)
    .where(
        attempts.c.stage_run_id == bindparam("id_"),
        attempts.c.number == bindparam("number_"),
    )
    .values(
        {
            name: bindparam(f"{name}_", type_=attempts.c[name].type)
            for name in (
                "state",
                "ended_at",
                "output",
                "error",
                "warnings",
                "timings",
                "route",
                "stand_in",
            )
        }
    )
)
_RESPOND = (
    update(stage_runs)
    .where(_s.id == bindparam("id_"), _s.response.is_(None))
    .values(response=bindparam("response_", type_=_s.response.type))
)
_GATHER = (
    update(stage_runs)
    .where(_s.id == bindparam("id_"))
    .values({name: bindparam(f"{name}_", type_=_s[name].type) for name in ("key", "sequence", "scope")})
)
_UPDATE_RUN = (
    update(runs)
    .where(_r.id == bindparam("id_"))
    .values(
        state=bindparam("state_"),
        total=bindparam("total_"),
        ended_at=bindparam("ended_at_", type_=_r.ended_at.type),
    )
)


def lock_run(connection: Connection, run: str) -> Any:
    """Hold the run's row until the transaction ends, and return it."""
    row = connection.execute(_LOCK_RUN, {"run": run}).first()
    if row is None:
        raise NotFound(f"there is no run {run}")
    return row


def load_stage_run(connection: Connection, run: str, stage_run: str) -> Any:
    """Return the row of a stage run, without its data."""
    row = connection.execute(_STAGE_RUN, {"run": run, "stage_run": stage_run}).first()
    if row is None:
        raise NotFound(f"there is no stage run {stage_run} in run {run}")
    return row


def answered_stages(run: Any, parsed: Parsed) -> Set[str]:
    """Return the paths of the stages that do not wait: there are answers, a request, or pinned data."""
    answered = {*(run.answers or {}), *(run.requests or {})}
    if run.mode == RunMode.TEST:
        stages = parsed.document.stages.values()
        answered.update(stage.path for stage in stages if stage.pinned is not None)
    return answered


def complete(
    connection: Connection,
    parsed: Parsed,
    *,
    run_id: str,
    stage_run_id: str,
    attempt: int,
    outcome: Outcome,
    report: AttemptReport,
    now: datetime,
    limit: int = LIMIT,
    lease_until: datetime | None = None,
) -> Changes:
    """End an attempt; see `Store.complete`.

    Parameters
    ----------
    lease_until
        Given to end an attempt for its vanished runner: stale if the lease was renewed meanwhile.
    """
    run = lock_run(connection, run_id)
    row = load_stage_run(connection, run_id, stage_run_id)
    if (
        row.state != StageRunState.RUNNING
        or row.attempt != attempt
        or run.cancelled
        or (lease_until is not None and row.lease_until != lease_until)
    ):
        raise StaleClaim(stage_run_id, attempt)
    changes = decide(connection, parsed, run, row, outcome, now=now, limit=limit)
    connection.execute(
        _END_ATTEMPT,
        {
            "id_": stage_run_id,
            "number_": attempt,
            "state_": _attempt_state(report, changes).value,
            "ended_at_": now,
            "output_": report.output,
            "error_": dict(report.error) if report.error else _failure(changes, outcome),
            "warnings_": list(report.warnings) or None,
            "timings_": dict(report.timings) or None,
            "route_": report.route,
            "stand_in_": dict(report.stand_in) if report.stand_in else None,
        },
    )
    if report.response is not None:
        connection.execute(_RESPOND, {"id_": stage_run_id, "response_": dict(report.response)})
    artifact_refs.refer(connection, report.artifacts, run_id=run_id, stage_run_id=stage_run_id, now=now)
    return changes


def _attempt_state(report: AttemptReport, changes: Changes) -> AttemptState:
    # The notebook went well, but what it asked for could not be followed.
    if report.state is AttemptState.COMPLETED and changes.state is not StageRunState.COMPLETED:
        return AttemptState.FAILED
    return report.state


def _failure(changes: Changes, outcome: Outcome) -> dict[str, Any] | None:
    failure = changes.failure or outcome.failure
    if failure is None:
        return None
    return {
        "name": failure.name,
        "message": failure.message,
        "cell": failure.cell,
        "retriable": failure.retriable,
    }


def decide(
    connection: Connection,
    parsed: Parsed,
    run: Any,
    row: Any,
    outcome: Outcome,
    *,
    now: datetime,
    limit: int = LIMIT,
) -> Changes:
    """Let the state machine decide about an outcome, and write what it decided.

    Parameters
    ----------
    run, row
        The locked run and the stage run, as `lock_run` and `load_stage_run` return them.
    """
    itself = model_stage_run(row)
    if run.until is not None:
        outcome = replace(outcome, next=_on_the_way(parsed.graph, row.stage, run.until, outcome.next))
    changes = advance(
        parsed.graph,
        load_view(connection, parsed.graph, run, itself),
        outcome,
        answered=answered_stages(run, parsed),
        new_id=new_id,
        limit=limit,
    )
    ended = changes.state in _ENDED
    completed = changes.state is StageRunState.COMPLETED
    connection.execute(
        _END,
        {
            "id_": row.id,
            "state_": changes.state.value,
            "handled_": changes.handled,
            "failures_": changes.failures,
            "lost_": changes.lost,
            "due_at_": (changes.due_at or now) if changes.state is StageRunState.QUEUED else None,
            "ended_at_": now if ended else None,
            "failure_": _failure(changes, outcome),
            "result_": dict(outcome.data.values) if completed else None,
            "result_writers_": dict(outcome.data.writers) if completed else None,
            **_waiting_times(parsed, row, changes.state, now),
        },
    )
    create(connection, parsed, run, changes, now)
    if _hook_waits(parsed, changes) and callbacks.consume(connection, run.id, now):
        return replace(changes, run_state=RunState.RUNNING)
    return changes


def _on_the_way(
    graph: Graph, stage: str, until: str, following: tuple[NextStage, ...]
) -> tuple[NextStage, ...]:
    """Return those successors from which a run comes to the stage with which it ends."""
    if stage == until:
        return ()
    return tuple(one for one in following if one.stage == until or until in graph.reachable(one.stage))


def _hook_waits(parsed: Parsed, changes: Changes) -> bool:
    """Return whether a hook waits since now, for which a request may have come already."""
    begun = [new.stage_run for new in changes.created]
    return bool(changes.started) or any(
        one.state is StageRunState.WAITING and parsed.stage(one.stage).type == "hook" for one in begun
    )


def _waiting_times(parsed: Parsed, row: Any, state: StageRunState, now: datetime) -> dict[str, Any]:
    """Return until when a stage run waits; opening a task and leaving it does not give it more time."""
    times = waiting_times(parsed.stage(row.stage), state, now)
    if state is StageRunState.WAITING:
        times |= {name: value for name in times if (value := getattr(row, name)) is not None}
    return {f"{name}_": value for name, value in times.items()}


def create(connection: Connection, parsed: Parsed, run: Any, changes: Changes, now: datetime) -> None:
    """Write the successors, the arrivals, the joins that start and the run's state."""
    rows = [
        stage_run_row(
            parsed.stage(new.stage_run.stage),
            new,
            run_id=run.id,
            workflow_uid=run.workflow_uid,
            owner=run.owner,
            started_by=run.started_by,
            now=now,
        )
        for new in changes.created
    ]
    insert_stage_runs(connection, rows)
    for row in rows:
        if row["state"] == StageRunState.WAITING:
            announce_task(connection, run, row["id"], parsed.stage(row["stage"]), row["assignee"], now)
    insert_arrivals(
        connection,
        [
            *((new.stage_run.id, arrival) for new in changes.created for arrival in new.stage_run.arrivals),
            *((joining, arrival) for joining, arrived in changes.arrived.items() for arrival in arrived),
        ],
    )
    if changes.gathered:
        connection.execute(
            _GATHER,
            [
                {
                    "id_": joining,
                    "key_": gathered.key,
                    "sequence_": gathered.sequence,
                    "scope_": dict(gathered.scope) or None,
                }
                for joining, gathered in changes.gathered.items()
            ],
        )
    for started in changes.started:
        start_join(connection, parsed, run, started, now)
    ended = changes.run_state in _RUN_ENDED
    if changes.created or changes.run_state != run.state:
        connection.execute(
            _UPDATE_RUN,
            {
                "id_": run.id,
                "state_": changes.run_state.value,
                "total_": run.total + len(changes.created),
                "ended_at_": now if ended else None,
            },
        )
    if changes.run_state is RunState.FAILED and run.state != RunState.FAILED:
        announce_failure(connection, run, changes.stage_run, now)
