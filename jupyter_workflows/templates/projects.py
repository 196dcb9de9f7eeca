"""New projects: a document, its notebooks, and requirements.txt, without anything overwritten."""

from __future__ import annotations

import json
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from jupyter_workflows.model.document import dump, load, new_document
from jupyter_workflows.model.slugs import slug

from .stages import notebook_text
from .workflows import WorkflowTemplate

SUFFIX = ".workflow"
REQUIREMENTS = "requirements.txt"
_PACKAGE = "jupyter_workflows"


@dataclass(frozen=True, slots=True)
class NewProject:
    """The files of a project that is to be made, by their paths in its folder."""

    document: str
    files: Mapping[str, str]


class ProjectExists(Exception):
    """Files of a new project are there already."""

    def __init__(self, files: list[Path]) -> None:
        self.files = files
        super().__init__(f"{', '.join(str(file) for file in files)} exists already")


def new_project(template: WorkflowTemplate, name: str, title: str) -> NewProject:
    """Return the files of a new project.

    Parameters
    ----------
    name
        Of the document, without its suffix.
    """
    keys = {stage.title: new_key() for stage in template.stages}
    stages = {}
    notebooks = {}
    for stage in template.stages:
        path = slug(stage.title)
        notebook = f"stages/{path}.ipynb"
        notebooks[notebook] = notebook_text(stage.cells, path)
        stages[keys[stage.title]] = {
            "type": stage.type,
            "path": path,
            "title": stage.title,
            "notebook": notebook,
            "position": list(stage.position),
            **stage.settings,
        }
    transitions = {
        new_key(): {"source": keys[arrow.source], "target": keys[arrow.target], **arrow.settings}
        for arrow in template.arrows
    }
    value = json.loads(dump(new_document(title))) | {"stages": stages, "transitions": transitions}
    document = f"{name}{SUFFIX}"
    packages = "".join(f"{package}\n" for package in (_PACKAGE, *template.requirements))
    return NewProject(
        document, {document: dump(load(json.dumps(value))), **notebooks, REQUIREMENTS: packages}
    )


def write_project(folder: Path, project: NewProject) -> list[Path]:
    """Write a new project's files, and return where they are.

    A requirements.txt that is there already stays: it is that of another workflow of the same project.

    Raises
    ------
    ProjectExists
        Another file is there already. Nothing was written.
    """
    files = {folder / name: text for name, text in project.files.items()}
    requirements = folder / REQUIREMENTS
    if os.path.lexists(requirements):
        del files[requirements]
    existing = [file for file in files if os.path.lexists(file)]
    if existing:
        raise ProjectExists(existing)
    for file, text in files.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
    return list(files)


def title_of(name: str) -> str:
    """Return the title of a workflow that has none, by its file's name."""
    words = " ".join(re.split(r"[-_\s]+", name)).strip()
    return words[:1].upper() + words[1:] or "Workflow"


def new_key() -> str:
    """Return a key of a stage or transition; a letter first, as in what the canvas makes."""
    return "s" + secrets.token_hex(3)
