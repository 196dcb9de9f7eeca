"""Taking a request once, however often a client repeats it."""

from __future__ import annotations

import hashlib
import re

from tornado.httputil import HTTPServerRequest

from jupyter_workflows.store import Idempotency

from .problems import Problem

#: The request header and what it means, for operations that read it.
KEY_HEADER = (
    "Idempotency-Key",
    "The same request with the same key within 24 hours gets the run that the first one made.",
)

_KEY = re.compile(r"[!-~]{1,200}")


def idempotency_of(request: HTTPServerRequest, user: str) -> Idempotency | None:
    """Return the key under which a request is taken once; `None` if it brings none.

    Raises
    ------
    Problem
        The key cannot be one.
    """
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    if _KEY.fullmatch(key) is None:
        message = "Must be 1 to 200 visible ASCII characters"
        raise Problem(
            400, "invalid-request", "the idempotency key is not right", errors=[("Idempotency-Key", message)]
        )
    body = hashlib.sha256(request.body).hexdigest()
    return Idempotency(scope=f"api {user} {request.path}", key=key, body_hash=body)
