"""Jupyter messages over one pair of connected sockets, between a kernel and the process that uses it.

A forked kernel that nobody else talks to needs no ZeroMQ: neither its sockets and threads, which are most of
what a kernel's start costs, nor signatures, since the pair has no name and nobody else can reach it. The
messages are Jupyter's own, on two channels, shell and IOPub; order is kept, and nothing is dropped.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

SHELL, IOPUB = 0, 1

#: The channel, the number of parts, and then the length of each.
_HEAD = struct.Struct("!BI")

#: Read so much at once.
PIECE = 1 << 18

_FIELDS = ("header", "parent_header", "metadata", "content")


def pack(
    channel: int, message: dict[str, Any], buffers: Sequence[Any], dump: Callable[[Any], bytes]
) -> bytes:
    """Return a message as it travels.

    Parameters
    ----------
    dump
        Turns JSON into bytes; a session's own `pack`.
    """
    text = dump({name: message[name] for name in _FIELDS})
    views = [memoryview(buffer) for buffer in buffers]
    lengths = struct.pack(f"!{1 + len(views)}Q", len(text), *(view.nbytes for view in views))
    return b"".join([_HEAD.pack(channel, 1 + len(views)), lengths, text, *views])


class Messages:
    """Puts messages together from the pieces in which they arrive."""

    __slots__ = ("_data", "_needed")

    def __init__(self) -> None:
        self._data = bytearray()
        self._needed = _HEAD.size

    def feed(self, piece: bytes) -> Iterator[tuple[int, dict[str, Any]]]:
        """Take in a piece, and yield channel and message of each that is complete now."""
        data = self._data
        data += piece
        start = 0
        while len(data) - start >= self._needed:
            channel, count = _HEAD.unpack_from(data, start)
            place = start + _HEAD.size + 8 * count
            if len(data) < place:
                self._needed = place - start
                break
            lengths = struct.unpack_from(f"!{count}Q", data, start + _HEAD.size)
            end = place + sum(lengths)
            if len(data) < end:
                self._needed = end - start
                break
            parts = []
            for length in lengths:
                parts.append(bytes(data[place : place + length]))
                place += length
            start, self._needed = end, _HEAD.size
            yield channel, _unpack(parts)
        del data[:start]


def _unpack(parts: list[bytes]) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(parts[0].decode("utf8", "replace"))
    header = message["header"]
    for place in (header, message["parent_header"]):
        if "date" in place:
            place["date"] = _date(place["date"])
    message["msg_id"] = header["msg_id"]
    message["msg_type"] = header["msg_type"]
    message["buffers"] = [memoryview(part) for part in parts[1:]]
    return message


def _date(text: Any) -> Any:
    """Return a date as jupyter_client does, with a time zone."""
    try:
        date = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return text
    return date if date.tzinfo is not None else date.replace(tzinfo=UTC)
