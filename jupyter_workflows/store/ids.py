"""Identifiers that sort by the time at which they were made."""

from __future__ import annotations

import secrets
import threading
import time

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_EPOCH_MS = 1_704_067_200_000  # 2024-01-01 UTC
_TIME_CHARACTERS = 8
_RANDOM_CHARACTERS = 12


def _encode(number: int, length: int) -> str:
    characters = [""] * length
    for place in range(length - 1, -1, -1):
        characters[place] = _ALPHABET[number & 31]
        number >>= 5
    return "".join(characters)


_lock = threading.Lock()
_last = (0, 0)


def new_id() -> str:
    """Return a new identifier: 20 characters, safe in file names and URLs.

    Those that one process makes sort in the order in which they were made, also within a millisecond: so do
    the items of a fan-out.
    """
    global _last
    milliseconds = time.time_ns() // 1_000_000 - _EPOCH_MS
    with _lock:
        before, random = _last
        if milliseconds > before:
            random = secrets.randbits(5 * _RANDOM_CHARACTERS - 1)
        else:  # the clock may also have been set back
            milliseconds, random = before, random + 1
        _last = milliseconds, random
    return _encode(milliseconds, _TIME_CHARACTERS) + _encode(random, _RANDOM_CHARACTERS)
