from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

from jupyter_workflows.store.identity import RunnerIdentity, is_alive


def test_this_process_is_alive() -> None:
    assert is_alive(RunnerIdentity.current()) is True


def test_another_process_with_the_same_id_is_not_the_runner() -> None:
    mine = RunnerIdentity.current()
    assert is_alive(replace(mine, start_ticks=mine.start_ticks - 1)) is False


def test_an_ended_process_is_dead_even_before_its_parent_looked() -> None:
    process = subprocess.Popen([sys.executable, "-c", "pass"])
    identity = replace(RunnerIdentity.current(), pid=process.pid, start_ticks=0)
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert is_alive(identity) is False
    process.wait()
    assert is_alive(identity) is False


def test_a_process_of_another_boot_or_namespace_cannot_be_seen() -> None:
    mine = RunnerIdentity.current()
    assert is_alive(replace(mine, boot_id="another")) is None
    assert is_alive(replace(mine, pid_namespace="pid:[1]")) is None


def test_on_a_database_of_this_host_another_boot_is_a_dead_one() -> None:
    assert is_alive(replace(RunnerIdentity.current(), boot_id="another"), same_host=True) is False
