"""Trees of files: removing them whatever their permissions, and copying large files cheaply."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import sys
import time
from pathlib import Path

if sys.platform == "linux":
    import fcntl

#: The request that lets a new file share another one's blocks until one of them changes.
_FICLONE = 0x40049409
_TRIES = 5


def remove_tree(folder: Path) -> bool:
    """Remove a folder, also what is read-only in it; return whether it is gone.

    A process that just ends may still write into it, so that it is tried several times.
    """
    for number in range(_TRIES):
        if _is_gone(folder):
            return True
        _make_writable(folder)
        shutil.rmtree(folder, ignore_errors=True)
        if _is_gone(folder):
            return True
        time.sleep(0.01 * number)
    return False


def _is_gone(path: Path) -> bool:
    try:
        path.lstat()
    except FileNotFoundError:
        return True
    except OSError:  # nobody lets us look
        return False
    return False


def _make_writable(folder: Path) -> None:
    """Let the owner into all folders of a tree; without that nothing in them can be removed."""
    waiting = [folder]
    while waiting:
        path = waiting.pop()
        with contextlib.suppress(OSError):
            if path.is_symlink():
                continue
            mode = stat.S_IMODE(path.stat().st_mode)
            if mode & stat.S_IRWXU != stat.S_IRWXU:
                path.chmod(mode | stat.S_IRWXU)
            with os.scandir(path) as entries:
                waiting += [Path(entry) for entry in entries if entry.is_dir(follow_symlinks=False)]


def clone(source: Path, target: Path) -> bool:
    """Make `target` share the blocks of `source`, where the file system can; return whether it did.

    Each of the two can be changed without the other.
    """
    if sys.platform != "linux":
        return False
    with source.open("rb") as reading, target.open("xb") as writing:
        try:
            fcntl.ioctl(writing.fileno(), _FICLONE, reading.fileno())
        except OSError:
            done = False
        else:
            done = True
    if not done:
        target.unlink()
    return done
