"""Merging what several branches bring to a join."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from .graph import Graph
from .joins import arrival_order
from .records import Arrival, StageData

__all__ = ["Ancestry", "Merged", "merge", "merge_arrivals"]

#: So many stage runs whose write lost are named in a conflict.
_NAMED = 20

_DELETED = object()


class Ancestry:
    """Which stage run descends from which, by the parents of each. It is called to ask about two of them.

    Parameters
    ----------
    parents
        The parents of every stage run of the run, by id.
    """

    def __init__(self, parents: Mapping[str, Collection[str]]) -> None:
        self._parents = parents

    def __call__(self, ancestor: str, descendant: str) -> bool:
        """Tell whether one stage run is an ancestor of another. None is its own."""
        return ancestor != descendant and ancestor in self.above([descendant])

    def above(self, stage_runs: Iterable[str]) -> set[str]:
        """Return the ancestors of stage runs."""
        found: set[str] = set()
        queue = list(stage_runs)
        while queue:
            for parent in self._parents.get(queue.pop(), ()):
                if parent not in found:
                    found.add(parent)
                    queue.append(parent)
        return found


class Merged(NamedTuple):
    """What a join starts with.

    Parameters
    ----------
    data
        The merged stage data.
    inputs
        The data of each arrival in branch order, without the empty ones.
    conflicts
        Where unrelated branches left different values under one key: ``{"key", "winner", "others",
        "count"}``, with the stage runs that wrote them (some, if there are many; `None`: what the run
        started with), and how many lost. JSON.
    """

    data: StageData
    inputs: list[dict[str, Any]]
    conflicts: list[dict[str, Any]]


def merge(
    graph: Graph,
    stage_id: str,
    arrivals: Sequence[Arrival],
    is_ancestor: Callable[[str, str], bool],
    *,
    stage_run: str,
) -> Merged:
    """Merge the data of arrivals.

    Each key remembers the stage run that last set or deleted it. Of several writes of a key, that of an
    ancestor loses to that of a descendant. Of what is left, the last in branch order wins; different values
    from different stage runs are a conflict. One stage run that gave its successors different values (the
    items of an `each`) is none.

    Branch order is the arrivals' key and sequence, then their transition and items. Where even these are the
    same, it is the text of the data, so that the result never depends on the order of arrival.

    Parameters
    ----------
    arrivals
        All that arrived, with their data; in any order.
    is_ancestor
        Tells whether the first stage run is an ancestor of the second. An `Ancestry` is the fastest.
    stage_run
        The joining stage run, the writer of what it collects.
    """
    merged = merge_arrivals(arrivals, is_ancestor)
    values, writers = dict(merged.data.values), dict(merged.data.writers)
    for key, collected in sorted(graph.stages[stage_id].collect.items()):
        values[key] = [given[collected] for given in merged.inputs if collected in given]
        writers[key] = stage_run
    return merged._replace(data=StageData(values, writers))


def merge_arrivals(arrivals: Sequence[Arrival], is_ancestor: Callable[[str, str], bool]) -> Merged:
    """Merge the data of arrivals as `merge` does, without what a stage collects."""
    ordered = [
        arrival
        for _, alike in groupby(sorted(arrivals, key=arrival_order), key=arrival_order)
        for arrival in _by_text(list(alike))
    ]
    inputs = [dict(arrival.data.values) for arrival in ordered if not arrival.empty]
    values: dict[str, Any] = {}
    writers: dict[str, str | None] = {}
    conflicts: list[dict[str, Any]] = []
    for key in sorted({key for arrival in ordered for key in (*arrival.data.values, *arrival.data.writers)}):
        writes = [
            (arrival.data.writers.get(key), arrival.data.values.get(key, _DELETED))
            for arrival in ordered
            if key in arrival.data.values or key in arrival.data.writers
        ]
        writes = _standing(writes, is_ancestor)
        writer, value = writes[-1]
        writers[key] = writer
        if value is not _DELETED:
            values[key] = value
        losers = dict.fromkeys(
            other for other, theirs in writes if other != writer and not _same(theirs, value)
        )
        if losers:
            conflicts.append(
                {"key": key, "winner": writer, "others": list(losers)[:_NAMED], "count": len(losers)}
            )
    return Merged(StageData(values, writers), inputs, conflicts)


def _standing(
    writes: list[tuple[str | None, Any]], is_ancestor: Callable[[str, str], bool]
) -> list[tuple[str | None, Any]]:
    """Return the writes that no descendant's write overrides."""
    authors = {writer for writer, _ in writes}
    if len(authors) == 1:
        return writes
    overridden: set[str | None] = {None}
    known = sorted(author for author in authors if author is not None)
    if isinstance(is_ancestor, Ancestry):
        overridden |= is_ancestor.above(known)
    else:
        overridden.update(author for author in known if any(is_ancestor(author, other) for other in known))
    return [(writer, value) for writer, value in writes if writer not in overridden]


def _same(left: Any, right: Any) -> bool:
    if left is _DELETED or right is _DELETED:
        return left is right
    return left == right and _dump(left) == _dump(right)


def _by_text(arrivals: list[Arrival]) -> list[Arrival]:
    if len(arrivals) > 1:
        arrivals.sort(key=lambda arrival: _dump(arrival.data.values))
    return arrivals


def _dump(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=dict)
