"""Joins: how arrivals gather, and when a joining stage run starts.

A joining stage run starts once nothing active can still arrive at it. What can arrive is told by
`graph.JoinRule.awaits`, from the stage and the scope of each active stage run, and it only ever shrinks: what
cannot arrive now has no successor that could later. Therefore the order in which independent stage runs are
recorded changes nothing about what a join starts with.

Joins that wait for each other in a circle, and for nothing else, are decided together:

- if an unhandled failure keeps some of them from starting, these are **blocked**, which frees the others;
- else the one with the smallest key, sequence, stage and item starts.

A blocked one stays ``joining``. It is not active for other joins, and counts as an unhandled failure for
those that need all. It is blocked only when its arrivals are complete, so this too depends on no order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import replace
from typing import Any

from .graph import Graph, JoinRule, closure
from .items import scope_order
from .records import Arrival, Gathered, Key, RunView, StageCount, StageRun, StartedJoin
from .states import ACTIVE, StageRunState

#: Stages whose stage run waits for somebody.
_PATIENT = ("form", "hook")


def initial_state(graph: Graph, stage: str, answered: Set[str]) -> StageRunState:
    """Return the state of a stage run whose turn has come.

    Parameters
    ----------
    answered
        Paths of the stages for which the run carries answers or a request.
    """
    at = graph.stages[stage]
    waits = at.type in _PATIENT and at.path not in answered
    return StageRunState.WAITING if waits else StageRunState.QUEUED


def common_prefix(keys: Sequence[Key]) -> Key:
    """Return the longest common prefix of path keys."""
    first, last = min(keys), max(keys)
    length = 0
    while length < len(first) and length < len(last) and first[length] == last[length]:
        length += 1
    return first[:length]


def gather(joining: StageRun | None, arrivals: Iterable[Arrival]) -> Gathered:
    """Return where a joining stage run stands with these arrivals besides those that it had."""
    keys: list[Key] = []
    sequences: list[int] = []
    scopes: list[Mapping[str, str]] = []
    if joining is not None:
        keys.append(joining.key)
        sequences.append(joining.sequence)
        scopes.append(joining.scope)
    for arrival in arrivals:
        keys.append(arrival.key)
        sequences.append(arrival.sequence + 1)
        scopes.append(arrival.scope)
    common = dict(scopes[0])
    for scope in scopes[1:]:
        common = {name: item for name, item in common.items() if scope.get(name) == item}
    return Gathered(common_prefix(keys), max(sequences), common)


def arrival_order(arrival: Arrival) -> tuple[Any, ...]:
    """Return the place of an arrival among those of one join: branch order."""
    return arrival.key, arrival.sequence, arrival.transition, scope_order(arrival.scope)


def settle_joins(
    graph: Graph, view: RunView, answered: Set[str] = frozenset()
) -> tuple[list[StartedJoin], RunView]:
    """Start the joins whose time has come; return them and the view after it."""
    pending = [
        run for run in view.stage_runs if run.state is StageRunState.JOINING and run.stage in graph.joins
    ]
    if not pending or view.cancelled:
        return [], view
    names = {rule.per for rule in graph.joins.values() if rule.per is not None}
    active, failures = _Presence(names), _Presence(names)
    for run in view.stage_runs:
        if run.is_unhandled:
            failures.add(run)
        elif run.state in ACTIVE and run.state is not StageRunState.JOINING:
            active.add(run)
    for group in view.counts:
        (failures if group.state is StageRunState.FAILED else active).add(group)
    started: dict[str, StageRun] = {}
    # What is awaited stays so for the whole of this call: nothing that is active ends here.
    while pending := _unawaited(graph, pending, active):
        decided = set()
        for circle in _circles(graph, pending, names):
            blocked = [run for run in circle if _is_blocked(graph.joins[run.stage], run, failures)]
            for run in blocked:
                failures.add(run)
                decided.add(run.id)
            if not blocked:
                run = min(circle, key=_place)
                active.add(run)
                decided.add(run.id)
                started[run.id] = replace(run, state=initial_state(graph, run.stage, answered))
        pending = [run for run in pending if run.id not in decided]
    runs = tuple(started.get(run.id, run) for run in view.stage_runs)
    ordered = sorted(started.values(), key=_place)
    return [_start(run) for run in ordered], replace(view, stage_runs=runs)


class _Presence:
    """At which stages something is, and for which items: what the joins ask about."""

    def __init__(self, names: Set[str]) -> None:
        self._stages: set[str] = set()
        self._items: dict[str, dict[str, set[str | None]]] = {name: {} for name in names}

    def add(self, run: StageRun | StageCount) -> None:
        self._stages.add(run.stage)
        for name, items in self._items.items():
            items.setdefault(run.stage, set()).add(run.scope.get(name))

    def reaches(self, rule: JoinRule, item: str | None) -> bool:
        """Tell whether any of it can arrive: `JoinRule.awaits` for all at once."""
        if rule.per is None:
            return not self._stages.isdisjoint(rule.reaching)
        present = self._items[rule.per]
        if any(item in items for stage, items in present.items() if stage in rule.reaching):
            return True
        return item is None and any(
            stage in rule.losing and items != {None} for stage, items in present.items()
        )


def _is_blocked(rule: JoinRule, run: StageRun, failures: _Presence) -> bool:
    return rule.needs_all and failures.reaches(rule, rule.item(run.scope))


def _unawaited(graph: Graph, pending: list[StageRun], active: _Presence) -> list[StageRun]:
    """Return the joining ones that await nothing active, and no joining one that does; add the others."""
    while True:
        awaited = set()
        for run in pending:
            rule = graph.joins[run.stage]
            if active.reaches(rule, rule.item(run.scope)):
                awaited.add(run.id)
        if not awaited:
            return pending
        for run in pending:
            if run.id in awaited:
                active.add(run)
        pending = [run for run in pending if run.id not in awaited]


def _circles(graph: Graph, runs: list[StageRun], names: Set[str]) -> list[list[StageRun]]:
    """Return groups of joining ones that await only each other: those that await none, else one circle."""
    presence = _Presence(names)
    for run in runs:
        presence.add(run)
    alone = []
    for run in runs:
        rule = graph.joins[run.stage]
        if not presence.reaches(rule, rule.item(run.scope)):
            alone.append([run])
    if alone:
        return alone
    awaits: dict[str, list[str]] = {}
    for run in runs:
        rule = graph.joins[run.stage]
        item = rule.item(run.scope)
        awaits[run.id] = [other.id for other in runs if rule.awaits(item, other.stage, other.scope)]
    # What the one with the fewest to await awaits, awaits all of the same: it is a circle.
    circle = min((closure(awaits[run.id], awaits.__getitem__) for run in runs), key=len)
    return [[run for run in runs if run.id in circle]]


def _start(run: StageRun) -> StartedJoin:
    arrivals = tuple(sorted(run.arrivals, key=arrival_order))
    assignees = [arrival.assignee for arrival in arrivals if arrival.assignee is not None]
    return StartedJoin(
        stage_run=run.id,
        key=run.key,
        sequence=run.sequence,
        scope=run.scope,
        parents=tuple(dict.fromkeys(arrival.source for arrival in arrivals)),
        state=run.state,
        arrivals=arrivals,
        assignee=assignees[-1] if assignees else None,
    )


def _place(run: StageRun) -> tuple[Any, ...]:
    return run.key, run.sequence, run.stage, scope_order(run.scope)
