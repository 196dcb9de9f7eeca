"""Declaring what a route's verb takes and gives: its handler is run, and its documentation made, by that."""

from __future__ import annotations

import functools
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from .problems import Problem, problem_of
from .requests import parse_body, parse_query

if TYPE_CHECKING:
    from .base import WorkflowsHandler

#: A verb as tornado has it.
Verb = Callable[..., Awaitable[None]]

ID = r"[0-9a-z]{20}"
SLUG = r"[a-z0-9]+(?:-[a-z0-9]+)*"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A part of a path that varies."""

    pattern: str
    description: str
    example: Any
    integer: bool = False


#: The parameters that paths may have.
PARAMETERS = {
    "run": Parameter(ID, "Id of a run.", "1q2w3e4r5t6z7u8v9w0x"),
    "stage_run": Parameter(ID, "Id of a stage run.", "1q2w3e4r5t6z7u8v9w0x"),
    "task": Parameter(ID, "Id of a task: that of its stage run.", "1q2w3e4r5t6z7u8v9w0x"),
    "deployment": Parameter(ID, "Id of a deployment.", "1q2w3e4r5t6z7u8v9w0x"),
    "secret": Parameter(ID, "Id of a hook's secret.", "1q2w3e4r5t6z7u8v9w0x"),
    "artifact": Parameter(r"[0-9a-f]{64}", "Hash of an artifact.", "0" * 64),
    "attempt": Parameter(r"[1-9][0-9]{0,8}", "Number of an attempt, from 1.", 1, integer=True),
    "workflow": Parameter(
        r"[0-9A-Za-z][0-9A-Za-z_.-]{0,199}",
        "Uid of a workflow, or its name in addresses.",
        "expense-approval",
    ),
    "stage": Parameter(SLUG, "Path of a stage.", "monthly-report"),
}


@dataclass(frozen=True, slots=True)
class File:
    """An answer that is a file."""

    media_type: str
    description: str = "The file."
    binary: bool = True


@dataclass(frozen=True, slots=True)
class Upload:
    """A body that is a file; the handler itself takes it in while it arrives."""

    media_type: str
    description: str


@dataclass(frozen=True, slots=True)
class Operation:
    """What a verb of a route takes and gives."""

    name: str
    summary: str
    description: str
    query: type[BaseModel] | None
    body: type[BaseModel] | None
    body_required: bool
    headers: tuple[tuple[str, str], ...]
    status: int
    answer: type[BaseModel] | File | None
    problems: tuple[int, ...]
    location: bool
    upload: Upload | None = None
    tag: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """A model with what else belongs to its answer.

    Parameters
    ----------
    location
        Parts of the address below ``workflows/api``, for the Location header.
    """

    model: BaseModel | None
    location: tuple[str, ...] = ()
    headers: dict[str, str] = field(default_factory=dict)


def operation(
    summary: str,
    *,
    query: type[BaseModel] | None = None,
    body: type[BaseModel] | None = None,
    body_required: bool = True,
    headers: tuple[tuple[str, str], ...] = (),
    status: int = 200,
    answer: type[BaseModel] | File | None = None,
    problems: tuple[int, ...] = (),
    location: bool = False,
    upload: Upload | None = None,
) -> Callable[[Callable[..., Awaitable[Any]]], Verb]:
    """Declare a verb of a route; the innermost decorator, so that nothing is read of strangers.

    The verb is called with the parameters of its path and, where they are declared, the models `query` and
    `body`. What it returns is the answer: a model, an `Answer`, or `None` if there is nothing to say (or if
    it has answered itself). Errors of the domain become problems.

    Parameters
    ----------
    summary
        One line; the verb's docstring says the rest.
    headers
        Name and description of request headers that the verb reads.
    status
        Of an answer without errors.
    answer
        What it carries.
    problems
        Statuses of errors, beyond those that follow from the rest.
    location
        Whether the answer has a Location header.
    upload
        What the body is, if that is a file.
    """

    def decorate(method: Callable[..., Awaitable[Any]]) -> Verb:
        declared = Operation(
            name=method.__qualname__,
            summary=summary,
            description=_description(method),
            query=query,
            body=body,
            body_required=body_required,
            headers=headers,
            status=status,
            answer=answer,
            problems=problems,
            location=location,
            upload=upload,
        )

        @functools.wraps(method)
        async def verb(handler: WorkflowsHandler, **parts: str) -> None:
            try:
                given = _path_parts(parts)
                arguments = handler.request.query_arguments
                if query is not None:
                    given["query"] = parse_query(arguments, query)
                else:
                    parse_query(arguments, _Nothing)
                if body is not None:
                    kind = handler.request.headers.get("Content-Type", "")
                    given["body"] = parse_body(handler.request.body, kind, body, required=body_required)
                result = await method(handler, **given)
            except Exception as error:
                problem = problem_of(error)
                if problem is None or problem is error:
                    raise
                raise problem from error
            handler.reply(result, status)

        verb.operation = declared  # type: ignore[attr-defined]
        return verb

    return decorate


class _Nothing(BaseModel, extra="forbid"):
    """A query without parameters."""


def _description(method: Callable[..., Any]) -> str:
    lines = (method.__doc__ or "").strip().splitlines()
    text = "\n".join(line.strip() for line in lines)
    return re.sub(r"(?<!\n)\n(?!\n)", " ", text)


def _path_parts(parts: dict[str, str]) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for name, text in parts.items():
        parameter = PARAMETERS[name]
        if re.fullmatch(parameter.pattern, text) is None:
            noun = name.replace("_", " ")
            shown = text if len(text) <= 60 else f"{text[:60]}…"
            raise Problem(404, "not-found", f"there is no {noun} {shown!r}", errors=[(name, "Not found")])
        given[name] = int(text) if parameter.integer else text
    return given


def route_pattern(template: str) -> str:
    """Return the regular expression of a path such as ``runs/{run}``."""
    return re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(template).replace("\\-", "-"))
