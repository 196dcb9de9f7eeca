"""Who may call a hook."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from standardwebhooks import Webhook

from jupyter_workflows.server.hooks.auth import SignatureCheck, given_token
from jupyter_workflows.server.problems import Problem
from jupyter_workflows.store.hook_calls import HookSecret

SIGNED = {"type": "hook", "auth": {"kind": "signature"}}
SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()


@pytest.fixture
def token(hooks: Any) -> Any:
    hooks.deploy({"order": {"type": "hook", "auth": {"kind": "token"}}})
    return hooks.secrets["order"]


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


# Tokens


async def test_a_token_lets_a_caller_in_and_stays_outside(hooks: Any, token: str) -> None:
    basic = base64.b64encode(f"user:{token}".encode()).decode()
    ways = [
        bearer(token),
        {"Authorization": f"bearer  {token}"},
        {"Authorization": f"Basic {basic}"},
        {"X-Hook-Token": token},
        {"X-Gitlab-Token": token},
    ]
    for headers in ways:
        response = await hooks.post("order", headers={**headers, "Cookie": "a=b", "X-Other": "c"})
        assert response.status_code == 200, headers
    for claim in hooks.runner.seen:
        names = {name.lower() for name, _ in claim.request["headers"]}
        assert "x-other" in names
        assert names.isdisjoint({"authorization", "cookie", "x-hook-token", "x-gitlab-token"})
        assert token not in json.dumps(claim.request)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Basic ???"},
        {"Authorization": "Basic " + base64.b64encode(b"\xff\xfe").decode()},
        {"Authorization": "Digest username=a"},
        {"X-Hook-Token": "wrong"},
    ],
)
async def test_others_are_not_let_in(hooks: Any, token: str, headers: dict[str, str]) -> None:
    response = await hooks.post("order", headers=headers, json={"large": "x" * 100_000})
    code = "token-wrong" if "wrong" in str(headers) else "token-missing"
    hooks.problem(response, 401, code)
    assert response.headers["WWW-Authenticate"].startswith("Bearer")
    assert hooks.store.list_runs().runs == ()


async def test_a_token_in_the_address_is_none(hooks: Any, token: str) -> None:
    hooks.problem(await hooks.post("order", params={"token": token}), 401, "token-missing")


async def test_the_token_of_the_server_opens_no_hook(hooks: Any, token: str, jp_auth_header: Any) -> None:
    hooks.problem(await hooks.post("order", headers=jp_auth_header), 401, "token-wrong")


async def test_a_token_is_for_its_own_hook(hooks: Any) -> None:
    token = {"auth": {"kind": "token"}}
    hooks.deploy({"one": {"type": "hook", **token}, "two": {"type": "hook", **token}})
    assert hooks.secrets["one"] != hooks.secrets["two"]
    hooks.problem(await hooks.post("one", headers=bearer(hooks.secrets["two"])), 401, "token-wrong")


async def test_both_tokens_are_good_while_one_follows_the_other(hooks: Any, token: str) -> None:
    new = hooks.store.rotate_secret("w1", "order", overlap=timedelta(hours=1))
    assert (await hooks.post("order", headers=bearer(token))).status_code == 200
    assert (await hooks.post("order", headers=bearer(new.secret))).status_code == 200
    newest = hooks.store.rotate_secret("w1", "order", overlap=timedelta())
    hooks.problem(await hooks.post("order", headers=bearer(new.secret)), 401, "token-wrong")
    assert (await hooks.post("order", headers=bearer(newest.secret))).status_code == 200
    hooks.store.revoke_secret("w1", newest.id)
    hooks.problem(await hooks.post("order", headers=bearer(newest.secret)), 401, "token-wrong")


async def test_the_use_of_a_secret_is_noted(hooks: Any, token: str) -> None:
    await hooks.post("order", headers=bearer(token))
    (secret,) = hooks.store.list_secrets("w1")
    assert secret.last_used_at is not None
    assert secret.hint == token[-4:]


# Standard Webhooks


def signed(
    secret: str, body: bytes, *, message: str = "msg_1", moment: datetime | None = None
) -> dict[str, str]:
    moment = moment or datetime.now(UTC)
    return {
        "webhook-id": message,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": Webhook(secret).sign(message, moment, body.decode()),
    }


async def test_a_signature_of_the_standard_client_is_good(hooks: Any) -> None:
    hooks.deploy({"order": SIGNED})
    body = json.dumps({"text": "ä" * 1000}).encode()
    response = await hooks.post("order", content=body, headers=signed(hooks.secrets["order"], body))
    assert response.status_code == 200
    assert hooks.runner.seen[0].request["body"].encode() == body
    other = body.replace(b"text", b"Text")
    headers = signed(hooks.secrets["order"], body, message="msg_2")
    hooks.problem(await hooks.post("order", content=other, headers=headers), 401, "signature-wrong")


async def test_a_body_that_comes_in_pieces_is_signed_too(hooks: Any) -> None:
    hooks.deploy({"order": SIGNED})
    body = b"x" * 300_000

    async def pieces() -> Any:
        for place in range(0, len(body), 70_000):
            yield body[place : place + 70_000]

    headers = signed(hooks.secrets["order"], body)
    assert (await hooks.post("order", content=pieces(), headers=headers)).status_code == 200


@pytest.mark.parametrize("minutes", [-6, 6])
async def test_a_request_of_another_time_is_refused(hooks: Any, minutes: float) -> None:
    hooks.deploy({"order": SIGNED})
    moment = datetime.now(UTC) + timedelta(minutes=minutes)
    headers = signed(hooks.secrets["order"], b"{}", moment=moment)
    found = hooks.problem(await hooks.post("order", content=b"{}", headers=headers), 401, "signature-expired")
    assert found["errors"][0]["field"] == "webhook-timestamp"


async def test_a_replayed_request_finds_its_run(hooks: Any) -> None:
    hooks.deploy({"order": SIGNED})
    headers = signed(hooks.secrets["order"], b"{}")
    answers = [await hooks.post("order", content=b"{}", headers=headers) for _ in range(3)]
    assert len({answer.json()["run"] for answer in answers}) == 1
    assert len(hooks.store.list_runs().runs) == 1


async def test_old_and_new_signatures_are_good_while_secrets_change(hooks: Any) -> None:
    hooks.deploy({"order": SIGNED})
    old = hooks.secrets["order"]
    new = hooks.store.rotate_secret("w1", "order", overlap=timedelta(hours=1)).secret
    for number, secret in enumerate((old, new)):
        headers = signed(secret, b"{}", message=f"msg_{number}")
        assert (await hooks.post("order", content=b"{}", headers=headers)).status_code == 200
    both = signed(old, b"{}", message="msg_9")
    both["webhook-signature"] += " " + signed(new, b"{}", message="msg_9")["webhook-signature"]
    assert (await hooks.post("order", content=b"{}", headers=both)).status_code == 200


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"webhook-id": None}, "signature-incomplete"),
        ({"webhook-timestamp": None}, "signature-incomplete"),
        ({"webhook-timestamp": "soon"}, "signature-malformed"),
        ({"webhook-timestamp": "1e9"}, "signature-malformed"),
        ({"webhook-timestamp": "9" * 40}, "signature-malformed"),
        ({"webhook-signature": None}, "signature-missing"),
        ({"webhook-signature": "v1"}, "signature-malformed"),
        ({"webhook-signature": "v1,???"}, "signature-malformed"),
        ({"webhook-signature": "v2," + base64.b64encode(b"a" * 32).decode()}, "signature-malformed"),
        ({"webhook-signature": "v1," + base64.b64encode(b"a" * 32).decode()}, "signature-wrong"),
        ({"webhook-signature": ("v1,aGk= " * 1000).strip()}, "signature-wrong"),
    ],
)
async def test_signatures_that_are_not_right(hooks: Any, changes: dict[str, Any], code: str) -> None:
    hooks.deploy({"order": SIGNED})
    given = {**signed(hooks.secrets["order"], b"{}"), **changes}
    headers = {name: value for name, value in given.items() if value is not None}
    hooks.problem(await hooks.post("order", content=b"{}", headers=headers), 401, code)
    assert hooks.store.list_runs().runs == ()


# What code hosts send


PUSH = {
    "ref": "refs/heads/main",
    "before": "6113728f27ae82c7b1a177c8d03f9e96e0adf246",
    "after": "59b20b8d5c6ff8d09518454d4dd8b7b30f095ab5",
    "repository": {"id": 17, "name": "shop", "full_name": "example/shop", "private": True},
    "pusher": {"name": "ada", "email": "ada@example.org"},
    "commits": [{"id": "59b20b8d", "message": "Mend the till — at last", "added": ["till.py"]}],
    "head_commit": {"id": "59b20b8d", "timestamp": "2026-11-24T09:00:00+01:00"},
}


def delivery(secret: str, body: bytes) -> dict[str, str]:
    return {
        "Content-Type": "application/json",
        "User-Agent": "Code-Hookshot/1",
        "X-GitHub-Event": "push",
        "X-GitHub-Delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
        "X-Hub-Signature-256": "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest(),
    }


async def test_the_signature_of_a_code_host_is_good(hooks: Any) -> None:
    hooks.deploy({"push": SIGNED})
    body = json.dumps(PUSH).encode()
    headers = delivery(hooks.secrets["push"], body)
    assert (await hooks.post("push", content=body, headers=headers)).status_code == 200
    assert ["X-Github-Event", "push"] in hooks.runner.seen[0].request["headers"]
    response = await hooks.post("push", content=body.replace(b"main", b"evil"), headers=headers)
    hooks.problem(response, 401, "signature-wrong")


@pytest.mark.parametrize(
    "value", ["", "sha256=", "sha1=" + 40 * "0", "sha256=" + 64 * "x", 64 * "0", "sha256=0"]
)
async def test_malformed_signatures_of_a_code_host(hooks: Any, value: str) -> None:
    hooks.deploy({"push": SIGNED})
    response = await hooks.post("push", content=b"{}", headers={"X-Hub-Signature-256": value})
    hooks.problem(response, 401, "signature-malformed" if value else "signature-missing")


# Without a server


def test_several_secrets_are_tried() -> None:
    secrets = [HookSecret(str(number), "signature", SECRET + 4 * str(number)) for number in range(3)]
    body = b"some bytes \xff"
    mac = hmac.new(secrets[1].secret.encode(), body, hashlib.sha256).hexdigest()
    check = SignatureCheck({"X-Hub-Signature-256": f"sha256={mac}"}, secrets, window=300)
    check.update(body[:3])
    check.update(body[3:])
    assert check.finish() == "1"


def test_a_token_is_no_signature_s_secret() -> None:
    secrets = [HookSecret("1", "token", SECRET)]
    mac = hmac.new(SECRET.encode(), b"", hashlib.sha256).hexdigest()
    with pytest.raises(Problem, match="does not fit"):
        SignatureCheck({"X-Hub-Signature-256": f"sha256={mac}"}, secrets, window=300).finish()


def test_the_window_is_symmetric() -> None:
    now = time.time()
    for offset, good in ((-299, True), (299, True), (-302, False), (302, False)):
        headers = signed(SECRET, b"", moment=datetime.fromtimestamp(now + offset, UTC))
        secrets = [HookSecret("1", "signature", SECRET)]
        if good:
            assert SignatureCheck(headers, secrets, window=300, now=now).finish() == "1"
        else:
            with pytest.raises(Problem):
                SignatureCheck(headers, secrets, window=300, now=now)


def test_the_first_token_that_is_given_counts() -> None:
    assert given_token({"Authorization": "Bearer a", "X-Hook-Token": "b"}) == "a"
    assert given_token({"Authorization": "Negotiate a", "X-Hook-Token": "b"}) == "b"
