"""Runners as processes of their own, with real kernels: signals, kills, two at a time, PostgreSQL."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from sqlalchemy import func, select
from support.projects import write_project

from jupyter_workflows.model.states import AttemptState, RunState, StageRunState
from jupyter_workflows.runner.wakeup import wake
from jupyter_workflows.store import NewRun, Store, open_store, tables

STAGE = "from jupyter_workflows import get_stage\nstage = get_stage()"


@pytest.fixture(autouse=True)
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what runs on PostgreSQL leave on the disk out of the user's folder."""
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "data"))


@contextmanager
def runner_process(url: str, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "jupyter_workflows.cli", "runner", "--database", url, *options],
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def until(condition: Callable[[], Any], *, seconds: float = 90) -> Any:
    """Wait for a condition that other processes bring about, and return it."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.01)
    raise AssertionError("it did not happen in time")


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'state' / 'test.sqlite3'}"


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    opened = open_store(url)
    yield opened
    opened.close()


def begin(store: Store, file: Path, entry: str, **fields: Any) -> str:
    run_id = store.create_run(
        NewRun(document_text=file.read_text(), project=str(file.parent), entry_stage=entry, **fields)
    )
    wake(store.state_folder / "wake")
    return run_id


def runners_at_work(store: Store) -> int:
    with store.database.read() as connection:
        return connection.execute(select(func.count()).select_from(tables.runners)).scalar_one()


def ended(store: Store, run_id: str) -> Callable[[], bool]:
    return lambda: (
        store.get_run_record(run_id).state in (RunState.COMPLETED, RunState.FAILED, RunState.CANCELLED)
    )


def slow_project(folder: Path) -> tuple[Path, Path, Path]:
    """Return a stage that notes each attempt's process, then waits until a file is there."""
    started, gate = folder / "started", folder / "gate"
    cell = (
        "import os, time\nfrom pathlib import Path\n"
        f"with open({str(started)!r}, 'a') as file: file.write(f'{{os.getpid()}}\\n')\n"
        f"while not Path({str(gate)!r}).exists(): time.sleep(0.01)\n"
        "stage['pid'] = os.getpid()"
    )
    return write_project(folder / "p", {"slow": {"cells": [STAGE, cell]}}), started, gate


def pids(file: Path) -> list[int]:
    return [int(line) for line in file.read_text().splitlines()] if file.exists() else []


def test_a_killed_runner_s_stage_is_taken_up_by_the_next_one(tmp_path: Path, url: str, store: Store) -> None:
    file, started, gate = slow_project(tmp_path)
    run_id = begin(store, file, "slow")
    with runner_process(url) as first:
        (kernel,) = until(lambda: pids(started))
        first.send_signal(signal.SIGKILL)
        first.wait()
        until(lambda: not psutil.pid_exists(kernel))
    with runner_process(url):
        until(lambda: len(pids(started)) == 2)
        gate.touch()
        until(ended(store, run_id))
    details = store.get_run(run_id)
    assert details.run.state is RunState.COMPLETED
    (stage_run,) = details.stage_runs
    attempts = details.attempts[stage_run.id]
    assert [attempt.state for attempt in attempts] == [AttemptState.LOST, AttemptState.COMPLETED]
    assert stage_run.result is not None and stage_run.result.values["pid"] == pids(started)[1]


def test_sigterm_lets_the_stage_come_to_its_end(tmp_path: Path, url: str, store: Store) -> None:
    file, started, gate = slow_project(tmp_path)
    run_id = begin(store, file, "slow")
    with runner_process(url) as process:
        until(lambda: pids(started))
        family = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGTERM)
        gate.touch()
        assert process.wait(60) == 0
    assert store.get_run_record(run_id).state is RunState.COMPLETED
    until(lambda: not any(member.is_running() for member in family))


