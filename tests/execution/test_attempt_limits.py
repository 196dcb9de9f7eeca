"""Time, memory, cancelling, and kernels that end by themselves."""

from __future__ import annotations

import asyncio
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from support.attempts import Stage, cells_of, executed, notebook, text_of, wait_until

from jupyter_workflows.execution.attempt import execute_attempt
from jupyter_workflows.execution.client import StageNotebookClient
from jupyter_workflows.execution.kernels import ForkServer
from jupyter_workflows.execution.limits import CancelToken, Limits
from jupyter_workflows.execution.running import StageKernel

STAGE = "from jupyter_workflows import get_stage\nstage = get_stage()\n"
SHORT = Limits(grace=0.5)
FOREVER = "import time\nwhile True:\n    time.sleep(0.01)"
STUBBORN = """
import time
print("stubborn", flush=True)
while True:
    try:
        time.sleep(0.01)
    except KeyboardInterrupt:
        pass
"""


def test_a_timeout_interrupts_and_says_where(execute: Any) -> None:
    outcome = execute("print('before')", FOREVER, "print('after')", timeout=0.5)

    assert outcome.state == "timed_out"
    assert outcome.error.name == "StageTimeout"
    assert outcome.error.message == (
        "Stage 'Check the rules' ran longer than its timeout of 0.5 s and was interrupted in cell 2"
    )
    assert outcome.error.cell == 1
    assert outcome.error.retriable is True
    cells = cells_of(outcome)
    assert text_of(cells[0]) == "before\n"
    assert [output["ename"] for output in cells[1]["outputs"]] == ["KeyboardInterrupt", "StageTimeout"]
    assert cells[2]["metadata"]["jupyter_workflows"] == {"status": "not-run"}
    assert executed(outcome)["metadata"]["jupyter_workflows"]["state"] == "timed_out"


def test_a_loop_that_swallows_the_interrupt_is_killed(execute: Any) -> None:
    outcome = execute(STUBBORN, timeout=0.5, limits=SHORT)

    assert outcome.state == "timed_out"
    assert "killed" in outcome.error.message
    assert "in cell 1" in outcome.error.message
    assert "stubborn" in text_of(cells_of(outcome)[0])


def test_a_cell_that_ends_well_after_its_interrupt_still_timed_out(execute: Any) -> None:
    outcome = execute(
        STAGE + "import time\ntry:\n    while True: time.sleep(0.01)\nexcept KeyboardInterrupt:\n"
        "    stage['x'] = 1",
        "print('after')",
        timeout=0.5,
    )

    assert outcome.state == "timed_out"
    assert outcome.changes == {}
    assert "after" not in text_of(cells_of(outcome)[1])


def test_a_flood_of_output_does_not_hold_up_the_timeout(execute: Any) -> None:
    outcome = execute("while True:\n    print('x' * 1000, flush=True)", timeout=0.5, limits=SHORT)

    assert outcome.state == "timed_out"


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("import os; os._exit(7)", "exit code 7"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "SIGKILL"),
        ("import ctypes; ctypes.string_at(0)", "SIGSEGV"),
    ],
)
def test_a_kernel_that_dies(execute: Any, source: str, what: str) -> None:
    outcome = execute("print('before')", source, "1", timeout=60)

    assert outcome.state == "failed"
    assert outcome.error.name == "KernelDied"
    assert what in outcome.error.message
    assert "in cell 2" in outcome.error.message
    assert outcome.error.cell == 1
    assert outcome.error.retriable is True
    cells = cells_of(outcome)
    assert text_of(cells[0]) == "before\n"
    assert cells[1]["outputs"][-1]["ename"] == "KernelDied"
    assert cells[2]["metadata"]["jupyter_workflows"] == {"status": "not-run"}


def test_a_killed_kernel_with_a_memory_limit_hints_at_memory(execute: Any) -> None:
    outcome = execute("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", memory=2 << 30)

    assert outcome.error.name == "KernelDied"
    assert "memory limit of 2.0 GiB" in outcome.error.message


def test_an_ordinary_kernel_that_dies(stage: Stage) -> None:
    outcome = execute_attempt(stage.spec(notebook("import os; os._exit(7)")))

    assert outcome.error.name == "KernelDied"
    assert "exit code 7" in outcome.error.message


def test_an_allocation_beyond_the_limit_is_an_error_of_the_cell(execute: Any) -> None:
    outcome = execute("block = bytearray(3 << 30)", memory=1 << 30)

    assert outcome.state == "failed"
    assert outcome.error.name == "MemoryError"
    assert outcome.error.cell == 0


def test_memory_of_all_processes_together_is_limited(execute: Any) -> None:
    child = "block = b'x' * (300 << 20); import time; time.sleep(600)"
    outcome = execute(
        f"import subprocess, sys\n"
        f"children = [subprocess.Popen([sys.executable, '-c', {child!r}]) for _ in range(2)]\n"
        f"[child.wait() for child in children]",
        memory=400 << 20,
        limits=SHORT,
    )

    assert outcome.state == "failed"
    assert outcome.error.name == "MemoryLimitExceeded"
    assert "400.0 MiB" in outcome.error.message
    assert outcome.error.cell == 0


def test_cancelling_interrupts(execute: Any, stage: Stage, tmp_path: Path) -> None:
    token = CancelToken()
    marker = tmp_path / "begun"

    def cancel() -> None:
        wait_until(marker.exists)
        token.cancel()

    thread = threading.Thread(target=cancel)
    thread.start()
    outcome = execute(
        f"open({str(marker)!r}, 'w').close()\n{FOREVER}", "print('after')", cancel=token, limits=SHORT
    )
    thread.join()

    assert outcome.state == "cancelled"
    assert outcome.error is None
    assert outcome.changes == {}
    assert executed(outcome)["metadata"]["jupyter_workflows"]["state"] == "cancelled"


