"""What of a request reaches the notebook, and which requests are refused."""

from __future__ import annotations

import asyncio
import json
import os
from typing import Any

import pytest

from jupyter_workflows.authoring.requests import Request, Upload
from jupyter_workflows.server.hooks.bodies import path_parameters

OPEN = {"type": "hook"}


def received(hooks: Any) -> Request:
    """Return the last request as `get_request` gives it to a notebook."""

    def load(artifact: Any) -> Any:
        return hooks.store.artifacts.path(artifact.hash)

    return Request.from_json(hooks.runner.seen[-1].request, load=load)


# Bodies


@pytest.mark.parametrize(
    ("content_type", "body", "seen"),
    [
        ("application/json", b'{"a": [1, null, "\xc3\xa4"]}', {"a": [1, None, "ä"]}),
        ("application/json", b"", None),
        ("application/vnd.example+json; charset=utf-8", b"[1]", [1]),
        ("application/json", '{"a": "ä"}'.encode("utf-16"), {"a": "ä"}),
        ("application/x-www-form-urlencoded", b"a=1&b=2&a=3&c=", {"a": ["1", "3"], "b": "2", "c": ""}),
        ("text/plain", "zwölf".encode(), "zwölf"),
        ("text/plain; charset=latin-1", "zwölf".encode("latin-1"), "zwölf"),
        ("application/octet-stream", b"\x00\xff\xfe", b"\x00\xff\xfe"),
        ("", b"plain", "plain"),
        ("image/png", b"\x89PNG\r\n\x1a\n\x00", b"\x89PNG\r\n\x1a\n\x00"),
        ("text/plain", b'{"$kind": "bytes"}', '{"$kind": "bytes"}'),
    ],
)
async def test_bodies(hooks: Any, content_type: str, body: bytes, seen: Any) -> None:
    hooks.deploy({"order": OPEN})
    headers = {"Content-Type": content_type} if content_type else {}
    response = await hooks.post("order", content=body, headers=headers)
    assert response.status_code == 200, response.text
    request = received(hooks)
    assert request.raw == body
    assert request.body == seen


async def test_a_form_with_files(hooks: Any) -> None:
    hooks.deploy({"order": OPEN})
    files = [("file", ("ä.bin", b"\x00\r\n--\xff", "image/x")), ("file", ("b.txt", b"text", "text/plain"))]
    await hooks.post("order", data={"name": "Ada", "tag": ["x", "y"]}, files=files)
    body = received(hooks).body
    assert (body["name"], body["tag"]) == ("Ada", ["x", "y"])
    assert body["file"] == [
        Upload("ä.bin", "image/x", b"\x00\r\n--\xff"),
        Upload("b.txt", "text/plain", b"text"),
    ]


async def test_a_large_body_lies_outside_the_database(hooks: Any) -> None:
    hooks.deploy({"order": OPEN})
    body = os.urandom(3_000_000)
    response = await hooks.post("order", content=body)
    assert received(hooks).raw == body
    assert len(json.dumps(hooks.runner.seen[-1].request)) < 2000
    run = response.json()["run"]
    assert hooks.store.retain(age=0.0, grace=0.0).runs == (run,)


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b"{"),
        ("application/json", b"\xff"),
        ("application/json", b"[" * 100_000),
        ("application/json", b'{"a": 1} x'),
        ("application/json", b'{"a": ' + b"9" * 5000 + b"}"),
        ("application/problem+json", b"nothing"),
        ("application/x-www-form-urlencoded", b"&".join(b"a=%d" % n for n in range(10_001))),
        ("application/x-www-form-urlencoded; charset=ascii", b"a=\xff"),
        ("multipart/form-data", b"--x\r\n"),
        ("multipart/form-data; boundary=x", b"nothing of the kind"),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\ncut off',
        ),
        ("multipart/form-data; boundary=", b"--\r\n"),
    ],
)
async def test_bodies_that_are_not_what_they_say(hooks: Any, content_type: str, body: bytes) -> None:
    hooks.deploy({"order": OPEN})
    response = await hooks.post("order", content=body, headers={"Content-Type": content_type})
    found = hooks.problem(response, 400, "invalid-body")
    assert found["errors"][0]["field"] == "body"
    assert hooks.store.list_runs().runs == ()


