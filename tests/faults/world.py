"""What the campaign's stages do to the world outside. It lies in their project, and they import it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jupyter_workflows import get_stage, once

#: Written beside this file, for live attempts are executed in a copy of the project.
MARKS = Path(Path(__file__).with_name("marks.txt").read_text())


def note(file: str, *words: object) -> None:
    """Append one line to a file, in one write: lines of several processes do not mix."""
    descriptor = os.open(MARKS / file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, (" ".join(map(str, words)) + "\n").encode())
    finally:
        os.close(descriptor)


def begin() -> Any:
    """Note that a kernel works on this stage run, and complain of any other that still does."""
    stage = get_stage()
    workers = f"kernels/{stage.stage_run_id}"
    if (MARKS / workers).exists():
        for line in (MARKS / workers).read_text().splitlines():
            pid, ticks = map(int, line.split())
            if _ticks(pid) == ticks:
                note("overlaps", stage.stage_run_id, stage.attempt, pid)
    note(workers, os.getpid(), _ticks(os.getpid()))
    note("started", stage.stage_run_id, stage.attempt)
    return stage


def _ticks(pid: int) -> int | None:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else int(fields[19])


def work(seconds: float) -> None:
    """Compute for a while, as a stage does."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        sum(range(1000))
        time.sleep(0.005)


def stumble(text: str) -> None:
    """Fail the first time that this stage run comes here."""
    stage = get_stage()
    mark = MARKS / "stumbled" / stage.stage_run_id
    if not mark.exists():
        mark.touch()
        raise RuntimeError(text)


def effect(name: str, gate: str | None = None) -> Any:
    """Have an effect that must not happen twice: a line in a file.

    Parameters
    ----------
    gate
        Wait ``before`` the effect, or ``after`` it, until the campaign opens the gate.
    """
    stage = get_stage()
    key = f"{stage.stage_run_id}:{name}"

    def write() -> str:
        if gate == "before":
            _wait_at(key, gate)
        note("effects", key, stage.attempt)
        if gate == "after":
            _wait_at(key, gate)
        return key

    perform: Callable[[], str] = write
    return once(name, perform)


def _wait_at(key: str, where: str) -> None:
    stage = get_stage()
    name = f"{key}.{stage.attempt}"
    arrival = MARKS / "arriving" / name
    arrival.write_text(f"{key} {where} {stage.attempt} {os.getpid()}")
    arrival.rename(MARKS / "arrived" / name)
    while not (MARKS / "gates" / name).exists() and not (MARKS / "gates" / "all").exists():
        time.sleep(0.01)
