"""What callers of hooks are answered, when, and what becomes of their requests."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from jupyter_workflows.model.states import RunState, StageRunState

RETRIES = {"retries": {"max": 1}}


async def test_a_request_starts_a_run_and_is_answered_while_it_goes_on(hooks: Any) -> None:
    hooks.deploy({"order": {"type": "hook"}})
    go_on = asyncio.Event()

    async def answer(attempt: Any) -> dict[str, Any]:
        await attempt.respond('{"ok": true}', 201, {"Content-Type": "application/json", "X-Order": "7"})
        await go_on.wait()
        return {"seen": attempt.request["body"]}

    hooks.runner.behaviours["order"] = answer
    response = await hooks.post("order", json={"n": 1})
    assert response.status_code == 201
    assert response.json() == {"ok": True}
    assert response.headers["X-Order"] == "7"
    run = hooks.store.list_runs().runs[0]
    assert run.state is RunState.RUNNING
    assert str(run.mode) == "live"
    go_on.set()
    await hooks.until(lambda: hooks.run(run.id).run.state is RunState.COMPLETED)
    assert json.loads(hooks.run(run.id).stage_runs[0].result.values["seen"]) == {"n": 1}


async def test_without_an_answer_the_caller_gets_the_run_when_the_stage_is_done(hooks: Any) -> None:
    hooks.deploy({"order": {"type": "hook"}, "after": {}}, {"t": {"source": "order", "target": "after"}})
    blocked = asyncio.Event()
    hooks.runner.behaviours["after"] = lambda attempt: blocked.wait()
    response = await hooks.post("order")
    assert response.status_code == 200
    assert list(response.json()) == ["run"]
    assert hooks.run(response.json()["run"]).run.state is RunState.RUNNING
    blocked.set()


async def test_a_failed_stage_is_a_problem_that_names_the_run_and_tells_no_secrets(hooks: Any) -> None:
    hooks.deploy({"order": {"type": "hook"}})

    def fail(attempt: Any) -> None:
        raise ValueError("the password is sesame")

    hooks.runner.behaviours["order"] = fail
    response = await hooks.post("order")
    found = hooks.problem(response, 500, "stage-failed")
    assert hooks.run(found["run"]).run.state is RunState.FAILED
    assert "sesame" not in response.text


async def test_a_caller_waits_for_the_retry_of_a_failed_stage(hooks: Any) -> None:
    hooks.deploy({"order": {"type": "hook", **RETRIES}})

    async def second_time(attempt: Any) -> None:
        if attempt.claim.attempt == 1:
            raise ValueError("not yet")
        await attempt.respond("done")

    hooks.runner.behaviours["order"] = second_time
    assert (await hooks.post("order")).text == "done"


async def test_an_answer_stands_whatever_comes_after_it(hooks: Any) -> None:
    hooks.deploy({"order": {"type": "hook", **RETRIES}})

    async def answer(attempt: Any) -> None:
        await attempt.respond(f"attempt {attempt.claim.attempt}")
        raise ValueError("too late")

    hooks.runner.behaviours["order"] = answer
    assert (await hooks.post("order")).text == "attempt 1"
    run = hooks.store.list_runs().runs[0].id
    await hooks.until(lambda: hooks.run(run).run.state is RunState.FAILED)
    assert hooks.run(run).stage_runs[0].response["body"] == "attempt 1"


async def test_an_accepting_hook_gives_an_address_that_can_be_asked(hooks: Any) -> None:
    hooks.deploy({"order": {"type": "hook", "response": "accept"}})
    started, go_on = asyncio.Event(), asyncio.Event()

    async def answer(attempt: Any) -> None:
        started.set()
        await go_on.wait()
        await attempt.respond(b"\x00\xff", 201, {"X-Order": "7"})

    hooks.runner.behaviours["order"] = answer
    response = await hooks.post("order")
    assert response.status_code == 202
    given = response.json()
    assert given["state"] == "running"
    address = given["address"]
    assert response.headers["Location"] == address
    await started.wait()
    first = await hooks.client.get(address)
    assert first.json() == {"run": given["run"], "state": "running", "stage": "running", "response": None}
    assert first.headers["Retry-After"] == "1"
    not_yet = await hooks.client.get(f"{address}/response")
    assert not_yet.status_code == 202
    go_on.set()
    await hooks.until(lambda: hooks.run(given["run"]).run.state is RunState.COMPLETED)
    last = await hooks.client.get(address)
    assert last.json()["state"] == "completed"
    assert last.json()["response"] == {
        "status": 201,
        "headers": {"X-Order": "7"},
        "body": "AP8=",
        "encoding": "base64",
    }
    assert "Retry-After" not in last.headers
    answered = await hooks.client.get(f"{address}/response")
    assert (answered.status_code, answered.content) == (201, b"\x00\xff")
    assert answered.headers["X-Order"] == "7"


async def test_a_timeout_makes_the_answer_an_address_and_loses_nothing(hooks: Any) -> None:
    hooks.deploy({"order": {"type": "hook", "response_timeout": 0.05}})
    go_on = asyncio.Event()

    async def answer(attempt: Any) -> None:
        await go_on.wait()
        await attempt.respond("at last")

    hooks.runner.behaviours["order"] = answer
    response = await hooks.post("order")
    assert response.status_code == 202
    go_on.set()
    run = response.json()["run"]
    await hooks.until(lambda: hooks.run(run).run.state is RunState.COMPLETED)
    assert (await hooks.client.get(f"{response.json()['address']}/response")).text == "at last"


async def test_a_cancelled_run_is_told_to_the_caller(hooks: Any) -> None:
    hooks.deploy({"order": {"type": "hook"}})
    hooks.runner.behaviours["order"] = lambda attempt: asyncio.to_thread(
        hooks.store.cancel_run, attempt.claim.run.id
    )
    hooks.problem(await hooks.post("order"), 500, "run-cancelled")


async def test_a_run_whose_runner_says_nothing_is_found_all_the_same(hooks: Any) -> None:
    """The wake-up is lost: a runner on another machine, or a full buffer."""
    hooks.deploy({"order": {"type": "hook"}})

    async def answer(attempt: Any) -> None:
        response = {"status": 200, "headers": {}, "body": "quietly", "encoding": "text"}
        await asyncio.to_thread(hooks.store.respond, attempt.claim, response)
        await asyncio.Event().wait()

    hooks.runner.behaviours["order"] = answer
    assert (await hooks.post("order")).text == "quietly"


async def test_callers_of_a_server_that_stops_are_told_where_to_look(hooks: Any) -> None:
    hooks.deploy({"order": {"type": "hook"}})
    go_on = asyncio.Event()
    hooks.runner.behaviours["order"] = lambda attempt: go_on.wait()
    waiting = asyncio.create_task(hooks.post("order"))
    await hooks.until(lambda: hooks.runner.seen)
    await hooks.app.hooks.stop()
    response = await waiting
    assert response.status_code == 202
    assert response.json()["address"]
    go_on.set()


async def test_a_caller_that_hangs_up_is_not_waited_for(hooks: Any, jp_http_port: int) -> None:
    hooks.deploy({"order": {"type": "hook"}})
    go_on = asyncio.Event()
    hooks.runner.behaviours["order"] = lambda attempt: go_on.wait()
    _, writer = await asyncio.open_connection("localhost", jp_http_port)
    path = hooks.hook("order").partition(str(jp_http_port))[2]
    writer.write(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n".encode())
    await hooks.until(lambda: hooks.runner.seen and hooks.app.hooks.answers.waiting == 1)
    writer.close()
    await hooks.until(lambda: hooks.app.hooks.answers.waiting == 0)
    run = hooks.runner.seen[0].run.id
    go_on.set()
    await hooks.until(lambda: hooks.run(run).run.state is RunState.COMPLETED)


@pytest.mark.parametrize(
    ("status", "body", "sent"), [(204, "ignored", b""), (304, "", b""), (200, "", b""), (599, "x", b"x")]
)
async def test_statuses_and_bodies(hooks: Any, status: int, body: str, sent: bytes) -> None:
    hooks.deploy({"order": {"type": "hook"}})
    hooks.runner.behaviours["order"] = lambda attempt: attempt.respond(body, status)
    response = await hooks.post("order")
    assert (response.status_code, response.content) == (status, sent)


async def test_an_answer_cannot_touch_the_connection_or_the_people_who_are_signed_in(hooks: Any) -> None:
    hooks.deploy({"order": {"type": "hook"}})
    headers = {
        "Connection": "close",
        "Transfer-Encoding": "chunked",
        "Content-Length": "1000",
        "Set-Cookie": "_xsrf=1",
        "Content-Security-Policy": "default-src *",
        "Content-Type": "text/html",
    }
    hooks.runner.behaviours["order"] = lambda attempt: attempt.respond("<script>", 200, headers)
    response = await hooks.post("order")
    assert response.text == "<script>"
    assert response.headers["Content-Type"] == "text/html"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "Set-Cookie" not in response.headers
    assert response.headers["Content-Length"] == "8"
    policies = response.headers.get_list("Content-Security-Policy")
    assert policies[0].startswith("sandbox")
    assert "allow-same-origin" not in policies[0]
    assert "default-src *" in policies[-1]


# Methods and addresses


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
async def test_only_the_methods_of_a_hook_are_taken(hooks: Any, method: str) -> None:
    hooks.deploy({"order": {"type": "hook"}, "other": {"type": "hook", "methods": [method]}})
    response = await hooks.client.request(method, hooks.hook("order"))
    hooks.problem(response, 405, "wrong-method")
    assert response.headers["Allow"] == "POST, OPTIONS"
    assert (await hooks.client.request(method, hooks.hook("other"))).status_code == 200
    assert [claim.request["method"] for claim in hooks.runner.seen] == [method]


async def test_a_look_at_the_head_starts_nothing(hooks: Any) -> None:
    hooks.deploy({"order": {"type": "hook"}, "page": {"type": "hook", "methods": ["GET"]}})
    response = await hooks.client.head(hooks.hook("page"))
    assert response.status_code == 200
    assert response.content == b""
    assert (await hooks.client.head(hooks.hook("order"))).status_code == 405
    assert (await hooks.client.head(hooks.hook("nothing"))).status_code == 404
    assert hooks.store.list_runs().runs == ()


async def test_options_name_the_methods(hooks: Any) -> None:
    hooks.deploy({"page": {"type": "hook", "methods": ["GET", "POST"], "auth": {"kind": "token"}}})
    response = await hooks.client.options(hooks.hook("page"))
    assert response.status_code == 204
    assert response.headers["Allow"] == "GET, POST, HEAD, OPTIONS"
    assert hooks.store.list_runs().runs == ()


@pytest.mark.parametrize(
    "path", ["shop/nothing", "other/order", "shop/form", "shop/off", "Shop/order", "shop"]
)
async def test_other_addresses_are_not_there(hooks: Any, path: str) -> None:
    off = {"type": "hook", "disabled": True}
    hooks.deploy({"order": {"type": "hook"}, "form": {"type": "form"}, "off": off})
    response = await hooks.client.post(f"{hooks.url}workflows/hooks/{path}")
    assert response.status_code == 404
    assert "Traceback" not in response.text


async def test_a_paused_workflow_takes_no_requests(hooks: Any) -> None:
    hooks.deploy({"order": {"type": "hook"}})
    hooks.store.pause("w1")
    response = await hooks.post("order")
    hooks.problem(response, 503, "paused")
    assert response.headers["Retry-After"]
    hooks.store.resume("w1")
    assert (await hooks.post("order")).status_code == 200


async def test_a_request_follows_the_live_version(hooks: Any) -> None:
    hooks.deploy({"order": {"type": "hook"}})
    first = (await hooks.post("order")).json()["run"]
    hooks.deploy({"order": {"type": "hook", "methods": ["PUT"]}})
    assert (await hooks.post("order")).status_code == 405
    second = (await hooks.client.put(hooks.hook("order"))).json()["run"]
    assert hooks.run(first).run.deployment != hooks.run(second).run.deployment


@pytest.mark.parametrize("path", ["answers/0123456789abcdefghjk/" + 40 * "0", "answers/x/y", "answers"])
async def test_addresses_that_were_not_given_out_are_not_there(hooks: Any, path: str) -> None:
    assert (await hooks.client.get(f"{hooks.url}workflows/{path}")).status_code == 404


async def test_an_address_is_for_one_request_alone(hooks: Any) -> None:
    hooks.deploy({"order": {"type": "hook", "response": "accept"}})
    first = (await hooks.post("order")).json()["address"]
    other = hooks.store.list_runs().runs[0].id
    stage_run, code = first.split("/")[-2:]
    forged = first.replace(stage_run, other)
    assert (await hooks.client.get(forged)).status_code == 404
    assert (await hooks.client.get(first)).status_code == 200
    assert len(code) == 40


async def test_a_run_that_is_not_kept_any_more_is_not_there(hooks: Any) -> None:
    hooks.deploy({"order": {"type": "hook", "response": "accept"}})
    given = (await hooks.post("order")).json()
    await hooks.until(lambda: hooks.run(given["run"]).run.state is RunState.COMPLETED)
    assert hooks.run(given["run"]).stage_runs[0].state is StageRunState.COMPLETED
    hooks.store.retain(age=0.0)
    hooks.problem(await hooks.client.get(given["address"]), 404, "not-found")
