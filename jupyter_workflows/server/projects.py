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
        root = self.root
        if root is None:
            raise Problem(
                409, "no-local-files", "the files of this server do not lie on its disk", errors=_at()
            )
        parts = [part for part in path.split("/") if part not in ("", ".")]
        file = root.joinpath(*parts)
        try:
            found = ".." not in parts and file.is_file()
        except (OSError, ValueError):  # a name that no file can have
            found = False
        hidden = not getattr(self._contents, "allow_hidden", False)
        if not found or (hidden and is_hidden(str(file), str(root))):
            raise Problem(404, "not-found", f"there is no file {path}", errors=_at())
        return file


def _at() -> list[tuple[str, str]]:
    return [("path", "There is no such file")]
