"""Checking workflows. All methods may block: they are called on threads."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jupyter_workflows.execution.project import Project
from jupyter_workflows.model.checks import check
from jupyter_workflows.model.document import DocumentError, load
from jupyter_workflows.model.findings import Finding

from .models import CheckAnswer, FindingModel


def check_file(file: Path) -> CheckAnswer:
    """Check a workflow as it lies on disk."""
    try:
        project = Project.open(file)
    except DocumentError as error:
        return _answer(error.findings)
    return _answer(check(project.document, project))


def check_document(document: dict[str, Any] | str, file: Path | None) -> CheckAnswer:
    """Check a document, with the notebooks beside `file` if there is one."""
    text = document if isinstance(document, str) else json.dumps(document)
    content = text.encode("utf-8")
    try:
        loaded = load(content, path=file)
    except DocumentError as error:
        return _answer(error.findings)
    project = None if file is None else Project(file.resolve(), content, loaded)
    return _answer(check(loaded, project))


def _answer(findings: Sequence[Finding]) -> CheckAnswer:
    return CheckAnswer(
        findings=[FindingModel(**finding.to_json()) for finding in findings],
        errors=sum(finding.severity == "error" for finding in findings),
        warnings=sum(finding.severity == "warning" for finding in findings),
    )
