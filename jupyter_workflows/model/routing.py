"""Where a branch goes next: conditions, `else`, `each`, and what a notebook asked for with `next_stage`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Literal

from jupyter_workflows.authoring.wire import Artifact, Load, decode

from . import conditions, items
from .graph import Graph, GraphStage, GraphTransition
from .records import NextStage, StageData, StageRun

__all__ = ["RoutingError", "route"]

_ENTRY_KEYS = ("stage", "data", "assignee")


class RoutingError(Exception):
    """It cannot be decided where a branch goes next. The message says why, and what would mend it."""


def route(
    graph: Graph,
    stage_id: str,
    source: StageRun,
    data: StageData,
    requested: Sequence[Mapping[str, Any]] | None,
    *,
    failed: bool = False,
    load: Load | None = None,
) -> tuple[NextStage, ...]:
    """Return the successors of a stage run in branch order.

    A disabled stage makes none: its own transitions are followed at once, with the data as it comes.

    Parameters
    ----------
    data
        The stage data after the stage; of a failed one, what it had started with.
    requested
        The entries given to `next_stage`, each ``{"stage"?, "data"?: wire mapping, "assignee"?}``. `None`:
        all transitions whose condition holds.
    failed
        Follow the ``failed`` transitions.
    load
        Finds the file of an artifact of type ``json``: a value too long to lie in the stage data. Without
        it such a value has a length, and nothing else.

    Raises
    ------
    RoutingError
        A condition cannot be evaluated, an `each` does not name a list, disabled stages form a cycle, or
        `requested` names what is not a successor.
    """
    router = _Router(graph, source, load)
    branch = _Branch(data, items.origin(source))
    if requested is None:
        router.follow(stage_id, "failed" if failed else "completed", branch)
    else:
        router.follow_requested(stage_id, requested, branch)
    return router.result()


@dataclass(frozen=True, slots=True)
class _Branch:
    """What a successor will be given, as far as it is known.

    Parameters
    ----------
    item
        Start of the ids of items made from here on.
    passed
        Disabled stages on the way.
    """

    data: StageData
    item: str
    values: Mapping[str, Any] = field(default_factory=dict)
    scope: Mapping[str, str] = field(default_factory=dict)
    assignee: str | None = None
    passed: tuple[str, ...] = ()

    def get(self, key: str) -> Any:
        """Return a value in wire form."""
        return self.values[key] if key in self.values else self.data.values[key]

    def __contains__(self, key: object) -> bool:
        return key in self.values or key in self.data.values


class _Names(Mapping[str, object]):
    """Stage data as a condition reads it: decoded only where it looks."""

    def __init__(self, branch: _Branch, load: Load | None) -> None:
        self._branch = branch
        self._load = load

    def __getitem__(self, key: str) -> object:
        value = decode(self._branch.get(key), load=None)
        if isinstance(value, Artifact) and value.type == "json" and self._load is not None:
            return decode(_read(value, self._load), load=None)
        return value

    def __contains__(self, key: object) -> bool:
        return key in self._branch

    def __iter__(self) -> Iterator[str]:
        return iter({**self._branch.data.values, **self._branch.values})

    def __len__(self) -> int:
        return len({**self._branch.data.values, **self._branch.values})


class _Router:
    def __init__(self, graph: Graph, source: StageRun, load: Load | None) -> None:
        self._graph = graph
        self._source = source
        self._load = load
        self._found: list[NextStage] = []

    def result(self) -> tuple[NextStage, ...]:
        """Return what was found, each with its place among the real ones."""
        place = 0
        for index, following in enumerate(self._found):
            if not following.empty:
                self._found[index] = replace(following, place=place)
                place += 1
        return tuple(self._found)

    def follow(self, stage_id: str, on: Literal["completed", "failed"], branch: _Branch) -> None:
        """Follow the transitions of a stage whose condition holds."""
        transitions = self._graph.outgoing(stage_id, on)
        names = _Names(branch, self._load)
        holds = {
            transition.id: self._holds(transition, transition.condition, names)
            for transition in transitions
            if transition.condition is not None and not transition.otherwise
        }
        fired = any(holds.values())
        for transition in transitions:
            if holds.get(transition.id, not transition.otherwise or not fired):
                self._fire(transition, branch)

    def follow_requested(self, stage_id: str, requested: object, branch: _Branch) -> None:
        """Follow what `next_stage` was given."""
        if isinstance(requested, Mapping):
            requested = [requested]
        if isinstance(requested, str) or not isinstance(requested, Sequence):
            raise RoutingError(
                f"next_stage takes a list of entries like {{'stage': …, 'data': {{…}}}}, "
                f"not {type(requested).__name__}."
            )
        # The first transition in branch order stands for a successor that several lead to.
        successors: dict[str, GraphTransition] = {}
        for transition in self._graph.outgoing(stage_id):
            successors.setdefault(transition.target, transition)
        for index, entry in enumerate(requested):
            where = f"Entry {index} of next_stage"
            _check_entry(entry, where)
            transition = successors[self._resolve(entry.get("stage"), tuple(successors), where)]
            values = {**branch.values, **(entry.get("data") or {})}
            self._fire(transition, replace(branch, values=values, assignee=entry.get("assignee")))

    def _resolve(self, wanted: str | None, successors: tuple[str, ...], where: str) -> str:
        stages = [self._graph.stages[key] for key in successors]
        if not stages:
            raise RoutingError(
                f"{where} cannot be followed: this stage has no successors. Draw a transition from it, or "
                "end the branch with next_stage([])."
            )
        available = ", ".join(stage.path for stage in stages)
        if wanted is None:
            if len(stages) == 1:
                return stages[0].id
            raise RoutingError(
                f"{where} does not say to which stage: there are several successors. "
                f"Add 'stage' with one of: {available}."
            )
        found = [stage for stage in stages if stage.path == wanted]
        found = found or [stage for stage in stages if stage.title == wanted]
        if len(found) == 1:
            return found[0].id
        if found:
            raise RoutingError(
                f"{where} names {wanted!r}, which is the title of several successors. "
                f"Use a path: {', '.join(stage.path for stage in found)}."
            )
        exists = any(wanted in (stage.path, stage.title) for stage in self._graph.stages.values())
        problem = "no transition leads there" if exists else "there is no such stage"
        raise RoutingError(f"{where} names {wanted!r}, but {problem}. The successors are: {available}.")

    def _holds(self, transition: GraphTransition, condition: str, names: _Names) -> bool:
        try:
            return bool(_parse(condition).evaluate(names))
        except conditions.ConditionError as error:
            target = self._graph.stages[transition.target]
            raise RoutingError(
                f"The condition {condition!r} of the transition to {target.path!r} "
                f"cannot be evaluated: {error}"
            ) from error

    def _fire(self, transition: GraphTransition, branch: _Branch) -> None:
        target = self._graph.stages[transition.target]
        if transition.each is None:
            self._deliver(transition, target, branch)
            return
        name = transition.name
        values = self._list(transition, target, branch)
        for index, value in enumerate(values):
            item_id = items.item_id(branch.item, transition.id, index)
            self._deliver(
                transition,
                target,
                replace(
                    branch,
                    item=item_id,
                    values={**branch.values, name: value},
                    scope={**branch.scope, name: item_id},
                ),
            )
        if not values:
            for stage in self._graph.joins_behind(transition.target, name):
                self._add(transition, stage, branch, empty=True)

    def _deliver(self, transition: GraphTransition, target: GraphStage, branch: _Branch) -> None:
        if not target.disabled:
            self._add(transition, target.id, branch)
            return
        if target.id in branch.passed:
            names = ", ".join(self._graph.stages[key].path for key in branch.passed)
            raise RoutingError(
                f"The disabled stages {names} lead to each other in a circle. Enable one of them."
            )
        # The assignee was meant for the stage that is passed by.
        self.follow(
            target.id, "completed", replace(branch, assignee=None, passed=(*branch.passed, target.id))
        )

    def _add(self, transition: GraphTransition, stage: str, branch: _Branch, *, empty: bool = False) -> None:
        self._found.append(
            NextStage(
                stage=stage,
                transition=transition.id,
                place=0,
                values=branch.values or None,
                assignee=None if empty else branch.assignee,
                scope=branch.scope,
                empty=empty,
            )
        )

    def _list(self, transition: GraphTransition, target: GraphStage, branch: _Branch) -> list[Any]:
        key = transition.each
        assert key is not None
        where = f"The transition to {target.path!r} makes one branch for each item of {key!r}"
        if key not in branch:
            there = ", ".join(sorted({*branch.data.values, *branch.values})) or "nothing"
            raise RoutingError(f"{where}, which is not in the stage data. There is: {there}.")
        value = branch.get(key)
        kind = type(value).__name__
        if isinstance(value, dict) and "$kind" in value:
            kind = value["$kind"]
            if kind == "artifact":
                artifact = Artifact.from_wire(value)
                kind = artifact.describe()
                if artifact.type == "json" and self._load is not None:
                    value = _read(artifact, self._load)
                    kind = type(value).__name__
        if not isinstance(value, list):
            raise RoutingError(f"{where}, which is not a list but: {kind}. Set it to a list.")
        return value


def _check_entry(entry: object, where: str) -> None:
    if not isinstance(entry, Mapping):
        raise RoutingError(
            f"{where} must be a dict like {{'stage': …, 'data': {{…}}}}, not {type(entry).__name__}."
        )
    unknown = [str(key) for key in entry if key not in _ENTRY_KEYS]
    if unknown:
        raise RoutingError(
            f"{where} has unknown keys: {', '.join(unknown)}. Known are {', '.join(_ENTRY_KEYS)}; "
            "stage data belongs under 'data'."
        )
    for key in ("stage", "assignee"):
        value = entry.get(key)
        if value is not None and not isinstance(value, str):
            raise RoutingError(f"{where}: {key!r} must be text, not {type(value).__name__}.")
    values = entry.get("data")
    if values is not None and not isinstance(values, Mapping):
        raise RoutingError(f"{where}: 'data' must be a mapping, not {type(values).__name__}.")


@lru_cache(maxsize=1024)
def _parse(condition: str) -> conditions.Condition:
    return conditions.parse(condition)


def _read(artifact: Artifact, load: Load) -> Any:
    """Return the wire form that a value had before it was laid aside."""
    return json.loads(load(artifact).read_bytes())
