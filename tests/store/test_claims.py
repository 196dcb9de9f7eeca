"""The one door into running: leases, fences, fairness, pools, owners."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.clock import Clock
from support.stores import document, fail, fan_out, finish, linear, start, work

from jupyter_workflows.model.records import Failure
from jupyter_workflows.model.states import AttemptState, RunState, StageRunState
from jupyter_workflows.store import Claim, RunnerIdentity, StaleClaim, Store, WrongState
from jupyter_workflows.store.claims import running_claims
from jupyter_workflows.store.fairness import Candidate, fair_order


def another(store: Store, **fields: object) -> RunnerIdentity:
    """Register a runner whose process cannot be seen from here, as in another container."""
    identity = replace(RunnerIdentity.current(), host="elsewhere", pid_namespace="pid:[1]", **fields)
    store.register_runner(identity)
    return identity


# -- who gets what ----------------------------------------------------------------------------------------


def test_two_runners_never_get_the_same_stage_run(store: Store, runner: RunnerIdentity) -> None:
    count = 60
    for _ in range(count):
        start(store, linear(1))
    runners = [another(store) for _ in range(4)]
    ready = threading.Barrier(len(runners))

    def claim_all(identity: RunnerIdentity) -> list[tuple[str, int]]:
        ready.wait()
        got: list[tuple[str, int]] = []
        empty = 0
        while empty < 2:
            claims = store.claim(identity, limit=3)
            empty = 0 if claims else empty + 1
            got += [(claim.id, claim.attempt) for claim in claims]
        return got

    with ThreadPoolExecutor(len(runners)) as pool:
        got = [claim for claims in pool.map(claim_all, runners) for claim in claims]
    assert Counter(got).most_common(1)[0][1] == 1
    assert len(got) == count


def test_runners_that_claim_and_complete_at_once_bring_all_runs_to_their_end(store: Store) -> None:
    runs = [start(store, linear(3)) for _ in range(10)]
    runs += [start(store, fan_out(join="all"), values={"items": [1, 2, 3]}) for _ in range(5)]
    runners = [another(store) for _ in range(3)]
    with ThreadPoolExecutor(len(runners)) as pool:
        while sum(pool.map(lambda identity: work(store, identity), runners)):
            pass
    states = Counter(store.get_run_record(run).state for run in runs)
    assert states == {RunState.COMPLETED: 15}
    for run in runs:
        details = store.get_run(run)
        assert all(len(attempts) == 1 for attempts in details.attempts.values())
        assert details.run.total == len(details.stage_runs)


def test_a_run_with_an_owner_is_claimed_by_it_alone(store: Store, runner: RunnerIdentity) -> None:
    other = another(store, id="other")
    run_id = start(store, linear(2), owner="other")
    assert store.claim(runner, limit=5) == []
    (claim,) = store.claim(other, limit=5)
    finish(store, claim)
    assert store.claim(runner, limit=5) == []
    work(store, other)
    assert store.get_run_record(run_id).state is RunState.COMPLETED


def test_a_runner_can_ask_for_one_run_alone(store: Store, runner: RunnerIdentity) -> None:
    start(store, linear(1))
    run_id = start(store, linear(1))
    assert [claim.run.id for claim in store.claim(runner, limit=5, run_id=run_id)] == [run_id]


def test_a_long_queue_of_one_workflow_does_not_keep_others_waiting(
    store: Store, runner: RunnerIdentity
) -> None:
    start(store, fan_out(uid="wide"), values={"items": list(range(300))})
    finish(store, store.claim(runner, limit=1)[0])
    for _ in range(3):
        start(store, linear(1, uid="small"))
    claims = store.claim(runner, limit=4)
    assert Counter(claim.run.workflow_uid for claim in claims) == {"wide": 2, "small": 2}
    # What runs already counts: the workflow with less of it comes first.
    for claim in claims:
        if claim.run.workflow_uid == "small":
            finish(store, claim)
    (claim,) = store.claim(runner, limit=1)
    assert claim.run.workflow_uid == "small"


def test_the_oldest_comes_first_within_a_workflow(store: Store, runner: RunnerIdentity) -> None:
    runs = [start(store, linear(1)) for _ in range(5)]
    assert [claim.run.id for claim in store.claim(runner, limit=3)] == runs[:3]


def test_pools_limit_what_runs_at_the_same_time(store: Store, runner: RunnerIdentity) -> None:
    text = document({"a": {"pool": "database"}})
    for _ in range(5):
        start(store, text)
    start(store, linear(1, uid="free"))
    pools = {"database": 2, "unused": 1}
    claims = store.claim(runner, limit=10, pools=pools)
    assert Counter(claim.stage_run.pool for claim in claims) == {"database": 2, None: 1}
    assert store.claim(another(store), limit=10, pools=pools) == []
    finish(store, next(claim for claim in claims if claim.stage_run.pool))
    assert len(store.claim(runner, limit=10, pools=pools)) == 1


def test_pools_hold_when_many_claim_at_once(store: Store) -> None:
    text = document({"a": {"pool": "database"}})
    for _ in range(20):
        start(store, text)
    runners = [another(store) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        got = list(pool.map(lambda one: store.claim(one, limit=5, pools={"database": 3}), runners))
    assert sum(map(len, got)) == 3


def test_a_full_pool_does_not_hide_what_is_behind_it(store: Store, runner: RunnerIdentity) -> None:
    for _ in range(100):
        start(store, document({"a": {"pool": "slow"}}, uid="slow"))
    pools = {"slow": 1}
    assert len(store.claim(runner, limit=1, pools=pools)) == 1
    start(store, linear(1, uid="quick"))
    assert [claim.run.workflow_uid for claim in store.claim(runner, limit=5, pools=pools)] == ["quick"]


def test_a_retry_waits_for_its_time(store: Store, runner: RunnerIdentity, clock: Clock) -> None:
    run_id = start(store, linear(1, retries={"max": 2, "delay": 60, "backoff": 2}))
    fail(store, store.claim(runner, limit=1)[0])
    assert store.get_run_record(run_id).state is RunState.RUNNING
    assert store.claim(runner, limit=1) == []
    clock.pass_(seconds=61)
    (claim,) = store.claim(runner, limit=1)
    assert claim.attempt == 2
    finish(store, claim)
    (attempts,) = store.get_run(run_id).attempts.values()
    assert [attempt.state for attempt in attempts] == [AttemptState.FAILED, AttemptState.COMPLETED]
    assert store.get_run(run_id).stage_runs[0].failure is None


@given(
    queued=st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from([None, "p", "q"])), max_size=30),
    running=st.dictionaries(st.sampled_from("abc"), st.integers(0, 5)),
    limit=st.integers(1, 10),
    room=st.integers(0, 3),
)
def test_fair_order(
    queued: list[tuple[str, str | None]], running: dict[str, int], limit: int, room: int
) -> None:
    candidates = [Candidate(str(place), *one) for place, one in enumerate(queued)]
    by_id = {candidate.id: candidate for candidate in candidates}
    chosen = [by_id[name] for name in fair_order(candidates, running, limit=limit, room={"p": room})]
    assert len(chosen) <= limit
    assert len(set(chosen)) == len(chosen)
    assert sum(candidate.pool == "p" for candidate in chosen) <= room
    free = [one for one in candidates if one.pool != "p"]
    assert len(chosen) >= min(limit, len(free))
    # Nobody was passed over for a workflow that had more running at that moment.
    load = Counter(running)
    left = list(candidates)
    for candidate in chosen:
        if room >= len(candidates):
            waiting = {one.workflow_uid for one in left}
            assert load[candidate.workflow_uid] == min(load[uid] for uid in waiting)
        load[candidate.workflow_uid] += 1
        left.remove(candidate)


# -- leases and fences ------------------------------------------------------------------------------------


def test_a_stale_attempt_changes_nothing(store: Store, runner: RunnerIdentity, clock: Clock) -> None:
    gone = another(store)
    run_id = start(store, linear(2))
    (old,) = store.claim(gone, limit=1)
    clock.pass_(seconds=31)
    ((lost, changes),) = store.recover(runner)
    assert (lost.id, lost.attempt, changes.state) == (old.id, 1, StageRunState.QUEUED)
    (new,) = store.claim(runner, limit=1)
    assert (new.id, new.attempt) == (old.id, 2)
    before = store.get_run(run_id)
    with pytest.raises(StaleClaim):
        finish(store, old, {"late": True})
    with pytest.raises(StaleClaim):
        store.respond(old, {"status": 200})
    assert store.renew(gone, [old]) == [old]
    assert store.get_run(run_id) == before
    finish(store, new)
    work(store, runner)
    details = store.get_run(run_id)
    assert details.run.state is RunState.COMPLETED
    assert "late" not in details.stage_runs[-1].data.values
    assert [one.state for one in details.attempts[old.id]] == [AttemptState.LOST, AttemptState.COMPLETED]


def test_an_attempt_is_completed_once(store: Store, runner: RunnerIdentity) -> None:
    run_id = start(store, linear(2))
    (claim,) = store.claim(runner, limit=1)
    finish(store, claim)
    with pytest.raises(StaleClaim):
        finish(store, claim)
    assert len(store.get_run(run_id).stage_runs) == 2


def test_a_renewed_lease_is_not_recovered(store: Store, runner: RunnerIdentity, clock: Clock) -> None:
    elsewhere = another(store)
    start(store, linear(1))
    (claim,) = store.claim(elsewhere, limit=1)
    for _ in range(3):
        clock.pass_(seconds=20)
        assert store.renew(elsewhere, [claim]) == []
        assert store.recover(runner) == []
    clock.pass_(seconds=31)
    assert len(store.recover(runner)) == 1


def test_a_live_runner_of_this_host_never_expires(store: Store, clock: Clock) -> None:
    alive = RunnerIdentity.current()
    store.register_runner(alive)
    start(store, linear(1))
    (claim,) = store.claim(alive, limit=1)
    clock.pass_(hours=5)
    assert store.recover(another(store)) == []
    finish(store, claim)


def test_a_dead_runner_of_this_host_is_recovered_at_once(store: Store, runner: RunnerIdentity) -> None:
    process = subprocess.Popen([sys.executable, "-c", "pass"])
    dead = replace(runner, id="dead", pid=process.pid)
    process.wait()
    store.register_runner(dead)
    start(store, linear(1))
    (claim,) = store.claim(dead, limit=1)
    assert [lost.id for lost, _ in store.recover(runner)] == [claim.id]


def test_what_a_runner_that_signed_off_held_is_recovered_at_once(
    store: Store, runner: RunnerIdentity
) -> None:
    other = another(store)
    start(store, linear(1))
    store.claim(other, limit=1)
    assert store.recover(runner) == []
    store.unregister_runner(other)
    assert len(store.recover(runner)) == 1


def test_a_runners_own_claims_are_left_alone(store: Store, clock: Clock) -> None:
    other = another(store)
    start(store, linear(1))
    store.claim(other, limit=1)
    clock.pass_(seconds=60)
    assert store.recover(other) == []


def test_a_claim_of_which_the_runner_was_never_told_is_lost(store: Store, runner: RunnerIdentity) -> None:
    start(store, linear(1))
    start(store, linear(1))
    held, unknown = store.claim(runner, limit=2)
    assert [lost.id for lost, _ in store.recover(runner, held={held.id})] == [unknown.id]
    finish(store, held)
    (again,) = store.claim(runner, limit=1)
    assert (again.id, again.attempt) == (unknown.id, 2)


def test_a_lost_attempt_names_what_it_left_of_its_notebook(store: Store, runner: RunnerIdentity) -> None:
    run_ids = [start(store, linear(1)) for _ in range(2)]
    with_copy, without = store.claim(runner, limit=2)
    copy = store.executed_copy(with_copy.run.id, with_copy.id, with_copy.attempt)
    copy.parent.mkdir(parents=True)
    copy.write_text("{}")
    store.recover(runner, held=())
    outputs = {
        attempt.stage_run_id: attempt.output
        for run_id in run_ids
        for attempts in store.get_run(run_id).attempts.values()
        for attempt in attempts
    }
    assert outputs == {with_copy.id: str(copy), without.id: None}


def test_a_run_whose_owner_was_killed_is_cancelled(store: Store, runner: RunnerIdentity) -> None:
    process = subprocess.Popen([sys.executable, "-c", "pass"])
    process.wait()
    killed = replace(RunnerIdentity.current(), pid=process.pid)
    store.register_runner(killed)
    run_id = start(store, linear(2), owner=killed.id)
    alive = start(store, linear(1), owner=runner.id)
    unowned = start(store, linear(1))
    store.claim(killed, limit=1)
    assert store.cancel_abandoned() == [run_id]
    assert store.cancel_abandoned() == []
    assert store.get_run_record(run_id).state is RunState.CANCELLED
    assert {store.get_run_record(other).state for other in (alive, unowned)} == {RunState.RUNNING}

    signed_off = start(store, linear(1), owner=runner.id)
    store.unregister_runner(runner)
    assert store.cancel_abandoned() == []
    assert store.get_run_record(signed_off).state is RunState.RUNNING


def test_three_lost_in_a_row_are_a_crash_loop(store: Store, runner: RunnerIdentity, clock: Clock) -> None:
    text = document({"a": {}, "b": {}}, {"t": {"source": "a", "target": "b", "on": "failed"}})
    run_id = start(store, text)
    for _ in range(3):
        store.claim(another(store), limit=1)
        clock.pass_(seconds=31)
        assert len(store.recover(runner)) == 1
    first, second = store.get_run(run_id).stage_runs
    assert first.state is StageRunState.FAILED
    assert first.failure is not None
    assert first.failure["name"] == "CrashLoop"
    assert second.source_failure is not None
    assert second.source_failure["name"] == "CrashLoop"


def test_two_that_recover_at_once_lose_an_attempt_once(
    store: Store, runner: RunnerIdentity, clock: Clock
) -> None:
    run_ids = [start(store, linear(1)) for _ in range(5)]
    store.claim(another(store), limit=5)
    clock.pass_(seconds=31)
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(lambda _: store.recover(runner), range(3)))
    assert sum(map(len, found)) == 5
    assert {store.get_run(run_id).stage_runs[0].lost for run_id in run_ids} == {1}


def test_cancelling_fences_what_runs(store: Store, runner: RunnerIdentity) -> None:
    run_id = start(store, fan_out(), values={"items": [1, 2, 3]})
    finish(store, store.claim(runner, limit=1)[0])
    running = store.claim(runner, limit=2)
    assert store.cancel_run(run_id, by="ada") is True
    assert store.cancel_run(run_id, by="ada") is False
    assert store.renew(runner, running) == running
    for claim in running:
        with pytest.raises(StaleClaim):
            finish(store, claim)
    details = store.get_run(run_id)
    assert details.run.state is RunState.CANCELLED
    assert details.run.cancelled_by == "ada"
    assert [one.state for one in details.stage_runs[1:]] == [StageRunState.CANCELLED] * 3
    assert [details.attempts[claim.id][0].state for claim in running] == [AttemptState.CANCELLED] * 2
    assert store.claim(runner, limit=5) == []
    assert [(entry.who, entry.what) for entry in store.audit(run_id=run_id)] == [("ada", "cancelled")]


def test_a_run_that_ended_cannot_be_cancelled(store: Store, runner: RunnerIdentity) -> None:
    run_id = start(store, linear(1))
    work(store, runner)
    with pytest.raises(WrongState, match="completed"):
        store.cancel_run(run_id)


def held_claims(store: Store) -> list[tuple[Claim, RunnerIdentity | None, bool]]:
    with store.database.read() as connection:
        return list(running_claims(connection))


def test_cancelling_while_others_claim_and_complete(store: Store) -> None:
    run_ids = [start(store, fan_out(join="all"), values={"items": list(range(8))}) for _ in range(4)]
    runners = [another(store) for _ in range(3)]

    def work_on(identity: RunnerIdentity) -> None:
        while claims := store.claim(identity, limit=2):
            for claim in claims:
                try:
                    finish(store, claim)
                except StaleClaim:
                    continue

    def renew(identity: RunnerIdentity) -> None:
        for _ in range(20):
            held = [claim for claim, _, _ in held_claims(store) if claim.stage_run.runner == identity.id]
            store.renew(identity, held[::-1])

    def cancel(_: object) -> None:
        for run_id in run_ids:
            try:
                store.cancel_run(run_id)
            except WrongState:
                continue

    with ThreadPoolExecutor(5) as pool:
        list(
            pool.map(
                lambda job: job[0](job[1]),
                [*((work_on, one) for one in runners), (cancel, None), (renew, runners[0])],
            )
        )
    for run_id in run_ids:
        details = store.get_run(run_id)
        states = {one.state for one in details.stage_runs}
        if details.run.state is RunState.CANCELLED:
            assert states <= {StageRunState.COMPLETED, StageRunState.CANCELLED}
        else:
            assert details.run.state is RunState.COMPLETED
            assert states == {StageRunState.COMPLETED}
        running = [one for tries in details.attempts.values() for one in tries if one.ended_at is None]
        assert running == []


def test_a_failure_that_must_not_be_retried(store: Store, runner: RunnerIdentity) -> None:
    run_id = start(store, linear(1, retries={"max": 5}))
    fail(store, store.claim(runner, limit=1)[0], Failure("RoutingError", "where to?", retriable=False))
    assert store.get_run_record(run_id).state is RunState.FAILED
