"""The local executor with its worker processes."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import psutil
import pytest
from support.attempts import Stage, notebook, wait_until

from jupyter_workflows.execution.executors.local import LocalExecutor, default_concurrency
from jupyter_workflows.execution.limits import Limits
from jupyter_workflows.execution.spec import AttemptOutcome, AttemptSpec, Progress

STAGE = "from jupyter_workflows import get_stage\nstage = get_stage()\n"
FOREVER = "import time\nwhile True: time.sleep(0.01)"


class Driver:
    """An executor on an event loop in a thread of its own, for tests that wait for other things as well."""

    def __init__(self, concurrency: int, **options: Any) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self.executor = LocalExecutor(concurrency, **options)
        self._run(self.executor.start())

    def begin(self, spec: AttemptSpec, on_progress: Any = None) -> Future[AttemptOutcome]:
        return asyncio.run_coroutine_threadsafe(self.executor.execute(spec, on_progress), self._loop)

    def execute(self, spec: AttemptSpec, on_progress: Any = None) -> AttemptOutcome:
        return self.begin(spec, on_progress).result(60)

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        async def call() -> Any:
            return function(*arguments)

        return self._run(call())

    def cancel(self, stage_run_id: str) -> None:
        self.call(self.executor.cancel, stage_run_id)

    def kill(self, stage_run_id: str) -> None:
        self.call(self.executor.kill, stage_run_id)

    def begin_stop(self, *, wait: bool) -> Future[None]:
        return asyncio.run_coroutine_threadsafe(self.executor.stop(wait=wait), self._loop)

    def stop(self, *, wait: bool = True) -> None:
        try:
            self.begin_stop(wait=wait).result(60)
        finally:
            self.close()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(60)


@pytest.fixture(scope="module")
def executor() -> Iterator[Driver]:
    """Two workers, for all tests that end none of them for good."""
    driver = Driver(2, pool_size=1, limits=Limits(grace=1.0))
    yield driver
    driver.stop(wait=False)


def begun(marker: Path) -> str:
    return f"import os\nopen({str(marker)!r}, 'w').write(str(os.getpid()))\n"


def test_an_attempt_with_its_progress(executor: Driver, stage: Stage) -> None:
    seen: list[Progress] = []
    spec = stage.spec(notebook(STAGE + "stage['x'] = stage['n'] + 1", "pass"), data={"n": 1})
    outcome = executor.execute(spec, seen.append)

    assert outcome.state == "completed", outcome
    assert outcome.changes == {"x": 2}
    assert [(progress.event, progress.cell, progress.cells) for progress in seen] == [
        ("started", None, 2),
        ("cell", 1, 2),
        ("cell", 2, 2),
    ]
    assert seen[0].stage_run_id == spec.stage_run_id


def test_more_attempts_than_workers(executor: Driver, stage: Stage) -> None:
    specs = [
        stage.spec(notebook(STAGE + "stage['twice'] = 2 * stage['n']"), data={"n": n}, number=n)
        for n in range(6)
    ]
    outcomes = [task.result(60) for task in [executor.begin(spec) for spec in specs]]

    assert [outcome.changes for outcome in outcomes] == [{"twice": 2 * n} for n in range(6)]


def test_attempts_run_side_by_side(executor: Driver, stage: Stage, tmp_path: Path) -> None:
    def meet(mine: Path, other: Path) -> dict[str, Any]:
        return notebook(
            f"import pathlib, time\npathlib.Path({str(mine)!r}).touch()\n"
            f"while not pathlib.Path({str(other)!r}).exists(): time.sleep(0.01)"
        )

    a, b = tmp_path / "a", tmp_path / "b"
    specs = [
        stage.spec(meet(a, b), number=1, name="a.ipynb", timeout=30),
        stage.spec(meet(b, a), number=2, name="b.ipynb", timeout=30),
    ]
    outcomes = [task.result(60) for task in [executor.begin(spec) for spec in specs]]

    assert [outcome.state for outcome in outcomes] == ["completed", "completed"]


def test_cancelling_what_runs(executor: Driver, stage: Stage, tmp_path: Path) -> None:
    marker = tmp_path / "begun"
    spec = stage.spec(notebook(begun(marker) + FOREVER))
    task = executor.begin(spec)
    wait_until(marker.exists)
    executor.cancel(spec.stage_run_id)

    assert task.result(60).state == "cancelled"


def test_cancelling_what_waits_for_a_worker(executor: Driver, stage: Stage, tmp_path: Path) -> None:
    markers = [tmp_path / "1", tmp_path / "2"]
    running = [
        executor.begin(stage.spec(notebook(begun(marker) + FOREVER), number=n, name=f"{n}.ipynb"))
        for n, marker in enumerate(markers)
    ]
    for marker in markers:
        wait_until(marker.exists)
    waiting = executor.begin(stage.spec(notebook("1"), number=3))
    executor.cancel("stage-run-3")
    outcome = waiting.result(60)

    assert outcome.state == "cancelled"
    assert outcome.output is None
    for number in range(2):
        executor.cancel(f"stage-run-{number}")
    assert [task.result(60).state for task in running] == ["cancelled", "cancelled"]


def test_a_worker_that_dies_loses_its_attempt_and_is_replaced(
    executor: Driver, stage: Stage, tmp_path: Path
) -> None:
    marker = tmp_path / "begun"
    task = executor.begin(stage.spec(notebook(begun(marker) + FOREVER)))
    kernel = int(wait_until(lambda: marker.exists() and marker.read_text()))
    (worker,) = executor.call(executor.executor.busy_workers)
    os.kill(worker, signal.SIGKILL)
    outcome = task.result(60)

    assert outcome.state == "lost"
    assert outcome.error is not None
    assert "SIGKILL" in outcome.error.message
    wait_until(lambda: not alive(kernel))
    again = executor.execute(stage.spec(notebook(STAGE + "stage['x'] = 1"), attempt=2))
    assert again.changes == {"x": 1}


def test_a_worker_that_dies_idle_takes_no_attempt_with_it(stage: Stage) -> None:
    others = set(workers())
    executor = Driver(1, fork_server=False)
    try:
        executor.execute(stage.spec(notebook("1")))
        (worker,) = set(workers()) - others
        worker.kill()
        wait_until(lambda: not psutil.pid_exists(worker.pid))  # it was waited for
        outcome = executor.execute(stage.spec(notebook(STAGE + "stage['x'] = 1"), number=2))
        assert outcome.changes == {"x": 1}
    finally:
        executor.stop()


def test_a_worker_that_dies_while_it_starts_is_replaced(stage: Stage) -> None:
    others = set(workers())
    executor = Driver(1, fork_server=False)
    try:
        task = executor.begin(stage.spec(notebook(STAGE + "stage['x'] = 1")))
        wait_until(lambda: set(workers()) - others).pop().kill()
        assert task.result(60).changes == {"x": 1}
    finally:
        executor.stop()


def test_an_attempt_that_finds_no_worker_at_all_is_lost(stage: Stage) -> None:
    others = set(workers())
    executor = Driver(1, fork_server=False)
    try:
        task = executor.begin(stage.spec(notebook("1")))

        def none_is_left() -> bool:
            for worker in set(workers()) - others:
                with contextlib.suppress(psutil.NoSuchProcess):
                    worker.kill()
            return task.done()

        wait_until(none_is_left)
        outcome = task.result()
        assert outcome.state == "lost"
        assert outcome.error is not None
        assert "did not start (SIGKILL)" in outcome.error.message
    finally:
        executor.stop()


def test_killing_an_attempt_ends_its_kernel(executor: Driver, stage: Stage, tmp_path: Path) -> None:
    marker = tmp_path / "begun"
    spec = stage.spec(notebook(begun(marker) + FOREVER))
    task = executor.begin(spec)
    kernel = int(wait_until(lambda: marker.exists() and marker.read_text()))
    executor.kill(spec.stage_run_id)

    assert task.result(60).state == "lost"
    wait_until(lambda: not alive(kernel))


def test_an_unknown_attempt_cannot_be_cancelled(executor: Driver) -> None:
    executor.cancel("nobody")
    executor.kill("nobody")


def test_the_fork_server_is_started_again_when_it_died(executor: Driver, stage: Stage) -> None:
    executor.execute(stage.spec(notebook("1")))
    before = executor.call(executor.executor.fork_server_pid)
    assert before is not None
    os.kill(before, signal.SIGKILL)
    wait_until(lambda: executor.call(executor.executor.fork_server_pid) not in (None, before))
    outcome = executor.execute(stage.spec(notebook(STAGE + "stage['x'] = 1"), number=2))

    assert outcome.changes == {"x": 1}


def test_the_folder_of_a_fork_server_that_died_does_not_stay_behind(executor: Driver, stage: Stage) -> None:
    executor.execute(stage.spec(notebook("1")))
    server = executor.call(executor.executor.fork_server_pid)
    assert server is not None
    folder = Path(f"/proc/{server}/cwd").readlink()
    os.kill(server, signal.SIGKILL)
    wait_until(lambda: not alive(server))
    executor.execute(stage.spec(notebook("1"), number=2))
    wait_until(lambda: not folder.exists())


def broken_fork_server(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Have fork servers fail to start until the returned file is gone; workers and kernels are well."""
    broken = folder / "broken"
    broken.touch()
    (folder / "sitecustomize.py").write_text(
        "import pathlib, sys\n"
        f"if '--owner' in sys.orig_argv and pathlib.Path({str(broken)!r}).exists(): sys.exit('broken')"
    )
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")]))
    return broken


