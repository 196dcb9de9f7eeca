"""Reading requests: JSON bodies and query parameters, checked field by field."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar, get_origin

from pydantic import BaseModel, RootModel, ValidationError

from .problems import Problem, invalid

M = TypeVar("M", bound=BaseModel)

#: Levels of nesting in a body; stage data is walked by recursion.
_DEEPEST = 64
#: Bytes of a body; a workflow document with 1,000 stages has half a megabyte.
LARGEST_BODY = 10 * 1024 * 1024

#: Parameters that belong to Jupyter Server, not to a route.
_FOREIGN = frozenset({"token", "no_track_activity", "_", "_xsrf"})


def media_type(header: str) -> str:
    """Return the media type of a Content-Type header, without parameters, in lower case."""
    return header.partition(";")[0].strip().lower()


def parse_body(content: bytes, content_type: str, model: type[M], *, required: bool) -> M | None:
    """Return a request's body as a model.

    Raises
    ------
    Problem
        With the fields that are wrong.
    """
    if not content.strip():
        if required:
            raise Problem(400, "body-missing", "The request has no body", "Send a JSON object")
        return None
    if media_type(content_type) != "application/json":
        raise Problem(
            415,
            "wrong-content-type",
            f"The body is {content_type or 'of no named type'}, which this route does not read",
            "Send JSON, with Content-Type: application/json",
            headers={"Accept": "application/json"},
        )
    parse_json(content)
    try:
        # From the text, not the value: JSON has no times, so that strictness does not mean text there.
        return model.model_validate_json(content)
    except ValidationError as error:
        raise invalid(error, alternatives=issubclass(model, RootModel)) from None


def parse_json(content: bytes) -> Any:
    """Return a JSON value that can be kept: plain text, finite numbers, and not nested without end.

    Raises
    ------
    Problem
        It is not one.
    """
    if len(content) > LARGEST_BODY:
        raise Problem(413, "body-too-large", f"The body is larger than {LARGEST_BODY} bytes")
    try:
        value = json.loads(content.decode("utf-8"), parse_constant=_refuse_constant)
    except UnicodeDecodeError:
        raise Problem(400, "invalid-json", "The body is not UTF-8 text") from None
    except json.JSONDecodeError as error:
        raise Problem(
            400,
            "invalid-json",
            f"The body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}",
        ) from None
    except RecursionError:
        raise _too_deep() from None
    except ValueError as error:
        raise Problem(400, "invalid-json", f"The body is not JSON that can be kept: {error}") from None
    _examine(value, 0)
    return value


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON value")


def _too_deep() -> Problem:
    return Problem(400, "invalid-json", f"The body is nested deeper than {_DEEPEST} levels")


def _examine(value: Any, depth: int) -> None:
    if depth > _DEEPEST:
        raise _too_deep()
    if isinstance(value, str):
        _examine_text(value)
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise Problem(400, "invalid-json", "The body has a number that is too large")
    elif isinstance(value, dict):
        for name, item in value.items():
            _examine_text(name)
            _examine(item, depth + 1)
    elif isinstance(value, list):
        for item in value:
            _examine(item, depth + 1)


def _examine_text(text: str) -> None:
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise Problem(400, "invalid-json", "The body has text with half a character") from None


def parse_query(arguments: Mapping[str, Sequence[bytes]], model: type[M]) -> M:
    """Return a request's query parameters as a model.

    Raises
    ------
    Problem
        With the parameters that are wrong.
    """
    values: dict[str, Any] = {}
    errors: list[tuple[str, str]] = []
    for name, given in arguments.items():
        if name in _FOREIGN or (name.isdecimal() and not any(given)):
            continue  # JupyterLab adds the time, so that no cache answers
        try:
            texts = [text.decode("utf-8") for text in given]
        except UnicodeDecodeError:
            errors.append((name, "It is not UTF-8 text"))
            continue
        field = model.model_fields.get(name)
        if field is not None and get_origin(field.annotation) in (list, tuple):
            values[name] = texts
        elif len(texts) > 1:
            errors.append((name, "It can be given once only"))
        else:
            values[name] = texts[0]
    if errors:
        raise Problem(400, "invalid-request", "A query parameter is not right", errors=errors)
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise invalid(error, 400) from None
