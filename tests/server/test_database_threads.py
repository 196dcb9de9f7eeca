"""The event loop never waits for the database."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.stores import linear, start

from jupyter_workflows.server import database as database_module
from jupyter_workflows.server.database import StoreThreads
from jupyter_workflows.store import DatabaseBusy, Store, StoreError


@pytest.fixture
def write_lock(database_file: Path, store: Store) -> Iterator[sqlite3.Connection]:
    """Another process's write lock on the database."""
    other = sqlite3.connect(database_file, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    yield other
    if other.in_transaction:
        other.execute("ROLLBACK")
    other.close()


async def test_while_the_database_is_locked_other_routes_answer(
    api: Any, jp_fetch: Any, store: Store, database_file: Path
) -> None:
    runs = [start(store, linear(1)) for _ in range(4)]
    lock = sqlite3.connect(database_file, isolation_level=None, check_same_thread=False)
    lock.execute("BEGIN IMMEDIATE")
    waiting = [asyncio.ensure_future(api("POST", f"runs/{run}/cancel")) for run in runs]
    try:
        await asyncio.sleep(0.2)
        slowest = 0.0
        for _ in range(20):
            for ask in (
                lambda: api("GET", "health"),
                lambda: api("GET", "runs"),
                lambda: api("POST", "check", {"document": {}}),
                lambda: jp_fetch("api", "status"),
            ):
                began = time.perf_counter()
                await ask()
                slowest = max(slowest, time.perf_counter() - began)
        assert not any(task.done() for task in waiting)
        # One lock lasts 15 s: a loop that waited for it would be far beyond this on any machine.
        assert slowest < 5
    finally:
        lock.execute("ROLLBACK")
        lock.close()
    for reply in await asyncio.gather(*waiting):
        assert reply.json["cancelled"] is True


async def test_a_lock_that_lasts_is_told_and_nothing_is_half_done(
    api: Any, store: Store, write_lock: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(self: Store, run: str, *, by: str | None = None) -> bool:
        with self.database.write() as connection:
            connection.exec_driver_sql("SELECT 1")
        return True

    monkeypatch.setattr(Store, "cancel_run", locked)
    # So that the test need not wait for the whole time that people do.
    monkeypatch.setattr("jupyter_workflows.store.database.BUSY_TIMEOUT_MS", 100)
    reply = await api("POST", f"runs/{'0' * 20}/cancel")
    problem = reply.problem(503, "database-busy")
    assert reply.headers["Retry-After"]
    assert "locked" in problem["detail"]


async def test_changes_go_one_after_the_other_and_reads_do_not_wait(tmp_path: Path) -> None:
    threads = StoreThreads(f"sqlite:///{tmp_path / 'w.sqlite3'}", log=logging.getLogger())
    await threads.ready()
    go = threading.Event()
    order = []

    def change(number: int) -> None:
        go.wait(10)
        order.append(number)

    writes = [asyncio.ensure_future(threads.write(change, number)) for number in range(3)]
    assert await threads.read(lambda: 7) == 7
    go.set()
    await asyncio.gather(*writes)
    assert order == [0, 1, 2]
    await threads.close()


async def test_too_many_changes_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_module, "_WAITING_WRITES", 2)
    threads = StoreThreads(f"sqlite:///{tmp_path / 'w.sqlite3'}", log=logging.getLogger())
    await threads.ready()
    go = threading.Event()
    writes = [asyncio.ensure_future(threads.write(go.wait, 10)) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(DatabaseBusy):
        await threads.write(go.wait, 10)
    go.set()
    assert all(await asyncio.gather(*writes))
    assert await threads.write(lambda: 1) == 1
    await threads.close()


async def test_a_database_that_cannot_be_opened_is_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "_TRY_AGAIN", 0.0)
    file = tmp_path / "folder" / "w.sqlite3"
    file.mkdir(parents=True)
    threads = StoreThreads(f"sqlite:///{file}", log=logging.getLogger("test"))
    for _ in range(2):
        with pytest.raises(StoreError):
            await threads.ready()
        with pytest.raises(StoreError):
            _ = threads.store
    assert len([record for record in caplog.records if "cannot be used" in record.message]) == 1
    file.rmdir()
    await threads.ready()
    assert threads.error is None
    await threads.close()
