"""`get_stage`: the data of a stage, and what it needs to know about itself."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from .attempt import begin, current
from .errors import MissingKey, closest
from .mappings import Record
from .wire import KIND, Artifact, decode, encode, public

if TYPE_CHECKING:
    from .attempt import Attempt
    from .blobs import Blobs
    from .context import Callback

#: Values of these types can't be changed in place.
_IMMUTABLE = (str, int, float, bool, type(None), bytes)


def get_stage() -> Stage:
    """Return the stage that this notebook is executed for: a mapping of its data.

    Examples
    --------
    >>> stage = get_stage()
    >>> stage["total"] = sum(line["price"] for line in stage["lines"])
    """
    attempt = current()
    if attempt.context.draft:
        from .draft import announce, refreshed

        newer = refreshed(attempt.context)
        if newer is not None:
            from .attempt import Attempt

            attempt = Attempt(newer)
            begin(attempt)
        announce(attempt.context)
    return attempt.stage


class StageInput(Mapping[str, Any]):
    """The data with which one branch arrived at a join; read only."""

    def __init__(self, wire: Mapping[str, Any], blobs: Blobs) -> None:
        self._wire = wire
        self._blobs = blobs
        self._values: dict[str, Any] = {}

    def __getitem__(self, key: str) -> Any:
        if key not in self._values:
            if key not in self._wire:
                raise _missing(key, list(self._wire))
            self._values[key] = decode(self._wire[key], load=self._blobs.load)
        return self._values[key]

    def __contains__(self, key: object) -> bool:
        return key in self._wire

    def __iter__(self) -> Iterator[str]:
        return iter(self._wire)

    def __len__(self) -> int:
        return len(self._wire)

    def __repr__(self) -> str:
        return f"<StageInput: {_summary(list(self))}>"


class Stage(MutableMapping[str, Any]):
    """The stage data as a mapping; what is set, changed in place or deleted goes to the stages after it.

    Values are read when they are first used. Setting one that stage data can't hold is a `TypeError`
    at once.
    """

    __slots__ = ("_at_set", "_attempt", "_deleted", "_inputs", "_set", "_values", "_wire")

    def __init__(self, attempt: Attempt) -> None:
        self._attempt = attempt
        self._wire = dict(attempt.context.data)
        self._values: dict[str, Any] = {}
        self._set: dict[str, None] = {}
        self._at_set: dict[str, Any] = {}
        self._deleted: set[str] = set()
        self._inputs: list[StageInput] | None = None

    # --------------------------------------------------------------------------- what it knows about itself
    @property
    def run_id(self) -> str:
        """Id of the run."""
        return self._attempt.context.run_id

    @property
    def stage_run_id(self) -> str:
        """Id of this stage's execution within the run."""
        return self._attempt.context.stage_run_id

    @property
    def attempt(self) -> int:
        """Which attempt this is, from 1."""
        return self._attempt.context.attempt

    @property
    def mode(self) -> str:
        """``live``, ``test``, or ``draft`` when the notebook is executed by hand."""
        return self._attempt.context.mode

    @property
    def path(self) -> str:
        """The short name by which `next_stage` calls this stage."""
        return self._attempt.context.stage_path

    @property
    def title(self) -> str:
        """The stage's title."""
        return self._attempt.context.stage_title

    @property
    def user(self) -> str | None:
        """Who started the run, or opened the form."""
        return self._attempt.context.user

    @property
    def assignee(self) -> str | None:
        """The person or ``team:NAME`` to whom the stage is assigned."""
        return self._attempt.context.assignee

    @property
    def scheduled_time(self) -> datetime | None:
        """For a job: the time that it was due."""
        text = self._attempt.context.scheduled_time
        return datetime.fromisoformat(text) if text else None

    @property
    def failure(self) -> Record | None:
        """After a ``failed`` transition: ``stage``, ``name``, ``message`` and ``cell`` of what happened."""
        failure = self._attempt.context.failure
        return None if failure is None else Record(failure)

    @property
    def inputs(self) -> list[StageInput]:
        """At a join: the data of each branch that arrived, in branch order."""
        if self._inputs is None:
            self._inputs = [
                StageInput(wire, self._attempt.blobs) for wire in self._attempt.context.inputs or ()
            ]
        return list(self._inputs)

    def callback_url(self, hook: str) -> str:
        """Return an address for a hook that comes after this stage: a request to it reaches this run.

        It can be given away, in a mail or to a payment service: who knows it needs no token. It is good for
        one request and until the run ends, also for one that comes before the hook waits, and it stays the
        same when this stage is tried again.

        Parameters
        ----------
        hook
            The hook's path, or its title.

        Raises
        ------
        LookupError
            No such hook comes after this stage.
        RuntimeError
            The server does not know its public address.
        """
        context = self._attempt.context
        if context.draft:
            url = f"https://example.org/draft/{hook}"
            print(f"Draft: in a run this would be an address for {hook!r}; {url} stands in for it.")
            return url
        found = [one for one in context.callbacks if one.path == hook]
        found = found or [one for one in context.callbacks if one.title == hook]
        if len(found) != 1:
            raise LookupError(_no_hook(hook, context.callbacks, several=bool(found)))
        if found[0].url is None:
            raise RuntimeError(
                "callback_url needs the address under which the server is reached from outside: set "
                "WorkflowsApp.public_url for the server, or --public-url for a runner"
            )
        return found[0].url

    # --------------------------------------------------------------------------- the mapping
    def __getitem__(self, key: str) -> Any:
        if key not in self._values:
            if key not in self._wire or key in self._deleted:
                raise _missing(key, list(self))
            self._values[key] = decode(self._wire[key], load=self._attempt.blobs.load)
        return self._values[key]

    def __setitem__(self, key: str, value: Any) -> None:
        if not isinstance(key, str):
            raise TypeError(f"keys of stage data are strings, not {type(key).__name__} ({key!r})")
        if key == KIND:
            raise TypeError(f"{KIND!r} is a reserved word and can't be a key of stage data")
        self._at_set.pop(key, None)
        if _holds_file(value):
            # Kept now: the notebook may delete the file (a temporary one) before it ends.
            self._at_set[key] = encode(value, key=key, save=self._attempt.blobs.save)
        else:
            encode(value, key=key, save=None)
        self._values[key] = value
        self._set[key] = None
        self._deleted.discard(key)

    def __delitem__(self, key: str) -> None:
        if key not in self:
            raise _missing(key, list(self))
        self._values.pop(key, None)
        self._set.pop(key, None)
        self._at_set.pop(key, None)
        if key in self._wire:
            self._deleted.add(key)

    def __contains__(self, key: object) -> bool:
        return key in self._values or (key in self._wire and key not in self._deleted)

    def __iter__(self) -> Iterator[str]:
        yield from [key for key in self._wire if key not in self._deleted]
        yield from [key for key in self._set if key not in self._wire]

    def __len__(self) -> int:
        return sum(1 for _ in self)

    # --------------------------------------------------------------------------- what the record needs
    def changes(self) -> tuple[dict[str, Any], list[str]]:
        """Return what was set or changed, in wire form, and the keys that were deleted.

        Raises
        ------
        TypeError, OSError
            A value can't be encoded any more; the message names its key.
        """
        changes = {}
        for key in self:
            if key in self._set:
                changes[key] = self._encode_set(key)
            elif key in self._values and not isinstance(self._values[key], _IMMUTABLE):
                wire = encode(self._values[key], key=key, save=self._attempt.blobs.save)
                if wire != self._wire[key] and (_holds_file(self._values[key]) or wire != self._again(key)):
                    changes[key] = wire
        return changes, sorted(self._deleted)

    def _encode_set(self, key: str) -> Any:
        try:
            return encode(self._values[key], key=key, save=self._attempt.blobs.save)
        except FileNotFoundError:
            if key not in self._at_set:
                raise
            return self._at_set[key]

    def _again(self, key: str) -> Any:
        # Another version of a library may write the same frame as other bytes, which is no change.
        original = decode(self._wire[key], load=self._attempt.blobs.load)
        return encode(original, key=key, save=self._attempt.blobs.save)

    # --------------------------------------------------------------------------- display
    def __repr__(self) -> str:
        return f"<Stage {self.path!r}: {_summary(list(self))}>"

    def _repr_html_(self) -> str:
        head = html.escape(self.title or self.path or "Stage")
        rows = "".join(
            f"<tr><th style='text-align:left'>{html.escape(key)}</th>"
            f"<td style='text-align:left'>{html.escape(self._preview(key))}</td></tr>"
            for key in self
        )
        return f"<table><caption>{head}</caption>{rows or '<tr><td>no data</td></tr>'}</table>"

    def _preview(self, key: str) -> str:
        try:
            value = self._values[key] if key in self._values else decode(self._wire[key], load=None)
            if isinstance(value, Artifact):
                return value.describe()
            wire = encode(value, key=key, save=None)
        except (TypeError, ValueError, OSError) as error:
            return str(error)
        if isinstance(wire, dict) and wire.get(KIND) == "artifact":
            return Artifact.from_wire(wire).describe()
        if isinstance(wire, dict) and KIND in wire and wire[KIND] != "object":
            return str(value)
        return _shortened(json.dumps(public(wire), ensure_ascii=False))


