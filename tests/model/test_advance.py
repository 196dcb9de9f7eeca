"""What an outcome changes, without joins: successors, keys, failures, retries, the state of the run."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from support.memory_run import NOW, Act, MemoryRun

from jupyter_workflows.model.advance import advance, cancel, retry, run_state, settle, start
from jupyter_workflows.model.graph import Graph, GraphStage, GraphTransition
from jupyter_workflows.model.records import (
    Changes,
    Failure,
    NextStage,
    Outcome,
    RunView,
    StageCount,
    StageData,
    StageRun,
)
from jupyter_workflows.model.states import RunState, StageRunState

FAIL = Act(kind="failed")
LOSE = Act(kind="lost")


def chain(*arrows: str, **settings: dict[str, Any]) -> Graph:
    """Make a graph of arrows like ``ab``, or ``ab!`` for failed, numbered in this order."""
    keys = sorted({letter for arrow in arrows for letter in arrow if letter != "!"} | settings.keys())
    return Graph(
        [GraphStage(key, **settings.get(key, {})) for key in keys],
        [
            GraphTransition(f"t{number}", arrow[0], arrow[1], on="failed" if arrow[2:] else "completed")
            for number, arrow in enumerate(arrows)
        ],
    )


def begun(graph: Graph, **more: Any) -> tuple[MemoryRun, str]:
    run = MemoryRun(graph, **more)
    return run, run.start("a", {"x": 0})


class TestStart:
    @pytest.mark.parametrize(
        ("kind", "answered", "state"),
        [
            ("script", False, "queued"),
            ("job", False, "queued"),
            ("hook", False, "queued"),
            ("form", False, "waiting"),
            ("form", True, "queued"),
        ],
    )
    def test_state(self, kind: str, answered: bool, state: str) -> None:
        graph = Graph([GraphStage("a", type=kind, path="first")])
        new = start(graph, "a", StageData(), answered={"first"} if answered else set())
        assert new.stage_run.state == state

    def test_what_the_run_starts_with_has_no_writer(self) -> None:
        new = start(chain("ab"), "a", StageData({"x": 1}), new_id=lambda: "first", assignee="ann")
        assert new.data == StageData({"x": 1}, {"x": None})
        assert new.stage_run == StageRun("first", "a", StageRunState.QUEUED, (), 0)
        assert new.assignee == "ann"

    def test_not_with_a_disabled_stage(self) -> None:
        with pytest.raises(ValueError, match="disabled"):
            start(chain("ab", a={"disabled": True}), "a", StageData())

    def test_an_entry_that_joins_starts_at_once(self) -> None:
        new = start(chain("ab", "ba", a={"join": "all"}), "a", StageData())
        assert new.stage_run.state == "queued"


class TestSuccessors:
    def test_one_keeps_the_key(self) -> None:
        run, first = begun(chain("ab", "bc"))
        changes = run.perform(first, Act({"x": 1, "y": 2}))
        (new,) = changes.created
        assert (new.stage_run.key, new.stage_run.sequence, new.stage_run.parents) == ((), 1, (first,))
        assert new.transition == "t0"
        assert new.data == StageData({"x": 1, "y": 2}, {"x": first, "y": first})
        assert changes.run_state == "running"

    def test_several_get_their_places(self) -> None:
        run, first = begun(chain("ab", "ac", "bd"))
        run.perform(first, Act())
        (b,), (c,) = run.at("b"), run.at("c")
        assert (b.run.key, c.run.key) == ((0,), (1,))
        run.perform(b.run.id, Act())
        (d,) = run.at("d")
        assert (d.run.key, d.run.sequence) == ((0,), 2)

    def test_given_data_is_written_by_the_source(self) -> None:
        run, first = begun(chain("ab"))
        run.perform(first, Act({"y": 1}, next=[{"data": {"y": 2, "z": 3}, "assignee": "ann"}]))
        (b,) = run.at("b")
        assert b.data == StageData({"x": 0, "y": 2, "z": 3}, {"x": None, "y": first, "z": first})
        assert b.assignee == "ann"
        assert run.entries[first].result == StageData({"x": 0, "y": 1}, {"x": None, "y": first})

    def test_items_make_the_scope(self) -> None:
        graph = Graph(
            [GraphStage("a"), GraphStage("b"), GraphStage("c")],
            [GraphTransition("t", "a", "b", each="list", name="line"), GraphTransition("u", "b", "c")],
        )
        run, first = begun(graph)
        run.perform(first, Act({"list": [5, 6]}))
        assert [entry.data.values["line"] for entry in run.at("b")] == [5, 6]
        assert [entry.data.writers["line"] for entry in run.at("b")] == [first, first]
        second = run.at("b")[1]
        run.perform(second.run.id, Act())
        assert run.at("c")[0].run.scope == second.run.scope == {"line": f".0@{first}:t:1"}

    @pytest.mark.parametrize(
        ("kind", "answered", "state"),
        [
            ("script", False, "queued"),
            ("form", False, "waiting"),
            ("form", True, "queued"),
            ("hook", False, "waiting"),
            ("hook", True, "queued"),
        ],
    )
    def test_forms_and_hooks_wait_unless_answered(self, kind: str, answered: bool, state: str) -> None:
        graph = chain("ab", b={"type": kind, "path": "second"})
        run, first = begun(graph, answered=frozenset({"second"} if answered else ()))
        changes = run.perform(first, Act())
        assert changes.created[0].stage_run.state == state
        assert changes.run_state == ("waiting" if state == "waiting" else "running")

    def test_none_end_the_branch(self) -> None:
        run, first = begun(chain("ab"))
        assert run.perform(first, Act(next=[])).run_state == "completed"

    def test_a_loop(self) -> None:
        run, _ = begun(chain("aa"))
        for _ in range(3):
            (ready,) = run.ready()
            run.perform(ready, Act())
        assert [entry.run.sequence for entry in run.at("a")] == [0, 1, 2, 3]
        assert {entry.run.key for entry in run.at("a")} == {()}


class TestFailure:
    def test_unhandled(self) -> None:
        run, first = begun(chain("ab"))
        changes = run.perform(first, FAIL)
        assert (changes.state, changes.handled, changes.failures) == ("failed", False, 1)
        assert changes.failure == Failure("Broken", "It broke.")
        assert changes.run_state == "failed"

    def test_other_branches_go_on(self) -> None:
        run, first = begun(chain("ab", "ac"))
        run.perform(first, Act())
        assert run.perform(run.at("b")[0].run.id, FAIL).run_state == "running"
        assert run.perform(run.at("c")[0].run.id, Act()).run_state == "failed"

    def test_failed_transitions_handle_it(self) -> None:
        run, first = begun(chain("ab", "ac!", a={"path": "first"}))
        changes = run.perform(first, FAIL)
        (new,) = changes.created
        assert changes.handled
        assert (new.stage_run.stage, new.failure, new.failed_stage) == ("c", changes.failure, "first")
        assert new.data == run.entries[first].data
        assert run.perform(new.stage_run.id, Act()).run_state == "completed"

    def test_no_failure_is_told_to_other_successors(self) -> None:
        run, first = begun(chain("ab", "ac!"))
        (new,) = run.perform(first, Act()).created
        assert (new.failure, new.failed_stage) == (None, None)

    def test_retries_with_backoff(self) -> None:
        run, first = begun(chain("ab", a={"retries": 3, "delay": 10, "backoff": 2}))
        delays = []
        for _ in range(3):
            changes = run.perform(first, FAIL)
            assert (changes.state, changes.run_state) == ("queued", "running")
            assert changes.due_at is not None
            delays.append((changes.due_at - NOW).total_seconds())
        assert delays == [10, 20, 40]
        changes = run.perform(first, FAIL)
        assert (changes.state, changes.failures, changes.due_at) == ("failed", 4, None)

    def test_a_retry_that_succeeds(self) -> None:
        run, first = begun(chain("ab", "ac!", a={"retries": 1}))
        assert run.perform(first, FAIL).created == ()
        changes = run.perform(first, Act())
        assert (changes.state, changes.failures, changes.failure) == ("completed", 1, None)
        assert changes.created[0].stage_run.stage == "b"

    def test_what_cannot_be_tried_again_is_not(self) -> None:
        run, first = begun(chain("ab", a={"retries": 3}))
        assert run.perform(first, Act(kind="failed", retriable=False)).state == "failed"

    def test_the_delay_has_an_end(self) -> None:
        run, first = begun(chain("ab", a={"retries": 9, "delay": 1e300, "backoff": 1e300}))
        for _ in range(3):
            changes = run.perform(first, FAIL)
            assert changes.due_at == NOW + timedelta(days=30)

    def test_a_routing_error_is_a_failure(self) -> None:
        run, first = begun(chain("ab", "ac!", a={"retries": 3}))
        changes = run.perform(first, Act(next=[{"stage": "nowhere"}]))
        assert changes.failure is not None
        assert (changes.failure.name, changes.handled) == ("RoutingError", True)

    def test_expired(self) -> None:
        run, first = begun(chain("ab", "ac!", a={"type": "form", "retries": 3}))
        changes = run.perform(first, Act(kind="expired"))
        assert changes.failure is not None
        assert (changes.state, changes.failure.name, changes.handled) == ("failed", "Expired", True)

    def test_too_many_stage_runs(self) -> None:
        run, first = begun(chain("ab", "ab", "aa"), limit=3)
        changes = run.perform(first, Act())
        assert changes.failure is not None
        assert (changes.state, changes.failure.name, changes.failure.retriable) == (
            "failed",
            "TooManyStageRuns",
            False,
        )
        assert (changes.created, changes.run_state) == ((), "failed")

    def test_a_failure_that_would_make_too_many_is_told_too(self) -> None:
        run, first = begun(chain("ab!"), limit=1)
        changes = run.perform(first, FAIL)
        assert changes.failure is not None
        assert changes.failure.name == "TooManyStageRuns"
        assert "Broken: It broke." in changes.failure.message
        assert not changes.handled


class TestCrash:
    def test_lost_ones_are_queued_until_they_are_a_crash_loop(self) -> None:
        run, first = begun(chain("ab", "ac!", a={"retries": 5}))
        for count in (1, 2):
            changes = run.perform(first, LOSE)
            assert (changes.state, changes.lost, changes.failures) == ("queued", count, 0)
            assert changes.due_at is None
        changes = run.perform(first, LOSE)
        assert changes.failure is not None
        assert (changes.state, changes.failure.name, changes.handled) == ("failed", "CrashLoop", True)

    @pytest.mark.parametrize("kind", ["failed", "parked"])
    def test_only_those_in_a_row_count(self, kind: str) -> None:
        run, first = begun(chain("ab", a={"retries": 5}))
        for act in (LOSE, LOSE, Act(kind=kind), LOSE, LOSE):
            changes = run.perform(first, act)
        assert (changes.state, changes.lost) == ("queued", 2)

    def test_after_crash_fail(self) -> None:
        run, first = begun(chain("ab", a={"after_crash": "fail", "retries": 5}))
        changes = run.perform(first, LOSE)
        assert changes.failure is not None
        assert (changes.state, changes.failure.name) == ("failed", "AttemptLost")


class TestOtherEnds:
    def test_parked(self) -> None:
        run, first = begun(chain("ab", a={"type": "form"}))
        changes = run.perform(first, Act(kind="parked"))
        assert (changes.state, changes.run_state, changes.created) == ("waiting", "waiting", ())

    def test_a_cancelled_stage_run_is_an_end(self) -> None:
        run, first = begun(chain("ab", "ac!"))
        changes = run.perform(first, Act(kind="cancelled"))
        assert (changes.state, changes.run_state, changes.created) == ("cancelled", "completed", ())


class TestCancel:
    def test_all_that_is_active_ends(self) -> None:
        run, first = begun(chain("ab", "ac", "ad", "de", b={"type": "form"}, e={"join": "all"}))
        run.perform(first, Act())
        run.perform(run.at("c")[0].run.id, FAIL)
        cancelled = cancel(run.view())
        assert cancelled.run_state == "cancelled"
        assert {run.entries[key].run.stage for key in cancelled.stage_runs} == {"b", "d"}

    @pytest.mark.parametrize(
        ("kind", "state"),
        [("completed", "completed"), ("failed", "failed"), ("lost", "cancelled"), ("parked", "cancelled")],
    )
    def test_nothing_follows_in_a_cancelled_run(self, kind: Any, state: str) -> None:
        source = StageRun("one", "a", StageRunState.RUNNING, (), 0)
        following = (NextStage("b", "t0", 0),)
        changes = advance(
            chain("ab", "ab!"),
            RunView((source,), 1, cancelled=True),
            Outcome("one", kind, NOW, next=following),
        )
        assert (changes.state, changes.run_state, changes.created) == (state, "cancelled", ())
        assert not changes.handled


class TestRetry:
    def test_from_there(self) -> None:
        run, first = begun(chain("ab", a={"retries": 1}))
        run.perform(first, FAIL)
        run.perform(first, FAIL)
        assert run.state == "failed"
        run.retry(first)
        assert (run.state, run.entries[first].run.failures) == ("running", 0)
        assert run.perform(first, FAIL).state == "queued", "with its automatic retries anew"
        run.perform(first, Act())
        assert [entry.run.stage for entry in run.entries.values()] == ["a", "b"]

    def test_one_that_was_handled_counts_as_active_meanwhile(self) -> None:
        run, first = begun(chain("ab", "ac!"))
        run.perform(first, FAIL)
        run.perform(run.at("c")[0].run.id, Act())
        assert run.state == "completed"
        run.retry(first)
        assert (run.state, run.entries[first].run.handled) == ("running", True)
        assert run.perform(first, Act()).run_state == "running"

    def test_only_a_failed_one(self) -> None:
        run, first = begun(chain("ab"))
        with pytest.raises(ValueError, match="only a failed stage run"):
            run.retry(first)

    def test_not_in_a_cancelled_run(self) -> None:
        source = StageRun("one", "a", StageRunState.FAILED, (), 0)
        with pytest.raises(ValueError, match="cancelled"):
            retry(RunView((source,), 1, cancelled=True), "one")


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ([], "completed"),
        (["queued"], "running"),
        (["running", "waiting"], "running"),
        (["waiting"], "waiting"),
        (["waiting", "failed"], "waiting"),
        (["waiting", "joining"], "waiting"),
        (["running", "failed"], "running"),
        (["failed"], "failed"),
        (["failed", "joining"], "failed"),
    ],
)
def test_state_of_a_run(states: list[str], expected: str) -> None:
    runs = tuple(StageRun(str(n), "a", StageRunState(state), (), n) for n, state in enumerate(states))
    counts = tuple(StageCount("a", StageRunState(state)) for state in states)
    assert run_state(RunView(runs, 5)) == expected
    assert run_state(RunView((), 5, counts=counts)) == expected
    assert run_state(RunView(runs, 5, cancelled=True)) == "cancelled"
    assert settle(chain("ab"), RunView(runs, 5)).run_state == expected


def test_the_stage_run_must_be_in_the_view() -> None:
    with pytest.raises(ValueError, match="'gone' is not in the view"):
        advance(chain("ab"), RunView((), 0), Outcome("gone", "completed", NOW))


def test_a_wide_fan_out_may_be_counted() -> None:
    graph = Graph([GraphStage("a"), GraphStage("b")], [GraphTransition("t", "a", "b", each="list")])
    run, first = begun(graph, compact=True)
    changes: Changes = run.perform(first, Act({"list": list(range(2000))}))
    assert len(changes.created) == 2000
    view = run.view(changes.created[5].stage_run.id)
    assert [count.count for count in view.counts] == [1999]
    assert run.perform(changes.created[5].stage_run.id, Act()).run_state is RunState.RUNNING
