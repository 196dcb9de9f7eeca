"""Test runs: where they end, what need not be executed, and that they go with their server."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.stores import document, fan_out, finish, linear, start, work

from jupyter_workflows.model.states import RunMode, RunState, StageRunState
from jupyter_workflows.store import Claim, EditorServer, NotFound, RunnerIdentity, Store


def stages(store: Store, run: str) -> dict[str, StageRunState]:
    return {one.path: one.state for one in store.get_run(run).stage_runs}


def test_a_run_ends_with_the_stage_that_it_is_told(store: Store, runner: RunnerIdentity) -> None:
    run = start(store, linear(3), until="b")
    work(store, runner)
    assert stages(store, run) == {"a": StageRunState.COMPLETED, "b": StageRunState.COMPLETED}
    assert store.get_run_record(run).state is RunState.COMPLETED
    assert store.get_run_record(run).until == "b"


def test_only_stages_on_the_way_to_the_last_one_are_executed(store: Store, runner: RunnerIdentity) -> None:
    text = document(
        {"a": {}, "b": {}, "c": {}, "d": {"join": "all"}, "e": {}},
        {
            "t1": {"source": "a", "target": "b"},
            "t2": {"source": "a", "target": "c"},
            "t3": {"source": "b", "target": "d"},
            "t4": {"source": "a", "target": "e"},
            "t5": {"source": "c", "target": "d"},
        },
    )
    run = start(store, text, until="d")
    work(store, runner)
    assert set(stages(store, run)) == {"a", "b", "c", "d"}
    assert set(stages(store, run).values()) == {StageRunState.COMPLETED}


def test_a_failure_of_the_last_stage_is_not_handled(store: Store, runner: RunnerIdentity) -> None:
    text = document({"a": {}, "b": {}}, {"t": {"source": "a", "target": "b", "on": "failed"}})
    run = start(store, text, until="a")

    def behave(claim: Claim) -> None:
        raise ValueError("no")

    work(store, runner, behave)
    assert stages(store, run) == {"a": StageRunState.FAILED}
    assert store.get_run_record(run).state is RunState.FAILED


@pytest.mark.parametrize(("mode", "waits"), [(RunMode.TEST, False), (RunMode.LIVE, True)])
def test_a_pinned_form_waits_for_nobody_in_a_test(
    store: Store, runner: RunnerIdentity, mode: RunMode, waits: bool
) -> None:
    text = document(
        {"a": {}, "b": {"type": "form", "pinned": {"x": 1}}}, {"t": {"source": "a", "target": "b"}}
    )
    run = start(store, text, mode=mode)
    (claim,) = store.claim(runner, limit=1)
    finish(store, claim)
    assert stages(store, run)["b"] is (StageRunState.WAITING if waits else StageRunState.QUEUED)
    first = start(store, document({"a": {"type": "form", "pinned": {}}}), mode=mode)
    assert stages(store, first)["a"] is (StageRunState.WAITING if waits else StageRunState.QUEUED)


def test_a_stage_run_that_started_with_the_same_is_found(store: Store, runner: RunnerIdentity) -> None:
    first = start(store, fan_out())
    work(store, runner, lambda claim: {"items": [1, 2, 2]} if claim.stage_run.path == "a" else {"done": True})
    again = start(store, fan_out(), reuse={"run": first, "stages": ["b"]})
    (claim,) = store.claim(runner, limit=1, run_id=again)
    assert store.find_same(claim) is None  # not named
    finish(store, claim, {"items": [2, 3]})
    for claim in store.claim(runner, limit=2, run_id=again):
        assert store.find_same(claim) is None  # the list before it is another one
    third = start(store, fan_out(), reuse={"run": first, "stages": ["b"]})
    (claim,) = store.claim(runner, limit=1, run_id=third)
    finish(store, claim, {"items": [1, 2, 2]})
    for claim in store.claim(runner, limit=3, run_id=third):
        found = store.find_same(claim)
        assert found is not None
        assert found[0].run_id == first
        assert found[0].data.values["item"] == claim.data.values["item"]
        assert found[0].result is not None
        assert found[0].result.values["done"] is True
        assert found[1].number == 1


def test_what_stood_in_is_kept(store: Store, runner: RunnerIdentity) -> None:
    start(store, linear(1))
    (claim,) = store.claim(runner, limit=1)
    finish(store, claim, route=[{"stage": "b"}], stand_in={"kind": "pinned"})
    (attempt,) = store.list_attempts(claim.id)
    assert (attempt.route, attempt.stand_in) == ([{"stage": "b"}], {"kind": "pinned"})


def test_runs_of_an_ended_server_are_erased(store: Store, runner: RunnerIdentity) -> None:
    here = EditorServer.current("/home/ada")
    ended = replace(here, process=replace(here.process, pid=2**22 + 1))
    elsewhere = replace(EditorServer.current("/home/bob"), process=ended.process)
    gone = start(store, linear(2), editor=ended.text)
    done = start(store, linear(1), editor=ended.text)
    kept = [start(store, linear(1), editor=one.text) for one in (here, elsewhere)] + [start(store, linear(1))]
    claims = store.claim(runner, limit=1, run_id=gone) + store.claim(runner, limit=1, run_id=done)
    finish(store, claims[1])
    assert set(store.erase_tests(here).runs) == {gone, done}
    for run in (gone, done):
        with pytest.raises(NotFound):
            store.get_run(run)
    for run in kept:
        store.get_run(run)
    # What is executed of it is not its runner's any more.
    assert [claim.id for claim in store.renew(runner, claims[:1])] == [claims[0].id]
    assert store.erase_tests(here).runs == ()


def test_a_server_is_known_by_its_text() -> None:
    server = EditorServer.current("/home/ada")
    assert EditorServer.parse(server.text) == server
    assert not server.has_ended
    assert server.text.startswith(server.prefix)
    assert EditorServer.current("/home/bob").prefix != server.prefix
