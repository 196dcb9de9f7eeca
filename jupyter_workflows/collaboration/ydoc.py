"""The shared document of a workflow: twin of the one in the browser."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

from jupyter_ydoc.ybasedoc import YBaseDoc
from pycrdt import Awareness, Doc, Map

#: What a document holds by key.
KINDS = ("stages", "transitions", "notes", "groups")


class YWorkflow(YBaseDoc):
    """A workflow in a room."""

    def __init__(self, ydoc: Doc[Any] | None = None, awareness: Awareness | None = None) -> None:
        super().__init__(ydoc, awareness)
        self._meta = self._ydoc.get("workflow", type=Map)
        self._file = self._ydoc.get("file", type=Map)
        self._collections = {kind: self._ydoc.get(kind, type=Map) for kind in KINDS}

    @property
    def version(self) -> str:
        """Version of the shared document's layout."""
        return "1.0.0"

    def get(self) -> str:
        """Return the file's text."""
        value: dict[str, Any] = dict(self._meta.to_py() or {})
        value |= {kind: collection.to_py() or {} for kind, collection in self._collections.items()}
        return json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True) + "\n"

    def set(self, value: str) -> None:
        """Take in the file's text."""
        content = json.loads(value)
        with self._ydoc.transaction():
            for name, field in content.items():
                if name not in KINDS:
                    self._meta[name] = field
            for kind, collection in self._collections.items():
                for key, fields in content.get(kind, {}).items():
                    collection[key] = Map(fields)

    def observe(self, callback: Callable[[str, Any], None]) -> None:
        """Call back when something changes."""
        self.unobserve()
        self._subscriptions[self._ystate] = self._ystate.observe(partial(callback, "state"))
        self._subscriptions[self._meta] = self._meta.observe_deep(partial(callback, "workflow"))
        for kind, collection in self._collections.items():
            self._subscriptions[collection] = collection.observe_deep(partial(callback, kind))
