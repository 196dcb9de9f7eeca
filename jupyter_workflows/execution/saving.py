"""How executed copies get to disk: by rename, through papermill's own registry of file systems."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from typing import Protocol

import papermill  # noqa: F401  (its modules import each other; the package goes first)
from papermill.iorw import papermill_io

#: Addresses of this kind name what an attempt that is being executed reads and writes.
SCHEME = "jupyter-workflows:"


class NotebookFiles(Protocol):
    """What papermill reads and writes for one attempt."""

    def read(self) -> str:
        """Return the source notebook's JSON text."""

    def write(self, content: str) -> None:
        """Keep the executed copy's JSON text."""


class _AttemptHandler:
    """papermill's way to the notebooks of the attempts that this process executes.

    papermill by itself opens the output file and writes into it, and would read the source once more:
    the hash that is recorded could then be another notebook's.
    """

    def __init__(self) -> None:
        self._files: dict[str, NotebookFiles] = {}
        self._numbers = itertools.count(1)

    def add(self, files: NotebookFiles) -> str:
        address = f"{SCHEME}{next(self._numbers)}.ipynb"
        self._files[address] = files
        return address

    def remove(self, address: str) -> None:
        del self._files[address]

    def read(self, path: str) -> str:
        return self._files[path].read()

    def write(self, content: str, path: str) -> None:
        self._files[path].write(content)

    def listdir(self, path: str) -> list[str]:
        raise NotImplementedError(f"{path} is no folder")

    def pretty_path(self, path: str) -> str:
        return path


_handler = _AttemptHandler()
papermill_io.register(SCHEME, _handler)


@contextlib.contextmanager
def papermill_address(files: NotebookFiles) -> Iterator[str]:
    """Give an attempt's notebooks an address that papermill reads and writes."""
    address = _handler.add(files)
    try:
        yield address
    finally:
        _handler.remove(address)
