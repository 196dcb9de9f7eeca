"""``draft.json``: the page that somebody has begun to fill in."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..blobs import write_whole

if TYPE_CHECKING:
    from .presenter import OpenPage

_NAME = "draft.json"


def write_half_filled(folder: Path, page: OpenPage, states: Mapping[str, Any], attempt: int) -> None:
    """Keep the states of a page's fields, but not of passwords.

    Parameters
    ----------
    folder
        The stage run's folder.
    states
        What `Field.state_of` gives, by field key; fields that were not filled in may be missing.
    """
    secret = {field.key for field in page.fields if field.secret}
    content = {
        "format": 1,
        "position": page.position,
        "fingerprint": page.base,
        "attempt": attempt,
        "time": dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds"),
        "state": {key: state for key, state in states.items() if key not in secret},
    }
    write_whole(folder / _NAME, json.dumps(content).encode())


def read_half_filled(folder: Path, page: OpenPage) -> dict[str, Any]:
    """Return the states that were kept for this page; none if they belong to another one."""
    try:
        content = json.loads((folder / _NAME).read_bytes())
        same = (
            content["format"] == 1
            and content["position"] == page.position
            and content["fingerprint"] == page.base
        )
        state = content["state"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return dict(state) if same and isinstance(state, dict) else {}
