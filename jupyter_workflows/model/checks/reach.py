"""Which stages a run can begin with and get to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from ..document import Document


def reachable(document: Document, starts: Iterable[str]) -> set[str]:
    """Return the stages that can be reached from others, these included."""
    targets = defaultdict(set)
    for transition in document.transitions.values():
        if transition.target in document.stages:
            targets[transition.source].add(transition.target)
    reached = set(starts)
    pending = list(reached)
    while pending:
        new = targets[pending.pop()] - reached
        reached |= new
        pending += new
    return reached


def entries(document: Document) -> set[str]:
    """Return the stages that say so, or whose predecessors are all reachable from them."""
    sources = defaultdict(set)
    for transition in document.transitions.values():
        if transition.source in document.stages:
            sources[transition.target].add(transition.source)
    return {
        key
        for key, stage in document.stages.items()
        if stage.start or not sources[key] or sources[key] <= reachable(document, {key})
    }
