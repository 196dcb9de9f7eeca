"""Keys: the same request again finds the same run and gets the same answer."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from jupyter_workflows.store import hook_calls

OPEN = {"type": "hook"}


def key(value: str) -> dict[str, str]:
    return {"Idempotency-Key": value}


def number_answers(hooks: Any) -> None:
    """Let each attempt answer with another number."""
    count = iter(range(1, 100))

    async def answer(attempt: Any) -> None:
        await asyncio.sleep(0.05)
        await attempt.respond(f"answer {next(count)}", 201, {"X-A": "1"})

    hooks.runner.behaviours["order"] = answer


@pytest.mark.parametrize("name", ["Idempotency-Key", "webhook-id"])
async def test_the_same_key_finds_the_same_run_and_answer(hooks: Any, name: str) -> None:
    hooks.deploy({"order": OPEN})
    number_answers(hooks)
    first = await hooks.post("order", json={"a": 1}, headers={name: "k1"})
    again = await hooks.post("order", json={"a": 1}, headers={name: "k1", "X-Other": "header"})
    assert (again.status_code, again.text, again.headers["X-A"]) == (201, "answer 1", "1")
    assert first.text == again.text
    other = await hooks.post("order", json={"a": 1}, headers={name: "k2"})
    assert other.text == "answer 2"
    assert len(hooks.store.list_runs().runs) == 2


async def test_the_same_key_at_the_same_time(hooks: Any) -> None:
    hooks.deploy({"order": OPEN})
    number_answers(hooks)
    answers = await asyncio.gather(*[hooks.post("order", content=b"x", headers=key("k")) for _ in range(12)])
    assert {answer.text for answer in answers} == {"answer 1"}
    assert len(hooks.store.list_runs().runs) == 1


async def test_the_same_key_for_another_request_is_refused(hooks: Any) -> None:
    hooks.deploy({"order": {"type": "hook", "methods": ["POST", "PUT"]}})
    assert (await hooks.post("order", content=b"a", headers=key("k"))).status_code == 200
    others = [
        hooks.client.post(hooks.hook("order"), content=b"b", headers=key("k")),
        hooks.client.post(hooks.hook("order", "?q=1"), content=b"a", headers=key("k")),
        hooks.client.post(hooks.hook("order", "/below"), content=b"a", headers=key("k")),
        hooks.client.put(hooks.hook("order"), content=b"a", headers=key("k")),
    ]
    for other in others:
        found = hooks.problem(await other, 422, "key-used-before")
        assert found["errors"][0]["field"] == "Idempotency-Key"
    assert len(hooks.store.list_runs().runs) == 1


async def test_a_failure_is_the_answer_too(hooks: Any) -> None:
    hooks.deploy({"order": OPEN})

    def fail(attempt: Any) -> None:
        raise ValueError("no")

    hooks.runner.behaviours["order"] = fail
    first = hooks.problem(await hooks.post("order", headers=key("k")), 500, "stage-failed")
    again = hooks.problem(await hooks.post("order", headers=key("k")), 500, "stage-failed")
    assert first["run"] == again["run"]


async def test_a_request_that_was_not_taken_leaves_its_key(hooks: Any) -> None:
    hooks.deploy({"order": OPEN, "after": {"type": "hook"}}, {"t": {"source": "order", "target": "after"}})
    hooks.problem(await hooks.post("after", headers=key("k")), 404, "nobody-waits")
    await hooks.post("order")
    assert (await hooks.post("after", headers=key("k"))).status_code == 200
    again = await hooks.post("after", headers=key("k"))
    assert again.status_code == 200
    assert len(hooks.runner.seen) == 2


async def test_keys_of_two_hooks_are_two_keys(hooks: Any) -> None:
    hooks.deploy({"one": OPEN, "two": OPEN})
    answers = [await hooks.post(path, headers=key("k")) for path in ("one", "two")]
    assert len({answer.json()["run"] for answer in answers}) == 2


async def test_a_key_is_forgotten_after_a_day(hooks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hook_calls, "KEY_LIFETIME", -hook_calls.KEY_LIFETIME)
    hooks.deploy({"order": OPEN})
    answers = [await hooks.post("order", headers=key("k")) for _ in range(2)]
    assert len({answer.json()["run"] for answer in answers}) == 2


@pytest.mark.parametrize("value", ["x" * 256, "", "ä"])
async def test_keys_that_are_none(hooks: Any, value: str) -> None:
    hooks.deploy({"order": OPEN})
    response = await hooks.post("order", headers={b"Idempotency-Key": value.encode()})
    found = hooks.problem(response, 400, "invalid-key")
    assert found["errors"][0]["field"] == "Idempotency-Key"


async def test_a_version_in_between_changes_nothing(hooks: Any) -> None:
    hooks.deploy({"order": OPEN})
    first = await hooks.post("order", headers=key("k"))
    hooks.deploy({"order": {"type": "hook", "title": "New"}})
    assert (await hooks.post("order", headers=key("k"))).json() == first.json()
