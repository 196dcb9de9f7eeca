"""Frames of the websocket of a kernel's channels, read with bounds.

Jupyter Server's own parser trusts the number of offsets that a frame claims to have: nine bytes keep it busy
until its memory is used up.
"""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass
from typing import Any

PROTOCOL = "v1.kernel.websocket.jupyter.org"

#: A channel's name, four parts of a message, and buffers.
_FEWEST = 6
_MOST = 4096
_WORD = 8
#: Bytes of a part that is read as JSON.
_LARGEST_HEADER = 64 * 1024
#: How deep JSON may be nested, which Python's parser would follow until its stack ends.
_DEEPEST = 64


class MalformedFrame(ValueError):
    """A frame that is no message."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A message of a client's."""

    channel: str
    header: dict[str, Any]
    content: dict[str, Any]
    #: The parts of the message as they came: header, parent, metadata, content, and buffers.
    parts: list[bytes]


def read_frame(data: Any, *, largest_content: int) -> Frame:
    """Read a frame.

    Raises
    ------
    MalformedFrame
        It is none.
    """
    if not isinstance(data, bytes):
        raise MalformedFrame("a text frame")
    channel, parts = _split(data)
    if len(parts) < 4:
        raise MalformedFrame("a message lacks parts")
    header = _mapping(parts[0], "the header", _LARGEST_HEADER)
    content = _mapping(parts[3], "the content", largest_content)
    for name in ("msg_id", "msg_type"):
        if not isinstance(header.get(name), str) or len(header[name]) > 200:
            raise MalformedFrame(f"the header has no {name}")
    return Frame(channel, header, content, parts)


def _split(data: bytes) -> tuple[str, list[bytes]]:
    count = int.from_bytes(data[:_WORD], "little")
    if not _FEWEST <= count <= _MOST or len(data) < _WORD * (count + 1):
        raise MalformedFrame("a wrong number of offsets")
    offsets = [
        int.from_bytes(data[_WORD * (place + 1) : _WORD * (place + 2)], "little") for place in range(count)
    ]
    if offsets != sorted(offsets) or offsets[0] != _WORD * (count + 1) or offsets[-1] != len(data):
        raise MalformedFrame("offsets that do not fit")
    pieces = [data[start:end] for start, end in itertools.pairwise(offsets)]
    try:
        channel = pieces[0].decode("ascii")
    except UnicodeDecodeError:
        raise MalformedFrame("a channel's name that is none") from None
    return channel, pieces[1:]


def _mapping(part: bytes, what: str, largest: int) -> dict[str, Any]:
    if len(part) > largest:
        raise MalformedFrame(f"{what} is too long")
    if part.count(b"[") + part.count(b"{") > _DEEPEST and _depth(part) > _DEEPEST:
        raise MalformedFrame(f"{what} is nested too deeply")
    try:
        value = json.loads(part)
    except (ValueError, RecursionError):
        raise MalformedFrame(f"{what} is no JSON") from None
    if not isinstance(value, dict):
        raise MalformedFrame(f"{what} is no mapping")
    return value


def _depth(part: bytes) -> int:
    """Return how deep brackets are nested; those within strings count too, which errs on the safe side."""
    depth = deepest = 0
    for byte in part:
        if byte in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"]}":
            depth -= 1
    return deepest


def write_frame(channel: str, parts: list[bytes]) -> bytes:
    """Return a frame for a client."""
    pieces = [channel.encode(), *parts]
    place = _WORD * (len(pieces) + 2)
    offsets = [place]
    for piece in pieces:
        place += len(piece)
        offsets.append(place)
    return b"".join(number.to_bytes(_WORD, "little") for number in (len(offsets), *offsets)) + b"".join(
        pieces
    )
