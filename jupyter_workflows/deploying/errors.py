"""What can keep a workflow from being deployed, in words for the person who reads it."""

from __future__ import annotations

from collections.abc import Sequence

from jupyter_workflows.model.findings import Finding


class DeployError(Exception):
    """A workflow that was not deployed; what was live is live still.

    Parameters
    ----------
    message
        What is wrong.
    mend
        What to do about it; may be empty.
    findings
        What the check found, for one that was refused because of it: at least one of them is an error.
    code
        Stable name of the kind of error.
    """

    def __init__(
        self, message: str, mend: str = "", *, findings: Sequence[Finding] = (), code: str = "not-deployed"
    ) -> None:
        super().__init__(message)
        self.message = message
        self.mend = mend
        self.findings = list(findings)
        self.code = code

    def __str__(self) -> str:
        lines = [f"{self.message}. {self.mend}" if self.mend else self.message]
        return "\n".join([*lines, *(f"- {finding}" for finding in self.findings)])
