from __future__ import annotations

import base64
import datetime as dt
import json
import sys
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_workflows import get_stage
from jupyter_workflows.authoring.requests import Request
from jupyter_workflows.hooks import Upload, get_request, respond


def test_a_request_with_json(run: Any) -> None:
    run.begin(
        request={
            "method": "post",
            "path": "/hooks/orders/new",
            "path_params": {"id": 7},
            "query": {"a": ["1", "2"], "b": "x"},
            "headers": {"Content-Type": "application/json; charset=utf-8", "X-Trace": "t"},
            "body": '{"order": {"id": 5}}',
        }
    )
    request = get_request()
    assert (request.method, request.path, request.path_params) == ("POST", "/hooks/orders/new", {"id": "7"})
    assert request.query["a"] == "1"
    assert request.query.all("a") == ["1", "2"]
    assert request.query.get("c") is None
    assert request.headers["x-trace"] == "t"
    assert "CONTENT-TYPE" in request.headers
    assert request.body == request.json() == {"order": {"id": 5}}
    assert request.raw == b'{"order": {"id": 5}}'


def test_json_as_people_write_it_for_a_test(run: Any) -> None:
    run.begin(request={"body": {"amount": 12}})
    request = get_request()
    assert request.method == "POST"
    assert request.body == {"amount": 12}
    assert json.loads(request.raw) == {"amount": 12}
    assert request.content_type == "application/json"


@pytest.mark.parametrize(
    ("kind", "body", "expected"),
    [
        ("application/x-www-form-urlencoded", "a=1&a=2&b=%C3%BC&c=", {"a": ["1", "2"], "b": "ü", "c": ""}),
        ("text/plain", "héllo", "héllo"),
        ("application/vnd.api+json", "[1]", [1]),
        ("application/json", "{broken", "{broken"),
        ("", "text", "text"),
        ("application/json", "", None),
        ("text/plain; charset=unknown-8", "x", "x"),
        ("multipart/form-data", "no boundary", "no boundary"),
    ],
)
def test_bodies_are_parsed_by_their_type(kind: str, body: str, expected: Any) -> None:
    request = Request.from_json({"headers": {"Content-Type": kind}, "body": body})
    assert request.body == expected


def test_binary_bodies(run: Any) -> None:
    run.begin(request={"body_base64": base64.b64encode(b"\xff\x00").decode()})
    assert get_request().body == b"\xff\x00"
    run.begin(request={"body": run.encode(b"\x89PNG" * 1000)})
    assert get_request().raw == b"\x89PNG" * 1000


def test_a_body_that_is_no_json_says_so(run: Any) -> None:
    run.begin(request={"body": "nonsense"})
    with pytest.raises(ValueError, match="the body of the request is no JSON"):
        get_request().json()


@given(st.binary(), st.text(st.characters(codec="utf-8", exclude_characters='\r\n\0"\\;%'), min_size=1))
def test_multipart_files_arrive_byte_for_byte(content: bytes, value: str) -> None:
    boundary = "----boundary7MA4YWxkTrZu0gW"
    raw = (
        (
            f'--{boundary}\r\nContent-Disposition: form-data; name="note"\r\n\r\n{value}\r\n'
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="a b.bin"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        ).encode()
        + content
        + f"\r\n--{boundary}--\r\n".encode()
    )
    request = Request.from_json(
        {
            "headers": {"Content-Type": f"multipart/form-data; boundary={boundary}"},
            "body_base64": base64.b64encode(raw).decode(),
        }
    )
    assert request.body == {"note": value, "file": Upload("a b.bin", "application/octet-stream", content)}


def test_without_a_request_it_says_how_to_give_one(run: Any) -> None:
    run.begin()
    with pytest.raises(LookupError, match=r"'submit' was not started by a request.*--request"):
        get_request()


def test_the_first_answer_is_stored_at_once_and_stands(run: Any, capsys: pytest.CaptureFixture[str]) -> None:
    run.begin(request={})
    respond({"when": dt.date(2026, 1, 2), "amount": Decimal("1.5")}, status=201, headers={"X-Id": "7"})
    stored = json.loads((run.folder / "response-1.json").read_text())
    assert stored == {
        "status": 201,
        "headers": {"X-Id": "7", "Content-Type": "application/json"},
        "body": '{"when": "2026-01-02", "amount": "1.5"}',
        "encoding": "text",
    }
    respond("second")
    assert "ignored" in capsys.readouterr().err
    record = run.record()
    assert record["response"] == stored
    assert len(record["warnings"]) == 1
    run.begin(request={})
    respond("third")
    assert run.record()["response"] == stored
    assert sorted(file.name for file in run.folder.iterdir() if "response" in file.name) == [
        "response-1.json"
    ]


