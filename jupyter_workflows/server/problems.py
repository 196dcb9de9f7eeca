"""Errors as problem details (RFC 9457): the one place where domain errors become HTTP statuses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from tornado import web

from jupyter_workflows.deploying.errors import DeployError
from jupyter_workflows.execution.project import ProjectError
from jupyter_workflows.model.document import DocumentError
from jupyter_workflows.runner.errors import RunnerError
from jupyter_workflows.store import (
    DatabaseBusy,
    IdempotencyConflict,
    InvalidCursor,
    NeedsUpgrade,
    NewerSchema,
    NotFound,
    StaleClaim,
    StoreError,
    WrongState,
)
from jupyter_workflows.store.errors import Conflict, SlugTaken

MEDIA_TYPE = "application/problem+json"


class FieldError(BaseModel):
    """What is wrong with one field of a request."""

    field: str = Field(description="Where: a name, or a path such as `data.lines[2]`.")
    message: str


class ProblemModel(BaseModel):
    """Problem details (RFC 9457)."""

    model_config = ConfigDict(extra="allow", title="Problem")

    type: str = Field(description="Identifies the kind of problem.")
    title: str
    status: int
    code: str = Field(description="The kind of problem, short and stable.")
    detail: str | None = None
    mend: str | None = Field(None, description="What can be done about it.")
    instance: str | None = Field(None, description="The path that was requested.")
    errors: list[FieldError] | None = Field(None, description="The fields of the request that are wrong.")
    choices: list[str] | None = Field(None, description="The values that would have been right.")
    findings: list[dict[str, Any]] | None = Field(None, description="What a check of the workflow found.")


class Problem(web.HTTPError):
    """An error that a client is told about.

    Parameters
    ----------
    status
        Of HTTP.
    code
        The kind of problem, in kebab case; stable.
    detail
        What is wrong, for a person.
    mend
        What can be done about it.
    errors
        Fields that are wrong: name and message.
    headers
        Of the answer.
    more
        Further members.
    """

    def __init__(
        self,
        status: int,
        code: str,
        detail: str | None = None,
        mend: str | None = None,
        *,
        errors: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> None:
        # The detail may hold a percent sign: tornado would format it.
        super().__init__(status, "%s", detail or code)
        self.code = code
        self.detail = detail
        self.mend = mend or None
        self.errors = list(errors)
        self.headers = dict(headers or {})
        self.more = {name: value for name, value in more.items() if value}

    def to_json(self, instance: str | None = None) -> dict[str, Any]:
        """Return the members of the problem's JSON object; those that say nothing are left out."""
        members = {
            "type": f"urn:jupyter-workflows:{self.code}",
            "title": title_of(self.status_code),
            "status": self.status_code,
            "code": self.code,
            "detail": _sentence(self.detail),
            "mend": _sentence(self.mend),
            "instance": instance,
            "errors": [{"field": field, "message": message} for field, message in self.errors] or None,
            **self.more,
        }
        return {name: value for name, value in members.items() if value is not None}


def title_of(status: int) -> str:
    """Return the phrase that belongs to a status."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"


#: Kinds of domain errors: class, status, code. The first that fits counts.
_KINDS: list[tuple[type[Exception], int, str]] = [
    (NotFound, 404, "not-found"),
    (SlugTaken, 409, "name-taken"),
    (WrongState, 409, "wrong-state"),
    (StaleClaim, 409, "wrong-state"),
    (Conflict, 503, "database-busy"),
    (DatabaseBusy, 503, "database-busy"),
    (NeedsUpgrade, 503, "database-needs-upgrade"),
    (NewerSchema, 503, "database-too-new"),
    (StoreError, 503, "database-unavailable"),
    (DocumentError, 422, "invalid-workflow"),
    (ProjectError, 422, "invalid-project"),
]
#: Statuses of deployments that were refused for another reason than the project, by code.
_DEPLOY_STATUSES = {"snapshot-not-found": 409, "slug-frozen": 409, "file-error": 503, "busy": 409}
_RETRY_AFTER = {"database-busy": "2", "database-unavailable": "10"}


def problem_of(error: Exception) -> Problem | None:
    """Return the problem that an error is for a client; `None` for one that nobody expected."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, InvalidCursor):
        return Problem(400, "invalid-cursor", errors=[("cursor", error.message)], mend=error.mend)
    if isinstance(error, IdempotencyConflict):
        return Problem(
            422, "key-used-before", error.message, error.mend, errors=[("Idempotency-Key", error.message)]
        )
    if isinstance(error, RunnerError):
        return Problem(422, "cannot-start", error.message, error.mend, choices=list(error.choices))
    if isinstance(error, DeployError):
        return _known(error, _DEPLOY_STATUSES.get(error.code, 422), error.code)
    for kind, status, code in _KINDS:
        if isinstance(error, kind):
            return _known(error, status, code)
    return None


def _known(error: Exception, status: int, code: str) -> Problem:
    findings = [
        finding.to_json() if hasattr(finding, "to_json") else dict(finding)
        for finding in getattr(error, "findings", ())
    ]
    message = str(getattr(error, "message", "") or error)
    return Problem(
        status,
        code,
        message.partition("\n")[0] if findings else message,
        getattr(error, "mend", None),
        headers={"Retry-After": _RETRY_AFTER[code]} if code in _RETRY_AFTER else None,
        findings=findings,
        choices=list(getattr(error, "choices", ())),
    )


def invalid(error: ValidationError, status: int = 422, *, alternatives: bool = False) -> Problem:
    """Return the problem that says which fields a model refused.

    Parameters
    ----------
    alternatives
        Whether the model is one of several: then each place begins with which of them is meant.
    """
    errors: dict[tuple[str, str], None] = {}
    for found in error.errors(include_url=False):
        location = found["loc"][1:] if alternatives else found["loc"]
        if found["type"] in ("union_tag_not_found", "union_tag_invalid"):
            location = (str(found["ctx"]["discriminator"]).strip("'"),)
        errors[field_path(location), _refusal(found)] = None
    noun = "field is" if len(errors) == 1 else "fields are"
    return Problem(status, "invalid-request", f"{len(errors)} {noun} not right", errors=list(errors)[:50])


def _refusal(found: Mapping[str, Any]) -> str:
    if found["type"] == "extra_forbidden":
        return "There is no such field"
    if found["type"] == "union_tag_not_found":
        return "Field required"
    return str(found["msg"]).removeprefix("Value error, ")


def field_path(location: Sequence[str | int]) -> str:
    """Return where in a request something is, as in ``data.lines[2]``; the body itself is ``body``."""
    path = ""
    for part in location:
        path += f"[{part}]" if isinstance(part, int) else (f".{part}" if path else str(part))
    return path or "body"


def _sentence(text: str | None) -> str | None:
    """Return `text` with a capital, unless it begins with a name or a path."""
    if not text:
        return None
    first = text.partition(" ")[0]
    return text[0].upper() + text[1:] if first.isalpha() and first.islower() and first.isascii() else text
