"""A document's text in a room: one text for one graph, the same as in the browser, to the byte."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from jupyter_workflows.model import canonical
from jupyter_workflows.model.document import DocumentError, read

#: What a document holds by key.
KINDS = ("stages", "transitions", "notes", "groups")
#: Those that are written even if they are empty.
_ALWAYS = ("stages", "transitions")

#: Why a text is not a graph: it cannot be read, or a newer version of the program wrote it.
Problem = Literal["invalid", "newer"]
Json = dict[str, Any]

_TYPES = ("form", "hook", "job", "script")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
#: Beyond it JavaScript has no integers.
_MAX_SAFE_INTEGER = 2**53


@dataclass(frozen=True, slots=True)
class Content:
    """What is in a document.

    Parameters
    ----------
    meta
        What is beside the collections.
    collections
        By kind, then by key.
    """

    meta: Json = field(default_factory=dict)
    collections: Mapping[str, Mapping[str, Json]] = field(
        default_factory=lambda: {kind: {} for kind in KINDS}
    )


def parse(text: str) -> Content | Problem:
    """Return what a text says, or why it cannot be shown as a graph.

    A graph need not be a valid document: what can be drawn and mended on a canvas is a finding of `check`.
    """
    try:
        value = read(text)
    except DocumentError as error:
        return "newer" if error.findings[0].code == "newer-format" else "invalid"
    if value is None:
        return Content()
    collections = {kind: value.pop(kind, {}) for kind in KINDS}
    if not all(_is_collection(things) for things in collections.values()):
        return "invalid"
    if not all(
        isinstance(kind := stage.get("type"), str) and kind in _TYPES
        for stage in collections["stages"].values()
    ):
        return "invalid"
    if not all(
        isinstance(transition.get(end), str)
        for transition in collections["transitions"].values()
        for end in ("source", "target")
    ):
        return "invalid"
    return Content(_shared(value), _shared(collections))


def write(content: Content) -> str:
    """Return the one text of a graph; no text at all if it is a new one."""
    if not content.meta and not any(content.collections.values()):
        return ""
    value = dict(content.meta)
    value |= {kind: things for kind, things in content.collections.items() if things or kind in _ALWAYS}
    return canonical.write(canonical.normalise(value))


def well_formed(text: str) -> str:
    """Return a text without lone surrogates, which cannot be shared."""
    return _LONE_SURROGATE.sub("\ufffd", text)


def _is_collection(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(thing, dict) for thing in value.values())


def _shared(value: Any) -> Any:
    """Return a value as all who share it see it: numbers and text are those of JavaScript."""
    if isinstance(value, dict):
        return {well_formed(key): _shared(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_shared(item) for item in value]
    if isinstance(value, str):
        return well_formed(value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > _MAX_SAFE_INTEGER:
        return float(value)
    return value
