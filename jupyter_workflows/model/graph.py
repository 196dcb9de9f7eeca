"""The graph of a workflow: stages, transitions in branch order, and what can reach what."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from .document import Document


@dataclass(frozen=True, slots=True)
class GraphStage:
    """What routing and the state machine need of a stage. A path or title left out is the id.

    Parameters
    ----------
    retries, delay, backoff
        How many automatic retries, after how many seconds, growing by which factor.
    """

    id: str
    type: str = "script"
    path: str = ""
    title: str = ""
    join: Literal["any", "all", "settled"] = "any"
    per: str | None = None
    collect: Mapping[str, str] = field(default_factory=dict)
    retries: int = 0
    delay: float = 0
    backoff: float = 1
    after_crash: Literal["retry", "fail"] = "retry"
    start: bool = False
    disabled: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "path", self.path or self.id)
        object.__setattr__(self, "title", self.title or self.path)


@dataclass(frozen=True, slots=True)
class GraphTransition:
    """What routing needs of a transition.

    Parameters
    ----------
    otherwise
        It fires when no condition of the same source did (``else`` in the document).
    name
        Under which a successor finds its item (``as`` in the document).
    """

    id: str
    source: str
    target: str
    on: Literal["completed", "failed"] = "completed"
    condition: str | None = None
    otherwise: bool = False
    each: str | None = None
    name: str = "item"
    order: float = 0


@dataclass(frozen=True, slots=True)
class JoinRule:
    """How a stage gathers its arrivals.

    Parameters
    ----------
    needs_all
        Whether an unhandled failure that could have arrived keeps it from starting (``all``).
    per
        Name of the items for each of which it joins separately.
    reaching
        Other stages from which a branch can come to this one.
    losing
        Stages, perhaps the joining one too, from which a branch can come to it through another join that
        brings items together: one that is there for an item may arrive without it.
    """

    stage: str
    needs_all: bool
    per: str | None
    reaching: frozenset[str]
    losing: frozenset[str]

    def item(self, scope: Mapping[str, str]) -> str | None:
        """Return the item that a branch of this scope joins for."""
        return None if self.per is None else scope.get(self.per)

    def awaits(self, item: str | None, stage: str, scope: Mapping[str, str]) -> bool:
        """Tell whether something at `stage` can still arrive at the join for `item`.

        No branch comes to be for an item that exists already, so an item waits for its own branches only.
        The branches without an item wait for those without, and for those that may lose theirs on the way.
        """
        if self.per is None or scope.get(self.per) == item:
            return stage in self.reaching
        return item is None and stage in self.losing


class EntryError(LookupError):
    """No stage, or more than one, to start with.

    Parameters
    ----------
    choices
        Paths of the stages that a run can start with.
    """

    def __init__(self, message: str, choices: tuple[str, ...]) -> None:
        super().__init__(message)
        self.message = message
        self.choices = choices

    def __str__(self) -> str:
        return self.message


class Graph:
    """Stages and transitions, with answers to what the rules ask of them.

    Transitions from or to a stage that does not exist are left out. Nothing depends on the order in which
    stages and transitions are given: branch order is a transition's `order`, then its id.
    """

    def __init__(self, stages: Iterable[GraphStage], transitions: Iterable[GraphTransition] = ()) -> None:
        self.stages: dict[str, GraphStage] = {stage.id: stage for stage in stages}
        self.transitions: dict[str, GraphTransition] = {
            transition.id: transition
            for transition in sorted(transitions, key=lambda transition: (transition.order, transition.id))
            if transition.source in self.stages and transition.target in self.stages
        }
        self._outgoing: dict[tuple[str, str], tuple[GraphTransition, ...]] = {}
        for transition in self.transitions.values():
            at = (transition.source, transition.on)
            self._outgoing[at] = (*self._outgoing.get(at, ()), transition)
        self._reachable: dict[str, frozenset[str]] = {}
        self._behind: dict[tuple[str, str], tuple[str, ...]] = {}

    @classmethod
    def from_document(cls, document: Document) -> Graph:
        """Build the graph of a document."""
        stages = []
        for key, stage in document.stages.items():
            retries = stage.retries
            stages.append(
                GraphStage(
                    id=key,
                    type=stage.type,
                    path=stage.path,
                    title=stage.title,
                    join=stage.join,
                    per=stage.per,
                    collect=dict(stage.collect or {}),
                    retries=retries.max if retries else 0,
                    delay=retries.delay if retries else 0,
                    backoff=retries.backoff if retries else 1,
                    after_crash=stage.after_crash,
                    start=bool(stage.start),
                    disabled=stage.disabled,
                )
            )
        transitions = [
            GraphTransition(
                id=key,
                source=transition.source,
                target=transition.target,
                on=transition.on,
                condition=transition.condition,
                otherwise=transition.else_,
                each=transition.each,
                name=transition.as_,
                order=transition.order,
            )
            for key, transition in document.transitions.items()
        ]
        return cls(stages, transitions)

    def outgoing(
        self, stage: str, on: Literal["completed", "failed"] = "completed"
    ) -> tuple[GraphTransition, ...]:
        """Return a stage's transitions in branch order."""
        return self._outgoing.get((stage, on), ())

    @cached_property
    def by_path(self) -> Mapping[str, str]:
        """Stage keys by path; of two stages with the same path, the one with the smaller key."""
        return {stage.path: key for key, stage in sorted(self.stages.items(), reverse=True)}

    def reachable(self, stage: str) -> frozenset[str]:
        """Return the stages that a branch at `stage` can come to; itself only by a cycle."""
        if stage not in self._reachable:
            self._reachable[stage] = closure(self._flow(stage), self._flow)
        return self._reachable[stage]

    @cached_property
    def joins(self) -> Mapping[str, JoinRule]:
        """The rules of the stages that join, by stage."""
        joining = [stage for stage in self.stages.values() if stage.join != "any" and not stage.disabled]
        sources: dict[str, set[str]] = {}
        for key in self.stages:
            for target in self._flow(key):
                sources.setdefault(target, set()).add(key)
        before = {
            stage.id: closure(sources.get(stage.id, ()), lambda key: sources.get(key, ()))
            for stage in joining
        }
        rules = {}
        for stage in joining:
            reaching = before[stage.id] - {stage.id}
            losing: set[str] = set()
            for other in joining:
                if stage.per is not None and other.per != stage.per and other.id in reaching:
                    losing |= {other.id, *before[other.id]}
            rules[stage.id] = JoinRule(stage.id, stage.join == "all", stage.per, reaching, frozenset(losing))
        return rules

    def joins_behind(self, stage: str, name: str) -> tuple[str, ...]:
        """Return the joins that hear of an `each` with nothing to do, whose target is `stage`.

        These are the nearest joins on the ways that completed stages take. A join for each item of that
        very name has nothing to join: those behind it hear instead.

        Parameters
        ----------
        name
            The `as` of that `each`.
        """
        if (stage, name) not in self._behind:
            found = set()
            seen = {stage}
            queue = deque([stage])
            while queue:
                current = queue.popleft()
                rule = self.joins.get(current)
                if rule is not None and rule.per != name:
                    found.add(current)
                    continue
                for transition in self.outgoing(current):
                    if transition.target not in seen:
                        seen.add(transition.target)
                        queue.append(transition.target)
            self._behind[stage, name] = tuple(sorted(found))
        return self._behind[stage, name]

    @cached_property
    def entries(self) -> tuple[str, ...]:
        """Keys of the stages with which a run can start, sorted by path.

        An entry says `start`, or all that leads to it is reachable from it: so a stage without
        predecessors, and the first form although a loop leads back to it. In a cycle that nothing leads
        into every stage is one, unless some of them say `start`: then it is those. A disabled stage is
        none.
        """
        predecessors: dict[str, set[str]] = {}
        targets: dict[str, set[str]] = {}
        for transition in self.transitions.values():
            predecessors.setdefault(transition.target, set()).add(transition.source)
            targets.setdefault(transition.source, set()).add(transition.target)
        found = []
        for key, stage in self.stages.items():
            if stage.disabled:
                continue
            if not stage.start and key in predecessors:
                after = closure(targets.get(key, ()), lambda at: targets.get(at, ()))
                before = closure(predecessors[key], lambda at: predecessors.get(at, ()))
                if not before <= after:
                    continue
                # Whatever leads here is in one cycle with it.
                if any(self.stages[at].start and not self.stages[at].disabled for at in before):
                    continue
            found.append(key)
        return tuple(sorted(found, key=lambda key: (self.stages[key].path, key)))

    def entry(self, path: str | None = None) -> str:
        """Return the key of the stage with which a run starts.

        Parameters
        ----------
        path
            Which one; any stage that is not disabled. `None`: the only entry.

        Raises
        ------
        EntryError
            If there is no such stage, or it is not clear which.
        """
        choices = tuple(self.stages[key].path for key in self.entries)
        if path is not None:
            key = self.by_path.get(path)
            if key is None:
                known = ", ".join(sorted(self.by_path)) or "none"
                raise EntryError(f"There is no stage {path!r}; the stages are: {known}.", choices)
            if self.stages[key].disabled:
                raise EntryError(f"The stage {path!r} is disabled; enable it to start with it.", choices)
            return key
        if len(choices) == 1:
            return self.entries[0]
        if choices:
            raise EntryError(
                f"The workflow has several first stages, name one: {', '.join(choices)}.", choices
            )
        raise EntryError(
            "The workflow has no stage to start with; every enabled stage waits for another."
            if self.stages
            else "The workflow has no stages.",
            choices,
        )

    def _flow(self, stage: str) -> tuple[str, ...]:
        """Return where a branch at `stage` can go next. A disabled stage cannot fail."""
        targets = [transition.target for transition in self.outgoing(stage)]
        if not self.stages[stage].disabled:
            targets += [transition.target for transition in self.outgoing(stage, "failed")]
        return tuple(targets)


def closure(start: Iterable[str], step: Callable[[str], Iterable[str]]) -> frozenset[str]:
    """Return `start` and all that follows from it, step by step."""
    seen = set(start)
    queue = list(seen)
    while queue:
        for following in step(queue.pop()):
            if following not in seen:
                seen.add(following)
                queue.append(following)
    return frozenset(seen)
