"""Finding the projects that clients name by the path that the file browser shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jupyter_core.paths import is_hidden

from .problems import Problem

SUFFIX = ".workflow"


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
                422,
                "no-local-files",
                "the files of this server do not lie on its disk",
                errors=_at("No local path"),
            )
        parts = [part for part in path.split("/") if part not in ("", ".")]
        if not parts or ".." in parts or any("\\" in part or "\x00" in part for part in parts):
            raise Problem(
                422, "invalid-path", "this is not the path of a file", errors=_at("Not the path of a file")
            )
        try:
            if any(len(part.encode()) > 255 for part in parts) or len(path.encode()) > 4000:
                raise Problem(422, "invalid-path", "the path is too long", errors=_at("Too long"))
        except UnicodeEncodeError:
            raise Problem(422, "invalid-path", "the path is not text", errors=_at("Not text")) from None
        file = root.joinpath(*parts)
        hidden = not getattr(self._contents, "allow_hidden", False) and is_hidden(str(file), str(root))
        if hidden or not file.exists():
            raise Problem(404, "not-found", f"there is no file {path}", errors=_at("There is no such file"))
        if file.suffix != SUFFIX and not file.is_dir():
            raise Problem(
                422, "invalid-path", f"{path} is not a workflow", errors=_at(f"Must end in {SUFFIX}")
            )
        return file


def _at(message: str) -> list[tuple[str, str]]:
    return [("path", message)]
