"""Checks: what is wrong with a workflow before it runs."""

from __future__ import annotations

from ..document import Document
from ..findings import Finding
from ..graph import Graph
from .notebooks import check_notebooks, is_inside, kernel_of
from .settings import check_settings
from .structure import check_structure
from .view import NotebookError, ProjectView

__all__ = ["NotebookError", "ProjectView", "check", "is_inside", "kernel_of"]

_RANKS = {"error": 0, "warning": 1, "info": 2}


def check(document: Document, project: ProjectView | None = None) -> list[Finding]:
    """Check a workflow.

    Parameters
    ----------
    project
        The files and the environment; without it only the document is checked.

    Returns
    -------
    The findings, errors first, in an order that depends on nothing else.
    """
    graph = Graph.from_document(document)
    findings = [*check_structure(document, graph), *check_settings(document, graph)]
    if project is not None:
        findings += check_notebooks(document, project)
    return sorted(
        findings,
        key=lambda finding: (
            _RANKS[finding.severity],
            finding.where,
            finding.cell or 0,
            finding.code,
            finding.message,
        ),
    )
