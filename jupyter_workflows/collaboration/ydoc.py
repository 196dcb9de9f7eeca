"""The shared document of a workflow: twin of the one in the browser."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from jupyter_ydoc.ybasedoc import YBaseDoc
from pycrdt import Awareness, Doc, Map

from jupyter_workflows.model import canonical

from .text import KINDS, Content, parse, well_formed, write


class YWorkflow(YBaseDoc):
    """A workflow in a room.

    Of the same text it makes the same history, so that rooms which are built anew from a file go on with
    the browsers that are still there. Nothing depends on the order in which keys are found.
    """

    def __init__(self, ydoc: Doc[Any] | None = None, awareness: Awareness | None = None) -> None:
        super().__init__(ydoc, awareness)
        self._meta: Map[Any] = self._ydoc.get("workflow", type=Map)
        # `source`: the file's `text` where it is not that of the graph; its `problem` if it is no graph.
        self._file: Map[Any] = self._ydoc.get("file", type=Map)
        self._collections: dict[str, Map[Any]] = {kind: self._ydoc.get(kind, type=Map) for kind in KINDS}
        self._loaded: tuple[str, str | None] = ("", "")
        for shared in (self._meta, *self._collections.values()):
            self.undo_manager.expand_scope(shared)

    @property
    def version(self) -> str:
        """Version of the shared document's layout."""
        return "1.0.0"

    def get(self) -> str:
        """Return the file's text: its own bytes as long as they say what the graph says."""
        source = self._file.get("source") or {}
        raw = source.get("text")
        if "problem" in source:
            return str(raw)
        collections = {kind: _plain(things) for kind, things in self._collections.items()}
        text = write(Content(_plain(self._meta), collections))
        return raw if isinstance(raw, str) and self._graph(raw) == text else text

    def set(self, value: str) -> None:
        """Take in a file's text: applies what differs. A text that is no graph is kept as it is."""
        text = well_formed(value or "")
        content = parse(text)
        with self._ydoc.transaction():
            if not isinstance(content, Content):
                _update(self._file, {"source": {"text": text, "problem": content}})
                return
            _update(self._file, {} if text == write(content) else {"source": {"text": text}})
            _update(self._meta, content.meta)
            for kind, collection in self._collections.items():
                _update_collection(collection, content.collections[kind])

    def observe(self, callback: Callable[[str, Any], None]) -> None:
        """Call back when something changes."""
        self.unobserve()
        self._subscriptions[self._ystate] = self._ystate.observe(partial(callback, "state"))
        for name, shared in (("file", self._file), ("workflow", self._meta)):
            self._subscriptions[shared] = shared.observe(partial(callback, name))
        for kind, collection in self._collections.items():
            self._subscriptions[collection] = collection.observe_deep(partial(callback, kind))

    def _graph(self, raw: str) -> str | None:
        """Return the text of the graph that a file's text says."""
        if self._loaded[0] != raw:
            content = parse(raw)
            self._loaded = (raw, write(content) if isinstance(content, Content) else None)
        return self._loaded[1]


def _plain(shared: Map[Any]) -> dict[str, Any]:
    return shared.to_py() or {}


def _update(shared: Map[Any], fields: Mapping[str, Any]) -> None:
    before = _plain(shared)
    for name in sorted(before.keys() - fields.keys()):
        del shared[name]
    for name in sorted(fields):
        if name not in before or not _same(before[name], fields[name]):
            shared[name] = fields[name]


def _update_collection(collection: Map[Any], things: Mapping[str, Mapping[str, Any]]) -> None:
    for key in sorted(set(collection.keys()) - things.keys()):
        del collection[key]
    for key in sorted(things):
        if not isinstance(collection.get(key), Map):
            collection[key] = Map()
        _update(collection[key], things[key])


def _same(one: Any, other: Any) -> bool:
    # In Python 1, 1.0 and True are equal; the first two are, in a document.
    return canonical.write(canonical.normalise(one)) == canonical.write(canonical.normalise(other))
