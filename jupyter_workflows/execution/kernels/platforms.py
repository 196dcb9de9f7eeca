"""Where kernels can be forked."""

from __future__ import annotations

import os
import sys


def can_fork_kernels() -> bool:
    """Return whether this system has what the fork server is built on."""
    return sys.platform == "linux" and hasattr(os, "fork") and hasattr(os, "pidfd_open")


def start_ticks(pid: int) -> int | None:
    """Return when a process started, in ticks since the machine did; `None` if there is none.

    Together with the process id it identifies a process, also after the id was given to another one.
    """
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return None
    return None if fields[0] in (b"Z", b"X") else int(fields[19])
