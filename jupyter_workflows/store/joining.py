"""Starting a joining stage run: its arrivals are merged into the data that it starts with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cached_property
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from jupyter_workflows.model.joins import arrival_order
from jupyter_workflows.model.merge import Ancestry, merge
from jupyter_workflows.model.records import Arrival, StageData, StartedJoin
from jupyter_workflows.model.states import StageRunState

from .graphs import Parsed
from .making import assignee_of, waiting_times
from .notices import announce_task
from .tables import arrivals, stage_runs

_s = stage_runs.c
_a = arrivals.c

_ARRIVED = select(arrivals).where(_a.stage_run_id == bindparam("stage_run"))
_FAILED = (
    select(_s.id, _s.path, _s.failure)
    .join(arrivals, _a.source == _s.id)
    .where(_a.stage_run_id == bindparam("stage_run"), _s.state == StageRunState.FAILED.value)
)
_STAGE = select(_s.stage).where(_s.id == bindparam("id"))
_START = (
    update(stage_runs)
    .where(_s.id == bindparam("id_"))
    .values(
        {
            name: bindparam(f"{name}_", type_=_s[name].type)
            for name in (
                "state",
                "key",
                "sequence",
                "scope",
                "parents",
                "due_at",
                "assignee",
                "data",
                "writers",
                "inputs",
                "conflicts",
                "source_failure",
                "deadline",
                "remind_at",
                "expires_at",
            )
        }
    )
)
_PARENTS = select(_s.id, _s.parents).where(_s.run_id == bindparam("run"))


class _Parents(Mapping[str, tuple[str, ...]]):
    """The parents of a run's stage runs, read when they are first asked for: most merges need not ask."""

    def __init__(self, connection: Connection, run: str) -> None:
        self._connection = connection
        self._run = run

    @cached_property
    def _known(self) -> dict[str, tuple[str, ...]]:
        rows = self._connection.execute(_PARENTS, {"run": self._run})
        return {row.id: tuple(row.parents or ()) for row in rows}

    def __getitem__(self, stage_run: str) -> tuple[str, ...]:
        return self._known[stage_run]

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)


def start_join(connection: Connection, parsed: Parsed, run: Any, started: StartedJoin, now: datetime) -> None:
    """Let a joining stage run start with its merged data.

    Its arrivals are read from the database, where those of this transaction are already.
    """
    arrived = sorted(
        (_arrival(row) for row in connection.execute(_ARRIVED, {"stage_run": started.stage_run})),
        key=arrival_order,
    )
    key = connection.execute(_STAGE, {"id": started.stage_run}).scalar_one()
    stage = parsed.stage(key)
    data, inputs, conflicts = merge(
        parsed.graph, key, arrived, Ancestry(_Parents(connection, run.id)), stage_run=started.stage_run
    )
    assignees = [arrival.assignee for arrival in arrived if arrival.assignee is not None]
    assignee = assignee_of(stage, assignees[-1] if assignees else None, data.values, run.started_by)
    connection.execute(
        _START,
        {
            "id_": started.stage_run,
            "state_": started.state.value,
            "key_": started.key,
            "sequence_": started.sequence,
            "scope_": dict(started.scope) or None,
            "parents_": list(dict.fromkeys(arrival.source for arrival in arrived)),
            "due_at_": now if started.state is StageRunState.QUEUED else None,
            "assignee_": assignee,
            "data_": dict(data.values) or None,
            "writers_": dict(data.writers) or None,
            "inputs_": inputs,
            "conflicts_": conflicts or None,
            "source_failure_": _failure(connection, started.stage_run, arrived),
            **{f"{name}_": value for name, value in waiting_times(stage, started.state, now).items()},
        },
    )
    if started.state is StageRunState.WAITING:
        announce_task(connection, run, started.stage_run, stage, assignee, now)


def _failure(connection: Connection, stage_run: str, arrived: list[Arrival]) -> dict[str, Any] | None:
    """Return what happened to the last one in branch order that arrived by a ``failed`` transition."""
    failed = {row.id: row for row in connection.execute(_FAILED, {"stage_run": stage_run})}
    for arrival in reversed(arrived):
        row = failed.get(arrival.source)
        if row is not None and row.failure is not None:
            return {"stage": row.path, **{name: row.failure[name] for name in ("name", "message", "cell")}}
    return None


def _arrival(row: Any) -> Arrival:
    return Arrival(
        source=row.source,
        transition=row.transition,
        key=row.key,
        sequence=row.sequence,
        data=StageData(row.data or {}, row.writers or {}),
        empty=row.empty,
        scope=row.scope or {},
        assignee=row.assignee,
    )
