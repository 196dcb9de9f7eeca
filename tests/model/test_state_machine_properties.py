"""What holds for every graph, every outcome and every order of commits."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st
from support.memory_run import Act, Entry, MemoryRun

from jupyter_workflows.model.graph import Graph, GraphStage, GraphTransition
from jupyter_workflows.model.states import ACTIVE, RunState, StageRunState

LIMIT = 120
JOINS = ["any", "any", "all", "all", "settled"]
NAMES = ["a", "b"]

relaxed = settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


@st.composite
def graphs(draw: st.DrawFn, *, cyclic: bool | None = None) -> Graph:
    """Small graphs with everything in them; the first stage is an entry."""
    count = draw(st.integers(2, 7))
    if cyclic is None:
        cyclic = draw(st.booleans())
    ids = [f"s{index}" for index in range(count)]
    stages = [GraphStage("s0")]
    for key in ids[1:]:
        join: Any = draw(st.sampled_from(JOINS))
        stages.append(
            GraphStage(
                key,
                type=draw(st.sampled_from(["script", "script", "form"])),
                join=join,
                per=draw(st.sampled_from([None, None, *NAMES])) if join != "any" else None,
                collect=draw(st.sampled_from([{}, {"all": "x"}])) if join != "any" else {},
                retries=draw(st.sampled_from([0, 0, 1])),
                after_crash=draw(st.sampled_from(["retry", "fail"])),
                disabled=draw(st.integers(0, 9)) == 0,
            )
        )
    transitions = []
    # Each stage follows an earlier one; the rest goes anywhere, back only in cyclic graphs.
    ends = [(draw(st.integers(0, target - 1)), target) for target in range(1, count)]
    for _ in range(draw(st.integers(0, count + 2))):
        source = draw(st.integers(0, count - (1 if cyclic else 2)))
        ends.append((source, draw(st.integers(0 if cyclic else source + 1, count - 1))))
    for number, (source, target) in enumerate(ends):
        on: Any = draw(st.sampled_from(["completed"] * 5 + ["failed"]))
        how = draw(st.integers(0, 9))
        each = draw(st.integers(0, 3)) == 0
        transitions.append(
            GraphTransition(
                f"t{number}",
                ids[source],
                ids[target],
                on=on,
                condition=f"n > {draw(st.integers(0, 2))}" if how == 0 else None,
                otherwise=how == 1,
                each="items" if each else None,
                name=draw(st.sampled_from(NAMES)) if each else "item",
                order=draw(st.integers(0, 2)),
            )
        )
    return Graph(stages, transitions)


class Behaviour:
    """What each stage run does, by its stage, key, sequence and number of attempts."""

    def __init__(self, seed: int, graph: Graph, *, failing: bool = True) -> None:
        self.seed = seed
        self.graph = graph
        self.risk = random.Random(seed).choice([0.0, 0.1, 0.3]) if failing else 0.0

    def __call__(self, entry: Entry) -> Act:
        run = entry.run
        choice = random.Random(repr((self.seed, run.stage, run.key, run.sequence, run.attempt)))
        if choice.random() < self.risk:
            return Act(kind=choice.choice(["failed", "failed", "failed", "lost", "cancelled", "expired"]))
        changes: dict[str, Any] = {
            "n": choice.randint(0, 4),
            "items": [f"{run.stage}{index}" for index in range(choice.choice([0, 1, 2, 2, 3]))],
        }
        for key in ("x", "y", "z"):
            if choice.random() < 0.4:
                changes[key] = f"{run.stage}.{run.key}.{run.sequence}"
        deleted = ["z"] if "z" not in changes and choice.random() < 0.2 else []
        following = None
        if run.sequence > 6:
            following = []
        elif choice.random() < 0.15:
            targets = [transition.target for transition in self.graph.outgoing(run.stage)]
            following = [
                {"stage": self.graph.stages[target].path, "data": {"y": f"asked by {run.stage}"}}
                for target in targets
                if choice.random() < 0.6
            ]
        return Act(changes, deleted, following)


def play(graph: Graph, seed: int, order: int, *, compact: bool = False, failing: bool = True) -> MemoryRun:
    run = MemoryRun(graph, compact=compact)
    run.start("s0", {"n": 1, "items": ["one"], "x": "at first"})
    carry_on(run, Behaviour(seed, graph, failing=failing), random.Random(order))
    return run


def carry_on(run: MemoryRun, behave: Behaviour, chance: random.Random) -> None:
    """Execute whatever is ready, in any order, until nothing is."""
    while ready := run.ready():
        chosen = chance.choice(ready)
        run.perform(chosen, behave(run.entries[chosen]))
        check_state(run)
        # Fan-outs in a loop grow without end.
        assume(len(run.entries) < LIMIT)


def check_state(run: MemoryRun) -> None:
    """The run's state follows from its stage runs, and no arrival is lost."""
    states = [entry.run.state for entry in run.entries.values()]
    unhandled = [entry.run for entry in run.entries.values() if entry.run.is_unhandled]
    joining = [entry.run for entry in run.entries.values() if entry.run.state is StageRunState.JOINING]
    assert run.delivered == run.consumed + sum(map(len, run.arrivals.values()))
    assert set(run.arrivals) == {entry.id for entry in joining}
    if StageRunState.QUEUED in states:
        assert run.state is RunState.RUNNING
    elif StageRunState.WAITING in states:
        assert run.state is RunState.WAITING
    elif unhandled:
        assert run.state is RunState.FAILED
        for stuck in joining:
            assert any(is_kept_back(run.graph, failed.stage, stuck.stage) for failed in unhandled)
    else:
        assert not joining
        assert run.state is RunState.COMPLETED