# Paths, queries, headers


async def test_query_headers_and_path(hooks: Any) -> None:
    hooks.deploy({"order": {"type": "hook", "methods": ["GET"], "route": "{order}/items/{item}"}})
    url = hooks.hook("order", "/7%2F8/items/%C3%A4?a=1&a=2&empty=&x=%C3%BC")
    headers = [("X-Many", "1"), ("X-Many", "2"), ("X-Latin", "caf\xe9".encode("latin-1"))]
    response = await hooks.client.get(url, headers=headers)
    assert response.status_code == 200, response.text
    request = received(hooks)
    assert request.method == "GET"
    assert request.path_params == {"order": "7/8", "item": "ä"}
    assert request.query.all("a") == ["1", "2"]
    assert (request.query["empty"], request.query["x"]) == ("", "ü")
    assert request.headers.all("x-many") == ["1", "2"]
    assert request.headers["X-LATIN"] == "caf\xe9"
    assert request.path.endswith("/workflows/hooks/shop/order/7%2F8/items/%C3%A4")


@pytest.mark.parametrize(
    "below", ["", "/", "/7", "/7/items", "/7/items/", "/7/things/8", "/7/items/8/9", "/7/items/%FF"]
)
async def test_paths_that_a_hook_does_not_have(hooks: Any, below: str) -> None:
    hooks.deploy({"order": {"type": "hook", "route": "{order}/items/{item}"}})
    hooks.problem(await hooks.post("order", below=below), 404, "no-such-hook")


@pytest.mark.parametrize(
    ("below", "pattern", "found"),
    [
        ("", None, {}),
        ("/", None, {}),
        ("/a/b%20c", None, {"path": "a/b c"}),
        ("", "{a}", None),
        ("/1", "{a}", {"a": "1"}),
        ("/1", "/{a}/", {"a": "1"}),
        ("/1/2/3", "{a}/{rest...}", {"a": "1", "rest": "2/3"}),
        ("/1", "{a}/{rest...}", {"a": "1", "rest": ""}),
        ("/fixed", "fixed", {}),
        ("/Fixed", "fixed", None),
        ("/%ff", None, None),
    ],
)
def test_path_parameters(below: str, pattern: str | None, found: dict[str, str] | None) -> None:
    assert path_parameters(below, pattern) == found


@pytest.mark.parametrize("query", ["a=%FF", "&".join(501 * ["a"])])
async def test_queries_that_are_refused(hooks: Any, query: str) -> None:
    hooks.deploy({"order": OPEN})
    hooks.problem(await hooks.client.post(f"{hooks.hook('order')}?{query}"), 400, "invalid-query")


async def test_too_long_an_address_and_too_large_headers(hooks: Any) -> None:
    hooks.deploy({"order": OPEN})
    hooks.problem(await hooks.client.post(f"{hooks.hook('order')}?a={'x' * 9000}"), 414, "address-too-long")
    headers = {f"X-{number}": "x" * 1000 for number in range(40)}
    hooks.problem(await hooks.post("order", headers=headers), 431, "headers-too-large")


# Sizes and times


SMALL = {"hook_largest_body": 1000, "hook_body_timeout": 0.5}


def raw(hooks: Any, *lines: str) -> bytes:
    """Return the beginning of a request."""
    path = "/" + hooks.hook("order").split("/", 3)[3]
    return "\r\n".join([f"POST {path} HTTP/1.1", "Host: x", *lines, "", ""]).encode()


async def talk(port: int, *pieces: bytes, pause: float = 0.0) -> bytes:
    """Send pieces and return what comes back until the server ends the connection."""
    reader, writer = await asyncio.open_connection("localhost", port)
    answer = asyncio.ensure_future(reader.read())
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause)
    except ConnectionError:
        pass
    try:
        return await asyncio.wait_for(answer, 10)
    except ConnectionError:
        return b""
    finally:
        writer.close()


