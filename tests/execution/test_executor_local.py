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
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from support.attempts import Stage, notebook, wait_until

from jupyter_workflows.execution.executors.local import LocalExecutor, default_concurrency
from jupyter_workflows.execution.executors.worker import end_with_parent  # noqa: F401  (importable by itself)
from jupyter_workflows.execution.limits import Limits
from jupyter_workflows.execution.spec import Progress

STAGE = "from jupyter_workflows import get_stage\nstage = get_stage()\n"
FOREVER = "import time\nwhile True: time.sleep(0.01)"

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def executor() -> AsyncIterator[LocalExecutor]:
    """Two workers, for all tests that end none of them for good."""
    executor = LocalExecutor(2, pool_size=1, limits=Limits(grace=1.0))
    await executor.start()
    yield executor
    await executor.stop(wait=False)


async def until(condition: Any) -> Any:
    return await asyncio.to_thread(wait_until, condition)


def begun(marker: Path) -> str:
    return f"import os\nopen({str(marker)!r}, 'w').write(str(os.getpid()))\n"


async def test_an_attempt_with_its_progress(executor: LocalExecutor, stage: Stage) -> None:
    seen: list[Progress] = []
    spec = stage.spec(notebook(STAGE + "stage['x'] = stage['n'] + 1", "pass"), data={"n": 1})
    outcome = await executor.execute(spec, seen.append)

    assert outcome.state == "completed", outcome
    assert outcome.changes == {"x": 2}
    assert [(progress.event, progress.cell, progress.cells) for progress in seen] == [
        ("started", None, 2),
        ("cell", 1, 2),
        ("cell", 2, 2),
    ]
    assert seen[0].stage_run_id == spec.stage_run_id


async def test_more_attempts_than_workers(executor: LocalExecutor, stage: Stage) -> None:
    specs = [
        stage.spec(notebook(STAGE + "stage['twice'] = 2 * stage['n']"), data={"n": n}, number=n)
        for n in range(6)
    ]
    outcomes = await asyncio.gather(*map(executor.execute, specs))

    assert [outcome.changes for outcome in outcomes] == [{"twice": 2 * n} for n in range(6)]


async def test_attempts_run_side_by_side(executor: LocalExecutor, stage: Stage, tmp_path: Path) -> None:
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
    outcomes = await asyncio.gather(*map(executor.execute, specs))

    assert [outcome.state for outcome in outcomes] == ["completed", "completed"]


async def test_cancelling_what_runs(executor: LocalExecutor, stage: Stage, tmp_path: Path) -> None:
    marker = tmp_path / "begun"
    spec = stage.spec(notebook(begun(marker) + FOREVER))
    task = asyncio.ensure_future(executor.execute(spec))
    await until(marker.exists)
    executor.cancel(spec.stage_run_id)

    assert (await task).state == "cancelled"


async def test_cancelling_what_waits_for_a_worker(
    executor: LocalExecutor, stage: Stage, tmp_path: Path
) -> None:
    markers = [tmp_path / "1", tmp_path / "2"]
    running = [
        asyncio.ensure_future(
            executor.execute(stage.spec(notebook(begun(marker) + FOREVER), number=n, name=f"{n}.ipynb"))
        )
        for n, marker in enumerate(markers)
    ]
    for marker in markers:
        await until(marker.exists)
    waiting = asyncio.ensure_future(executor.execute(stage.spec(notebook("1"), number=3)))
    await asyncio.sleep(0)
    executor.cancel("stage-run-3")
    outcome = await waiting

    assert outcome.state == "cancelled"
    assert outcome.output is None
    for number in range(2):
        executor.cancel(f"stage-run-{number}")
    assert [outcome.state for outcome in await asyncio.gather(*running)] == ["cancelled", "cancelled"]


