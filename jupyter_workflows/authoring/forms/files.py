"""Files that people give as answers: taken in once, kept by hash, handed out under their own name."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from .fields.base import InvalidAnswer, typed

if TYPE_CHECKING:
    from ..blobs import Blobs

_HASH = re.compile(r"[0-9a-f]{64}")


class FileStore:
    """Takes in answers that are files.

    Parameters
    ----------
    blobs
        Where their bytes are kept.
    project
        The folder that a path in an answer starts from, and can't leave.
    """

    def __init__(self, blobs: Blobs, project: Path | None) -> None:
        self._blobs = blobs
        self._project = project
        self._states: dict[Path, dict[str, Any]] = {}

    def receive(self, given: Any) -> Path:
        """Take in a file: a path in the project, ``{"name", "content"}`` in base64, or a `Path` anywhere."""
        if isinstance(given, Path):
            if not given.is_file():
                raise InvalidAnswer(f"there is no file {given}")
            return self._keep(given, given.name)
        if isinstance(given, str):
            file = self._in_project(given)
            return self._keep(file, file.name)
        if isinstance(given, Mapping) and set(given) >= {"name", "content"}:
            try:
                content = base64.b64decode(given["content"], validate=True)
            except (binascii.Error, TypeError, ValueError):
                raise InvalidAnswer(f"the content of {given['name']!r} is not base64") from None
            return self._keep(content, str(given["name"]))
        raise InvalidAnswer(
            f"{typed(given)} is not a file; give a path in the project, "
            'or {"name": "scan.pdf", "content": "...in base64..."}'
        )

    def state(self, file: Path) -> dict[str, Any]:
        """Return what the journal keeps of a file that was taken in."""
        if file not in self._states:
            self._states[file] = self._states[self._keep(file, file.name)]
        return self._states[file]

    def restore(self, state: Any) -> Path:
        """Return the file of what the journal kept, if its bytes still are what they were."""
        try:
            name, digest = str(state["name"]), str(state["hash"])
        except (KeyError, TypeError):
            raise InvalidAnswer("the file can't be found any more") from None
        if not _HASH.fullmatch(digest) or not self._blobs.intact(digest):
            raise InvalidAnswer(f"the file {name} is gone; give it again")
        file = self._blobs.file(digest, name)
        self._states[file] = dict(state)
        return file

    def _in_project(self, name: str) -> Path:
        root = (self._project or Path.cwd()).resolve()
        file = (root / name).resolve()
        if not file.is_relative_to(root):
            raise InvalidAnswer(
                f"{name!r} lies outside the project; give a path inside it, or the file's content"
            )
        if not file.is_file():
            raise InvalidAnswer(f"there is no file {name!r} in the project ({root})")
        return file

    def _keep(self, content: bytes | Path, name: str) -> Path:
        name = PurePath(name.replace("\\", "/")).name or "file"
        digest = self._blobs.save(content, {})
        file = self._blobs.file(digest, name)
        size = len(content) if isinstance(content, bytes) else content.stat().st_size
        self._states[file] = {"name": name, "hash": digest, "size": size}
        return file