@pytest.mark.parametrize("hook_settings", [SMALL])
@pytest.mark.parametrize("size", [1000, 1001, 100_000, 3_000_000])
@pytest.mark.parametrize("chunked", [False, True])
async def test_bodies_that_are_too_large(hooks: Any, size: int, chunked: bool) -> None:
    hooks.deploy({"order": OPEN})
    body = b"x" * size

    async def pieces() -> Any:
        for place in range(0, size, 10_000):
            yield body[place : place + 10_000]

    response = await hooks.post("order", content=pieces() if chunked else body)
    if size <= 1000:
        assert response.status_code == 200
        return
    found = hooks.problem(response, 413, "body-too-large")
    assert found["errors"][0]["field"] == "body"
    assert hooks.store.list_runs().runs == ()


@pytest.mark.parametrize("hook_settings", [SMALL])
async def test_a_sender_that_asks_first_sends_nothing(hooks: Any, jp_http_port: int) -> None:
    hooks.deploy({"order": OPEN})
    lines = ("Content-Length: 5000", "Expect: 100-continue")
    answer = await talk(jp_http_port, raw(hooks, *lines))
    assert answer.startswith(b"HTTP/1.1 413")
    assert b"100 (Continue)" not in answer


@pytest.mark.parametrize("hook_settings", [SMALL])
@pytest.mark.parametrize("length", ["20000000", "99999999999999999999"])
async def test_a_sender_that_announces_far_too_much_is_cut_off(
    hooks: Any, jp_http_port: int, length: str
) -> None:
    hooks.deploy({"order": OPEN})
    answer = await talk(jp_http_port, raw(hooks, f"Content-Length: {length}"), b"x" * 100)
    assert answer.startswith(b"HTTP/1.1 413"), answer


@pytest.mark.parametrize("hook_settings", [SMALL])
async def test_a_sender_without_end_is_cut_off(hooks: Any, jp_http_port: int) -> None:
    hooks.deploy({"order": OPEN})
    piece = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    answer = await talk(jp_http_port, raw(hooks, "Transfer-Encoding: chunked"), *[piece] * 200)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 413")
    assert hooks.store.list_runs().runs == ()


@pytest.mark.parametrize("hook_settings", [SMALL])
@pytest.mark.parametrize("lines", [("Content-Length: 100",), ("Transfer-Encoding: chunked",)])
async def test_a_slow_sender_is_cut_off(hooks: Any, jp_http_port: int, lines: tuple[str, ...]) -> None:
    hooks.deploy({"order": OPEN})
    answer = await talk(jp_http_port, raw(hooks, *lines), *[b"1\r\nx\r\n"] * 3, pause=0.05)
    assert answer.startswith(b"HTTP/1.1 408"), answer
    assert b"body-too-slow" in answer
    assert hooks.store.list_runs().runs == ()


@pytest.mark.parametrize(
    "lines",
    [
        ("Content-Length: -1",),
        ("Content-Length: x",),
        ("Content-Length: 1, 2",),
        ("Content-Length: 5", "Transfer-Encoding: chunked"),
        ("Transfer-Encoding: gzip",),
        ("No colon",),
        ("X-Huge: " + "x" * 100_000,),
    ],
)
async def test_requests_that_are_no_http(hooks: Any, jp_http_port: int, lines: tuple[str, ...]) -> None:
    hooks.deploy({"order": OPEN})
    answer = await talk(jp_http_port, raw(hooks, *lines), b"zz\r\nhello\r\n0\r\n\r\n")
    assert b" 200 " not in answer.partition(b"\r\n")[0]
    assert b" 500 " not in answer.partition(b"\r\n")[0]
    assert b"Traceback" not in answer
    assert hooks.store.list_runs().runs == ()


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "BREW"])
async def test_methods_that_nobody_knows(hooks: Any, method: str) -> None:
    hooks.deploy({"order": OPEN})
    response = await hooks.client.request(method, hooks.hook("order"))
    assert response.status_code in (400, 405)
