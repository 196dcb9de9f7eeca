"""Messages between an executor and its workers: the length as four bytes, then JSON."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from typing import Any

_LENGTH = struct.Struct("!I")


def pack(message: dict[str, Any]) -> bytes:
    """Return a message as it travels."""
    content = json.dumps(message, separators=(",", ":")).encode()
    return _LENGTH.pack(len(content)) + content


def receive(connection: socket.socket) -> dict[str, Any] | None:
    """Wait for a message; `None` when the other side is gone."""
    head = _exactly(connection, _LENGTH.size)
    content = _exactly(connection, _LENGTH.unpack(head)[0]) if head else None
    return json.loads(content) if content else None


async def read(reader: asyncio.StreamReader) -> dict[str, Any] | None:
    """Wait for a message; `None` when the other side is gone."""
    try:
        (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
        message: dict[str, Any] = json.loads(await reader.readexactly(length))
    except (asyncio.IncompleteReadError, OSError):
        return None
    return message


def _exactly(connection: socket.socket, count: int) -> bytes | None:
    pieces = []
    while count:
        try:
            piece = connection.recv(min(count, 1 << 20))
        except OSError:
            return None
        if not piece:
            return None
        pieces.append(piece)
        count -= len(piece)
    return b"".join(pieces)
