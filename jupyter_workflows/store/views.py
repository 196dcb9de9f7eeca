"""Loading the part of a run that a decision depends on, and no more."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from sqlalchemy import Connection, bindparam, func, select, true

from jupyter_workflows.model.graph import Graph
from jupyter_workflows.model.records import Arrival, RunView, StageRun
from jupyter_workflows.model.states import ACTIVE, StageRunState

from .tables import arrivals, stage_runs

_s = stage_runs.c
_a = arrivals.c

_MODEL_COLUMNS = [
    _s.id,
    _s.stage,
    _s.state,
    _s.key,
    _s.sequence,
    _s.scope,
    _s.parents,
    _s.handled,
    _s.attempt,
    _s.failures,
    _s.lost,
]

_ACTIVE = [state.value for state in sorted(ACTIVE)]
_in_run = _s.run_id == bindparam("run")
_not_itself = _s.id != bindparam("itself")
_matters = _s.state.in_(_ACTIVE) | ((_s.state == StageRunState.FAILED.value) & ~_s.handled)

_ONE_OF_EACH_STATE = select(
    *[
        select(_s.id)
        .where(
            _in_run,
            _not_itself,
            _s.state == state,
            ~_s.handled if state == StageRunState.FAILED.value else true(),
        )
        .limit(1)
        .scalar_subquery()
        .label(state)
        for state in [*_ACTIVE, StageRunState.FAILED.value]
    ]
)

_ONE_OF_EACH_STAGE = (
    select(func.min(_s.id))
    .where(_in_run, _not_itself, _matters, _s.state != StageRunState.JOINING.value)
    .group_by(_s.stage, _s.state)
)
_BY_ID = select(*_MODEL_COLUMNS).where(_s.id.in_(bindparam("ids", expanding=True)))
_JOINING = select(*_MODEL_COLUMNS).where(_in_run, _s.state == StageRunState.JOINING.value)
_ALL = select(*_MODEL_COLUMNS).where(_in_run, _not_itself, _matters)
_ARRIVED = (
    select(_a.stage_run_id, _a.source, _a.transition, _a.key, _a.sequence, _a.empty)
    .where(_a.stage_run_id.in_(bindparam("ids", expanding=True)))
    .order_by(_a.key, _a.sequence, _a.id)
)


def joins(graph: Graph) -> bool:
    """Return whether any stage waits for several branches."""
    return any(stage.join != "any" for stage in graph.stages.values())


def model_stage_run(row: Any, arrived: tuple[Arrival, ...] = ()) -> StageRun:
    """Return what the state machine needs to know of a row."""
    return StageRun(
        id=row.id,
        stage=row.stage,
        state=StageRunState(row.state),
        key=row.key,
        sequence=row.sequence,
        scope=row.scope or {},
        parents=tuple(row.parents or ()),
        handled=row.handled,
        attempt=row.attempt,
        failures=row.failures,
        lost=row.lost,
        arrivals=arrived,
    )


def load_view(connection: Connection, graph: Graph, run: Any, itself: StageRun | None) -> RunView:
    """Return the view of a run.

    Stage runs that are alike for the decision are represented by one of them: without joins it only
    matters whether there are any in a state, with joins at which stages; only `per` looks at each one.

    Parameters
    ----------
    run
        The run's row, with `id`, `total` and `cancelled`.
    itself
        The stage run that the decision is about.
    """
    parameters: dict[str, Any] = {"run": run.id, "itself": itself.id if itself else ""}
    if not joins(graph):
        one_each = connection.execute(_ONE_OF_EACH_STATE, parameters).one()
        others = _by_id(connection, [name for name in one_each if name is not None])
    elif any(stage.per for stage in graph.stages.values()):
        others = _with_arrivals(connection, connection.execute(_ALL, parameters).all())
    else:
        ids = connection.execute(_ONE_OF_EACH_STAGE, parameters).scalars().all()
        joining = connection.execute(_JOINING, parameters).all()
        others = _by_id(connection, ids) + _with_arrivals(connection, joining)
    stage_runs = others if itself is None else [itself, *others]
    return RunView(tuple(stage_runs), run.total, run.cancelled)


def _by_id(connection: Connection, ids: Any) -> list[StageRun]:
    if not ids:
        return []
    return [model_stage_run(row) for row in connection.execute(_BY_ID, {"ids": list(ids)})]


def _with_arrivals(connection: Connection, rows: Any) -> list[StageRun]:
    joining = [row.id for row in rows if row.state == StageRunState.JOINING]
    arrived = defaultdict(list)
    if joining:
        for row in connection.execute(_ARRIVED, {"ids": joining}):
            arrived[row.stage_run_id].append(
                Arrival(row.source, row.transition, row.key, row.sequence, empty=row.empty)
            )
    return [model_stage_run(row, tuple(arrived[row.id])) for row in rows]
