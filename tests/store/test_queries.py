"""Lists, counts, idempotency."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from support.clock import Clock
from support.stores import document, fail, linear, start, work

from jupyter_workflows.model.states import RunMode, RunState
from jupyter_workflows.store import (
    Idempotency,
    IdempotencyConflict,
    NewRun,
    NotFound,
    RunFilter,
    RunnerIdentity,
    Store,
    StoreError,
)


def test_runs_come_page_by_page_the_newest_first(store: Store, clock: Clock) -> None:
    made = []
    for place in range(10):
        made.append(start(store, linear(1)))
        if place % 3 == 0:
            clock.pass_(seconds=1)
    seen: list[str] = []
    cursor = None
    for _ in range(4):
        page = store.list_runs(cursor=cursor, limit=3)
        seen += [run.id for run in page.runs]
        cursor = page.cursor
        start(store, linear(1))  # what comes meanwhile does not shift the pages
    assert seen == made[::-1]
    assert cursor is None


def test_runs_are_narrowed(store: Store, runner: RunnerIdentity) -> None:
    done = start(store, linear(1), started_by="Ada")
    work(store, runner)
    failed = start(store, linear(1, uid="w2"), mode=RunMode.LIVE)
    fail(store, store.claim(runner, limit=1)[0])
    waiting = start(store, document({"a": {"type": "form"}}, title="100% Büro_kratie"), parent=done)

    def ids(**wanted: Any) -> list[str]:
        return [run.id for run in store.list_runs(RunFilter(**wanted)).runs]

    assert ids() == [waiting, failed, done]
    assert ids(workflow_uid="w2") == [failed]
    assert ids(states=(RunState.COMPLETED, RunState.FAILED)) == [failed, done]
    assert ids(mode=RunMode.LIVE) == [failed]
    assert ids(text="100%") == [waiting]
    assert ids(text="büro_") == [waiting]
    assert ids(text="o_k") == [waiting]
    assert ids(text="ADA") == [done]
    assert ids(text=failed[:20]) == [failed]
    assert ids(parent=done) == [waiting]
    assert ids(started_by="Ada") == [done]
    now = datetime.now(UTC)
    assert ids(since=now + timedelta(hours=1)) == []
    assert ids(until=now + timedelta(hours=1)) == [waiting, failed, done]


def test_runs_are_counted_by_state(store: Store, runner: RunnerIdentity) -> None:
    for _ in range(3):
        start(store, linear(1))
    work(store, runner)
    start(store, linear(1, uid="w2"))
    counts = store.count_runs()
    assert counts[RunState.COMPLETED] == 3
    assert counts[RunState.RUNNING] == 1
    assert counts[RunState.FAILED] == 0
    assert store.count_runs(RunFilter(workflow_uid="w2"))[RunState.RUNNING] == 1


def test_a_cursor_of_ones_own_making_is_refused(store: Store) -> None:
    for cursor in ("x", "ä", "MjAyNg", ""):
        with pytest.raises(StoreError, match="cursor"):
            store.list_runs(cursor=cursor)


def test_the_document_is_kept_once_and_with_the_run(store: Store) -> None:
    text = linear(2)
    first, second = start(store, text), start(store, text)
    assert store.get_document(first) == text == store.get_document(second)
    assert store.get_run_record(first).document_hash == store.get_run_record(second).document_hash
    with pytest.raises(NotFound):
        store.get_document("nothing")


def test_the_same_key_finds_the_same_run(store: Store, clock: Clock) -> None:
    def call(body: str, key: str = "k") -> str:
        return store.create_run(
            NewRun(linear(1), "/project", "a", idempotency=Idempotency("hook:w1/a", key, body))
        )

    first = call("1")
    assert call("1") == first
    assert store.find_run("hook:w1/a", "k") == first
    assert call("1", key="other") != first
    with pytest.raises(IdempotencyConflict, match="another request"):
        call("2")
    assert len(store.list_runs().runs) == 2
    clock.pass_(hours=25)
    assert store.find_run("hook:w1/a", "k") is None
    assert call("2") != first


def test_times_are_utc_and_naive_ones_are_refused(store: Store) -> None:
    run_id = start(store, linear(1), scheduled_time=datetime.fromisoformat("2026-07-01T12:00:00+02:00"))
    run = store.get_run_record(run_id)
    assert run.scheduled_time == datetime(2026, 7, 1, 10, tzinfo=UTC)
    assert run.created_at.utcoffset() == timedelta()
    with pytest.raises(StoreError, match="without zone"):
        start(store, linear(1), scheduled_time=datetime(2026, 7, 1))
