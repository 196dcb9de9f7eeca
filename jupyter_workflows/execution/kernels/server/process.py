"""What makes a forked process one of its own, before it is a kernel."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import socket
import sys
import time
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_libc = ctypes.CDLL(None)

#: How often it is tried, a millisecond apart, to bury what was killed.
_ROUNDS = 100


@dataclass(frozen=True, slots=True)
class Seat:
    """What a forked process has been given: its channel to the server, and a name for its sockets."""

    channel: socket.socket
    sockets: str


def seat_child(server: int, channel: socket.socket, sockets: str) -> Seat:
    """Make a freshly forked process the leader of its own session, which dies with its server."""
    os.setsid()
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    adopt_orphans()  # so that, at this process's end, they come to the server
    if os.getppid() != server:  # it ended before the line above
        os._exit(1)
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):  # what the server writes is no business of a notebook
        os.dup2(null, descriptor)
    os.close(null)
    return Seat(channel, sockets)


def adopt_orphans() -> None:
    """Become the parent of descendants whose parents end, instead of the system's first process."""
    _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1)


def end_orphans(*, spare: Collection[int]) -> None:
    """Kill and bury the children of this process but for some, and the children that these leave.

    What a kernel started in a session of its own is not in the kernel's group.
    """
    for _ in range(_ROUNDS):
        orphans = [pid for pid in _children() if pid not in spare]
        if not orphans:
            return
        for pid in orphans:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, os.WNOHANG)
        time.sleep(0.001)


def _children() -> list[int]:
    try:
        # Of a process with one thread these are all.
        with open("/proc/thread-self/children", "rb") as file:  # noqa: PTH123
            return [int(pid) for pid in file.read().split()]
    except FileNotFoundError:  # the system's kernel was built without it
        return []


class Surroundings:
    """The server's own environment and search path, as kernels must not simply inherit them."""

    def __init__(self) -> None:
        inherited = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
        self.path = [path for path in sys.path if path not in inherited]
        self.locale = _locale_of(os.environ)

    def replace(self, environment: dict[str, str], cwd: str) -> None:
        """Put on a kernel's environment, working directory and search path."""
        os.chdir(cwd)
        self._replace_variables(environment)
        extra = [
            os.path.join(cwd, path)  # noqa: PTH118
            for path in environment.get("PYTHONPATH", "").split(os.pathsep)
            if path
        ]
        sys.path[:] = [*extra, *self.path]
        sys.dont_write_bytecode = bool(environment.get("PYTHONDONTWRITEBYTECODE"))
        sys.pycache_prefix = environment.get("PYTHONPYCACHEPREFIX") or None
        if "TZ" in environment:
            time.tzset()
        if _locale_of(environment) != self.locale:
            import locale

            locale.setlocale(locale.LC_CTYPE, "")

    def _replace_variables(self, environment: dict[str, str]) -> None:
        encoding = sys.getfilesystemencoding()
        wanted = {
            name.encode(encoding, "surrogateescape"): value.encode(encoding, "surrogateescape")
            for name, value in environment.items()
        }
        present: dict[bytes, bytes] = os.environ._data  # type: ignore[attr-defined]
        for name in present.keys() - wanted.keys():
            os.unsetenv(name)
        for name, value in wanted.items():
            if present.get(name) != value:
                os.putenv(name, value)
        present.clear()
        present.update(wanted)


def limit_memory(size: int) -> None:
    """Bound what this process may allocate.

    ``RLIMIT_DATA`` counts the memory that the process may write; ``RLIMIT_AS`` would also count mapped
    libraries and address space that is merely reserved, of which numpy alone takes more than 512 MiB.
    """
    resource.setrlimit(resource.RLIMIT_DATA, (size, size))


def renew_secrets() -> None:
    """Replace random state that all forked processes would share.

    `random` sees to itself, and what asks the system (`uuid`, `secrets`, `ssl`, ``default_rng``) shares
    nothing.
    """
    if numpy_random := sys.modules.get("numpy.random"):
        numpy_random.seed()
    if process := sys.modules.get("multiprocessing.process"):
        process.current_process().authkey = os.urandom(32)
    if tempfile := sys.modules.get("tempfile"):
        vars(tempfile)["tempdir"] = None  # the environment may name another one


def _locale_of(environment: Any) -> list[str | None]:
    return [environment.get(name) for name in ("LC_ALL", "LC_CTYPE", "LANG")]
