"""Ids of the items of an `each`, by which branches know what they are for.

An id is unique in its run: two stage runs may have the same key and sequence (after joins of interleaved
branches), so the id of the stage run that made the items is part of it. It has no part in any order.
"""

from __future__ import annotations

from collections.abc import Mapping

from .records import StageRun


def origin(source: StageRun) -> str:
    """Return the start of the ids of all items that a stage run makes."""
    return f"{'.'.join(map(str, source.key))}.{source.sequence}@{source.id}"


def item_id(above: str, transition: str, index: int) -> str:
    """Return the id of an item, below an origin or another item of the same stage run."""
    return f"{above}:{transition}:{index}"


def scope_order(scope: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Return what scopes are sorted by: the same in every run of the same course."""
    return tuple(sorted((name, _without_source(item)) for name, item in scope.items()))


def _without_source(item: str) -> str:
    place, _, rest = item.partition("@")
    return place + rest[rest.find(":") :]
