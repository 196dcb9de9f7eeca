"""The lock that a kernel holds on its stage run's folder for as long as it lives.

Two kernels must never work in one folder: the journal would be torn. A new attempt therefore ends
whatever still holds the lock of an older one, and then goes on.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from jupyter_workflows.execution.kernels.platforms import start_ticks

if os.name == "posix":
    import fcntl


@dataclass(frozen=True, slots=True)
class LockHolder:
    """The process that wrote its name into a lock.

    Parameters
    ----------
    pid
        Its process id.
    start
        When it started, in ticks since the machine did; `None` if it did not say.
    """

    pid: int
    start: int | None = None

    def is_alive(self) -> bool:
        """Return whether this very process still runs, and not another with its id."""
        ticks = start_ticks(self.pid)
        return ticks is not None and self.start in (None, ticks)

    def processes(self) -> list[int]:
        """Return the holder and what is left of its session."""
        if start_ticks(self.pid) is not None and not self.is_alive():
            return []
        return [pid for pid in _processes() if pid == self.pid or _session_of(pid) == self.pid]


class LockBusy(OSError):
    """A lock is held by another process, which does not let go."""

    def __init__(self, path: str | Path, holder: LockHolder | None) -> None:
        self.holder = holder
        name = f"process {holder.pid}" if holder else "another process"
        super().__init__(f"{name} still works in {Path(path).parent}")


def hold(path: str | Path) -> int:
    """Take a lock for the rest of this process's life and write down who has it.

    Returns
    -------
    int
        The descriptor that holds the lock. Closing it gives the lock back.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise LockBusy(path, read_holder(path)) from error
    pid = os.getpid()
    os.ftruncate(descriptor, 0)
    os.write(descriptor, json.dumps({"pid": pid, "start": start_ticks(pid)}).encode() + b"\n")
    return descriptor


def read_holder(path: str | Path) -> LockHolder | None:
    """Return who wrote its name into a lock last; whether it still holds it is another question."""
    try:
        value = json.loads(Path(path).read_text())
    except (OSError, ValueError):
        return None
    if isinstance(value, int):
        return _earlier_than_lock(value, Path(path))
    try:
        return LockHolder(int(value["pid"]), value.get("start"))
    except (KeyError, TypeError, ValueError):
        return None


def take_over(path: str | Path, *, timeout: float = 10.0) -> LockHolder | None:
    """Make a lock free: kill its holder and what it left in its session, and wait until it let go.

    Call it before a new attempt's kernel is started. Where the lock is free it returns at once.

    Returns
    -------
    LockHolder or None
        Who was killed for it.

    Raises
    ------
    LockBusy
        The lock is still held after `timeout` seconds: by a process that did not write its name, or
        that the system does not let go.
    """
    if os.name != "posix" or not Path(path).exists():
        return None
    killed: LockHolder | None = None
    deadline = time.monotonic() + timeout
    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        while True:
            with contextlib.suppress(OSError):
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return killed
            holder = read_holder(path)
            if holder is not None and holder.pid != os.getpid():
                for pid in holder.processes():
                    with contextlib.suppress(ProcessLookupError, PermissionError):
                        os.kill(pid, signal.SIGKILL)
                        killed = holder
            if time.monotonic() > deadline:
                raise LockBusy(path, holder)
            time.sleep(0.01)
    finally:
        os.close(descriptor)


def _earlier_than_lock(pid: int, path: Path) -> LockHolder | None:
    """Return a holder that wrote only its process id, if that process is older than what it wrote."""
    ticks = start_ticks(pid)
    if ticks is None:
        return LockHolder(pid, -1)
    started = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME) + ticks / os.sysconf("SC_CLK_TCK")
    return LockHolder(pid, ticks if started <= path.stat().st_mtime + 1 else -1)


def _processes() -> Iterator[int]:
    return (int(entry.name) for entry in os.scandir("/proc") if entry.name.isdigit())


def _session_of(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except OSError:
        return None
