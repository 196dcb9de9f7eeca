"""What speaks against deploying a project."""

from __future__ import annotations

from collections.abc import Sequence

from jupyter_workflows.execution.project import Project
from jupyter_workflows.model.checks import check
from jupyter_workflows.model.findings import Finding

from .errors import DeployError
from .selection import IGNORE, Selection


def findings_of(project: Project, chosen: Selection) -> list[Finding]:
    """Return all that speaks against deploying a project, and what else is worth a look."""
    found = [
        finding
        for finding in check(project.document, project)
        # These weigh more here, see below.
        if finding.code not in ("no-requirements", "no-stages")
    ]
    if not project.document.stages:
        found.append(
            Finding("no-stages", "error", "The workflow has no stages.", "Add one before you deploy it.")
        )
    if project.requirements is None:
        found.append(
            Finding(
                "no-requirements",
                "error",
                "The project has no requirements.txt, so nobody knows which packages its notebooks need.",
                "Create one beside the workflow: a name a line; an empty file says that none are needed.",
            )
        )
    found += chosen.findings
    for key, stage in sorted(project.document.stages.items()):
        if stage.notebook and project.exists(stage.notebook) and not chosen.has(stage.notebook):
            found.append(
                Finding(
                    "notebook-left-out",
                    "error",
                    f"{stage.notebook} is left out of deployments.",
                    f"Move it to where names begin with no dot, or see to {IGNORE}.",
                    stage=key,
                    field="notebook",
                )
            )
    ranks = {"error": 0, "warning": 1, "info": 2}
    return sorted(found, key=lambda finding: ranks[finding.severity])


def refuse(project: Project, findings: Sequence[Finding], *, allow_warnings: bool) -> None:
    """Raise `DeployError` if something does, with all that was found."""
    refused = [
        finding
        for finding in findings
        if finding.severity == "error" or (finding.severity == "warning" and not allow_warnings)
    ]
    if refused:
        number = "1 finding" if len(refused) == 1 else f"{len(refused)} findings"
        raise DeployError(
            f"{project.path} is not deployed, because of {number}",
            "Mend what was found, then deploy again; what was live is live still",
            findings=findings,
            code="invalid-workflow",
        )
