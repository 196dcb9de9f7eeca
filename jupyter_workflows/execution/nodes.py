"""Making parts of notebooks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nbformat import NotebookNode


def node(base: Mapping[str, Any] | None = None, /, **values: Any) -> NotebookNode:
    """Return a part of a notebook with the items of `base` and `values`; nbformat's class has no types."""
    return NotebookNode({**(base or {}), **values})  # type: ignore[no-untyped-call]