def is_kept_back(graph: Graph, failed: str, stuck: str) -> bool:
    """Whether a failure can keep a join from starting: it needs all, and can be reached from there."""
    return graph.stages[stuck].join == "all" and stuck in graph.reachable(failed)


@relaxed
@given(graphs(), st.integers(0, 10_000), st.integers(), st.integers())
def test_order_of_commits_changes_nothing(graph: Graph, seed: int, one: int, other: int) -> None:
    first = play(graph, seed, one)
    second = play(graph, seed, other, compact=True)
    event(f"joins started: {min(sum(first.starts.values()), 3)}")
    event(f"state: {first.state}")
    assert first.result() == second.result()
    assert first.state == second.state


@relaxed
@given(graphs(cyclic=False), st.integers(0, 10_000), st.integers())
def test_without_cycles_a_join_starts_once_for_each_item(graph: Graph, seed: int, order: int) -> None:
    run = play(graph, seed, order)
    assert all(count == 1 for count in run.starts.values())
    for entry in run.entries.values():
        if entry.run.state is StageRunState.JOINING:
            item = graph.joins[entry.run.stage].item(entry.run.scope)
            assert (entry.run.stage, item) not in run.starts


@relaxed
@given(graphs(), st.integers(0, 10_000), st.integers())
def test_without_failures_every_branch_comes_to_an_end(graph: Graph, seed: int, order: int) -> None:
    run = play(graph, seed, order, failing=False)
    broken = [entry for entry in run.entries.values() if entry.run.is_unhandled]
    assume(not broken)
    assert run.state is RunState.COMPLETED
    assert not run.arrivals
    assert all(entry.run.state not in ACTIVE for entry in run.entries.values())


@settings(relaxed, max_examples=60)  # most runs do not fail, and are thrown away
@given(graphs(), st.integers(0, 10_000), st.integers())
def test_retries_that_succeed_complete_the_run(graph: Graph, seed: int, order: int) -> None:
    run = play(graph, seed, order)
    assume(run.state is RunState.FAILED)
    chance = random.Random(order)
    for _ in range(5):
        for key, entry in list(run.entries.items()):
            if entry.run.is_unhandled:
                run.retry(key)
                check_state(run)
        carry_on(run, Behaviour(seed, graph, failing=False), chance)
    # Disabled stages in a circle fail again and again.
    assume(not any(entry.run.is_unhandled for entry in run.entries.values()))
    assert run.state is RunState.COMPLETED
    assert not run.arrivals
