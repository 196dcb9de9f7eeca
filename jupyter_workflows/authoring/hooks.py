"""`get_request` and `respond`: the request that a hook answers."""

from __future__ import annotations

import base64
import datetime as dt
import json
import os
import tempfile
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from .attempt import current
from .blobs import sync_folder
from .requests import Request

if TYPE_CHECKING:
    from .attempt import Attempt


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
        More headers, or another ``Content-Type``.
    """
    response = _response(body, status, headers or {})
    attempt = current()
    if attempt.context.folder is None:
        size = len(response["body"])
        print(f"Draft: would answer the request with status {status} and a body of {size} characters.")
        return
    if not _store(response, attempt):
        attempt.warn("respond was called again; the first answer stands, this one is ignored")


def stored_response(attempt: Attempt) -> dict[str, Any] | None:
    """Return the answer that this or an earlier attempt stored."""
    file = _stored(attempt)
    if file is None:
        return None
    response: dict[str, Any] = json.loads(file.read_bytes())
    return response


def _store(response: dict[str, Any], attempt: Attempt) -> bool:
    folder = attempt.context.folder
    if folder is None or _stored(attempt) is not None:
        return False
    descriptor, name = tempfile.mkstemp(dir=folder, prefix=".response-")
    with open(descriptor, "w", encoding="ascii") as stream:  # noqa: PTH123 - a descriptor has no path
        json.dump(response, stream)
        stream.flush()
        os.fsync(stream.fileno())
    try:
        # A link, unlike a rename, does not replace an answer that another thread stored meanwhile.
        os.link(name, folder / f"response-{attempt.context.attempt}.json")
    except FileExistsError:
        return False
    finally:
        Path(name).unlink()
    sync_folder(folder)
    return True


def _stored(attempt: Attempt) -> Path | None:
    folder = attempt.context.folder
    files = sorted(folder.glob("response-*.json"), key=_number) if folder else []
    return files[0] if files else None


def _number(file: Path) -> tuple[int, str]:
    number = file.stem.removeprefix("response-")
    return (int(number) if number.isdigit() else 0, number)


def _response(body: Any, status: int, headers: Mapping[str, str]) -> dict[str, Any]:
    if isinstance(status, bool) or not isinstance(status, int) or not 200 <= status <= 599:
        raise ValueError(f"status must be a number from 200 to 599, not {status!r}")
    sent = {}
    for name, value in headers.items():
        text = str(value)
        if not isinstance(name, str) or not name or any(mark in name + text for mark in "\r\n\0"):
            raise ValueError(f"not a header: {name!r}: {value!r}")
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