def test_what_is_cancelled_before_it_begins_does_not_begin(execute: Any) -> None:
    token = CancelToken()
    token.cancel()

    assert execute("1", cancel=token).state == "cancelled"


def test_a_reader_that_stalls_loses_no_result(
    execute: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome = _stalled(execute, 10_000, tmp_path, monkeypatch)

    assert outcome.state == "completed", outcome
    assert outcome.changes == {"done": True}
    assert len(executed(outcome)["cells"][0]["outputs"]) == 10_001


def test_a_reader_that_stalls_loses_no_result_of_an_ordinary_kernel(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def execute(*cells: str) -> Any:
        return execute_attempt(stage.spec(notebook(*cells)))

    outcome = _stalled(execute, 4_000, tmp_path, monkeypatch)  # more than ZeroMQ holds for a slow reader

    assert outcome.state == "completed", outcome
    assert outcome.changes == {"done": True}


def _stalled(execute: Any, displays: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Execute many displays while whoever reads them stands still until the kernel has sent them all."""
    marker = tmp_path / "sent"
    process, stalled = StageNotebookClient.process_message, []

    def stall(self: Any, message: Any, *arguments: Any) -> Any:
        if message["msg_type"] == "display_data" and not stalled:
            stalled.append(True)
            try:
                wait_until(marker.exists, 20)
            except AssertionError:
                pass  # a kernel that waits for its reader can't get further
        return process(self, message, *arguments)

    monkeypatch.setattr(StageNotebookClient, "process_message", stall)
    outcome = execute(
        STAGE + "from IPython.display import display\n"
        f"for number in range({displays}):\n    display(number)\n"
        f"open({str(marker)!r}, 'w').close()\n"
        "print('end')\nstage['done'] = True"
    )
    assert stalled
    return outcome


def test_a_kernel_that_cannot_start_says_why(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "jupyter" / "kernels" / "broken"
    folder.mkdir(parents=True)
    argv = f'["{sys.executable}", "-c", "raise SystemExit(\'there is no such module\')"]'
    (folder / "kernel.json").write_text(
        f'{{"argv": {argv}, "display_name": "Broken", "language": "python"}}'.replace("\\'", "'")
    )
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    outcome = execute_attempt(stage.spec(notebook("1"), kernel="broken"))

    assert outcome.state == "failed"
    assert outcome.error.name == "KernelStartError"
    assert "there is no such module" in outcome.error.message


def test_a_fork_server_that_dies_loses_the_attempt(stage: Stage, tmp_path: Path) -> None:
    marker = tmp_path / "begun"
    spec = stage.spec(notebook(f"open({str(marker)!r}, 'w').close()\n{FOREVER}"))
    with ForkServer.start(pool=1) as server:

        def kill() -> None:
            wait_until(marker.exists)
            server.stop(timeout=0)

        thread = threading.Thread(target=kill)
        thread.start()
        outcome = execute_attempt(spec, fork_server=server.address)
        thread.join()

    assert outcome.state == "lost"


def test_a_fork_server_that_dies_before_the_first_cell_loses_the_attempt(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready = StageKernel.ready
    with ForkServer.start(pool=1) as server:

        async def ready_without_server(kernel: StageKernel, timeout: float) -> None:
            server.stop(timeout=0)
            await ready(kernel, timeout)

        monkeypatch.setattr(StageKernel, "ready", ready_without_server)
        outcome = execute_attempt(stage.spec(notebook("")), fork_server=server.address)

    assert outcome.state == "lost"
    assert outcome.error is not None and outcome.error.name == "ForkServerDied"


def test_without_a_fork_server_kernels_are_ordinary_ones(stage: Stage, tmp_path: Path) -> None:
    spec = stage.spec(notebook(STAGE + "stage['x'] = 1"))
    outcome = execute_attempt(spec, fork_server=str(tmp_path / "nobody"))

    assert outcome.state == "completed"
    assert outcome.changes == {"x": 1}


def test_an_attempt_in_a_thread_leaves_no_event_loop_behind(
    stage: Stage, fork_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[asyncio.AbstractEventLoop] = []
    make = asyncio.new_event_loop
    monkeypatch.setattr(asyncio, "new_event_loop", lambda: made.append(make()) or made[-1])
    spec = stage.spec(notebook("print(1)"))
    outcomes: list[Any] = []
    thread = threading.Thread(target=lambda: outcomes.append(execute_attempt(spec, fork_server=fork_server)))
    thread.start()
    thread.join()

    assert outcomes[0].state == "completed"
    assert made
    assert all(loop.is_closed() for loop in made)


def test_a_new_attempt_ends_the_kernel_of_an_older_one(
    stage: Stage, fork_server: str, tmp_path: Path
) -> None:
    marker = tmp_path / "begun"
    first = stage.spec(notebook(f"open({str(marker)!r}, 'w').close()\n{FOREVER}"))
    outcomes: list[Any] = []
    thread = threading.Thread(target=lambda: outcomes.append(execute_attempt(first, fork_server=fork_server)))
    thread.start()
    wait_until(marker.exists)
    second = execute_attempt(stage.spec(notebook("print(2)"), attempt=2), fork_server=fork_server)
    thread.join()

    assert second.state == "completed"
    assert outcomes[0].error.name == "KernelDied"
