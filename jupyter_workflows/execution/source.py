"""Reading a source notebook: once, without ever writing it."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: Cells that papermill adds to executed notebooks. A source that once was one has them still; what they
#: hold belongs to that execution, so they are left out.
_ADDED_BY_PAPERMILL = frozenset({"injected-parameters", "papermill-error-cell-tag"})

_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")

_CELL_TYPES = frozenset({"code", "markdown", "raw"})


class SourceError(Exception):
    """A source notebook that cannot be executed; `name` is the error's name for the attempt."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name
        self.message = message


@dataclass(frozen=True, slots=True)
class Source:
    """A notebook as it was read, made ready for papermill.

    Parameters
    ----------
    sha256
        Hash of the file's bytes.
    notebook
        The notebook in format 4, without outputs and without what papermill added in an earlier execution.
    indices
        For each cell of `notebook` its index in the file.
    """

    path: str
    sha256: str
    notebook: dict[str, Any]
    indices: tuple[int, ...]

    @property
    def kernel_name(self) -> str | None:
        """Name of the kernel that the notebook asks for."""
        name = _mapping(self.notebook["metadata"].get("kernelspec")).get("name")
        return name if isinstance(name, str) and name else None

    @property
    def language(self) -> str | None:
        """Programming language that the notebook names."""
        metadata = self.notebook["metadata"]
        name = _mapping(metadata.get("language_info")).get("name")
        name = name or _mapping(metadata.get("kernelspec")).get("language")
        return name if isinstance(name, str) and name else None

    def tagged(self, tag: str) -> dict[str, Any] | None:
        """Return the first cell that carries `tag`."""
        for cell in self.notebook["cells"]:
            if tag in cell["metadata"]["tags"]:
                return cell  # type: ignore[no-any-return]
        return None

    def text(self) -> str:
        """Return the notebook as the JSON text that papermill reads."""
        return json.dumps(self.notebook)


def read_source(path: str) -> Source:
    """Read the notebook at `path`.

    Raises
    ------
    SourceError
        If there is no notebook, or if it cannot be executed.
    """
    try:
        content = Path(path).read_bytes()
    except FileNotFoundError:
        raise SourceError("NotebookNotFound", f"There is no notebook at {path}") from None
    except OSError as error:
        raise SourceError(
            "NotebookNotReadable", f"The notebook {path} cannot be read: {error.strerror}"
        ) from error
    return parse_source(content, path)


def parse_source(content: bytes, path: str) -> Source:
    """Return the notebook of which `content` are the bytes.

    Parameters
    ----------
    path
        How error messages call it.

    Raises
    ------
    SourceError
        If it is not a notebook that can be executed.
    """
    notebook = _current_format(_parsed(content, path), path)
    cells, indices = [], []
    for index, cell in enumerate(notebook["cells"]):
        _complete(cell, index, path)
        if _ADDED_BY_PAPERMILL.isdisjoint(cell["metadata"]["tags"]):
            cells.append(cell)
            indices.append(index)
    notebook["cells"] = cells
    if notebook["nbformat_minor"] >= 5:
        _give_ids(cells)
    notebook["metadata"].pop("papermill", None)
    notebook["metadata"].pop("widgets", None)
    return Source(path, hashlib.sha256(content).hexdigest(), notebook, tuple(indices))


def _parsed(content: bytes, path: str) -> dict[str, Any]:
    try:
        notebook = json.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise SourceError("InvalidNotebook", f"{path} is not a notebook: it is not UTF-8 text") from error
    except (ValueError, RecursionError) as error:
        reason = "it is empty" if not content.strip() else str(error)
        if isinstance(error, json.JSONDecodeError) and content.strip():
            reason = f"{error.msg} at line {error.lineno}, column {error.colno}"
        raise SourceError("InvalidNotebook", f"{path} is not a notebook: {reason}") from error
    if not isinstance(notebook, dict) or not isinstance(notebook.get("nbformat"), int):
        raise SourceError("InvalidNotebook", f"{path} is not a notebook: it names no notebook format")
    return notebook


def _current_format(notebook: dict[str, Any], path: str) -> dict[str, Any]:
    version = notebook["nbformat"]
    if version > 4:
        raise SourceError(
            "InvalidNotebook",
            f"{path} is written in notebook format {version}; this installation reads up to format 4",
        )
    if version < 4:
        notebook = _upgraded(notebook, path)
    if not isinstance(notebook.setdefault("nbformat_minor", 0), int):
        raise SourceError(
            "InvalidNotebook", f"{path} is not a valid notebook: its nbformat_minor is no number"
        )
    if not isinstance(notebook.setdefault("metadata", {}), dict):
        raise SourceError("InvalidNotebook", f"{path} is not a valid notebook: its metadata is no mapping")
    if not isinstance(notebook.get("cells"), list):
        raise SourceError("InvalidNotebook", f"{path} is not a valid notebook: it has no list of cells")
    return notebook


def _upgraded(notebook: dict[str, Any], path: str) -> dict[str, Any]:
    import nbformat

    try:
        upgraded = nbformat.reads(json.dumps(notebook), as_version=4)  # type: ignore[no-untyped-call]
        return dict(upgraded)
    except Exception as error:  # the converters fail in many ways on what is no notebook
        version = notebook["nbformat"]
        raise SourceError(
            "InvalidNotebook",
            f"{path} is written in the old notebook format {version} and cannot be converted "
            f"({error}). Open it in JupyterLab and save it.",
        ) from error


def _complete(cell: Any, index: int, path: str) -> None:
    """Check a cell and fill in what old or hand-written notebooks leave out."""

    def invalid(what: str) -> SourceError:
        return SourceError("InvalidNotebook", f"{path} is not a valid notebook: cell {index + 1} {what}")

    if not isinstance(cell, dict):
        raise invalid("is no mapping")
    if cell.get("cell_type") not in _CELL_TYPES:
        raise invalid(f"has an unknown type ({cell.get('cell_type')!r})")
    source = cell.get("source")
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        cell["source"] = "".join(source)
    elif not isinstance(source, str):
        raise invalid("has no source text")
    metadata = cell.setdefault("metadata", {})
    if not isinstance(metadata, dict):
        raise invalid("has metadata that is no mapping")
    tags = metadata.get("tags")
    metadata["tags"] = [tag for tag in tags if isinstance(tag, str)] if isinstance(tags, list) else []
    if cell["cell_type"] == "code":
        cell["outputs"] = []
        cell["execution_count"] = None


def _give_ids(cells: list[dict[str, Any]]) -> None:
    """Give ids to cells that have none, or one of another: nbformat would do so, with a warning for each."""
    known: set[str] = set()
    for cell in cells:
        name = cell.get("id")
        if not isinstance(name, str) or not _ID.fullmatch(name) or name in known:
            number = len(known)
            while f"cell-{number}" in known:
                number += 1
            name = cell["id"] = f"cell-{number}"
        known.add(name)


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
