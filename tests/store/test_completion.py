"""The one transaction that ends an attempt: all of it or nothing; joins."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, event
from support.stores import document, fail, fan_out, finish, linear, start, work

from jupyter_workflows.model.states import RunState, StageRunState
from jupyter_workflows.store import Claim, RunnerIdentity, StageRunRecord, Store, StoreError


class Crash(Exception):
    """Stands for the end of the process."""


@contextmanager
def crash_at(store: Store, place: int) -> Iterator[None]:
    """Raise before the statement at a place, counted from here."""
    counter = itertools.count()

    def maybe(connection: Connection, cursor: object, statement: str, *rest: object) -> None:
        if next(counter) == place:
            raise Crash(statement)

    event.listen(store.database.engine, "before_cursor_execute", maybe)
    try:
        yield
    finally:
        event.remove(store.database.engine, "before_cursor_execute", maybe)


def at(store: Store, run_id: str, path: str) -> StageRunRecord:
    """Return a run's only stage run of a stage."""
    (found,) = [one for one in store.get_run(run_id).stage_runs if one.path == path]
    return found


def test_a_crash_at_any_statement_of_a_completion_leaves_nothing(
    store: Store, runner: RunnerIdentity
) -> None:
    run_id = start(store, fan_out(join="all"), values={"items": [1, 2, 3]})
    finish(store, store.claim(runner, limit=1)[0])
    *others, last = store.claim(runner, limit=3)
    for claim in others:
        finish(store, claim)
    before = store.get_run(run_id)
    for place in range(100):
        try:
            with crash_at(store, place):
                # The richest one there is: it arrives, the join starts, an artifact is noted.
                finish(store, last, {"score": 1}, artifacts={"ab" * 32: 5})
        except Crash:
            assert store.get_run(run_id) == before
        else:
            break
    assert place > 5
    assert at(store, run_id, "c").state is StageRunState.QUEUED


def test_a_crash_at_any_statement_of_a_claim_leaves_nothing(store: Store, runner: RunnerIdentity) -> None:
    run_id = start(store, linear(2))
    before = store.get_run(run_id)
    for place in range(50):
        try:
            with crash_at(store, place):
                claims = store.claim(runner, limit=2)
        except Crash:
            assert store.get_run(run_id) == before
        else:
            break
    assert place > 2
    assert [claim.attempt for claim in claims] == [1]


def test_a_crash_while_a_run_is_started_leaves_no_run(store: Store) -> None:
    for place in range(50):
        try:
            with crash_at(store, place):
                run_id = start(store, linear(2), request={"body": None})
        except Crash:
            assert store.list_runs().runs == ()
        else:
            break
    assert [run.id for run in store.list_runs().runs] == [run_id]


def test_a_join_merges_what_arrived(store: Store, runner: RunnerIdentity) -> None:
    text = document(
        {"a": {}, "b": {}, "c": {"join": "all", "collect": {"scores": "score"}}},
        {
            "t1": {"source": "a", "target": "b", "each": "items"},
            "t2": {"source": "b", "target": "c"},
        },
    )
    run_id = start(store, text, values={"items": [3, 1, 2], "who": "ada"})
    finish(store, store.claim(runner, limit=1)[0])
    claims = store.claim(runner, limit=3)
    for claim in reversed(claims):
        assert store.get_run_record(run_id).state is RunState.RUNNING
        finish(store, claim, {"score": claim.data.values["item"] * 10})
    (claim,) = store.claim(runner, limit=5)
    assert claim.stage_run.path == "c"
    assert claim.data.values["scores"] == [30, 10, 20]
    assert claim.data.values["who"] == "ada"
    assert [given["score"] for given in claim.stage_run.inputs or []] == [30, 10, 20]
    assert claim.stage_run.parents == tuple(one.id for one in claims)
    assert claim.stage_run.key == ()
    assert [conflict["key"] for conflict in claim.stage_run.conflicts or []] == ["score"]
    finish(store, claim)
    assert store.get_run_record(run_id).state is RunState.COMPLETED


def test_a_failure_blocks_a_join_until_a_retry_succeeds(store: Store, runner: RunnerIdentity) -> None:
    run_id = start(store, fan_out(join="all"), values={"items": [1, 2, 3]})

    def behave(claim: Claim) -> None:
        if claim.data.values.get("item") == 2 and claim.attempt == 1:
            raise ValueError("two is too many")

    work(store, runner, behave)
    details = store.get_run(run_id)
    assert details.run.state is RunState.FAILED
    assert at(store, run_id, "c").state is StageRunState.JOINING
    failed = next(one for one in details.stage_runs if one.state is StageRunState.FAILED)
    store.retry_stage_run(failed.id, by="ada")
    assert store.get_run_record(run_id).state is RunState.RUNNING
    assert store.get_run_record(run_id).ended_at is None
    work(store, runner, behave)
    details = store.get_run(run_id)
    assert details.run.state is RunState.COMPLETED
    joined = at(store, run_id, "c")
    assert joined.state is StageRunState.COMPLETED
    assert len(joined.inputs or []) == 3


def test_settled_joins_go_on_after_a_failure(store: Store, runner: RunnerIdentity) -> None:
    run_id = start(store, fan_out(join="settled"), values={"items": [1, 2, 3]})

    def behave(claim: Claim) -> None:
        if claim.data.values.get("item") == 2 and claim.stage_run.path == "b":
            raise ValueError("no")

    work(store, runner, behave)
    last = at(store, run_id, "c")
    assert last.state is StageRunState.COMPLETED
    assert len(last.inputs or []) == 2


