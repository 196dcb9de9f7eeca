"""`next_stage` and `end_stage`: where the run goes on, and the end of this notebook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from .attempt import current
from .errors import RoutingError, StageEnded, closest
from .wire import encode

if TYPE_CHECKING:
    from .attempt import Attempt
    from .context import Successor

_ENTRY_KEYS = ("stage", "data", "assignee")


def next_stage(
    entries: Sequence[Mapping[str, Any]] | Mapping[str, Any] | None = None,
    /,
    *,
    stage: str | None = None,
    data: Mapping[str, Any] | None = None,
    assignee: str | None = None,
) -> NoReturn:
    """Go on to exactly the stages that are named, and end the notebook here.

    Parameters
    ----------
    entries
        One mapping for each stage run to start, or a single one: ``stage`` (path or title of a stage to
        which a transition leads; may be left out where there is only one), ``data`` (added to the stage
        data for that stage) and ``assignee``. An empty list ends this branch of the run.
    stage, data, assignee
        Instead of `entries`, for a single one.

    Raises
    ------
    RoutingError
        An entry does not fit the workflow. Nothing has happened then.

    Examples
    --------
    >>> next_stage([{"stage": "approve", "assignee": "team:finance", "data": {"amount": 120}}])
    >>> next_stage(stage="approve")
    """
    attempt = current()
    given = {"stage": stage, "data": data, "assignee": assignee}
    if all(value is None for value in given.values()):
        route = [_resolve(entry, f"entry {place}", attempt) for place, entry in enumerate(_as_list(entries))]
    elif entries is None:
        route = [_resolve(given, "next_stage", attempt)]
    else:
        raise RoutingError("next_stage takes either a list of entries, or stage, data and assignee")
    attempt.route = route
    attempt.ended = True
    raise StageEnded(_describe(route, attempt))


def end_stage() -> NoReturn:
    """End the notebook here, successfully; the run goes on along the usual transitions."""
    attempt = current()
    attempt.route = None
    attempt.ended = True
    draft = "Draft: " if attempt.context.draft else ""
    raise StageEnded(f"{draft}The stage ended here, by end_stage(); the cells after it do not run.")


def _as_list(entries: object) -> list[object]:
    if isinstance(entries, Mapping):
        return [entries]
    if isinstance(entries, list | tuple):
        return list(entries)
    raise RoutingError(
        f"next_stage takes a list of mappings such as [{{'stage': 'approve'}}], not "
        f"{type(entries).__name__}; [] ends the branch, and end_stage() goes on along the usual transitions"
    )


def _resolve(entry: object, name: str, attempt: Attempt) -> dict[str, Any]:
    if not isinstance(entry, Mapping):
        raise RoutingError(
            f"{name} is of type {type(entry).__name__}; it must be a mapping with {_listed(_ENTRY_KEYS)}"
        )
    for key in entry:
        if key not in _ENTRY_KEYS:
            near = closest(str(key), list(_ENTRY_KEYS))
            raise RoutingError(f"{name} has the key {key!r}; allowed are {_listed(_ENTRY_KEYS)}.{near}")
    resolved: dict[str, Any] = {"stage": _target(entry, name, attempt.context.successors).path}
    if entry.get("data") is not None:
        resolved["data"] = _data(entry["data"], name, attempt)
    assignee = entry.get("assignee")
    if assignee is not None:
        if not isinstance(assignee, str) or not assignee:
            raise RoutingError(
                f"the assignee of {name} is {assignee!r}; it must be a user name, an e-mail address "
                "or team:NAME"
            )
        resolved["assignee"] = str.__str__(assignee)
    return resolved


def _target(entry: Mapping[str, Any], name: str, successors: Sequence[Successor]) -> Successor:
    distinct = list({successor.path: successor for successor in successors}.values())
    if not distinct:
        raise RoutingError(
            f"{name}: no transition leads from this stage to another one. "
            "Draw one, or call next_stage([]) to end the branch"
        )
    there = f"The stages that can follow are {_listed(distinct)}."
    wanted = entry.get("stage")
    if wanted is None:
        if len(distinct) == 1:
            return distinct[0]
        raise RoutingError(f"{name} does not say which stage. {there}")
    if not isinstance(wanted, str):
        raise RoutingError(f"the stage of {name} is {wanted!r}; it must be a path or a title. {there}")
    for successor in distinct:
        if successor.path == wanted:
            return successor
    titled = [successor for successor in distinct if successor.title == wanted]
    if len(titled) == 1:
        return titled[0]
    if titled:
        raise RoutingError(f"{name}: more than one stage has the title {wanted!r}; use a path. {there}")
    names = [text for successor in distinct for text in (successor.path, successor.title) if text]
    near = closest(wanted, names)
    raise RoutingError(f"{name}: no transition leads to a stage {wanted!r}. {there}{near}")


def _data(data: object, name: str, attempt: Attempt) -> dict[str, Any]:
    if not isinstance(data, Mapping):
        raise RoutingError(f"the data of {name} is of type {type(data).__name__}; it must be a mapping")
    for key in data:
        if not isinstance(key, str):
            raise RoutingError(f"the data of {name} has the key {key!r}; keys must be strings")
    return {
        str.__str__(key): encode(value, key=f'{name}, data "{key}"', save=attempt.blobs.save)
        for key, value in data.items()
    }


def _describe(route: list[dict[str, Any]], attempt: Attempt) -> str:
    if not route:
        if attempt.context.draft:
            return "Draft: in a run this branch would end here, without a next stage."
        return "The stage ended here, by next_stage([]); this branch of the run ends."
    steps = []
    for entry in route:
        step = str(entry["stage"])
        if "assignee" in entry:
            step += f" for {entry['assignee']}"
        if entry.get("data"):
            step += f" with {', '.join(entry['data'])}"
        steps.append(step)
    text = "; ".join(steps)
    if attempt.context.draft:
        return f"Draft: in a run this stage would end here, and the run would go on to {text}."
    return f"The stage ended here, by next_stage; the run goes on to {text}."


def _listed(names: Sequence[object]) -> str:
    return ", ".join(str(name) for name in names)
