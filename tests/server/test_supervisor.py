"""The supervisor of the embedded runner, without a server around it."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from support.servers import alive

from jupyter_workflows.server import supervisor as supervisor_module
from jupyter_workflows.server.supervisor import RunnerCommand, RunnerStatus, Supervisor
from jupyter_workflows.store import open_store

SMALL = RunnerCommand(("--kernel-pool", "0", "--concurrency", "1"))


async def until(condition: Callable[[], Any], seconds: float = 60) -> Any:
    async with asyncio.timeout(seconds):
        while not (value := condition()):
            await asyncio.sleep(0.05)
        return value


@asynccontextmanager
async def supervised(
    folder: Path, command: RunnerCommand = SMALL, **settings: Any
) -> AsyncIterator[tuple[Supervisor, list[str]]]:
    states: list[str] = []

    def note(status: RunnerStatus) -> None:
        if not states or states[-1] != status.state:
            states.append(status.state)

    url = f"sqlite:///{folder / 'workflows.sqlite3'}"
    open_store(url).close()
    supervisor = Supervisor(
        command,
        database=url,
        state=folder,
        version="1",
        log=logging.getLogger("test"),
        on_change=note,
        **settings,
    )
    supervisor.start()
    try:
        yield supervisor, states
    finally:
        await supervisor.stop(at_once=True)


async def test_a_runner_is_started_asked_and_let_go(tmp_path: Path) -> None:
    async with supervised(tmp_path) as (supervisor, states):
        await until(lambda: supervisor.status.state == "running")
        status = await supervisor.ask()
        assert (status.executing, status.concurrency) == (0, 1)
        assert status.pid is not None and os.getsid(status.pid) != os.getsid(0)
        pid = status.pid
    await until(lambda: not alive(pid))
    assert states == ["starting", "running", "stopped"]
    assert oct(supervisor.folder.stat().st_mode & 0o777) == "0o700"
    assert not list(supervisor.folder.glob("*.sock"))


async def test_a_runner_that_cannot_start_is_tried_again_with_growing_pauses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(supervisor_module, "_FIRST_DELAY", 0.1)
    monkeypatch.setattr(supervisor_module, "_LONGEST_DELAY", 0.2)
    async with supervised(tmp_path, RunnerCommand(("--concurrency", "0"))) as (supervisor, states):
        await until(lambda: supervisor.status.restarts >= 3)
        assert supervisor.status.next_start is not None
    told = [record.message for record in caplog.records if record.name == "test"]
    assert "exit code 2" in told[0]
    assert "concurrency" in told[0]
    assert "started again" in told[0]
    assert "running" not in states


async def test_a_runner_that_was_killed_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor_module, "_FIRST_DELAY", 0.1)
    async with supervised(tmp_path) as (supervisor, _):
        await until(lambda: supervisor.status.executing is not None)
        first = (await supervisor.ask()).pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        await until(lambda: supervisor.status.pid not in (None, first))
        assert supervisor.status.restarts == 1


async def test_the_state_may_lie_deep_in_the_tree(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 30) / ("longer" * 20)
    folder.mkdir(parents=True)
    async with supervised(folder) as (supervisor, _):
        await until(lambda: supervisor.status.executing is not None)


async def test_servers_of_other_settings_have_other_runners(tmp_path: Path) -> None:
    one = RunnerCommand(("--concurrency", "1")).key("url", "1")
    assert one == RunnerCommand(("--concurrency", "1")).key("url", "1")
    others = [
        RunnerCommand(("--concurrency", "2")).key("url", "1"),
        RunnerCommand(("--concurrency", "1")).key("other", "1"),
        RunnerCommand(("--concurrency", "1")).key("url", "2"),
        RunnerCommand(("--concurrency", "1"), {"A": "b"}).key("url", "1"),
    ]
    assert len({one, *others}) == 5


async def test_the_database_is_not_on_the_command_line(tmp_path: Path) -> None:
    async with supervised(tmp_path) as (supervisor, _):
        await until(lambda: supervisor.status.executing is not None)
        pid = supervisor.status.pid
        assert b"sqlite" not in Path(f"/proc/{pid}/cmdline").read_bytes()
