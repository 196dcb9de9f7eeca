"""Which of the queued stage runs come next, so that no workflow keeps the others waiting."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Candidate:
    """A queued stage run, as far as its turn depends on it."""

    id: str
    workflow_uid: str
    pool: str | None


def fair_order(
    candidates: Iterable[Candidate],
    running: Mapping[str, int],
    *,
    limit: int,
    room: Mapping[str, int] | None = None,
) -> list[str]:
    """Return up to `limit` ids: always one of the workflow with the fewest running, the oldest first.

    Parameters
    ----------
    candidates
        In the order in which they became due.
    running
        How many stage runs each workflow has running.
    room
        How many more each pool admits; a pool that is not named admits any number.
    """
    left = dict(room or {})
    queues: dict[str, deque[tuple[int, Candidate]]] = defaultdict(deque)
    for place, candidate in enumerate(candidates):
        queues[candidate.workflow_uid].append((place, candidate))
    load = Counter(running)
    chosen: list[str] = []
    while queues and len(chosen) < limit:
        workflow = min(queues, key=lambda uid: (load[uid], queues[uid][0][0]))
        _, candidate = queues[workflow].popleft()
        if not queues[workflow]:
            del queues[workflow]
        if candidate.pool in left:
            if left[candidate.pool] <= 0:
                continue
            left[candidate.pool] -= 1
        load[workflow] += 1
        chosen.append(candidate.id)
    return chosen
