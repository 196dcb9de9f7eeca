"""The lock that a kernel holds on its stage run's folder for as long as it lives."""

from __future__ import annotations

import os
from pathlib import Path

#: Kept open on purpose: closing the file would give the lock back.
_held: list[int] = []


def hold_lock(folder: Path | None) -> None:
    """Take the lock of a stage run's folder, unless it is held already.

    Kernels from the fork server hold it from birth; for others this is the first occasion. A process
    that the notebook started finds the lock held by its kernel, and needs none.
    """
    if folder is None or os.name != "posix":
        return
    import fcntl

    try:
        descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:  # a folder that can't be written fails where something has to be written
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return
    os.ftruncate(descriptor, 0)
    os.write(descriptor, f"{os.getpid()}\n".encode())
    _held.append(descriptor)
