"""Finding the projects that clients name by the path that the file browser shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jupyter_core.paths import is_hidden

from .problems import Problem


class ProjectPaths:
    """Paths as the contents service has them, on the server's disk.

    Parameters
    ----------
    contents
        The server's contents manager.
    """

    def __init__(self, contents: Any) -> None:
        self._contents = contents

    @property
    def root(self) -> Path | None:
        """The server's root folder; `None` where its files are not on this disk."""
        root = getattr(self._contents, "root_dir", None)
        return Path(root).expanduser() if isinstance(root, str) and root else None

    def resolve(self, path: str) -> Path:
        """Return the file of a workflow.

        Raises
        ------
        Problem
            It cannot be one.
        """
        file = self._locate(path)
        if file is None or not file.is_file():
            raise Problem(404, "not-found", f"there is no file {path}", errors=_at())
        return file

    def existing(self, path: str) -> Path:
        """Return a file or a folder; no path at all is the root folder.

        Raises
        ------
        Problem
            There is none.
        """
        there = self._locate(path)
        if there is None:
            raise Problem(404, "not-found", f"there is no file or folder {path}", errors=_at())
        return there

    def folder(self, path: str) -> Path:
        """Return a folder; no path at all is the root folder.

        Raises
        ------
        Problem
            There is none.
        """
        there = self._locate(path)
        if there is None or not there.is_dir():
            raise Problem(404, "not-found", f"there is no folder {path}", errors=_at("folder", "folder"))
        return there

    def name_of(self, file: Path) -> str:
        """Return the path of a file as the file browser shows it."""
        root = self._root()
        return "" if file == root else file.relative_to(root).as_posix()

    def _root(self) -> Path:
        root = self.root
        if root is None:
            raise Problem(
                409, "no-local-files", "the files of this server do not lie on its disk", errors=_at()
            )
        return root

    def _locate(self, path: str) -> Path | None:
        """Return what lies at a path; `None` if nothing does, or nothing that is shown."""
        root = self._root()
        parts = [part for part in path.split("/") if part not in ("", ".")]
        there = root.joinpath(*parts)
        try:
            found = ".." not in parts and there.exists()
        except (OSError, ValueError):  # a name that no file can have
            found = False
        hidden = not getattr(self._contents, "allow_hidden", False)
        if not found or (hidden and is_hidden(str(there), str(root))):
            return None
        return there


def _at(field: str = "path", what: str = "file") -> list[tuple[str, str]]:
    return [(field, f"There is no such {what}")]