def test_a_fork_server_that_cannot_start_is_done_without_and_that_is_said_once(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    broken_fork_server(tmp_path, monkeypatch)
    monkeypatch.setattr("jupyter_workflows.execution.executors.supply._PAUSE", 0.0)
    executor = Driver(1)
    try:
        for number in (1, 2, 3):
            outcome = executor.execute(stage.spec(notebook(STAGE + "stage['x'] = 1"), number=number))
            assert outcome.changes == {"x": 1}
        assert executor.call(executor.executor.fork_server_pid) is None
    finally:
        executor.stop()
    said = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert said == ["Kernels are started the slow way. The fork server ended while it was starting."]


def test_a_fork_server_that_could_not_start_is_tried_again(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = broken_fork_server(tmp_path, monkeypatch)
    monkeypatch.setattr("jupyter_workflows.execution.executors.supply._PAUSE", 0.0)
    executor = Driver(1)
    try:
        executor.execute(stage.spec(notebook("1")))
        broken.unlink()

        def has_fork_server() -> bool:
            executor.execute(stage.spec(notebook("1"), number=2))
            return executor.call(executor.executor.fork_server_pid) is not None

        wait_until(has_fork_server)
    finally:
        executor.stop()


def test_stopping_lets_what_runs_come_to_its_end(stage: Stage, tmp_path: Path) -> None:
    executor = Driver(1, fork_server=False)
    marker, go = tmp_path / "begun", tmp_path / "go"
    spec = stage.spec(
        notebook(
            begun(marker)
            + f"import pathlib, time\nwhile not pathlib.Path({str(go)!r}).exists(): time.sleep(0.01)",
            STAGE + "stage['x'] = 1",
        )
    )
    task = executor.begin(spec)
    wait_until(marker.exists)
    stopping = executor.begin_stop(wait=True)
    with pytest.raises(RuntimeError, match="no more attempts"):
        executor.execute(spec)
    go.touch()

    assert task.result(60).changes == {"x": 1}
    stopping.result(60)
    executor.close()


def test_stopping_at_once_loses_what_runs(stage: Stage, tmp_path: Path) -> None:
    executor = Driver(1, pool_size=0)
    marker = tmp_path / "begun"
    task = executor.begin(stage.spec(notebook(begun(marker) + FOREVER)))
    kernel = int(wait_until(lambda: marker.exists() and marker.read_text()))
    executor.stop(wait=False)

    assert task.result(60).state == "lost"
    wait_until(lambda: not alive(kernel))


@pytest.mark.parametrize("fork_server", [True, False])
def test_the_end_of_the_executors_process_ends_workers_and_kernels(
    stage: Stage, tmp_path: Path, fork_server: bool
) -> None:
    marker = tmp_path / "begun"
    ids = f"open({str(marker)!r}, 'w').write(f'{{os.getpid()}} {{os.getppid()}} end')\n"
    spec = stage.spec(notebook("import os\n" + ids + FOREVER))
    program = tmp_path / "program.py"
    program.write_text(
        textwrap.dedent(
            f"""
            import asyncio, json, sys
            from jupyter_workflows.execution.executors.local import LocalExecutor
            from jupyter_workflows.execution.spec import AttemptSpec

            async def main():
                executor = LocalExecutor(1, pool_size=0, fork_server={fork_server})
                await executor.start()
                await executor.execute(AttemptSpec.from_json(json.loads(sys.argv[1])))

            asyncio.run(main())
            """
        )
    )
    process = subprocess.Popen([sys.executable, str(program), json.dumps(spec.to_json())])
    try:
        text = wait_until(
            lambda: marker.exists() and marker.read_text().endswith("end") and marker.read_text()
        )
        kernel, parent = map(int, text.split()[:2])
        process.kill()
        process.wait()
        wait_until(lambda: not alive(kernel))
        wait_until(lambda: not alive(parent))
    finally:
        process.kill()
        process.wait()


def test_modules_beside_the_process_are_not_imported_by_workers(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "queue.py").write_text("raise RuntimeError('the wrong module')\n")
    monkeypatch.chdir(tmp_path)
    executor = Driver(1, fork_server=False)
    outcome = executor.execute(stage.spec(notebook("1")))
    executor.stop()

    assert outcome.state == "completed"


def test_there_is_one_place_more_than_processors() -> None:
    assert default_concurrency() >= 2


def workers() -> list[psutil.Process]:
    """Return the workers that an executor in this process has."""
    found = []
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.Error):
            if "jupyter_workflows.execution.executors.worker" in child.cmdline():
                found.append(child)
    return found


def alive(pid: int) -> bool:
    """Whether a process runs (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_workers_that_do_not_start_lose_the_attempts_of_all_who_wait(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no-python"))
    executor = Driver(1, fork_server=False)
    tasks = [executor.begin(stage.spec(notebook("1"), number=n)) for n in range(2)]

    for task in tasks:
        outcome = task.result(60)
        assert outcome.state == "lost"
        assert outcome.error is not None and "no-python" in outcome.error.message
    executor.stop()
