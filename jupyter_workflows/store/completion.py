"""The one transaction that ends an attempt: data, successors, joins, the run's state."""

from __future__ import annotations

from collections.abc import Callable, Set
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from jupyter_workflows.model.advance import advance
from jupyter_workflows.model.graph import Graph
from jupyter_workflows.model.merge import merge
from jupyter_workflows.model.records import Arrival, Changes, Outcome, StageData, StartedJoin
from jupyter_workflows.model.states import AttemptState, RunState, StageRunState

from .errors import NotFound, StaleClaim
from .ids import new_id
from .making import assignee_of, insert_arrivals, insert_stage_runs, stage_run_row, waiting_times
from .records import AttemptReport
from .tables import arrivals, attempts, runs, stage_runs
from .views import load_view, model_stage_run

LIMIT = 10_000

_r = runs.c
_s = stage_runs.c
_a = arrivals.c
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
        | {"runner": None, "lease_until": None}
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
            for name in ("state", "ended_at", "output", "error", "warnings", "timings")
        }
    )
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


def answered_stages(graph: Graph, run: Any) -> Set[str]:
    """Return the stages for which the run carries answers or a request, so that they do not wait."""
    paths = {*(run.answers or {}), *(run.requests or {})}
    if not paths:
        return frozenset()
    return {key for key, stage in graph.stages.items() if stage.path in paths}


def complete(
    connection: Connection,
    graph: Graph,
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
    changes = decide(connection, graph, run, row, outcome, now=now, limit=limit)
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
        },
    )
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
    graph: Graph,
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
    changes = advance(
        graph,
        load_view(connection, graph, run, itself),
        outcome,
        answered=answered_stages(graph, run),
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
            **{
                f"{name}_": value
                for name, value in waiting_times(graph.stages[row.stage], changes.state, now).items()
            },
        },
    )
    create(connection, graph, run, changes, now)
    return changes


def create(connection: Connection, graph: Graph, run: Any, changes: Changes, now: datetime) -> None:
    """Write the successors, the arrivals, the joins that start and the run's state."""
    insert_stage_runs(
        connection,
        [
            stage_run_row(
                graph,
                new,
                run_id=run.id,
                workflow_uid=run.workflow_uid,
                owner=run.owner,
                started_by=run.started_by,
                now=now,
            )
            for new in changes.created
        ],
    )
    insert_arrivals(
        connection,
        [
            *((new.stage_run.id, arrival) for new in changes.created for arrival in new.stage_run.arrivals),
            *((joining, arrival) for joining, arrived in changes.arrived.items() for arrival in arrived),
        ],
    )
    for started in changes.started:
        _start_join(connection, graph, run, started, now)
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


_ARRIVED = select(_a).where(_a.stage_run_id == bindparam("stage_run")).order_by(_a.key, _a.sequence, _a.id)
_PARENTS = select(_s.id, _s.parents).where(_s.run_id == bindparam("run"))


def ancestry(connection: Connection, run: str) -> Callable[[str, str], bool]:
    """Return a function that says whether one stage run of the run is an ancestor of another.

    The stage runs are read when it is first asked, for most merges need not ask.
    """
    parents: dict[str, tuple[str, ...]] = {}
    known: dict[str, set[str]] = {}

    def ancestors(stage_run: str) -> set[str]:
        if stage_run not in known:
            found: set[str] = set()
            ahead = list(parents.get(stage_run, ()))
            while ahead:
                name = ahead.pop()
                if name not in found:
                    found.add(name)
                    ahead.extend(parents.get(name, ()))
            known[stage_run] = found
        return known[stage_run]

    def is_ancestor(one: str, other: str) -> bool:
        if not parents:
            for row in connection.execute(_PARENTS, {"run": run}):
                parents[row.id] = tuple(row.parents or ())
        return one in ancestors(other)

    return is_ancestor


def _start_join(connection: Connection, graph: Graph, run: Any, started: StartedJoin, now: datetime) -> None:
    arrived = [
        Arrival(
            row.source,
            row.transition,
            row.key,
            row.sequence,
            StageData(row.data or {}, row.writers or {}),
            row.empty,
        )
        for row in connection.execute(_ARRIVED, {"stage_run": started.stage_run})
    ]
    row = connection.execute(select(_s.stage, _s.assignee).where(_s.id == started.stage_run)).one()
    stage = graph.stages[row.stage]
    data, inputs, conflicts = merge(graph, row.stage, arrived, ancestry(connection, run.id))
    connection.execute(
        update(stage_runs)
        .where(_s.id == started.stage_run)
        .values(
            state=started.state.value,
            key=started.key,
            sequence=started.sequence,
            scope=dict(started.scope) or None,
            parents=list(started.parents) or None,
            due_at=now if started.state is StageRunState.QUEUED else None,
            assignee=assignee_of(stage, row.assignee, data.values, run.started_by),
            data=dict(data.values) or None,
            writers=dict(data.writers) or None,
            inputs=inputs,
            conflicts=conflicts or None,
            **waiting_times(stage, started.state, now),
        )
    )
