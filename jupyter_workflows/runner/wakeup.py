"""Waking a runner of the same machine when there is work, without waiting for its next look.

Each runner binds a datagram socket in a folder beside the database; who queues work sends a byte to
all of them. A lost wake-up costs only time: the runner looks by itself once a second.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import sys
import uuid
from collections.abc import Callable
from pathlib import Path

#: The kernel's limit for the address of a Unix socket, without the closing zero.
_LONGEST_ADDRESS = 107


def _supported(folder: Path) -> bool:
    return (
        hasattr(socket, "AF_UNIX")
        and sys.platform != "win32"
        and (len(os.fsencode(folder)) + 20 <= _LONGEST_ADDRESS)
    )


def wake(folder: Path) -> int:
    """Wake every runner that listens in `folder`; return how many were reached.

    Sockets whose runner is gone are removed.
    """
    if not _supported(folder) or not folder.is_dir():
        return 0
    reached = 0
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.setblocking(False)
        for address in folder.glob("*.wake"):
            try:
                sender.sendto(b"!", os.fsencode(address))
                reached += 1
            except BlockingIOError:
                reached += 1  # its buffer is full of wake-ups: it will see ours with them
            except (ConnectionRefusedError, FileNotFoundError):
                address.unlink(missing_ok=True)
            except OSError:
                pass  # for example not ours to write to: that runner looks by itself
    return reached


class WakeUps:
    """The listening end, on the running event loop.

    Parameters
    ----------
    folder
        Where the socket is bound; made with mode 0700 if it is not there.
    callback
        Called on the event loop for each wake-up (several may be folded into one).
    """

    def __init__(self, folder: Path, callback: Callable[[], None]) -> None:
        self._callback = callback
        self._path = folder / f"{uuid.uuid4().hex[:12]}.wake"
        self._socket: socket.socket | None = None

    def open(self) -> None:
        """Begin to listen; where that is not possible the runner is left with its own looks."""
        folder = self._path.parent
        if not _supported(folder):
            return
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            listener.bind(os.fsencode(self._path))
        except OSError:
            listener.close()
            return
        listener.setblocking(False)
        self._socket = listener
        asyncio.get_running_loop().add_reader(listener.fileno(), self._readable)

    def _readable(self) -> None:
        assert self._socket is not None
        with contextlib.suppress(BlockingIOError):
            while self._socket.recv(64):
                pass
        self._callback()

    def close(self) -> None:
        """Stop listening and remove the socket."""
        if self._socket is None:
            return
        asyncio.get_running_loop().remove_reader(self._socket.fileno())
        self._socket.close()
        self._socket = None
        self._path.unlink(missing_ok=True)
