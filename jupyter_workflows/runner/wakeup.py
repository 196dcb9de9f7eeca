"""Waking processes of the same machine when there is something for them, without waiting for their next look.

Each runner, and each server, binds a datagram socket in a folder beside the database; who queues work sends
a byte to the runners, and a runner that has an answer for a caller sends the stage run's id to the servers.
A lost wake-up costs only time: everybody looks by themselves too.
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

#: To runners: there is new work, and nothing else has changed.
QUEUED = b"+"
#: To runners: look at everything; what runs may have been cancelled.
CHANGED = b"!"

#: Who listens, by the ending of the socket's name.
RUNNERS = "wake"
SERVERS = "answer"


def _supported(folder: Path) -> bool:
    return (
        hasattr(socket, "AF_UNIX")
        and sys.platform != "win32"
        and (len(os.fsencode(folder)) + 20 <= _LONGEST_ADDRESS)
    )


def wake(folder: Path, message: bytes = CHANGED, *, kind: str = RUNNERS) -> int:
    """Wake everybody of a kind that listens in `folder`; return how many were reached.

    Sockets whose process is gone are removed.
    """
    if not _supported(folder) or not folder.is_dir():
        return 0
    reached = 0
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.setblocking(False)
        for address in folder.glob(f"*.{kind}"):
            try:
                sender.sendto(message, os.fsencode(address))
                reached += 1
            except BlockingIOError:
                reached += 1  # its buffer is full of wake-ups: it will see ours with them
            except (ConnectionRefusedError, FileNotFoundError):
                address.unlink(missing_ok=True)
            except OSError:
                pass  # for example not ours to write to: that one looks by itself
    return reached


class WakeUps:
    """The listening end, on the running event loop.

    Parameters
    ----------
    folder
        Where the socket is bound; made with mode 0700 if it is not there.
    callback
        Called on the event loop with the messages that have come.
    """

    def __init__(self, folder: Path, callback: Callable[[list[bytes]], None], *, kind: str = RUNNERS) -> None:
        self._callback = callback
        self._path = folder / f"{uuid.uuid4().hex[:12]}.{kind}"
        self._socket: socket.socket | None = None

    def open(self) -> None:
        """Begin to listen; where that is not possible the process is left with its own looks."""
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
        messages = []
        with contextlib.suppress(BlockingIOError):
            while message := self._socket.recv(64):
                messages.append(message)
        self._callback(messages)

    def close(self) -> None:
        """Stop listening and remove the socket."""
        if self._socket is None:
            return
        asyncio.get_running_loop().remove_reader(self._socket.fileno())
        self._socket.close()
        self._socket = None
        self._path.unlink(missing_ok=True)
