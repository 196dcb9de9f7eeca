"""How the fork server, its owners and its kernels talk: lines of JSON over Unix sockets.

An owner opens one connection for each kernel. It sends ``start`` and gets the kernel's process id and
connection; it may send ``finish``; it gets ``exit`` when the kernel has ended. The end of the connection
ends the kernel, so that no kernel outlives whom it works for.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

#: The longest path that a Unix socket can be bound to.
LONGEST_SOCKET_PATH = 107

#: Name of the server's own socket in its folder.
SOCKET_NAME = "server"

#: How the message begins that asks for a kernel. The server passes it on without reading further.
START = b'{"op":"start",'

#: What it says for a kernel that is to have no sockets. Within a string its quotes would be escaped.
LINKED = b'"linked":true'

#: No message comes near this; what is longer is not ours.
_LONGEST_MESSAGE = 1 << 26


def pack(message: dict[str, Any]) -> bytes:
    """Return a message as it travels."""
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


class Lines:
    """Puts messages together from the pieces in which they arrive."""

    __slots__ = ("_pieces",)

    def __init__(self) -> None:
        self._pieces = b""

    def feed(self, data: bytes) -> Iterator[dict[str, Any]]:
        """Take in a piece, and yield each message that is complete now."""
        return map(json.loads, self.split(data))

    def split(self, data: bytes) -> Iterator[bytes]:
        """Take in a piece, and yield each message that is complete now, as it is."""
        self._pieces += data
        while (end := self._pieces.find(b"\n")) >= 0:
            line, self._pieces = self._pieces[:end], self._pieces[end + 1 :]
            yield line
        if len(self._pieces) > _LONGEST_MESSAGE:
            raise ValueError("The message is too long")


def fits(path: str | Path) -> bool:
    """Return whether a Unix socket can be bound to a path."""
    return len(os.fsencode(path)) <= LONGEST_SOCKET_PATH


@contextlib.contextmanager
def reachable(path: str) -> Iterator[str]:
    """Give a short name for a socket's path, however long the path is."""
    if fits(path):
        yield path
        return
    folder = os.open(os.path.dirname(path), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)  # noqa: PTH120
    try:
        yield f"/proc/self/fd/{folder}/{os.path.basename(path)}"  # noqa: PTH119
    finally:
        os.close(folder)


def connect(address: str) -> socket.socket:
    """Connect to a fork server."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with reachable(address) as path:
            connection.connect(path)
    except BaseException:
        connection.close()
        raise
    return connection
