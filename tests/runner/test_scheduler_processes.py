"""Jobs with real runners, kernels and databases: two runners, one run for each due time."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message
from support.projects import write_project
from support.schedules import scheduled

from jupyter_workflows.deploying import deploy
from jupyter_workflows.execution.project import Project
from jupyter_workflows.model.states import RunState
from jupyter_workflows.runner.smtp import VARIABLE
from jupyter_workflows.store import RunFilter, Store, open_store

STAGE = "from jupyter_workflows import get_stage\nstage = get_stage()"


@pytest.fixture(autouse=True)
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "data"))


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    opened = open_store(database_url)
    yield opened
    opened.close()


@contextmanager
def runner_process(url: str, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "jupyter_workflows.cli", "runner", "--database", url, "--concurrency", "1"],
        start_new_session=True,
        env={**os.environ, **environment},
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(60)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()


def until(condition: Callable[[], Any], *, seconds: float = 90) -> Any:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.02)
    raise AssertionError("it did not happen in time")


def deploy_project(store: Store, folder: Path, cron: str, cells: list[str], **settings: Any) -> str:
    schedule = {"cron": cron, "overlap": "allow"}
    file = write_project(folder, {"job": {"type": "job", "schedule": schedule, "cells": cells}})
    (folder / "requirements.txt").write_text("")
    return deploy(store, Project.open(file), by="ada", **settings).uid


def runners(store: Store) -> int:
    from sqlalchemy import func, select

    from jupyter_workflows.store.tables import runners

    with store.database.read() as connection:
        return int(connection.execute(select(func.count()).select_from(runners)).scalar_one())


def ended(store: Store, uid: str) -> int:
    page = store.list_runs(RunFilter(workflow_uid=uid))
    return sum(run.state in (RunState.COMPLETED, RunState.FAILED) for run in page.runs)


def mark(folder: Path) -> str:
    """Return a cell that leaves a file, named by its time and its process."""
    return (
        "import os\nfrom pathlib import Path\n"
        f"name = f'{{stage.scheduled_time:%Y%m%dT%H%M%S}}-{{os.getpid()}}'\n"
        f"(Path({str(folder)!r}) / name).touch()"
    )


def test_two_runners_start_a_job_once_at_its_time(tmp_path: Path, database_url: str, store: Store) -> None:
    marks = tmp_path / "marks"
    marks.mkdir()
    with runner_process(database_url), runner_process(database_url):
        until(lambda: runners(store) == 2)
        moment = (datetime.now(UTC) + timedelta(seconds=4)).replace(microsecond=0)
        cron = f"{moment.second} {moment.minute} {moment.hour} {moment.day} {moment.month} *"
        uid = deploy_project(store, tmp_path / "p", cron, [STAGE, mark(marks)])
        until(lambda: ended(store, uid))
    assert scheduled(store, uid) == [moment]
    (name,) = [path.name for path in marks.iterdir()]
    assert name.startswith(f"{moment:%Y%m%dT%H%M%S}-")
    (run,) = store.list_runs(RunFilter(workflow_uid=uid)).runs
    assert run.state is RunState.COMPLETED and run.created_at >= moment


def test_a_time_that_comes_while_runners_are_killed_has_its_run(
    tmp_path: Path, database_url: str, store: Store
) -> None:
    marks = tmp_path / "marks"
    marks.mkdir()
    uid = deploy_project(store, tmp_path / "p", "*/2 * * * * *", [STAGE, mark(marks)])
    with ExitStack() as stack:
        for count in range(3):
            victim = stack.enter_context(runner_process(database_url))
            stack.enter_context(runner_process(database_url))
            until(lambda count=count: ended(store, uid) > 2 * count)
            victim.kill()
        store.pause(uid)
        until(lambda: ended(store, uid) == len(scheduled(store, uid)))
    times = scheduled(store, uid)
    assert len(times) == len(set(times)) >= 3
    assert all(time.second % 2 == 0 for time in times)
    assert {name.name.partition("-")[0] for name in marks.iterdir()} == {
        f"{time:%Y%m%dT%H%M%S}" for time in times
    }


def test_a_failed_job_is_mailed_once_and_no_kernel_sees_the_password(
    tmp_path: Path, database_url: str, store: Store
) -> None:
    received: list[Any] = []

    class Handler(Message):
        def handle_message(self, message: Any) -> None:
            received.append(message)

    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    controller = Controller(Handler(), hostname="127.0.0.1", port=port)
    controller.start()
    seen = f"import os\nraise ValueError('seen: ' + str(os.environ.get({VARIABLE!r})))"
    smtp = {VARIABLE: f"smtp://localhost:{port}?from=w@example.org"}
    try:
        with runner_process(database_url, **smtp), runner_process(database_url, **smtp):
            uid = deploy_project(
                store, tmp_path / "p", "0 0 1 1 *", [STAGE, seen], owner_address="ada@example.org"
            )
            run_id = store.run_job_now(uid, "job")
            until(lambda: received)
            until(lambda: store.count_due_mail(("run-failed",)) == 0)
    finally:
        controller.stop()
    (message,) = received
    text = message.get_payload()[0].get_payload(decode=True).decode()
    assert run_id in text and "ValueError: seen: None" in text and "(cell 2)" in text
