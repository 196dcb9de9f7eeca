"""Identifiers that sort by the time at which they were made."""

from __future__ import annotations

import secrets
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


def new_id() -> str:
    """Return a new identifier: 20 characters, safe in file names and URLs."""
    milliseconds = time.time_ns() // 1_000_000 - _EPOCH_MS
    random = int.from_bytes(secrets.token_bytes(8), "big")
    return _encode(milliseconds, _TIME_CHARACTERS) + _encode(random, _RANDOM_CHARACTERS)
