"""Who a runner is on its host, so that others can see whether it still lives."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from pathlib import Path

import psutil

from .ids import new_id

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_START_TIME_FIELD = 19  # counted after the command's closing parenthesis


def _boot_id() -> str:
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        return f"{socket.gethostname()}:{int(psutil.boot_time())}"


def _pid_namespace() -> str:
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return ""


def _start_ticks(pid: int) -> int | None:
    """Return when a process started, in the kernel's own raw unit; `None` if there is no such process."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        if Path("/proc/self/stat").exists():
            return None
        try:
            return int(psutil.Process(pid).create_time() * 1000)
        except psutil.NoSuchProcess:
            return None
    fields = status.rpartition(")")[2].split()
    if fields[0] in "ZX":
        return None
    return int(fields[_START_TIME_FIELD])


@dataclass(frozen=True, slots=True)
class RunnerIdentity:
    """A runner's process, told apart from any other that ever had its process id.

    Parameters
    ----------
    id
        Made when the runner starts; what stage runs and runs refer to.
    start_ticks
        When the process started, as the kernel counts it: unlike a date it does not move with the clock.
    """

    id: str
    host: str
    boot_id: str
    pid_namespace: str
    pid: int
    start_ticks: int

    @classmethod
    def current(cls, runner_id: str | None = None) -> RunnerIdentity:
        """Return an identity for this process."""
        pid = os.getpid()
        return cls(
            id=runner_id or new_id(),
            host=socket.gethostname(),
            boot_id=_boot_id(),
            pid_namespace=_pid_namespace(),
            pid=pid,
            start_ticks=_start_ticks(pid) or 0,
        )


def is_alive(identity: RunnerIdentity, *, same_host: bool = False) -> bool | None:
    """Return whether a runner's process lives; `None` where this process cannot see it.

    Parameters
    ----------
    same_host
        That only processes of this host can have used the database: then another boot is a dead one.
    """
    if identity.boot_id != _boot_id():
        return False if same_host else None
    if identity.pid_namespace != _pid_namespace():
        return None
    return _start_ticks(identity.pid) == identity.start_ticks
