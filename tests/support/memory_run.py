"""A run in memory: applies what the state machine decides, as a store would, and checks it on the way."""

from __future__ import annotations

import itertools
import json
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from jupyter_workflows.model.advance import advance, retry, settle, start
from jupyter_workflows.model.graph import Graph
from jupyter_workflows.model.merge import Ancestry, merge
from jupyter_workflows.model.records import (
    Arrival,
    Changes,
    Failure,
    Outcome,
    RunView,
    StageCount,
    StageData,
    StageRun,
    StartedJoin,
)
from jupyter_workflows.model.routing import RoutingError, route
from jupyter_workflows.model.states import ACTIVE, RunState, StageRunState

NOW = datetime(2025, 3, 1, tzinfo=UTC)


@dataclass
class Act:
    """What a stage's notebook does: changes data, names successors, or ends in another way."""

    changes: Mapping[str, Any] = field(default_factory=dict)
    deleted: Sequence[str] = ()
    next: Sequence[Mapping[str, Any]] | None = None
    kind: str = "completed"
    retriable: bool = True


@dataclass
class Entry:
    """A stage run with its data."""

    run: StageRun
    data: StageData = field(default_factory=StageData)
    result: StageData | None = None
    inputs: list[dict[str, Any]] | None = None
    conflicts: list[dict[str, Any]] = field(default_factory=list)
    failure: Failure | None = None
    source_failure: Failure | None = None
    assignee: str | None = None
    due_at: datetime | None = None