def test_a_join_finds_what_happened_to_a_branch_that_failed(store: Store, runner: RunnerIdentity) -> None:
    text = document(
        {"a": {}, "b": {}, "c": {}, "join": {"join": "all"}},
        {
            "t1": {"source": "a", "target": "b"},
            "t2": {"source": "a", "target": "c"},
            "t3": {"source": "b", "target": "join", "on": "failed"},
            "t4": {"source": "c", "target": "join"},
        },
    )
    run_id = start(store, text)
    finish(store, store.claim(runner, limit=1)[0])
    for claim in store.claim(runner, limit=2):
        (fail if claim.stage_run.path == "b" else finish)(store, claim)
    join = at(store, run_id, "join")
    assert join.state is StageRunState.QUEUED
    assert join.source_failure is not None
    assert (join.source_failure["stage"], join.source_failure["name"]) == ("b", "ValueError")


def test_an_empty_list_lets_the_join_start_without_inputs(store: Store, runner: RunnerIdentity) -> None:
    run_id = start(store, fan_out(join="all"), values={"items": [], "x": 1})
    work(store, runner)
    last = store.get_run(run_id).stage_runs[-1]
    assert (last.path, last.state, last.inputs) == ("c", StageRunState.COMPLETED, [])
    assert last.data.values == {"items": [], "x": 1}


def test_a_join_for_each_item(store: Store, runner: RunnerIdentity) -> None:
    text = document(
        {"a": {}, "b": {}, "c": {}, "d": {"join": "all", "per": "order", "collect": {"sums": "sum"}}},
        {
            "t1": {"source": "a", "target": "b", "each": "orders", "as": "order"},
            "t2": {"source": "b", "target": "c", "each": "lines", "as": "line"},
            "t3": {"source": "c", "target": "d"},
        },
    )
    run_id = start(store, text, values={"orders": [2, 3]})

    def behave(claim: Claim) -> dict[str, object] | None:
        if claim.stage_run.path == "b":
            return {"lines": list(range(claim.data.values["order"]))}
        if claim.stage_run.path == "c":
            return {"sum": claim.data.values["order"] * 10 + claim.data.values["line"]}
        return None

    work(store, runner, behave)
    details = store.get_run(run_id)
    assert details.run.state is RunState.COMPLETED
    joined = [one for one in details.stage_runs if one.path == "d"]
    assert [one.data.values["sums"] for one in joined] == [[20, 21], [30, 31, 32]]


def test_an_assignee_of_a_join_comes_from_the_merged_data(store: Store, runner: RunnerIdentity) -> None:
    text = document(
        {"a": {}, "b": {}, "c": {"type": "form", "join": "all", "assignee": {"from": "manager"}}},
        {"t1": {"source": "a", "target": "b", "each": "items"}, "t2": {"source": "b", "target": "c"}},
    )
    run_id = start(store, text, values={"items": [1, 2]}, started_by="ada")
    work(store, runner, lambda claim: {"manager": "grace"} if claim.stage_run.path == "b" else None)
    assert store.get_run_record(run_id).state is RunState.WAITING
    assert at(store, run_id, "c").assignee == "grace"


def test_an_endless_loop_ends(store: Store, runner: RunnerIdentity) -> None:
    store.limit = 20
    run_id = start(store, document({"a": {"start": True}}, {"t": {"source": "a", "target": "a"}}))
    work(store, runner)
    details = store.get_run(run_id)
    assert details.run.state is RunState.FAILED
    assert details.run.total == len(details.stage_runs) == 20
    assert details.stage_runs[-1].failure is not None
    assert details.stage_runs[-1].failure["name"] == "TooManyStageRuns"


def test_what_cannot_be_retried(store: Store, runner: RunnerIdentity) -> None:
    run_id = start(store, linear(2))
    work(store, runner)
    for stage_run in store.get_run(run_id).stage_runs:
        with pytest.raises(StoreError, match="cannot be tried again"):
            store.retry_stage_run(stage_run.id)


def test_a_retry_hands_over_how_once_was_resolved(store: Store, runner: RunnerIdentity) -> None:
    run_id = start(store, linear(1))
    fail(store, store.claim(runner, limit=1)[0])
    (stage_run,) = store.get_run(run_id).stage_runs
    store.retry_stage_run(stage_run.id, once={"mail": "again"}, by="ada")
    (claim,) = store.claim(runner, limit=1)
    assert claim.once == {"mail": "again"}
    assert (claim.attempt, claim.once_after) == (2, 1)
    (entry,) = store.audit(run_id=run_id)
    assert (entry.who, entry.what, entry.detail) == ("ada", "retried", {"once": {"mail": "again"}})


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_the_end_does_not_depend_on_the_order_of_commits(
    store: Store, runner: RunnerIdentity, data: st.DataObject
) -> None:
    text = document(
        {"a": {}, "b": {}, "c": {}, "d": {"join": "all"}, "e": {"join": "settled"}},
        {
            "t1": {"source": "a", "target": "b", "each": "items"},
            "t2": {"source": "a", "target": "c"},
            "t3": {"source": "b", "target": "d"},
            "t4": {"source": "c", "target": "d"},
            "t5": {"source": "b", "target": "e", "condition": "item > 1"},
            "t6": {"source": "d", "target": "e"},
        },
    )
    run_id = start(store, text, values={"items": [1, 2, 3]})
    held: list[Claim] = []
    while True:
        held += store.claim(runner, limit=10, run_id=run_id)
        if not held:
            break
        claim = held.pop(data.draw(st.integers(0, len(held) - 1)))
        values = claim.data.values
        finish(store, claim, {claim.stage_run.path: [claim.stage_run.path, values.get("item")]})
    details = store.get_run(run_id)
    assert details.run.state is RunState.COMPLETED
    shape = [(one.path, one.key, one.sequence, one.data.values) for one in details.stage_runs]
    expected = _shapes.setdefault(text, shape)
    assert shape == expected


_shapes: dict[str, list[object]] = {}
