"""Addresses that whoever knows them may use: each carries a code that only this installation can make."""

from __future__ import annotations

import hashlib
import hmac

#: Hexadecimal digits of a code: 160 bits.
LENGTH = 40


def code(key: bytes, *parts: str) -> str:
    """Return the code for an address.

    Parameters
    ----------
    key
        The installation's own, from `Store.address_key`.
    parts
        What the address is for and of; none holds a line break.
    """
    return hmac.new(key, "\n".join(parts).encode(), hashlib.sha256).hexdigest()[:LENGTH]


def is_code(given: str, key: bytes, *parts: str) -> bool:
    """Return whether a code is the right one, in a time that does not tell how nearly it is."""
    return hmac.compare_digest(given.encode(), code(key, *parts).encode())


def callback(key: bytes, stage_run_id: str, name: str) -> str:
    """Return the path, below the server's address, at which a callback is taken."""
    return f"workflows/callbacks/{stage_run_id}/{name}/{code(key, 'callback', stage_run_id, name)}"


def answer(key: bytes, stage_run_id: str) -> str:
    """Return the path, below the server's address, at which a caller looks for its answer."""
    return f"workflows/answers/{stage_run_id}/{code(key, 'answer', stage_run_id)}"
