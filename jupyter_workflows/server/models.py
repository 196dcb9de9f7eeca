"""Parts of requests and answers that several services use."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

#: Text without the zero character, which PostgreSQL cannot keep.
Text = Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=r"^[^\x00]*$")]
LongText = Annotated[str, StringConstraints(max_length=10_000, pattern=r"^[^\x00]*$")]
#: Path of a workflow file, as the file browser shows it.
WorkflowPath = Annotated[
    str,
    StringConstraints(max_length=2000, pattern=r"^[^\x00\\]+\.workflow$"),
    Field(description="Path of a workflow file, from the server's root folder."),
]
Id = Annotated[str, StringConstraints(pattern=r"^[0-9a-z]{20}$")]
StagePath = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=200)]
#: A moment of which everybody knows when it is.
Moment = Annotated[AwareDatetime, Field(description="ISO 8601, with an offset from UTC.")]
JsonObject = dict[str, Any]


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


#: An integer in a body, as JSON knows it: 5.0 is one.
Whole = Annotated[int, BeforeValidator(_whole)]


class Request(BaseModel):
    """Base of what clients send: unknown fields are refused, and nothing is guessed."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Query(BaseModel):
    """Base of query parameters, which are all text at first."""

    model_config = ConfigDict(extra="forbid")


class PageQuery(Query):
    """Which part of a list."""

    limit: int = Field(50, ge=1, le=200, description="How many at most.")
    cursor: Annotated[str, StringConstraints(max_length=200)] | None = Field(
        None, description="Go on where an earlier page ended: its `cursor`."
    )


class Model(BaseModel):
    """Base of answers."""


class ErrorModel(Model):
    """Why a stage failed."""

    model_config = ConfigDict(extra="ignore", title="Error")

    name: str
    message: str
    cell: int | None = Field(None, description="Index of the cell in the source notebook.")


def error_model(error: Any) -> ErrorModel | None:
    """Return an error as it is stored as a model."""
    if not error:
        return None
    return ErrorModel(
        name=str(error.get("name", "Error")), message=str(error.get("message", "")), cell=error.get("cell")
    )