@pytest.mark.parametrize(
    ("body", "text", "encoding", "kind"),
    [
        (None, "", "text", None),
        ("hé", "hé", "text", "text/plain; charset=utf-8"),
        (b"\xff", "/w==", "base64", "application/octet-stream"),
        ([1, True], "[1, true]", "text", "application/json"),
        (5, "5", "text", "application/json"),
    ],
)
def test_bodies_are_sent_by_their_type(
    run: Any, body: Any, text: str, encoding: str, kind: str | None
) -> None:
    run.begin()
    respond(body)
    response = run.record()["response"]
    assert (response["body"], response["encoding"]) == (text, encoding)
    assert response["headers"].get("Content-Type") == kind


def test_an_own_content_type_stands(run: Any) -> None:
    run.begin()
    respond("<p>", headers={"content-type": "text/html"})
    assert run.record()["response"]["headers"] == {"content-type": "text/html"}


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"body": object()}, TypeError),
        ({"body": {"a": object()}}, TypeError),
        ({"body": {"a": float("nan")}}, ValueError),
        ({"status": 99}, ValueError),
        ({"status": "200"}, ValueError),
        ({"headers": {"A\r\nB": "x"}}, ValueError),
        ({"headers": {"A": "x\r\nSet-Cookie: y"}}, ValueError),
    ],
)
def test_answers_that_cannot_be_sent_are_refused(
    run: Any, arguments: dict[str, Any], error: type[Exception]
) -> None:
    run.begin()
    with pytest.raises(error):
        respond(**arguments)
    assert run.record()["response"] is None


def test_numpy_values_are_sent(run: Any) -> None:
    np = pytest.importorskip("numpy")
    run.begin()
    respond({"mean": np.float32(1.5), "all": np.arange(2)})
    assert json.loads(run.record()["response"]["body"]) == {"mean": 1.5, "all": [0, 1]}
    assert "numpy" in sys.modules


# Answers that are refused


@pytest.mark.parametrize(
    "name",
    [
        "Connection",
        "keep-alive",
        "Proxy-Authenticate",
        "TE",
        "Trailer",
        "Transfer-Encoding",
        "UPGRADE",
        "Content-Length",
        "Set-Cookie",
    ],
)
def test_headers_of_the_connection_are_not_an_answer_s(run: Any, name: str) -> None:
    run.begin(request={})
    with pytest.raises(ValueError, match=f"the header {name} is the server's to set"):
        respond("x", headers={name: "x"})
    assert run.record()["response"] is None


@pytest.mark.parametrize("name", ["", "a b", "a:b", "ä", "a\n"])
def test_names_of_headers(run: Any, name: str) -> None:
    run.begin(request={})
    with pytest.raises(ValueError, match="not the name of a header"):
        respond("x", headers={name: "x"})


@pytest.mark.parametrize("value", ["a\r\nb: c", "a\0", "ä"])
def test_values_of_headers(run: Any, value: str) -> None:
    run.begin(request={})
    with pytest.raises(ValueError, match="the header X-A can't have the value"):
        respond("x", headers={"X-A": value})


def test_bodies_that_are_too_large_or_no_text(run: Any) -> None:
    run.begin(request={})
    with pytest.raises(ValueError, match="respond sends up to 10485760"):
        respond("x" * (10 * 1024 * 1024 + 1))
    with pytest.raises(ValueError, match="half a character"):
        respond("\ud800")


def test_an_answer_that_was_torn_by_a_failing_machine_counts_as_none(run: Any) -> None:
    run.begin(request={})
    (run.folder / "response-1.json").write_bytes(b'{"status": 2')
    run.begin(request={})
    respond("second")
    assert run.record()["response"]["body"] == "second"


# Addresses


CALLBACKS = [
    {"path": "paid", "title": "Paid", "url": "https://example.org/callbacks/1"},
    {"path": "sent", "title": "Sent", "url": "https://example.org/callbacks/2"},
    {"path": "sent-2", "title": "Sent", "url": "https://example.org/callbacks/3"},
]


def test_the_address_of_a_hook(run: Any) -> None:
    run.begin(callbacks=CALLBACKS)
    assert get_stage().callback_url("paid") == "https://example.org/callbacks/1"
    assert get_stage().callback_url("Paid") == "https://example.org/callbacks/1"
    assert get_stage().callback_url("sent") == "https://example.org/callbacks/2"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("payed", r"no hook 'payed' comes after .* The hooks are paid .*Did you mean 'paid'"),
        ("Sent", "more than one hook has the title 'Sent'; use a path"),
    ],
)
def test_addresses_that_there_are_not(run: Any, name: str, message: str) -> None:
    run.begin(callbacks=CALLBACKS)
    with pytest.raises(LookupError, match=message):
        get_stage().callback_url(name)


def test_a_stage_without_a_hook_behind_it(run: Any) -> None:
    run.begin()
    with pytest.raises(LookupError, match="no hook comes after this stage"):
        get_stage().callback_url("paid")


def test_a_server_without_public_address(run: Any) -> None:
    run.begin(callbacks=[{"path": "paid", "title": "Paid", "url": None}])
    with pytest.raises(RuntimeError, match=r"set WorkflowsApp\.public_url"):
        get_stage().callback_url("paid")
