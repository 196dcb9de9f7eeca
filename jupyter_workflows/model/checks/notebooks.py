"""Checks of the notebooks that stages name."""

from __future__ import annotations

import difflib
import posixpath
import re
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from ..document import Document, Stage
from ..findings import Finding
from .code import Cell, imports, next_stages, python_cells
from .view import NotebookError, ProjectView

#: What a notebook can import in every kernel of ours.
_ALWAYS_THERE = frozenset({"jupyter_workflows", "IPython", "ipykernel"}) | sys.stdlib_module_names


def check_notebooks(document: Document, project: ProjectView) -> Iterator[Finding]:
    """Find what is wrong with notebooks, and with what they say about the workflow."""
    cells: dict[str, list[Cell]] = {}
    missing: dict[str, tuple[str, int]] = {}
    for key, stage in sorted(document.stages.items()):
        problem = _location(key, stage, project)
        if problem is not None:
            yield problem
            continue
        path = posixpath.normpath(stage.notebook)
        try:
            notebook = project.notebook(path)
        except NotebookError as error:
            mend = "Open it in the notebook editor to mend it, or choose another."
            yield Finding("invalid-notebook", "error", str(error), mend, stage=key, field="notebook")
            continue
        yield from _kernel(key, stage, notebook, project)
        if path not in cells:
            cells[path] = python_cells(notebook)
            for module, index in _unlisted(path, cells[path], project):
                missing.setdefault(module, (key, index))
        yield from _next_stages(document, key, cells[path])
    yield from _requirements(missing, project)


def is_inside(path: str) -> bool:
    """Tell whether a path, as written in a document, stays within the project."""
    if "\\" in path or "\0" in path or path.startswith("/") or re.match(r"[A-Za-z]:", path):
        return False
    return posixpath.normpath(path).split("/")[0] != ".."


def _location(key: str, stage: Stage, project: ProjectView) -> Finding | None:
    path = stage.notebook
    if not path:
        return Finding(
            "missing-notebook",
            "error",
            "The stage has no notebook.",
            "Choose or create one.",
            stage=key,
            field="notebook",
        )
    if not is_inside(path):
        return Finding(
            "notebook-outside-project",
            "error",
            f"{path} does not lie in the project's folder.",
            "Move it into the folder, and write its path from there with forward slashes.",
            stage=key,
            field="notebook",
        )
    if project.exists(posixpath.normpath(path)):
        return None
    same_name = sorted(project.find(posixpath.basename(path)))
    mend = f"Choose {same_name[0]}, which has the same name." if same_name else "Create it or choose another."
    return Finding(
        "missing-notebook",
        "error",
        f"There is no notebook {path}.",
        mend,
        stage=key,
        field="notebook",
    )


def _kernel(key: str, stage: Stage, notebook: Mapping[str, Any], project: ProjectView) -> Iterator[Finding]:
    name, field = stage.kernel, "kernel"
    if name is None:
        name, field = kernel_of(notebook), "notebook"
    if name is None or project.kernels is None or name in project.kernels:
        return
    installed = ", ".join(sorted(project.kernels)) or "none"
    yield Finding(
        "kernel-not-installed",
        "error",
        f"The kernel {name!r} is not installed.",
        f"Install it, or choose another; there is {installed}.",
        stage=key,
        field=field,
    )


def kernel_of(notebook: Mapping[str, Any]) -> str | None:
    """Return the name of the kernel that a notebook asks for, if it does."""
    metadata = notebook.get("metadata")
    spec = metadata.get("kernelspec") if isinstance(metadata, Mapping) else None
    name = spec.get("name") if isinstance(spec, Mapping) else None
    return name if isinstance(name, str) and name else None


def _next_stages(document: Document, key: str, cells: list[Cell]) -> Iterator[Finding]:
    followers = {
        transition.target: document.stages[transition.target]
        for transition in document.transitions.values()
        if transition.source == key and transition.on == "completed" and transition.target in document.stages
    }
    paths = {stage.path for stage in followers.values()}
    titles = [stage.title for stage in followers.values()]
    for named in next_stages(cells):
        if named.name in paths or titles.count(named.name) == 1:
            continue
        known = sorted(paths)
        there = f"It leads to {', '.join(known)}." if known else "No transition leads away from it."
        elsewhere = any(named.name in (stage.path, stage.title) for stage in document.stages.values())
        if named.name in titles:
            code, message = "ambiguous-stage", f"Several stages have the title {named.name!r}."
            mend = f"Use the path. {there}"
        elif elsewhere:
            code, message = "stage-not-next", f"No transition leads from here to the stage {named.name!r}."
            mend = f"Draw the transition, or name another stage. {there}"
        else:
            close = difflib.get_close_matches(named.name, [*known, *titles], n=1)
            hint = f"Did you mean {close[0]!r}? " if close else ""
            code, message = "unknown-stage", f"next_stage names {named.name!r}, which is not a stage."
            mend = f"{hint}{there}"
        yield Finding(code, "error", message, mend, stage=key, field="notebook", cell=named.cell)


def _unlisted(path: str, cells: list[Cell], project: ProjectView) -> Iterator[tuple[str, int]]:
    own = project.modules(posixpath.dirname(path))
    requirements = project.requirements or frozenset()
    for module in imports(cells):
        if module.name in _ALWAYS_THERE or module.name in own or _normal(module.name) in requirements:
            continue
        if requirements and not project.distributions(module.name).isdisjoint(requirements):
            continue
        yield module.name, module.cell


def _requirements(missing: Mapping[str, tuple[str, int]], project: ProjectView) -> Iterator[Finding]:
    if not missing:
        return
    if project.requirements is None:
        names = ", ".join(sorted(_distribution(module, project) for module in missing))
        yield Finding(
            "no-requirements",
            "warning",
            "Notebooks import packages, but the project has no requirements.txt.",
            f"Create one with: {names}.",
        )
        return
    for module, (stage, cell) in missing.items():
        yield Finding(
            "package-not-required",
            "warning",
            f"The package {module} is imported, but is not in requirements.txt.",
            f"Add {_distribution(module, project)} to it.",
            stage=stage,
            field="notebook",
            cell=cell,
        )


def _distribution(module: str, project: ProjectView) -> str:
    names = project.distributions(module)
    return min(names, key=lambda name: (len(name), name)) if names else _normal(module)


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
