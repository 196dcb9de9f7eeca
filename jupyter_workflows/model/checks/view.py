"""What checks know about the project that a document lies in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import Any, Protocol


class NotebookError(Exception):
    """A notebook that cannot be read."""


class ProjectView(Protocol):
    """The project's files and environment, as far as checks ask for them.

    Paths are relative to the project's root, with forward slashes.
    """

    @property
    def requirements(self) -> Set[str] | None:
        """Normalised names of the distributions in ``requirements.txt``; `None` without that file."""

    @property
    def kernels(self) -> Set[str] | None:
        """Names of the installed kernels; `None` if that is not known."""

    def exists(self, path: str) -> bool:
        """Tell whether a file lies at a path within the project."""

    def notebook(self, path: str) -> Mapping[str, Any]:
        """Return a notebook's JSON, of format 4.

        Raises
        ------
        NotebookError
            If the file is not a notebook of format 4.
        """

    def find(self, name: str) -> Sequence[str]:
        """Return the paths of files with this name anywhere in the project."""

    def modules(self, folder: str) -> Set[str]:
        """Return what a notebook in a folder can import from the project itself."""

    def distributions(self, module: str) -> Set[str]:
        """Return normalised names of the distributions known to provide a top-level module."""