class MemoryRun:
    """A run of a graph.

    Parameters
    ----------
    compact
        Count stage runs and leave arrivals out of views wherever a store may.
    """

    def __init__(
        self,
        graph: Graph,
        *,
        answered: frozenset[str] = frozenset(),
        compact: bool = False,
        limit: int = 10_000,
    ) -> None:
        self.graph = graph
        self.compact = compact
        self.limit = limit
        self.answered = answered
        self.entries: dict[str, Entry] = {}
        self.arrivals: dict[str, list[Arrival]] = {}
        self.state = RunState.RUNNING
        self.starts: Counter[tuple[str, str | None]] = Counter()
        self.delivered = 0
        self.consumed = 0
        self._ids = itertools.count()

    def new_id(self) -> str:
        """Return an id that says nothing about where the stage run stands."""
        return f"run{next(self._ids)}"

    def start(self, stage: str, data: Mapping[str, Any] | None = None) -> str:
        """Make the first stage run."""
        new = start(self.graph, stage, StageData(data or {}), answered=self.answered, new_id=self.new_id)
        self.entries[new.stage_run.id] = Entry(new.stage_run, new.data)
        return new.stage_run.id

    def view(self, stage_run: str | None = None) -> RunView:
        """Return what the state machine is shown."""
        runs = [
            entry.run
            for entry in self.entries.values()
            if entry.run.state in ACTIVE or entry.run.is_unhandled
        ]
        if stage_run is not None and stage_run not in {run.id for run in runs}:
            runs.append(self.entries[stage_run].run)
        total = len(self.entries)
        if not self.compact:
            arrivals = {
                key: tuple(replace(arrival, data=StageData()) for arrival in gathered)
                for key, gathered in self.arrivals.items()
            }
            return RunView(tuple(replace(run, arrivals=arrivals.get(run.id, ())) for run in runs), total)
        kept = [run for run in runs if run.id == stage_run or run.state is StageRunState.JOINING]
        per = any(rule.per for rule in self.graph.joins.values())
        counted: Counter[tuple[Any, ...]] = Counter(
            (
                run.stage if self.graph.joins else "",
                run.state,
                tuple(sorted(run.scope.items())) if per else (),
            )
            for run in runs
            if run.id != stage_run and run.state is not StageRunState.JOINING
        )
        counts = tuple(
            StageCount(stage, state, dict(scope), count) for (stage, state, scope), count in counted.items()
        )
        return RunView(tuple(kept), total, counts=counts)

    def ready(self) -> list[str]:
        """Return ids of the stage runs that somebody could execute."""
        return [
            key
            for key, entry in self.entries.items()
            if entry.run.state in (StageRunState.QUEUED, StageRunState.WAITING)
        ]

    def at(self, stage: str) -> list[Entry]:
        """Return the stage runs of a stage, sorted."""
        found = [entry for entry in self.entries.values() if entry.run.stage == stage]
        return sorted(found, key=lambda entry: (entry.run.key, entry.run.sequence))

    def perform(self, stage_run: str, act: Act) -> Changes:
        """Execute a stage run and record the outcome."""
        entry = self.entries[stage_run]
        run, data = entry.run, entry.data
        kind, failure = act.kind, Failure("Broken", "It broke.", retriable=act.retriable)
        following: tuple[Any, ...] = ()
        after = data
        if kind == "completed":
            values = {key: value for key, value in data.values.items() if key not in act.deleted}
            writers = {**data.writers, **dict.fromkeys([*act.changes, *act.deleted], run.id)}
            after = StageData({**values, **act.changes}, writers)
            try:
                following = route(self.graph, run.stage, run, after, act.next)
            except RoutingError as error:
                kind, failure = "failed", Failure("RoutingError", str(error), retriable=False)
        if kind != "completed":
            after = data
            if kind in ("failed", "lost", "expired"):
                try:
                    following = route(self.graph, run.stage, run, data, None, failed=True)
                except RoutingError:
                    following = ()
        outcome = Outcome(
            run.id,
            kind,  # type: ignore[arg-type]
            NOW,
            after,
            following,
            failure if kind == "failed" else None,
        )
        return self.record(outcome)

    def record(self, outcome: Outcome) -> Changes:
        """Record an outcome."""
        changes = advance(
            self.graph,
            self.view(outcome.stage_run),
            outcome,
            answered=self.answered,
            new_id=self.new_id,
            limit=self.limit,
        )
        self._apply(changes, outcome.data)
        return changes

    def retry(self, stage_run: str) -> None:
        """Try a failed stage run again."""
        self._apply(retry(self.view(stage_run), stage_run), None)

    def run(self, behave: Callable[[Entry], Act], choose: Callable[[list[str]], str] = min) -> MemoryRun:
        """Execute whatever is ready until nothing is."""
        while ready := self.ready():
            chosen = choose(ready)
            self.perform(chosen, behave(self.entries[chosen]))
            if len(self.entries) > self.limit:
                break
        return self

    def result(self) -> Counter[str]:
        """Return what does not depend on the order of commits."""
        return Counter(
            json.dumps(
                [
                    entry.run.stage,
                    entry.run.key,
                    entry.run.sequence,
                    {name: re.sub("@[^:]*", "", item) for name, item in entry.run.scope.items()},
                    entry.run.state,
                    (entry.result or entry.data).values,
                    entry.inputs,
                ],
                sort_keys=True,
            )
            for entry in self.entries.values()
        )

    def _apply(self, changes: Changes, data: StageData | None) -> None:
        entry = self.entries[changes.stage_run]
        assert entry.run.state in ACTIVE or changes.state is StageRunState.QUEUED
        entry.run = replace(
            entry.run,
            state=changes.state,
            handled=changes.handled,
            failures=changes.failures,
            lost=changes.lost,
            attempt=entry.run.attempt + 1,
        )
        entry.failure, entry.due_at = changes.failure, changes.due_at
        if changes.state is StageRunState.COMPLETED:
            entry.result = data
        for new in changes.created:
            run = new.stage_run
            assert run.id not in self.entries
            self.entries[run.id] = Entry(
                replace(run, arrivals=()), new.data, source_failure=new.failure, assignee=new.assignee
            )
            if run.state is StageRunState.JOINING:
                self.arrivals[run.id] = list(run.arrivals)
                self.delivered += len(run.arrivals)
        for joining, arrived in changes.arrived.items():
            assert self.entries[joining].run.state is StageRunState.JOINING
            self.arrivals[joining] += arrived
            self.delivered += len(arrived)
            gathered = changes.gathered[joining]
            self.entries[joining].run = replace(
                self.entries[joining].run,
                key=gathered.key,
                sequence=gathered.sequence,
                scope=gathered.scope,
            )
        for started in changes.started:
            self._start(started)
        self.state = changes.run_state
        settled = settle(self.graph, self.view(), answered=self.answered)
        assert settled.started == (), "an outcome leaves nothing to start"
        assert settled.run_state is self.state

    def _start(self, started: StartedJoin) -> None:
        entry = self.entries[started.stage_run]
        assert entry.run.state is StageRunState.JOINING
        arrivals = self.arrivals.pop(started.stage_run)
        self.consumed += len(arrivals)
        parents = {key: other.run.parents for key, other in self.entries.items()}
        merged = merge(self.graph, entry.run.stage, arrivals, Ancestry(parents), stage_run=started.stage_run)
        entry.data, entry.inputs, entry.conflicts = merged
        entry.assignee = started.assignee
        entry.run = replace(
            entry.run,
            state=started.state,
            key=started.key,
            sequence=started.sequence,
            scope=started.scope,
            parents=tuple(dict.fromkeys(arrival.source for arrival in arrivals)),
        )
        self.starts[entry.run.stage, self.graph.joins[entry.run.stage].item(started.scope)] += 1
