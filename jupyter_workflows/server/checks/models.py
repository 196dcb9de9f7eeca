"""What checking reads and writes."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from ..models import JsonObject, Model, Request, WorkflowPath


class CheckPath(Request):
    """Check a workflow file as it lies on disk."""

    path: WorkflowPath


class CheckDocument(Request):
    """Check a document that is sent, such as one that is being edited."""

    document: JsonObject | str = Field(description="The document, or its text.")
    path: WorkflowPath | None = Field(
        None,
        description="Where it will lie; its notebooks are looked for beside it. Else they are not checked.",
    )


class FindingModel(Model):
    """One thing that is wrong, or worth a look."""

    model_config = ConfigDict(title="Finding")

    code: str
    severity: Literal["error", "warning", "info"]
    message: str
    mend: str
    stage: str | None
    transition: str | None
    field: str | None
    cell: int | None


class CheckAnswer(BaseModel):
    """What a check found, the errors first."""

    findings: list[FindingModel]
    errors: int
    warnings: int