def _no_hook(name: str, callbacks: Sequence[Callback], *, several: bool) -> str:
    if several:
        return f"more than one hook has the title {name!r}; use a path: {', '.join(map(str, callbacks))}"
    if not callbacks:
        return f"no hook comes after this stage, so there is no address for {name!r}"
    near = closest(name, [text for one in callbacks for text in (one.path, one.title) if text])
    return f"no hook {name!r} comes after this stage. The hooks are {', '.join(map(str, callbacks))}.{near}"


def _holds_file(value: object) -> bool:
    from pathlib import Path

    found: list[Path] = []
    seen: set[int] = set()

    def look(item: object) -> None:
        if isinstance(item, Path):
            found.append(item)
        elif isinstance(item, Mapping | list | tuple) and id(item) not in seen:
            seen.add(id(item))
            for inner in item.values() if isinstance(item, Mapping) else item:
                look(inner)

    try:
        look(value)
    except RecursionError:
        return False
    return bool(found)


def _missing(key: object, keys: list[str]) -> MissingKey:
    there = f"It has {', '.join(map(repr, keys))}." if keys else "It is empty."
    near = closest(key, keys) if isinstance(key, str) else ""
    return MissingKey(f"the stage data has no key {key!r}. {there}{near}")


def _summary(keys: list[str]) -> str:
    if not keys:
        return "no data"
    return f"{len(keys)} key{'s' if len(keys) > 1 else ''} ({_shortened(', '.join(keys))})"


def _shortened(text: str, limit: int = 120) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
