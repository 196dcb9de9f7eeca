"""Bad input gets a problem that says what is wrong: never a 500, never a stack trace."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from jupyter_workflows.server.requests import LARGEST_BODY
from jupyter_workflows.store import Store, StoreError

JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "invalid-json"),
        (b"\xff\xfe{}", "invalid-json"),
        (b'{"mode": NaN}', "invalid-json"),
        (b'{"mode": 1e999}', "invalid-json"),
        (b'{"mode": "\\ud800"}', "invalid-json"),
        (b'{"mode": ' + b"9" * 5000 + b"}", "invalid-json"),
        (b'{"data": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "invalid-json"),
        (b'{"data": ' + b"[" * 80 + b"]" * 80 + b"}", "invalid-json"),
        (b"", "body-missing"),
        (b"  \n", "body-missing"),
    ],
)
async def test_bodies_that_are_no_json_are_refused(api: Any, body: bytes, code: str) -> None:
    (await api("POST", "runs", body, headers=dict(JSON))).problem(400, code)


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "json", "application/xml"]
)
async def test_other_content_types_are_refused(api: Any, kind: str) -> None:
    reply = await api("POST", "runs", b"{}", headers={"Content-Type": kind})
    reply.problem(415, "wrong-content-type")
    assert reply.headers["Accept"] == "application/json"
    allowed = await api("POST", "check", b"{}", headers={"Content-Type": "Application/JSON; charset=utf-8"})
    allowed.problem(422, "invalid-request")


async def test_bodies_that_are_too_large_are_refused(api: Any) -> None:
    body = b'{"mode": "' + b"x" * LARGEST_BODY + b'"}'
    (await api("POST", "runs", body, headers=dict(JSON))).problem(413, "body-too-large")


async def test_percent_signs_and_odd_characters_are_no_trouble(api: Any) -> None:
    for path in ("runs/%25s%25d", "runs/%F0%9F%98%80", "workflows/%2E%2E", "runs/a b", "tasks/%00"):
        reply = await api("GET", path)
        assert reply.status in (400, 404), path
        assert reply.headers["Content-Type"] == "application/problem+json"


async def test_what_nobody_expected_is_a_problem_without_details(
    api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: Any, **settings: Any) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(Store, "list_runs", fail)
    found = (await api("GET", "runs")).problem(500, "unexpected")
    assert "secret" not in str(found)


async def test_a_database_error_says_what_can_be_done(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: Any, **settings: Any) -> None:
        raise StoreError("the disk is full", "Make room on the disk")

    monkeypatch.setattr(Store, "list_runs", fail)
    reply = await api("GET", "runs")
    found = reply.problem(503, "database-unavailable")
    assert found["mend"] == "Make room on the disk"
    assert reply.headers["Retry-After"]


def raw(port: int, request: bytes) -> bytes:
    """Send bytes and return what comes back until the connection ends."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(request)
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
            if b"\r\n\r\n" in received and b"Content-Length" in received:
                break
    return received


@pytest.mark.parametrize(
    "headers",
    [
        b"X-Large: " + b"x" * 100_000,
        b"\r\n".join(b"X-%d: y" % number for number in range(5000)),
        b"Broken header line",
        b"Content-Length: many",
        b"Content-Length: 5\r\nTransfer-Encoding: chunked",
    ],
    ids=["large", "many", "broken", "no-number", "both-lengths"],
)
async def test_headers_that_cannot_be_meant_do_not_trouble_the_server(
    api: Any, http_server: Any, jp_http_port: int, jp_base_url: str, headers: bytes
) -> None:
    import asyncio

    request = b"POST " + jp_base_url.encode() + b"workflows/api/runs HTTP/1.1\r\nHost: localhost\r\n"
    received = await asyncio.to_thread(raw, jp_http_port, request + headers + b"\r\n\r\n")
    assert not received.startswith(b"HTTP/1.1 5")
    assert b"Traceback" not in received
    assert (await api("GET", "runs")).status == 200
