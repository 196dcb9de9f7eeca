"""Messages between an executor and its workers: the length as four bytes, then JSON."""

from __future__ import annotations

import asyncio
import json
import struct
from typing import IO, Any

_LENGTH = struct.Struct("!I")


def pack(message: dict[str, Any]) -> bytes:
    """Return a message as it travels."""
    content = json.dumps(message, separators=(",", ":")).encode()
    return _LENGTH.pack(len(content)) + content


def receive(pipe: IO[bytes]) -> dict[str, Any] | None:
    """Wait for a message; `None` when the other side is gone."""
    head = pipe.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    content = pipe.read(length)
    return json.loads(content) if len(content) == length else None


async def read(reader: asyncio.StreamReader) -> dict[str, Any] | None:
    """Wait for a message; `None` when the other side is gone."""
    try:
        (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
        message: dict[str, Any] = json.loads(await reader.readexactly(length))
    except (asyncio.IncompleteReadError, OSError):
        return None
    return message
