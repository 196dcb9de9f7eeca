"""What is removed, and what is not."""

from __future__ import annotations

import os
import time
from pathlib import Path

from support.clock import Clock
from support.stores import document, finish, linear, start, work

from jupyter_workflows.model.states import RunMode
from jupyter_workflows.store import RunnerIdentity, Store

DAY = 86_400.0


def runs(store: Store) -> set[str]:
    return {run.id for run in store.list_runs(limit=1000).runs}


def evidence(store: Store, run_id: str) -> Path:
    path = store.folder(run_id, "x") / "executed-1.ipynb"
    path.parent.mkdir(parents=True)
    path.write_text("{}")
    return path


def age(path: Path, seconds: float) -> None:
    before = time.time() - seconds
    os.utime(path, (before, before))


def test_runs_go_by_age_and_by_mode(store: Store, runner: RunnerIdentity, clock: Clock) -> None:
    live = start(store, linear(1), mode=RunMode.LIVE)
    test = start(store, linear(1))
    work(store, runner)
    waiting = start(store, document({"a": {"type": "form"}}), mode=RunMode.LIVE)
    kept = evidence(store, waiting)
    gone = evidence(store, test)
    assert store.retain().runs == ()
    clock.pass_(days=8)
    assert store.retain().runs == (test,)
    assert not gone.exists()
    assert not gone.parent.parent.exists()
    assert runs(store) == {live, waiting}
    clock.pass_(days=30)
    assert store.retain(age=30 * DAY).runs == (live,)
    assert runs(store) == {waiting}
    assert kept.exists()


def test_the_newest_of_each_workflow_are_kept(store: Store, runner: RunnerIdentity) -> None:
    first = [start(store, linear(1), mode=RunMode.LIVE) for _ in range(5)]
    second = [start(store, linear(1, uid="w2"), mode=RunMode.LIVE) for _ in range(2)]
    work(store, runner)
    assert set(store.retain(count=3).runs) == set(first[:2])
    assert runs(store) == {*first[2:], *second}


def test_one_call_removes_no_more_than_its_limit(store: Store, runner: RunnerIdentity, clock: Clock) -> None:
    for _ in range(5):
        start(store, linear(1))
    work(store, runner)
    clock.pass_(days=8)
    removed = store.retain(limit=3)
    assert (len(removed.runs), removed.more) == (3, True)
    removed = store.retain(limit=3)
    assert (len(removed.runs), removed.more) == (2, False)


def test_the_tests_of_a_server_are_erased_whatever_their_state(store: Store, runner: RunnerIdentity) -> None:
    start(store, linear(2), owner="server-1")
    start(store, document({"a": {"type": "form"}}), owner="server-1")
    other = start(store, linear(1), owner="server-2")
    assert len(store.erase_runs("server-1").runs) == 2
    assert runs(store) == {other}
    assert store.list_tasks().tasks == ()


def test_artifacts_go_with_the_last_run_that_uses_them(
    store: Store, runner: RunnerIdentity, clock: Clock
) -> None:
    shared, single = store.artifacts.put_bytes(b"shared"), store.artifacts.put_bytes(b"single")
    first = start(store, linear(1), artifacts={single: 6})
    second = start(store, linear(1), mode=RunMode.LIVE)
    for claim in store.claim(runner, limit=2):
        finish(store, claim, artifacts={shared: 6})
    clock.pass_(days=8)
    for name in (shared, single):
        age(store.artifacts.path(name) or Path(), 2 * DAY)
    removed = store.retain()
    assert removed.runs == (first,)
    assert removed.artifacts == (single,)
    assert store.artifacts.exists(shared)
    assert not store.artifacts.exists(single)
    clock.pass_(days=8)
    assert store.retain(age=DAY).runs == (second,)
    assert not store.artifacts.exists(shared)


def test_an_artifact_that_was_just_put_again_is_kept(
    store: Store, runner: RunnerIdentity, clock: Clock
) -> None:
    name = store.artifacts.put_bytes(b"x")
    start(store, linear(1), artifacts={name: 1})
    work(store, runner)
    clock.pass_(days=8)
    age(store.artifacts.path(name) or Path(), 8 * DAY)
    store.artifacts.put_bytes(b"x")  # an attempt that has not ended yet
    assert store.retain().artifacts == ()
    assert store.artifacts.exists(name)


def test_what_a_crash_left_is_swept(store: Store, runner: RunnerIdentity) -> None:
    used, stray, fresh = (store.artifacts.put_bytes(content) for content in (b"used", b"stray", b"fresh"))
    run_id = start(store, linear(1), artifacts={used: 4})
    kept, lost, new = evidence(store, run_id), evidence(store, "unknown"), evidence(store, "new")
    for path in (kept.parent.parent, lost.parent.parent):
        age(path, 2 * DAY)
    for name in (used, stray):
        age(store.artifacts.path(name) or Path(), 2 * DAY)
    removed = store.sweep_files()
    assert (removed.runs, removed.artifacts) == (("unknown",), (stray,))
    assert kept.exists() and new.exists() and not lost.exists()
    assert store.artifacts.exists(used) and store.artifacts.exists(fresh)


def test_documents_go_with_their_last_run(store: Store, runner: RunnerIdentity, clock: Clock) -> None:
    start(store, linear(1))
    kept = start(store, linear(2), mode=RunMode.LIVE)
    work(store, runner)
    clock.pass_(days=8)
    store.retain()
    with store.database.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM documents").scalar() == 1
        assert connection.exec_driver_sql("SELECT count(*) FROM attempts").scalar() == 2
    assert store.get_document(kept) == linear(2)
