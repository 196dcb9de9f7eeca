"""Who may call a hook: tokens and signatures."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import time
from collections.abc import Iterable, Mapping
from typing import Any

from jupyter_workflows.store.hook_calls import HookSecret

from ..problems import Problem

#: A token comes in one of these headers, never in the address: that is written into logs. The last one is
#: what a code host sends that has a field for a secret token.
TOKEN_HEADERS = ("Authorization", "X-Hook-Token", "X-Gitlab-Token")

#: Headers that do not reach the notebook.
PRIVATE_HEADERS = frozenset(
    {"authorization", "cookie", "proxy-authorization", "x-gitlab-token", "x-hook-token", "x-xsrftoken"}
)

_PREFIX = "whsec_"
_TIMESTAMP = re.compile(r"[0-9]{1,12}")
_HEX = re.compile(r"[0-9a-f]{64}")
#: Signatures that are looked at; while secrets are rotated a sender signs with a few of them.
_MOST_SIGNATURES = 16


def given_token(headers: Mapping[str, str]) -> str | None:
    """Return the token of a request: a bearer's, the password of basic authentication, or a header's own."""
    scheme, _, value = headers.get("Authorization", "").partition(" ")
    value = value.strip()
    if scheme.lower() in ("bearer", "token") and value:
        return value
    if scheme.lower() == "basic" and value:
        try:
            _, _, password = base64.b64decode(value, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        return password or None
    for name in TOKEN_HEADERS[1:]:
        if headers.get(name):
            return headers[name]
    return None


def check_token(headers: Mapping[str, str], secrets: Iterable[HookSecret]) -> str:
    """Return the id of the secret that a request proves itself with.

    Raises
    ------
    Problem
        401: there is no token, or it is a wrong one.
    """
    token = given_token(headers)
    if token is None:
        raise _unauthorized(
            "token-missing", "the request has no token", "Send it as: Authorization: Bearer TOKEN"
        )
    hashed = hashlib.sha256(token.encode(errors="replace")).hexdigest()
    found = None
    for secret in secrets:  # all of them, so that the time does not tell which one it is
        if secret.kind == "token" and hmac.compare_digest(hashed, secret.secret):
            found = secret.id
    if found is None:
        raise _unauthorized("token-wrong", "the token is not valid for this hook")
    return found


def _unauthorized(code: str, detail: str, mend: str | None = None) -> Problem:
    return Problem(401, code, detail, mend, headers={"WWW-Authenticate": 'Bearer realm="hook"'})


class SignatureCheck:
    """The signature of one request, computed while its body arrives.

    Two kinds are known: that of Standard Webhooks (``webhook-id``, ``webhook-timestamp`` and
    ``webhook-signature``), and the one that code hosts send (``X-Hub-Signature-256: sha256=…``), which has no
    time in it.

    Parameters
    ----------
    window
        Seconds by which the signed time may differ from ours.

    Raises
    ------
    Problem
        401: what is to be checked is missing, malformed, or too old.
    """

    def __init__(
        self,
        headers: Mapping[str, str],
        secrets: Iterable[HookSecret],
        *,
        window: float,
        now: float | None = None,
    ) -> None:
        self.message_id: str | None = None
        self._expected: list[bytes] = []
        keys = [(secret.id, secret.secret) for secret in secrets if secret.kind == "signature"]
        if headers.get("webhook-signature"):
            start = self._standard(headers, window, time.time() if now is None else now)
            self._macs = [(name, _mac(_decoded(key), start)) for name, key in keys]
        elif headers.get("X-Hub-Signature-256"):
            self._hub(headers["X-Hub-Signature-256"])
            self._macs = [(name, _mac(key.encode(), b"")) for name, key in keys]
        else:
            raise Problem(
                401,
                "signature-missing",
                "the request is not signed",
                "Sign it as Standard Webhooks says, or send X-Hub-Signature-256",
            )

    def _standard(self, headers: Mapping[str, str], window: float, now: float) -> bytes:
        message, moment = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
        if not message or not moment:
            missing = "webhook-timestamp" if message else "webhook-id"
            raise _refused("signature-incomplete", f"the header {missing} is missing", missing)
        if not _TIMESTAMP.fullmatch(moment):
            raise _refused("signature-malformed", "the time is not a number of seconds", "webhook-timestamp")
        if abs(now - int(moment)) > window:
            raise _refused(
                "signature-expired", "the request is too old, or a clock is wrong", "webhook-timestamp"
            )
        for part in headers["webhook-signature"].split(" ")[:_MOST_SIGNATURES]:
            version, _, value = part.partition(",")
            if version == "v1" and value:
                try:
                    self._expected.append(base64.b64decode(value, validate=True))
                except (binascii.Error, ValueError):
                    continue
        if not self._expected:
            raise _refused("signature-malformed", "there is no signature of version v1", "webhook-signature")
        self.message_id = message
        return f"{message}.{moment}.".encode("latin-1", errors="replace")

    def _hub(self, value: str) -> None:
        kind, _, digest = value.partition("=")
        if kind != "sha256" or not _HEX.fullmatch(digest.lower()):
            raise _refused("signature-malformed", "it is not sha256= and 64 digits", "X-Hub-Signature-256")
        self._expected.append(bytes.fromhex(digest))

    def update(self, piece: bytes) -> None:
        """Take in a piece of the body."""
        for _, mac in self._macs:
            mac.update(piece)

    def finish(self) -> str:
        """Return the id of the secret that the request was signed with.

        Raises
        ------
        Problem
            401: no signature fits.
        """
        found = None
        for name, mac in self._macs:
            digest = mac.digest()
            for expected in self._expected:
                if hmac.compare_digest(digest, expected):
                    found = name
        if found is None:
            raise Problem(401, "signature-wrong", "the signature does not fit the request")
        return found


def _refused(code: str, detail: str, field: str) -> Problem:
    return Problem(401, code, detail, errors=[(field, detail)])


def _mac(key: bytes, start: bytes) -> Any:
    return hmac.new(key, start, hashlib.sha256)


def _decoded(secret: str) -> bytes:
    """Return the key of a Standard Webhooks secret."""
    text = secret.removeprefix(_PREFIX)
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return secret.encode()
