"""The request of a hook as a Python object."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email import policy
from email.parser import BytesParser
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from .wire import KIND, decode

if TYPE_CHECKING:
    from .wire import Load

#: Fields of a form.
_MOST_FIELDS = 10_000

#: Defects of a multipart body that is cut off, or whose parts cannot be told apart.
_BROKEN = frozenset(
    {"CloseBoundaryNotFoundDefect", "NoBoundaryInMultipartDefect", "StartBoundaryNotFoundDefect"}
)


class MultiMapping(Mapping[str, str]):
    """Names with one or more values each; an item is the first one.

    Parameters
    ----------
    ignore_case
        Whether upper and lower case in names are the same, as in headers.
    """

    def __init__(self, pairs: list[tuple[str, str]], *, ignore_case: bool = False) -> None:
        self._ignore_case = ignore_case
        self._values: dict[str, list[str]] = {}
        self._names: dict[str, str] = {}
        for name, value in pairs:
            self._names.setdefault(self._fold(name), name)
            self._values.setdefault(self._fold(name), []).append(value)

    def _fold(self, name: str) -> str:
        return name.lower() if self._ignore_case else name

    def __getitem__(self, name: str) -> str:
        return self._values[self._fold(name)][0]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names.values())

    def __len__(self) -> int:
        return len(self._names)

    def all(self, name: str) -> list[str]:
        """Return all values of a name, none if there are none."""
        return list(self._values.get(self._fold(name), []))

    def __repr__(self) -> str:
        return repr(dict(self))


@dataclass(frozen=True, slots=True)
class Upload:
    """A file in a multipart request."""

    name: str
    content_type: str
    content: bytes


@dataclass(frozen=True)
class Request:
    """An HTTP request to a hook.

    Parameters
    ----------
    method
        ``GET``, ``POST`` ...
    path
        The path that was called.
    path_params
        The parts of the path that have a name.
    query, headers
        Mappings of strings; `MultiMapping.all` gives repeated values. Names of headers ignore case.
    raw
        The body as it came.
    """

    method: str
    path: str
    path_params: Mapping[str, str]
    query: MultiMapping
    headers: MultiMapping
    raw: bytes

    @classmethod
    def from_json(cls, request: Mapping[str, Any], *, load: Load | None = None) -> Request:
        """Build a request from JSON as the server stores it, or as people write it for a test.

        ``body`` is text, JSON, or (in wire form) bytes; ``body_base64`` is binary. ``query`` and
        ``headers`` are mappings, with lists for repeated names, or lists of pairs.
        """
        headers = MultiMapping(_pairs(request.get("headers")), ignore_case=True)
        raw, kind = _raw(request, load)
        if kind and "content-type" not in headers:
            headers = MultiMapping(
                [*_pairs(request.get("headers")), ("Content-Type", kind)], ignore_case=True
            )
        return cls(
            method=str(request.get("method") or "POST").upper(),
            path=str(request.get("path") or "/"),
            path_params={str(k): str(v) for k, v in (request.get("path_params") or {}).items()},
            query=MultiMapping(_pairs(request.get("query"))),
            headers=headers,
            raw=raw,
        )

    @property
    def content_type(self) -> str:
        """The type of the body without its parameters, in lower case."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @cached_property
    def body(self) -> Any:
        """The body, parsed: JSON as an object, a form as a dictionary, else text, else bytes.

        In a form a name with several values has a list, and a file is an `Upload`. An empty body is `None`;
        one that is not what its content type says is text or bytes.
        """
        try:
            return self.parse()
        except ValueError:
            return _text_or_bytes(self.raw)

    def parse(self) -> Any:
        """Return the body as `body` does.

        Raises
        ------
        ValueError
            It is not what its content type says.
        """
        if not self.raw:
            return None
        kind = self.content_type
        if kind == "application/json" or kind.endswith("+json"):
            return self.json()
        if kind == "application/x-www-form-urlencoded":
            return _grouped(parse_qsl(self.text, keep_blank_values=True, max_num_fields=_MOST_FIELDS))
        if kind == "multipart/form-data":
            return _grouped(_parts(self.headers["content-type"], self.raw))
        try:
            return self.text
        except UnicodeDecodeError:
            return _text_or_bytes(self.raw)

    @property
    def text(self) -> str:
        """The body as text."""
        _, _, parameters = self.headers.get("content-type", "").partition("charset=")
        charset = parameters.split(";")[0].strip(" \"'") or "utf-8"
        try:
            return self.raw.decode(charset)
        except LookupError:
            return self.raw.decode()

    def json(self) -> Any:
        """Return the body read as JSON, whatever its content type.

        Raises
        ------
        ValueError
            It is no JSON.
        """
        try:
            return json.loads(self.raw)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"the body of the request is no JSON: {error}") from error


def _raw(request: Mapping[str, Any], load: Load | None) -> tuple[bytes, str | None]:
    if request.get("body_base64") is not None:
        return base64.b64decode(request["body_base64"]), None
    body = request.get("body")
    if isinstance(body, dict) and KIND in body:
        body = decode(body, load=load)
    if body is None:
        return b"", None
    if isinstance(body, bytes):
        return body, None
    if isinstance(body, str):
        return body.encode(), None
    return json.dumps(body).encode(), "application/json"


def _pairs(source: Any) -> list[tuple[str, str]]:
    if isinstance(source, Mapping):
        return [
            (str(name), str(value))
            for name, values in source.items()
            for value in (values if isinstance(values, list | tuple) else [values])
        ]
    return [(str(name), str(value)) for name, value in source or ()]


def _parts(content_type: str, raw: bytes) -> list[tuple[str, str | Upload]]:
    head = f"MIME-Version: 1.0\r\nContent-Type: {content_type}\r\n\r\n".encode()
    message = BytesParser(policy=policy.HTTP).parsebytes(head + raw)
    if not message.is_multipart() or any(type(defect).__name__ in _BROKEN for defect in message.defects):
        raise ValueError("the body is not the multipart form that its content type says")
    parts: list[tuple[str, str | Upload]] = []
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        if not isinstance(name, str) or not isinstance(content, bytes):
            continue
        filename = part.get_filename()
        if filename is None:
            parts.append((name, content.decode(part.get_content_charset() or "utf-8", "replace")))
        else:
            parts.append((name, Upload(filename, part.get_content_type(), content)))
    return parts


def _grouped(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    groups: dict[str, list[Any]] = {}
    for name, value in pairs:
        groups.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in groups.items()}


def _text_or_bytes(raw: bytes) -> str | bytes:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw
