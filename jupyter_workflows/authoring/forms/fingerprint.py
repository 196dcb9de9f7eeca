"""Whether a page is still the page that was answered."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any, Protocol


class Shown(Protocol):
    """A part of a page."""

    def shown(self) -> Any:
        """Return what a person sees of it, as JSON."""


def fingerprint(title: str, items: Sequence[Shown], actions: Sequence[str]) -> str:
    """Return a hash of what a person sees of a page."""
    shown = [title, [item.shown() for item in items], list(actions)]
    return hashlib.sha256(json.dumps(shown, sort_keys=True, default=str).encode()).hexdigest()
