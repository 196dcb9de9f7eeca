"""Documents and graphs by content hash, kept in memory: a run's document never changes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, select

from jupyter_workflows.model.document import Document, Stage, load
from jupyter_workflows.model.graph import Graph

from .errors import NotFound
from .tables import documents

_TEXT = select(documents.c.text).where(documents.c.hash == bindparam("hash"))


class Parsed(NamedTuple):
    """A document in the forms in which it is needed."""

    text: str
    document: Document
    graph: Graph

    def stage(self, key: str) -> Stage:
        """Return a stage as the document describes it."""
        return self.document.stages[key]


class GraphCache:
    """The most recently used documents.

    Parameters
    ----------
    size
        How many are kept.
    """

    def __init__(self, size: int = 64) -> None:
        self._size = size
        self._kept: OrderedDict[str, Parsed] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, connection: Connection, hashed: str) -> Parsed:
        """Return a document of the database."""
        kept = self._look(hashed)
        if kept is None:
            text = connection.execute(_TEXT, {"hash": hashed}).scalar()
            if text is None:
                raise NotFound(f"there is no document {hashed}")
            kept = self.add(hashed, text)
        return kept

    def add(self, hashed: str, text: str) -> Parsed:
        """Parse a document's text, if it is not known yet, and keep it."""
        kept = self._look(hashed)
        if kept is None:
            document = load(text)
            kept = Parsed(text, document, Graph.from_document(document))
            with self._lock:
                self._kept[hashed] = kept
                while len(self._kept) > self._size:
                    self._kept.popitem(last=False)
        return kept

    def _look(self, hashed: str) -> Parsed | None:
        with self._lock:
            kept = self._kept.get(hashed)
            if kept is not None:
                self._kept.move_to_end(hashed)
            return kept
