"""`get_request` and `respond`: the request that a hook answers.

An answer is a file in the stage run's folder, so that it outlives the kernel. It is not forced to the disk:
whoever sends it stores it in the database first, and where the machine fails before that, nobody was
answered and the attempt is made again.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
import os
import sys
import tempfile
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from .attempt import current
from .requests import Request

if TYPE_CHECKING:
    from .attempt import Attempt

#: Type of the message by which the engine learns of an answer while the notebook goes on.
RESPONDED = "application/vnd.jupyter-workflows.responded+json"

#: Headers that belong to one connection, to the server, or to the people who are signed in to it.
_NOT_OURS = frozenset(
    {
        "connection",
        "content-length",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "set-cookie",
        "set-cookie2",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
#: Bytes of an answer. Larger results are for an artifact, and its address in the answer.
LARGEST_RESPONSE = 10 * 1024 * 1024

_TOKEN = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz")


def get_request() -> Request:
    """Return the request that this hook was called with.

    Raises
    ------
    LookupError
        This attempt has no request.
    """
    attempt = current()
    request = attempt.context.request
    if request is None:
        if not attempt.context.draft:
            raise LookupError(
                f"the stage {attempt.context.stage_path!r} was not started by a request. Give one with "
                "`jupyter workflows run --request`, or as the stage's test request"
            )
        print("Draft: the stage has no test request, so this is an empty one.")
        request = {}
    return Request.from_json(request, load=attempt.blobs.load)


def respond(body: Any = None, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
    """Answer the request. The first answer counts; it is stored when this returns.

    Parameters
    ----------
    body
        A mapping or list is sent as JSON, a string as text, bytes as they are, `None` as an empty body.
    headers
        More headers, or another ``Content-Type``. Those that are the server's own business, such as
        ``Connection``, ``Content-Length`` and ``Set-Cookie``, are refused.
    """
    response = _response(body, status, headers or {})
    attempt = current()
    if attempt.context.folder is None:
        size = len(response["body"])
        print(f"Draft: would answer the request with status {status} and a body of {size} characters.")
        return
    if _store(response, attempt):
        _tell()
    else:
        attempt.warn("respond was called again; the first answer stands, this one is ignored")


def stored_response(attempt: Attempt) -> dict[str, Any] | None:
    """Return the answer that this or an earlier attempt stored."""
    for file in _stored(attempt):
        try:
            response: dict[str, Any] = json.loads(file.read_bytes())
        except ValueError:  # the machine failed before it was written out
            continue
        return response
    return None


def _tell() -> None:
    """Say on IOPub that there is an answer; where nobody hears it, it is found after the cell."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is not None:
        shell.display_pub.publish(data={RESPONDED: {}}, metadata={})


def _store(response: dict[str, Any], attempt: Attempt) -> bool:
    folder = attempt.context.folder
    if folder is None or stored_response(attempt) is not None:
        return False
    descriptor, name = tempfile.mkstemp(dir=folder, prefix=".response-")
    with open(descriptor, "w", encoding="ascii") as stream:  # noqa: PTH123 - a descriptor has no path
        json.dump(response, stream)
    try:
        # A link, unlike a rename, does not replace an answer that another thread stored meanwhile.
        os.link(name, folder / f"response-{attempt.context.attempt}.json")
    except FileExistsError:
        return False
    finally:
        Path(name).unlink()
    return True


def _stored(attempt: Attempt) -> list[Path]:
    folder = attempt.context.folder
    return sorted(folder.glob("response-*.json"), key=_number) if folder else []


def _number(file: Path) -> tuple[int, str]:
    number = file.stem.removeprefix("response-")
    return (int(number) if number.isdigit() else 0, number)


def _response(body: Any, status: int, headers: Mapping[str, str]) -> dict[str, Any]:
    if isinstance(status, bool) or not isinstance(status, int) or not 200 <= status <= 599:
        raise ValueError(f"status must be a number from 200 to 599, not {status!r}")
    sent = {}
    for name, value in headers.items():
        text = str(value)
        if not isinstance(name, str) or not name or not set(name.lower()) <= _TOKEN:
            raise ValueError(f"not the name of a header: {name!r}")
        if any(mark in text for mark in "\r\n\0") or not text.isascii():
            raise ValueError(f"the header {name} can't have the value {value!r}: it takes one line of ASCII")
        if name.lower() in _NOT_OURS:
            raise ValueError(f"the header {name} is the server's to set; respond can't")
        sent[name] = text
    kind, encoding = None, "text"
    if body is None:
        text = ""
    elif isinstance(body, str):
        kind, text = "text/plain; charset=utf-8", str.__str__(body)
    elif isinstance(body, bytes | bytearray | memoryview):
        kind, encoding = "application/octet-stream", "base64"
        text = base64.b64encode(bytes(body)).decode()
    elif isinstance(body, Mapping | list | tuple | int | float):
        kind = "application/json"
        text = json.dumps(body, default=_plain, allow_nan=False, ensure_ascii=False)
    else:
        raise TypeError(
            f"respond can't send {type(body).__name__}; it takes a mapping, a list, a string or bytes"
        )
    try:
        size = len(text.encode())
    except UnicodeEncodeError as error:
        raise ValueError(f"respond can't send text with half a character: {error}") from None
    if size > LARGEST_RESPONSE:
        raise ValueError(f"the answer has {size} bytes; respond sends up to {LARGEST_RESPONSE}")
    if kind and "content-type" not in {name.lower() for name in sent}:
        sent["Content-Type"] = kind
    return {"status": int(status), "headers": sent, "body": text, "encoding": encoding}


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, dt.datetime | dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, Decimal | UUID):
        return str(value)
    if hasattr(value, "tolist"):  # NumPy scalars and arrays
        return value.tolist()
    raise TypeError(f"a value of type {type(value).__name__} can't be sent as JSON")