def test_a_second_signal_ends_at_once_and_loses_no_stage(tmp_path: Path, url: str, store: Store) -> None:
    file, started, gate = slow_project(tmp_path)
    run_id = begin(store, file, "slow")
    with runner_process(url) as process:
        (kernel,) = until(lambda: pids(started))

        def has_ended() -> bool:
            # Signals that come close together are one: it is sent until it was heard twice.
            process.send_signal(signal.SIGTERM)
            return process.poll() is not None

        until(has_ended)
        until(lambda: not psutil.pid_exists(kernel))
    gate.touch()
    with runner_process(url):
        until(ended(store, run_id))
    assert store.get_run_record(run_id).state is RunState.COMPLETED


def test_after_crash_fail_is_not_tried_again(tmp_path: Path, url: str, store: Store) -> None:
    file, started, _ = slow_project(tmp_path)
    file.write_text(file.read_text().replace('"type": "script"', '"after_crash": "fail", "type": "script"'))
    run_id = begin(store, file, "slow")
    with runner_process(url) as first:
        until(lambda: pids(started))
        first.kill()
        first.wait()
    with runner_process(url):
        until(ended(store, run_id))
    details = store.get_run(run_id)
    assert details.run.state is RunState.FAILED
    assert len(pids(started)) == 1


def test_cancelling_from_another_process_ends_the_kernel(tmp_path: Path, url: str, store: Store) -> None:
    file, started, _ = slow_project(tmp_path)
    run_id = begin(store, file, "slow")
    with runner_process(url):
        (kernel,) = until(lambda: pids(started))
        subprocess.run(
            [sys.executable, "-m", "jupyter_workflows.cli", "runs", "cancel", run_id, "--database", url],
            check=True,
            capture_output=True,
        )
        until(lambda: not psutil.pid_exists(kernel))
    details = store.get_run(run_id)
    assert details.run.state is RunState.CANCELLED
    assert details.stage_runs[0].state is StageRunState.CANCELLED


def test_interrupting_a_run_in_the_foreground_cancels_it(tmp_path: Path, url: str, store: Store) -> None:
    file, started, _ = slow_project(tmp_path)
    command = [sys.executable, "-m", "jupyter_workflows.cli", "run", str(file), "--database", url]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True) as process:
        (kernel,) = until(lambda: pids(started))
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
    until(lambda: not psutil.pid_exists(kernel))
    (run,) = store.list_runs().runs
    assert run.state is RunState.CANCELLED


@pytest.fixture(params=["sqlite", "postgresql"])
def either_url(request: pytest.FixtureRequest, url: str) -> str:
    return url if request.param == "sqlite" else str(request.getfixturevalue("postgres_url"))


def test_two_runners_share_the_work_and_do_nothing_twice(tmp_path: Path, either_url: str) -> None:
    marks = tmp_path / "marks"
    marks.mkdir()
    mark = (
        "import os\nfrom pathlib import Path\n"
        f'descriptor = os.open(Path({str(marks)!r}) / f"{{stage.stage_run_id}}", os.O_CREAT | os.O_EXCL)'
    )
    file = write_project(
        tmp_path / "p",
        {
            "split": {"cells": [STAGE, "stage['numbers'] = list(range(12))"]},
            "work": {"cells": [STAGE, mark, "stage['square'] = stage['number'] ** 2"]},
            "sum": {
                "join": "all",
                "collect": {"all": "square"},
                "cells": [STAGE, "stage['sum'] = sum(stage['all'])"],
            },
        },
        [
            {"source": "split", "target": "work", "each": "numbers", "as": "number"},
            {"source": "work", "target": "sum"},
        ],
    )
    store = open_store(either_url)
    try:
        with (
            runner_process(either_url, "--concurrency", "1"),
            runner_process(either_url, "--concurrency", "1"),
        ):
            until(lambda: runners_at_work(store) == 2)
            run_id = begin(store, file, "split")
            until(ended(store, run_id))
        details = store.get_run(run_id)
        assert details.run.state is RunState.COMPLETED
        by_path = {stage_run.path: stage_run for stage_run in details.stage_runs}
        assert len(details.stage_runs) == 14
        result = by_path["sum"].result
        assert result is not None and result.values["sum"] == sum(n * n for n in range(12))
        assert len(list(marks.iterdir())) == 12
        runners = {attempt.runner for attempts in details.attempts.values() for attempt in attempts}
        assert runners, "each attempt names its runner"
    finally:
        store.close()