async def test_a_worker_that_dies_loses_its_attempt_and_is_replaced(
    executor: LocalExecutor, stage: Stage, tmp_path: Path
) -> None:
    marker = tmp_path / "begun"
    task = asyncio.ensure_future(executor.execute(stage.spec(notebook(begun(marker) + FOREVER))))
    kernel = int(await until(lambda: marker.exists() and marker.read_text()))
    (worker,) = executor.busy_workers()
    os.kill(worker, signal.SIGKILL)
    outcome = await task

    assert outcome.state == "lost"
    assert outcome.error is not None
    assert "SIGKILL" in outcome.error.message
    await until(lambda: not alive(kernel))
    again = await executor.execute(stage.spec(notebook(STAGE + "stage['x'] = 1"), attempt=2))
    assert again.changes == {"x": 1}


async def test_killing_an_attempt_ends_its_kernel(
    executor: LocalExecutor, stage: Stage, tmp_path: Path
) -> None:
    marker = tmp_path / "begun"
    spec = stage.spec(notebook(begun(marker) + FOREVER))
    task = asyncio.ensure_future(executor.execute(spec))
    kernel = int(await until(lambda: marker.exists() and marker.read_text()))
    executor.kill(spec.stage_run_id)

    assert (await task).state == "lost"
    await until(lambda: not alive(kernel))


async def test_an_unknown_attempt_cannot_be_cancelled(executor: LocalExecutor) -> None:
    executor.cancel("nobody")
    executor.kill("nobody")


async def test_the_fork_server_is_started_again_when_it_died(executor: LocalExecutor, stage: Stage) -> None:
    await executor.execute(stage.spec(notebook("1")))
    before = executor.fork_server_pid()
    assert before is not None
    os.kill(before, signal.SIGKILL)
    await until(lambda: not alive(before))
    outcome = await executor.execute(stage.spec(notebook(STAGE + "stage['x'] = 1"), number=2))

    assert outcome.changes == {"x": 1}
    assert executor.fork_server_pid() not in (None, before)


async def test_stopping_lets_what_runs_come_to_its_end(stage: Stage, tmp_path: Path) -> None:
    executor = LocalExecutor(1, fork_server=False)
    await executor.start()
    marker, go = tmp_path / "begun", tmp_path / "go"
    spec = stage.spec(
        notebook(
            begun(marker)
            + f"import pathlib, time\nwhile not pathlib.Path({str(go)!r}).exists(): time.sleep(0.01)",
            STAGE + "stage['x'] = 1",
        )
    )
    task = asyncio.ensure_future(executor.execute(spec))
    await until(marker.exists)
    stopping = asyncio.ensure_future(executor.stop())
    await asyncio.sleep(0)
    with pytest.raises(RuntimeError, match="no more attempts"):
        await executor.execute(spec)
    go.touch()

    assert (await task).changes == {"x": 1}
    await stopping


async def test_stopping_at_once_loses_what_runs(stage: Stage, tmp_path: Path) -> None:
    executor = LocalExecutor(1, pool_size=0)
    await executor.start()
    marker = tmp_path / "begun"
    task = asyncio.ensure_future(executor.execute(stage.spec(notebook(begun(marker) + FOREVER))))
    kernel = int(await until(lambda: marker.exists() and marker.read_text()))
    await executor.stop(wait=False)

    assert (await task).state == "lost"
    await until(lambda: not alive(kernel))


@pytest.mark.parametrize("fork_server", [True, False])
async def test_the_end_of_the_executors_process_ends_workers_and_kernels(
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
        text = await until(
            lambda: marker.exists() and marker.read_text().endswith("end") and marker.read_text()
        )
        kernel, parent = map(int, text.split()[:2])
        process.kill()
        process.wait()
        await until(lambda: not alive(kernel))
        await until(lambda: not alive(parent))
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()


async def test_modules_beside_the_process_are_not_imported_by_workers(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "queue.py").write_text("raise RuntimeError('the wrong module')\n")
    monkeypatch.chdir(tmp_path)
    executor = LocalExecutor(1, fork_server=False)
    await executor.start()
    outcome = await executor.execute(stage.spec(notebook("1")))
    await executor.stop()

    assert outcome.state == "completed"


async def test_there_is_one_place_more_than_processors() -> None:
    assert default_concurrency() >= 2


def alive(pid: int) -> bool:
    """Whether a process runs (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
