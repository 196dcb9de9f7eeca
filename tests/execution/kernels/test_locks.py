"""Locks on stage runs' folders."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.kernels import is_running, until

from jupyter_workflows.execution.kernels.locks import LockBusy, LockHolder, hold, read_holder, take_over
from jupyter_workflows.execution.kernels.platforms import start_ticks


def holding(path: Path, content: str = "") -> subprocess.Popen[bytes]:
    """Have another process hold a lock."""
    code = (
        "import sys, time, os\n"
        "from jupyter_workflows.execution.kernels.locks import hold\n"
        "descriptor = hold(sys.argv[1])\n"
        "content = sys.argv[2].replace('PID', str(os.getpid()))\n"
        "if content:\n"
        "    os.ftruncate(descriptor, 0)\n"
        "    os.pwrite(descriptor, content.encode(), 0)\n"
        "print(flush=True)\n"
        "time.sleep(600)\n"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(path), content], stdout=subprocess.PIPE, start_new_session=True
    )
    assert holder.stdout is not None
    holder.stdout.readline()
    holder.stdout.close()
    return holder


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    """Where a lock lies."""
    return tmp_path / "lock"


def test_a_lock_that_nobody_holds(lock: Path) -> None:
    assert take_over(lock) is None
    lock.touch()
    assert take_over(lock) is None
    assert read_holder(lock) is None


def test_holding_says_who(lock: Path) -> None:
    descriptor = hold(lock)
    assert read_holder(lock) == LockHolder(os.getpid(), start_ticks(os.getpid()))
    with pytest.raises(LockBusy, match=f"process {os.getpid()} still works in"):
        hold(lock)
    os.close(descriptor)
    os.close(hold(lock))


@pytest.mark.parametrize("content", ["", "PID\n", '{"pid": PID}'])
def test_the_holder_is_killed(lock: Path, content: str) -> None:
    holder = holding(lock, content)
    killed = take_over(lock)
    assert killed is not None
    assert killed.pid == holder.pid
    assert holder.wait() == -9


def test_a_process_with_the_id_of_the_holder_is_spared(lock: Path) -> None:
    holder = holding(lock, '{"pid": 1, "start": 1}')
    innocent = subprocess.Popen(["sleep", "600"], start_new_session=True)
    try:
        lock.write_text(f'{{"pid": {innocent.pid}, "start": 1}}')
        with pytest.raises(LockBusy):
            take_over(lock, timeout=0.2)
        assert is_running(innocent.pid)
        assert is_running(holder.pid)
    finally:
        for process in (holder, innocent):
            process.kill()
            process.wait()
    assert take_over(lock) is None


def test_what_the_holder_left_in_its_session_is_killed(lock: Path) -> None:
    code = (
        "import os, sys, time\n"
        "from jupyter_workflows.execution.kernels.locks import hold\n"
        "hold(sys.argv[1])\n"
        "pid = os.fork()\n"
        "if pid:\n"
        "    print(pid, flush=True)\n"
        "    os._exit(0)\n"
        "time.sleep(600)\n"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(lock)], stdout=subprocess.PIPE, start_new_session=True
    )
    assert holder.stdout is not None
    child = int(holder.stdout.readline())
    holder.stdout.close()
    holder.wait()
    assert is_running(child)
    assert take_over(lock) is not None
    until(lambda: not is_running(child))


def test_nonsense_in_a_lock(lock: Path) -> None:
    for content in ("", "nonsense", "[]", '{"a": 1}', '{"pid": "x"}', "null"):
        lock.write_text(content)
        assert read_holder(lock) is None
