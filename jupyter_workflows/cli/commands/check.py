"""``jupyter workflows check``: what is wrong with a workflow, and how to mend it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from jupyter_workflows.cli.base import Command
from jupyter_workflows.cli.errors import COMPLETED, FAILED
from jupyter_workflows.cli.loading import counted, describe, find_documents, findings_of, open_project
from jupyter_workflows.cli.output import Output, findings_table, json_option, pass_output


@click.command(cls=Command)
@click.argument("path", default=".", metavar="[FILE|FOLDER]")
@json_option
@pass_output
def check(output: Output, path: str) -> int:
    """Say what is wrong with a workflow, and how to mend it.

    Looks at the document and at the notebooks that it names, and executes nothing. Of a folder, all
    workflows in it and below are checked; without an argument, those of the current folder.

    \b
    Examples:
      jupyter workflows check expenses.workflow
      jupyter workflows check . --json

    \b
    Exit codes:
      0  no errors (there may be warnings)
      1  errors
      2  wrong use, such as a file that is not there

    With --json: {"documents": [...], "findings": [{"document", "code", "severity", "message", "mend",
    "stage", "transition", "field", "cell", "where"}], "errors": 0, "warnings": 0}.
    """
    documents = find_documents(path)
    findings = [(document, _findings(document)) for document in documents]
    every = [finding for _, found in findings for finding in found]
    errors = sum(finding["severity"] == "error" for finding in every)
    warnings = sum(finding["severity"] == "warning" for finding in every)
    if output.json:
        output.emit(
            {
                "documents": [str(document) for document in documents],
                "findings": every,
                "errors": errors,
                "warnings": warnings,
            }
        )
    else:
        for document, found in findings:
            _show(output, document, found)
    return FAILED if errors else COMPLETED


def _findings(path: Path) -> list[dict[str, Any]]:
    from jupyter_workflows.model.document import DocumentError

    try:
        return findings_of(open_project(path))
    except DocumentError as error:
        # To a check, a document that cannot be read is a finding like others.
        return [describe(finding, None, path) for finding in error.findings]


def _show(output: Output, document: Path, findings: list[dict[str, Any]]) -> None:
    if not findings:
        output.print(f"{document}: nothing found.", "green")
        return
    counts = {
        severity: sum(finding["severity"] == severity for finding in findings)
        for severity in ("error", "warning", "info")
    }
    summary = ", ".join(
        [counted(counts[kind], kind) for kind in ("error", "warning") if counts[kind]]
        + ([f"{counts['info']} to know"] if counts["info"] else [])
    )
    output.print(f"{document}: {summary}", "bold")
    output.print()
    output.out.print(findings_table(findings))
    output.print()
