"""From an HTTP request to what `get_request` gives a notebook."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote

from jupyter_workflows.authoring.requests import Request
from jupyter_workflows.authoring.wire import SPILL

from ..problems import Problem
from .auth import PRIVATE_HEADERS

_MOST_FIELDS = 500
_KEY = re.compile(r"[\x21-\x7e][\x20-\x7e]{0,254}")
_NAMED = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)(\.\.\.)?\}")

Pairs = list[tuple[str, str]]


def query_pairs(query: str) -> Pairs:
    """Return the names and values of a query.

    Raises
    ------
    Problem
        There are too many, or they are not UTF-8.
    """
    try:
        return parse_qsl(
            query, keep_blank_values=True, encoding="utf-8", errors="strict", max_num_fields=_MOST_FIELDS
        )
    except UnicodeDecodeError:
        raise Problem(400, "invalid-query", errors=[("query", "It is not UTF-8 text")]) from None
    except ValueError:
        text = f"It has more than {_MOST_FIELDS} fields"
        raise Problem(400, "invalid-query", errors=[("query", text)]) from None


def public_headers(headers: Iterable[tuple[str, str]]) -> Pairs:
    """Return the headers that a notebook may see."""
    return [(name, value) for name, value in headers if name.lower() not in PRIVATE_HEADERS]


def path_parameters(below: str, pattern: str | None) -> dict[str, str] | None:
    """Return the named parts of the path below a hook's own; `None` if it is not one that the hook has.

    Parameters
    ----------
    below
        What follows the hook's path in the address, still encoded; with a leading slash if there is anything.
    pattern
        Such as ``{order}/items/{item}``; ``{rest...}`` at the end takes whatever is left. Without one, all
        that follows is ``path``.
    """
    given = below[1:] if below.startswith("/") else below
    try:
        parts = [unquote(part, errors="strict") for part in given.split("/")] if given else []
    except UnicodeDecodeError:
        return None
    if pattern is None:
        return {"path": "/".join(parts)} if parts else {}
    found = {}
    wanted = [part for part in pattern.strip("/").split("/") if part]
    for place, part in enumerate(wanted):
        named = _NAMED.fullmatch(part)
        if named is not None and named[2]:
            found[named[1]] = "/".join(parts[place:])
            return found
        if place >= len(parts) or not parts[place]:
            return None
        if named is not None:
            found[named[1]] = parts[place]
        elif part != parts[place]:
            return None
    return found if len(parts) == len(wanted) else None


def checked(request: Mapping[str, Any], body: bytes) -> Request:
    """Return a request as a notebook will see it, its body parsed.

    Raises
    ------
    Problem
        The body is not what its content type says.
    """
    seen = Request.from_json({**request, "body": None, "body_base64": None})
    seen = Request(seen.method, seen.path, seen.path_params, seen.query, seen.headers, body)
    try:
        seen.parse()
    except (ValueError, RecursionError) as error:
        raise Problem(
            400,
            "invalid-body",
            "the body is not what its Content-Type says",
            errors=[("body", str(error)[:300])],
        ) from None
    return seen


def body_members(body: bytes) -> dict[str, Any] | None:
    """Return how a body is written down in a request; `None` if it is too long for that."""
    if not body:
        return {}
    if len(body) > SPILL:
        return None
    try:
        return {"body": body.decode()}
    except UnicodeDecodeError:
        import base64

        return {"body_base64": base64.b64encode(body).decode()}


def idempotency_key(headers: Mapping[str, str], message_id: str | None) -> str | None:
    """Return the key under which a request is taken once.

    Raises
    ------
    Problem
        It is too long, or has strange characters.
    """
    for name in ("webhook-id", "Idempotency-Key"):
        value = message_id if name == "webhook-id" and message_id is not None else headers.get(name)
        if value is None:
            continue
        if not _KEY.fullmatch(value):
            text = "It has 1 to 255 characters of printable ASCII"
            raise Problem(400, "invalid-key", f"the header {name} is not a key", errors=[(name, text)])
        return f"{name.lower()}:{value}"
    return None


def content_hash(method: str, path: str, query: str, body: bytes) -> str:
    """Return a hash of what must be the same when a request comes again."""
    hashed = hashlib.sha256(f"{method}\n{path}\n{query}\n".encode(errors="replace"))
    hashed.update(body)
    return hashed.hexdigest()


def matched(match: Mapping[str, str], request: Request) -> dict[str, Any]:
    """Return the values that a request has for the keys of a hook's ``match``.

    Raises
    ------
    Problem
        It lacks one.
    """
    values = {}
    missing = []
    for key, place in match.items():
        try:
            values[key] = _at(place, request)
        except LookupError:
            missing.append((place, "It is needed to find the run that this request is for"))
    if missing:
        raise Problem(422, "cannot-match", "the request does not say what it is for", errors=missing)
    return values


def _at(place: str, request: Request) -> Any:
    source, _, rest = place.partition(".")
    value: Any
    if source == "query":
        value = request.query[rest]
    elif source == "headers":
        value = request.headers[rest]
    elif source in ("path", "path_params"):
        value = request.path_params[rest]
    elif source == "body":
        value = request.body
        for name in rest.split(".") if rest else []:
            if isinstance(value, Mapping):
                value = value[name]
            elif isinstance(value, list) and name.isdigit():
                value = value[int(name)]
            else:
                raise LookupError(place)
    else:
        raise LookupError(place)
    if not isinstance(value, str | int | float):
        raise LookupError(place)
    return value
