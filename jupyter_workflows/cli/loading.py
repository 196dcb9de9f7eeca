"""Opening the project that a person means, and what checks say about it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from .arguments import expanded
from .errors import CliError, FindingsError, require_text

if TYPE_CHECKING:
    from jupyter_workflows.execution.project import Project
    from jupyter_workflows.model.document import Document
    from jupyter_workflows.model.findings import Finding

SUFFIX = ".workflow"
_LEFT_OUT = frozenset({"__pycache__", "node_modules", "site-packages"})

#: Errors of one stage, or of one call in its notebook. It fails and says so if it comes to that, and other
#: branches go on; so they do not keep the workflow from being run.
_OF_ONE_STAGE = frozenset({"kernel-not-installed", "unknown-stage", "stage-not-next", "ambiguous-stage"})


def find_documents(path: str) -> list[Path]:
    """Return the workflow documents at `path`: the file, or all in a folder and the folders below it."""
    file = expanded(path)
    if not file.is_dir():
        return [file]
    found = sorted(
        item
        for item in file.rglob(f"*{SUFFIX}")
        if item.is_file() and not any(_is_left_out(part) for part in item.relative_to(file).parts[:-1])
    )
    if not found:
        raise CliError(
            f"There is no workflow (*{SUFFIX}) in {file} or below.",
            "Name another folder, or make one: jupyter workflows new PATH",
            code="file-not-found",
            details={"file": str(file)},
        )
    return found


def _is_left_out(folder: str) -> bool:
    return folder.startswith(".") or folder in _LEFT_OUT


def open_project(path: str | Path) -> Project:
    """Open the project of a document, or of the only one in a folder, as it lies there."""
    from jupyter_workflows.execution.project import Project

    project = Project.open(expanded(path))
    require_text(str(project.path), "The path")
    return project


def findings_of(project: Project) -> list[dict[str, Any]]:
    """Check a project and return its findings as JSON values, the errors first."""
    from jupyter_workflows.model.checks import check

    return [describe(finding, project.document, project.path) for finding in check(project.document, project)]


def describe(finding: Finding, document: Document | None, path: Path) -> dict[str, Any]:
    """Return a finding as JSON value, with the file and in words where it is."""
    value = {"document": str(path), **finding.to_json()}
    where = None
    if document is not None and finding.transition in document.transitions:
        transition = document.transitions[finding.transition]
        names = [
            document.stages[key].path if key in document.stages else key
            for key in (transition.source, transition.target)
        ]
        where = f"{' → '.join(names)} ({finding.transition})"
    elif document is not None and finding.stage in document.stages:
        where = document.stages[finding.stage].path
    return {**value, "where": where or finding.transition or finding.stage}


def runnable(project: Project) -> list[dict[str, Any]]:
    """Return the findings that do not keep a project from being run.

    What would only make one stage fail is among them as a warning.

    Raises
    ------
    FindingsError
        If there are errors.
    """
    findings = [
        {**finding, "severity": "warning"} if finding["code"] in _OF_ONE_STAGE else finding
        for finding in findings_of(project)
    ]
    errors = [finding for finding in findings if finding["severity"] == "error"]
    if errors:
        raise FindingsError(
            f"{project.path} cannot be run: {counted(len(errors), 'error')}",
            f"Mend it, then look again: jupyter workflows check {typed(project.path)}",
            findings,
        )
    return findings


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, as in ``2 errors``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def typed(path: Path) -> str:
    """Return a path as one would type it in a shell, relative to the current folder where it lies there."""
    import shlex

    try:
        return shlex.quote(str(path.relative_to(Path.cwd())))
    except (ValueError, OSError):
        return shlex.quote(str(path))
