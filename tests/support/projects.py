"""Making small projects for tests: a document and its notebooks from a few words."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_notebook

#: A cell's source; a tuple adds tags.
Cell = str | tuple[str, Sequence[str]]


def write_notebook(path: Path, cells: Sequence[Cell], *, kernel: str | None = "python3") -> Path:
    """Write a notebook of code cells."""
    notebook = new_notebook()
    for cell in cells:
        source, tags = (cell, ()) if isinstance(cell, str) else cell
        metadata = {"tags": list(tags)} if tags else {}
        notebook.cells.append(new_code_cell(source, metadata=metadata))
    if kernel is not None:
        notebook.metadata["kernelspec"] = {"name": kernel, "display_name": kernel, "language": "python"}
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)
    return path


def write_project(
    folder: Path,
    stages: Mapping[str, Mapping[str, Any]],
    transitions: Sequence[Mapping[str, Any]] = (),
    *,
    name: str = "test.workflow",
    title: str = "Test",
) -> Path:
    """Write a project and return its document's path.

    Parameters
    ----------
    stages
        By path (which is the key too): the stage's settings, and under ``cells`` its notebook's cells.
        The type is ``script`` unless given.
    transitions
        Mappings with ``source`` and ``target``; their keys are ``t0``, ``t1`` ... in this order.
    """
    document: dict[str, Any] = {
        "format": 1,
        "uid": str(uuid.uuid4()),
        "title": title,
        "stages": {},
        "transitions": {f"t{place}": dict(item) for place, item in enumerate(transitions)},
    }
    for place, (path, settings) in enumerate(stages.items()):
        stage = {
            "type": "script",
            "path": path,
            "title": path.replace("-", " ").capitalize(),
            "notebook": f"stages/{path}.ipynb",
            "position": [240 * place, 0],
            **settings,
        }
        cells = stage.pop("cells", None)
        kernel = stage.pop("notebook_kernel", "python3")
        if cells is not None:
            write_notebook(folder / stage["notebook"], cells, kernel=kernel)
        document["stages"][path] = stage
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / name
    file.write_text(
        json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    return file
