"""Requests to hooks in the store, also from several threads at the same time."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from support.stores import document, finish, work

from jupyter_workflows.model.states import RunState, StageRunState
from jupyter_workflows.store import (
    IdempotencyConflict,
    NotFound,
    RunnerIdentity,
    Store,
    WrongState,
    capabilities,
    new_id,
)
from jupyter_workflows.store.deployment_records import NewDeployment
from jupyter_workflows.store.hook_calls import (
    Hook,
    HookCall,
    NobodyWaits,
    QueueFull,
    Received,
    RunEnded,
    SeveralWait,
)

PAID = {"t": {"source": "order", "target": "paid"}}
HOOK = {"type": "hook"}


def deploy(store: Store, stages: Any, transitions: Any = None) -> None:
    """Make a workflow live under the name ``shop``."""
    new = NewDeployment(new_id(), document(stages, transitions), "shop", "hash", 0, "/project")
    store.add_deployment(new, lambda folder: folder)


def hook(store: Store, path: str = "order") -> Hook:
    """Return a live hook."""
    found = store.hook_at("shop", path)
    assert found is not None
    return found


def call(body: str = "", **more: Any) -> HookCall:
    """Return a request."""
    return HookCall({"method": "POST", "body": body}, body_hash=f"hash of {body}", **more)


def together(count: int, function: Callable[[int], Any]) -> list[Any]:
    """Call a function from several threads; errors are results too."""

    def one(number: int) -> Any:
        try:
            return function(number)
        except Exception as error:
            return error

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(one, range(count)))


def test_a_hook_with_what_a_request_needs(store: Store) -> None:
    deploy(store, {"order": HOOK, "paid": {"type": "hook", "auth": {"kind": "none"}}}, PAID)
    found = hook(store)
    assert (found.record.entry, found.paused, len(found.secrets)) == (True, False, 1)
    assert (hook(store, "paid").record.entry, hook(store, "paid").secrets) == (False, ())
    assert store.hook_at("shop", "nothing") is None
    assert found.secrets[0].secret not in repr(found)


def test_a_request_starts_a_live_run(store: Store, runner: RunnerIdentity) -> None:
    deploy(store, {"order": HOOK})
    received = store.receive(hook(store), call("x"))
    details = store.get_run(received.run_id)
    assert details.run.deployment == hook(store).record.deployment
    assert details.stage_runs[0].id == received.stage_run_id
    (claim,) = store.claim(runner, limit=1)
    assert claim.request == {"method": "POST", "body": "x"}


def test_requests_with_one_key_at_the_same_time_start_one_run(store: Store) -> None:
    deploy(store, {"order": HOOK})
    wanted = hook(store)
    results = together(8, lambda number: store.receive(wanted, call(key="k")))
    assert len({result.run_id for result in results}) == 1
    assert len({result.stage_run_id for result in results}) == 1
    assert sorted(result.repeated for result in results) == [False, *7 * [True]]
    with pytest.raises(IdempotencyConflict):
        store.receive(wanted, call("other", key="k"))


def test_requests_for_one_that_waits_at_the_same_time_reach_it_once(
    store: Store, runner: RunnerIdentity
) -> None:
    deploy(store, {"order": HOOK, "paid": HOOK}, PAID)
    store.receive(hook(store), call())
    work(store, runner)
    wanted = hook(store, "paid")
    results = together(6, lambda number: store.receive(wanted, call(str(number), key=f"k{number}")))
    taken = [result for result in results if isinstance(result, Received)]
    assert len(taken) == 1
    assert [type(result) for result in results if result not in taken] == 5 * [NobodyWaits]
    # The others left their keys: they may come again.
    work(store, runner)
    store.receive(hook(store), call())
    work(store, runner)
    again = [number for number, result in enumerate(results) if result not in taken]
    assert not store.receive(wanted, call(str(again[0]), key=f"k{again[0]}")).repeated


def test_the_depth_of_the_queue(store: Store) -> None:
    deploy(store, {"order": HOOK})
    for _ in range(3):
        store.receive(hook(store), call(depth=3))
    with pytest.raises(QueueFull):
        store.receive(hook(store), call(depth=3, key="k"))
    assert not store.receive(hook(store), call(depth=4, key="k")).repeated


def test_data_decides_who_is_meant(store: Store, runner: RunnerIdentity) -> None:
    deploy(store, {"order": HOOK, "paid": HOOK}, PAID)
    for body in ("a", "b", "b"):
        store.receive(hook(store), call(body))
    work(store, runner, lambda claim: {"id": claim.request["body"] if claim.request else None})
    wanted = hook(store, "paid")
    with pytest.raises(NobodyWaits):
        store.receive(wanted, call(wanted={"id": "c"}))
    with pytest.raises(NobodyWaits):
        store.receive(wanted, call(wanted={"other": "a"}))
    with pytest.raises(SeveralWait):
        store.receive(wanted, call(wanted={"id": "b"}))
    received = store.receive(wanted, call(wanted={"id": "a"}))
    assert received.stage_run_id is not None
    assert store.get_stage_run(received.stage_run_id).state is StageRunState.QUEUED


# Callback addresses


def begin(store: Store, runner: RunnerIdentity, **stages: Any) -> Any:
    """Return the claim of the first stage of a run that comes to wait for a payment."""
    deploy(store, {"order": HOOK, "paid": HOOK, **stages}, PAID)
    store.receive(hook(store), call())
    (claim,) = store.claim(runner, limit=1)
    return claim


def test_a_callback_before_and_after_its_hook_waits(store: Store, runner: RunnerIdentity) -> None:
    claim = begin(store, runner)
    early = store.receive_callback(claim.id, "paid", call("7"))
    assert early == Received(claim.run.id, None)
    assert store.receive_callback(claim.id, "paid", call("7")).repeated
    with pytest.raises(WrongState):
        store.receive_callback(claim.id, "paid", call("8"))
    changes = finish(store, claim)
    assert changes.run_state is RunState.RUNNING
    (next_claim,) = store.claim(runner, limit=1)
    assert next_claim.request == {"method": "POST", "body": "7"}
    again = store.receive_callback(claim.id, "paid", call("7"))
    assert again == Received(claim.run.id, next_claim.id, repeated=True)
    finish(store, next_claim)
    assert store.receive_callback(claim.id, "paid", call("7")) == again
    with pytest.raises(RunEnded):
        store.receive_callback(claim.id, "paid", call("8"))


def test_a_callback_that_comes_while_its_hook_begins_to_wait_is_never_lost(
    store: Store, runner: RunnerIdentity
) -> None:
    claim = begin(store, runner)
    steps: list[Callable[[], Any]] = [
        lambda: finish(store, claim),
        lambda: store.receive_callback(claim.id, "paid", call("7")),
    ]
    results = together(2, lambda number: steps[number]())
    assert not [result for result in results if isinstance(result, Exception)]
    (next_claim,) = store.claim(runner, limit=1)
    assert next_claim.request == {"method": "POST", "body": "7"}


def test_one_of_several_callbacks_at_the_same_time_is_taken(store: Store, runner: RunnerIdentity) -> None:
    claim = begin(store, runner)
    finish(store, claim)
    results = together(5, lambda number: store.receive_callback(claim.id, "paid", call("same")))
    failed = [result for result in results if isinstance(result, Exception)]
    assert not failed
    assert sum(not result.repeated for result in results) == 1
    assert len({result.stage_run_id for result in results}) == 1


def test_an_early_callback_is_not_for_another_hook(store: Store, runner: RunnerIdentity) -> None:
    claim = begin(store, runner)
    store.receive_callback(claim.id, "order", call())
    assert finish(store, claim).run_state is RunState.WAITING


def test_callbacks_go_with_their_run(store: Store, runner: RunnerIdentity) -> None:
    claim = begin(store, runner)
    store.receive_callback(claim.id, "paid", call())
    store.cancel_run(claim.run.id)
    with pytest.raises(RunEnded):
        store.receive_callback(claim.id, "other", call())
    store.retain(age=0.0)
    with pytest.raises(NotFound):
        store.receive_callback(claim.id, "paid", call())


def test_a_large_body_of_a_callback_is_kept(store: Store, runner: RunnerIdentity) -> None:
    hashed = store.artifacts.put_bytes(b"large")
    claim = begin(store, runner)
    store.receive_callback(claim.id, "paid", call(artifacts={hashed: 5}))
    store.retain(grace=0.0)
    assert store.artifacts.exists(hashed)


# Answers


def test_answers_that_are_there(store: Store, runner: RunnerIdentity) -> None:
    deploy(store, {"order": HOOK})
    ids = [store.receive(hook(store), call()).stage_run_id or "" for _ in range(4)]
    claims = {claim.id: claim for claim in store.claim(runner, limit=3)}
    response = {"status": 200, "headers": {}, "body": "x", "encoding": "text"}
    assert store.respond(claims[ids[0]], response)
    finish(store, claims[ids[1]])
    found = {answer.stage_run_id: answer for answer in store.answers(ids)}
    assert set(found) == set(ids[:2])
    assert found[ids[0]].response == response
    assert found[ids[1]].state is StageRunState.COMPLETED
    assert all(answer.is_final for answer in found.values())
    answer, state = store.answer(ids[2])
    assert (answer.is_final, state) == (False, RunState.RUNNING)


def test_an_answer_that_was_not_stored_before_is_stored_with_the_end(
    store: Store, runner: RunnerIdentity
) -> None:
    deploy(store, {"order": HOOK})
    store.receive(hook(store), call())
    (claim,) = store.claim(runner, limit=1)
    finish(store, claim, response={"status": 200, "body": "late"})
    assert store.get_stage_run(claim.id).response == {"status": 200, "body": "late"}


def test_the_first_answer_stands(store: Store, runner: RunnerIdentity) -> None:
    deploy(store, {"order": HOOK})
    store.receive(hook(store), call())
    (claim,) = store.claim(runner, limit=1)
    assert store.respond(claim, {"status": 200, "body": "first"})
    assert not store.respond(claim, {"status": 200, "body": "second"})
    finish(store, claim, response={"status": 200, "body": "third"})
    found = store.get_stage_run(claim.id).response
    assert found is not None
    assert found["body"] == "first"


# Addresses


def test_addresses_are_signed_with_a_key_of_the_installation(store: Store) -> None:
    key = store.address_key()
    assert len(key) == 32
    assert store.address_key() == key
    assert Store(store.database).address_key() == key
    path = capabilities.callback(key, "stage-run", "paid")
    code = path.rpartition("/")[2]
    assert capabilities.is_code(code, key, "callback", "stage-run", "paid")
    assert not capabilities.is_code(code, key, "answer", "stage-run")
    assert not capabilities.is_code(code, key, "callback", "stage-run", "sent")
    assert not capabilities.is_code("ä", key, "callback", "stage-run", "paid")
    assert not capabilities.is_code(code, bytes(32), "callback", "stage-run", "paid")
