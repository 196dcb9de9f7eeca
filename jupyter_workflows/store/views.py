"""Loading the part of a run that a decision depends on, and no more."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, bindparam, exists, func, select, true

from jupyter_workflows.model.graph import Graph
from jupyter_workflows.model.records import RunView, StageCount, StageRun
from jupyter_workflows.model.states import ACTIVE, StageRunState

from .tables import stage_runs

_s = stage_runs.c

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
_STATES = [StageRunState(state) for state in [*_ACTIVE, StageRunState.FAILED.value]]
_in_run = _s.run_id == bindparam("run")
_not_itself = _s.id != bindparam("itself")
_matters = _s.state.in_(_ACTIVE) | ((_s.state == StageRunState.FAILED.value) & ~_s.handled)

_ANY_IN_STATE = select(
    *[
        exists()
        .where(
            _in_run,
            _not_itself,
            _s.state == state,
            ~_s.handled if state == StageRunState.FAILED.value else true(),
        )
        .label(state)
        for state in [*_ACTIVE, StageRunState.FAILED.value]
    ]
)

_others = (_in_run, _not_itself, _matters, _s.state != StageRunState.JOINING.value)
_BY_STAGE = select(_s.stage, _s.state, func.count()).where(*_others).group_by(_s.stage, _s.state)
_BY_SCOPE = (
    select(_s.stage, _s.state, func.count(), _s.scope).where(*_others).group_by(_s.stage, _s.state, _s.scope)
)
_JOINING = select(*_MODEL_COLUMNS).where(_in_run, _not_itself, _s.state == StageRunState.JOINING.value)


def model_stage_run(row: Any) -> StageRun:
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
    )


def load_view(connection: Connection, graph: Graph, run: Any, itself: StageRun | None = None) -> RunView:
    """Return the view of a run.

    Stage runs that are alike for the decision are only counted: without joins it matters whether there are
    any in a state, with joins at which stages. Arrivals are left out: the joining stage run's row says where
    it stands with them.

    Parameters
    ----------
    run
        The run's row, with `id`, `total` and `cancelled`.
    itself
        The stage run that the decision is about.
    """
    parameters: dict[str, Any] = {"run": run.id, "itself": itself.id if itself else ""}
    listed = [] if itself is None else [itself]
    if not graph.joins:
        any_in_state = connection.execute(_ANY_IN_STATE, parameters).one()
        stage = run.entry_stage
        counts = [
            StageCount(stage, state) for state, there in zip(_STATES, any_in_state, strict=True) if there
        ]
    else:
        listed += [model_stage_run(row) for row in connection.execute(_JOINING, parameters)]
        statement = _BY_SCOPE if any(rule.per for rule in graph.joins.values()) else _BY_STAGE
        counts = [
            StageCount(row[0], StageRunState(row[1]), (row[3] or {}) if len(row) > 3 else {}, row[2])
            for row in connection.execute(statement, parameters)
        ]
    return RunView(tuple(listed), run.total, run.cancelled, tuple(counts))
