"""Bursts of requests, and pages of other origins."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from jupyter_workflows.model.states import RunState

OPEN = {"type": "hook"}


@pytest.mark.parametrize("hook_settings", [{"hook_queue_depth": 5}])
async def test_a_burst_queues_and_is_refused_beyond_the_depth(hooks: Any) -> None:
    hooks.deploy({"order": OPEN})
    hooks.deploy({"other": OPEN}, uid="w2", slug="other")
    hooks.runner.concurrency = 2
    go_on = asyncio.Event()
    hooks.runner.behaviours["order"] = lambda attempt: go_on.wait()
    held = [asyncio.create_task(hooks.post("order")) for _ in range(2)]
    await hooks.until(lambda: len(hooks.runner.seen) == 2)
    queued = [asyncio.create_task(hooks.post("order")) for _ in range(5)]
    await hooks.until(lambda: hooks.app.hooks.answers.waiting == 7)
    refused = await asyncio.gather(*[hooks.post("order") for _ in range(3)])
    for response in refused:
        hooks.problem(response, 429, "too-many-requests")
        assert int(response.headers["Retry-After"]) >= 1
    other = asyncio.create_task(hooks.client.post(hooks.hook("other", slug="other")))
    go_on.set()
    answers = await asyncio.gather(*held, *queued, other)
    assert {answer.status_code for answer in answers} == {200}
    runs = hooks.store.list_runs().runs
    assert len(runs) == 8
    assert {run.state for run in runs} == {RunState.COMPLETED}


async def test_pages_of_other_origins_get_no_permission(hooks: Any) -> None:
    hooks.deploy({"order": OPEN})
    headers = {"Origin": "https://example.org"}
    preflight = {**headers, "Access-Control-Request-Method": "POST"}
    for response in (
        await hooks.post("order", headers=headers),
        await hooks.client.options(hooks.hook("order"), headers=preflight),
        await hooks.client.post(hooks.hook("nothing"), headers=headers),
    ):
        assert not [name for name in response.headers if name.startswith("access-control-")]


ALLOWED = {"hook_allow_origins": ["https://example.org"]}


@pytest.mark.parametrize("hook_settings", [ALLOWED])
async def test_pages_of_configured_origins_may_call(hooks: Any) -> None:
    hooks.deploy({"order": OPEN})
    headers = {"Origin": "https://example.org"}
    preflight = {
        **headers,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type, authorization",
    }
    response = await hooks.client.options(hooks.hook("order"), headers=preflight)
    assert response.status_code == 204
    assert response.headers["Access-Control-Allow-Origin"] == "https://example.org"
    assert response.headers["Access-Control-Allow-Methods"] == "POST, OPTIONS"
    assert response.headers["Access-Control-Allow-Headers"] == "content-type, authorization"
    assert "Access-Control-Allow-Credentials" not in response.headers
    for answer in (
        await hooks.post("order", headers=headers),
        await hooks.client.put(hooks.hook("order"), headers=headers),
    ):
        assert answer.headers["Access-Control-Allow-Origin"] == "https://example.org"
        assert "Origin" in answer.headers["Vary"]
    other = await hooks.post("order", headers={"Origin": "https://evil.example"})
    assert other.status_code == 200
    assert "Access-Control-Allow-Origin" not in other.headers


@pytest.mark.parametrize("hook_settings", [{"hook_allow_origins": ["*"]}])
async def test_all_origins(hooks: Any) -> None:
    hooks.deploy({"order": OPEN})
    response = await hooks.post("order", headers={"Origin": "https://any.example"})
    assert response.headers["Access-Control-Allow-Origin"] == "https://any.example"


@pytest.mark.parametrize("hook_settings", [{"public_url": "https://example.org/jupyter/"}])
async def test_addresses_begin_with_the_public_one(hooks: Any) -> None:
    hooks.deploy({"order": {"type": "hook", "response": "accept"}})
    response = await hooks.post("order")
    assert response.json()["address"].startswith("https://example.org/jupyter/workflows/answers/")


async def test_a_request_that_meets_a_locked_database_is_told_to_come_again(
    hooks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from jupyter_workflows.store import DatabaseBusy

    hooks.deploy({"order": OPEN})

    def busy(*arguments: Any) -> Any:
        raise DatabaseBusy("stayed locked", "Try again")

    monkeypatch.setattr(hooks.store, "receive", busy)
    response = await hooks.post("order")
    hooks.problem(response, 503, "database-busy")
    assert response.headers["Retry-After"]


async def test_what_nobody_expected_tells_nothing(hooks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    hooks.deploy({"order": OPEN})

    def broken(*arguments: Any) -> Any:
        raise ZeroDivisionError("the password is sesame")

    monkeypatch.setattr(hooks.store, "receive", broken)
    response = await hooks.post("order")
    hooks.problem(response, 500, "unexpected")
    assert "sesame" not in response.text
