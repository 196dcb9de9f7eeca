"""Findings: what is wrong with a workflow, where, and how to mend it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Severity = Literal["error", "warning", "info"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, or worth a look.

    Parameters
    ----------
    code
        Stable name of the kind of finding, in kebab case.
    message
        What is wrong, in plain words.
    mend
        What to do about it.
    stage, transition
        Key of the stage or transition that it is about.
    field
        Path of the field, such as ``schedule.cron``: within the stage or transition, if there is one,
        else within the document.
    cell
        Index of the notebook's cell, for findings in a notebook.
    """

    code: str
    severity: Severity
    message: str
    mend: str = ""
    stage: str | None = None
    transition: str | None = None
    field: str | None = None
    cell: int | None = None

    @property
    def where(self) -> str:
        """Path from the document's root, such as ``stages.s1.schedule.cron``; may be empty."""
        parts: list[str] = []
        if self.transition is not None:
            parts += ["transitions", self.transition]
        elif self.stage is not None:
            parts += ["stages", self.stage]
        if self.field:
            parts.append(self.field)
        return ".".join(parts)

    def to_json(self) -> dict[str, Any]:
        """Return the finding as JSON-serialisable mapping."""
        return asdict(self)

    def __str__(self) -> str:
        text = f"{self.where}: {self.message}" if self.where else self.message
        return f"{text} ({self.mend})" if self.mend else text
