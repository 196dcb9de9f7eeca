"""Requests to hooks in the middle of a run: found by `match`, or by an address made for them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from jupyter_workflows.model.states import RunState, StageRunState
from jupyter_workflows.store import capabilities
from jupyter_workflows.store.hook_calls import same

MATCH = {"type": "hook", "match": {"order_id": "body.order.id"}}
PAYING = {"t": {"source": "order", "target": "paid"}}


async def start(hooks: Any, count: int = 1) -> list[str]:
    """Start runs that come to wait for a payment, with the order ids 0, 1 …"""

    def order(attempt: Any) -> dict[str, Any]:
        return {"order_id": int(attempt.request["body"])}

    hooks.runner.behaviours["order"] = order
    runs = [(await hooks.post("order", content=str(n))).json()["run"] for n in range(count)]
    for run in runs:
        await hooks.until(lambda run=run: hooks.run(run).run.state is RunState.WAITING)
    return runs


def address(hooks: Any, run: str, name: str = "paid") -> str:
    """Return the callback address that the first stage of a run would have."""
    origin = hooks.run(run).stage_runs[0].id
    return f"{hooks.url}{capabilities.callback(hooks.store.address_key(), origin, name)}"


# By match


async def test_a_request_reaches_the_run_that_it_is_for(hooks: Any) -> None:
    hooks.deploy({"order": {"type": "hook"}, "paid": MATCH}, PAYING)
    runs = await start(hooks, 3)
    hooks.runner.behaviours["paid"] = lambda attempt: attempt.respond("thanks")
    response = await hooks.post("paid", json={"order": {"id": 1}})
    assert response.text == "thanks"
    await hooks.until(lambda: hooks.run(runs[1]).run.state is RunState.COMPLETED)
    assert [hooks.run(run).run.state for run in (runs[0], runs[2])] == 2 * [RunState.WAITING]
    hooks.problem(await hooks.post("paid", json={"order": {"id": 1}}), 404, "nobody-waits")
    hooks.problem(await hooks.post("paid", json={"order": {"id": 9}}), 404, "nobody-waits")


@pytest.mark.parametrize(
    "body", [{}, {"order": None}, {"order": {"id": None}}, {"order": {"id": {}}}, [1], "x"]
)
async def test_a_request_that_does_not_say_what_it_is_for(hooks: Any, body: Any) -> None:
    hooks.deploy({"order": {"type": "hook"}, "paid": MATCH}, PAYING)
    await start(hooks)
    found = hooks.problem(await hooks.post("paid", json=body), 422, "cannot-match")
    assert found["errors"][0]["field"] == "body.order.id"


async def test_two_that_wait_alike_are_a_conflict(hooks: Any) -> None:
    hooks.deploy({"order": {"type": "hook"}, "paid": MATCH}, PAYING)
    await start(hooks, 1)
    await start(hooks, 1)
    hooks.problem(await hooks.post("paid", json={"order": {"id": 0}}), 409, "several-wait")


async def test_without_match_the_only_one_that_waits_is_meant(hooks: Any) -> None:
    hooks.deploy({"order": {"type": "hook"}, "paid": {"type": "hook"}}, PAYING)
    (run,) = await start(hooks)
    assert (await hooks.post("paid")).json() == {"run": run}
    hooks.problem(await hooks.post("paid"), 404, "nobody-waits")
    await start(hooks, 2)
    hooks.problem(await hooks.post("paid"), 409, "several-wait")


async def test_a_hook_that_is_an_entry_too_starts_a_run_where_none_waits(hooks: Any) -> None:
    paid = {**MATCH, "start": True}
    hooks.deploy({"order": {"type": "hook"}, "paid": paid}, PAYING)
    (run,) = await start(hooks)
    other = (await hooks.post("paid", json={"order": {"id": 5}})).json()["run"]
    assert other != run
    assert (await hooks.post("paid", json={"order": {"id": 0}})).json() == {"run": run}


@pytest.mark.parametrize("place", ["query.id", "headers.X-Id", "path_params.id"])
async def test_other_places_of_a_request(hooks: Any, place: str) -> None:
    paid = {"type": "hook", "match": {"order_id": place}, "route": "{id}"}
    hooks.deploy({"order": {"type": "hook"}, "paid": paid}, PAYING)
    runs = await start(hooks, 2)
    response = await hooks.post("paid", below="/1?id=1", headers={"X-Id": "1"})
    assert response.json() == {"run": runs[1]}


async def test_runs_of_older_versions_are_found(hooks: Any) -> None:
    hooks.deploy({"order": {"type": "hook"}, "paid": MATCH}, PAYING)
    (run,) = await start(hooks)
    hooks.deploy({"order": {"type": "hook"}, "paid": {**MATCH, "title": "Paid"}}, PAYING)
    assert (await hooks.post("paid", json={"order": {"id": 0}})).json() == {"run": run}


async def test_one_of_two_requests_at_the_same_time_is_taken(hooks: Any) -> None:
    hooks.deploy({"order": {"type": "hook"}, "paid": MATCH}, PAYING)
    (run,) = await start(hooks)
    both = await asyncio.gather(*[hooks.post("paid", json={"order": {"id": 0}}) for _ in range(2)])
    assert sorted(response.status_code for response in both) == [200, 404]
    assert len(hooks.run(run).stage_runs) == 2


async def test_test_runs_are_not_reached(hooks: Any) -> None:
    from support.stores import document
    from support.stores import start as start_test

    stages = {"order": {"type": "hook"}, "paid": {"type": "hook", "auth": {"kind": "none"}}}
    hooks.deploy(stages, PAYING)
    run = start_test(hooks.store, document(stages, PAYING), "order", request={})
    await hooks.until(lambda: hooks.run(run).run.state is RunState.WAITING)
    hooks.problem(await hooks.post("paid"), 404, "nobody-waits")


@pytest.mark.parametrize(
    ("wire", "value", "expected"),
    [
        ("a", "a", True),
        ("a", "A", False),
        (12, 12, True),
        (12, 12.0, True),
        (12, "12", True),
        ("12", 12, True),
        (12, "012", False),
        (True, 1, False),
        (1, True, False),
        (True, True, True),
        (True, "true", True),
        (None, "None", False),
        ([1], "[1]", False),
        ({"$kind": "uuid", "value": "6a7f"}, "6a7f", True),
        ({"$kind": "decimal", "value": "1.50"}, "1.50", True),
        ({"$kind": "object", "value": {"value": "x"}}, "x", False),
        ({"value": "x"}, "x", False),
        ('quote " and \\', 'quote " and \\', True),
    ],
)
def test_what_is_the_same(wire: Any, value: Any, expected: bool) -> None:
    assert same(wire, value) is expected


@pytest.mark.parametrize("value", ['say "hi"', "50 %", "under_score", "back\\slash", "zwölf", "a/b"])
async def test_values_with_strange_characters_are_found(hooks: Any, value: str) -> None:
    hooks.deploy({"order": {"type": "hook"}, "paid": MATCH}, PAYING)
    hooks.runner.behaviours["order"] = lambda attempt: {"order_id": value, "other": "x"}
    run = (await hooks.post("order")).json()["run"]
    await hooks.until(lambda: hooks.run(run).run.state is RunState.WAITING)
    assert (await hooks.post("paid", json={"order": {"id": value}})).json() == {"run": run}


# By address


async def test_an_address_reaches_its_run_once(hooks: Any) -> None:
    hooks.deploy({"order": {"type": "hook"}, "paid": {"type": "hook", "auth": {"kind": "token"}}}, PAYING)
    runs = await start(hooks, 2)
    count = iter(range(9))
    hooks.runner.behaviours["paid"] = lambda attempt: attempt.respond(f"thanks {next(count)}", 201)
    url = address(hooks, runs[1])
    first = await hooks.client.post(url, json={"paid": True})
    assert (first.status_code, first.text) == (201, "thanks 0")
    await hooks.until(lambda: hooks.run(runs[1]).run.state is RunState.COMPLETED)
    assert hooks.run(runs[0]).run.state is RunState.WAITING
    again = await hooks.client.post(url, json={"paid": True})
    assert (again.status_code, again.text) == (201, "thanks 0")
    hooks.problem(await hooks.client.post(url, json={"paid": False}), 410, "run-ended")


async def test_another_request_to_a_used_address_is_a_conflict(hooks: Any) -> None:
    after = {"after": {"type": "form", "assignee": "ada"}}
    hooks.deploy(
        {"order": {"type": "hook"}, "paid": {"type": "hook"}, **after},
        {**PAYING, "u": {"source": "paid", "target": "after"}},
    )
    (run,) = await start(hooks)
    url = address(hooks, run)
    assert (await hooks.client.post(url, content=b"1")).status_code == 200
    hooks.problem(await hooks.client.post(url, content=b"2"), 409, "used-already")


async def test_an_early_request_is_kept_until_somebody_waits_for_it(hooks: Any) -> None:
    hooks.deploy({"order": {"type": "hook"}, "paid": {"type": "hook"}}, PAYING)
    hooks.runner.behaviours["paid"] = lambda attempt: attempt.respond("thanks")
    go_on, seen = asyncio.Event(), []

    async def order(attempt: Any) -> None:
        origin = attempt.claim.id
        seen.append(f"{hooks.url}{capabilities.callback(hooks.store.address_key(), origin, 'paid')}")
        await go_on.wait()

    hooks.runner.behaviours["order"] = order
    waiting = asyncio.create_task(hooks.post("order"))
    (url,) = await hooks.until(lambda: seen)
    early = await hooks.client.post(url, json={"paid": 7})
    assert (early.status_code, early.json()["state"]) == (202, "early")
    assert (await hooks.client.post(url, json={"paid": 7})).status_code == 202
    hooks.problem(await hooks.client.post(url, json={"paid": 8}), 409, "used-already")
    go_on.set()
    run = (await waiting).json()["run"]
    await hooks.until(lambda: hooks.run(run).run.state is RunState.COMPLETED)
    assert hooks.runner.seen[-1].request["body"] == '{"paid":7}'
    assert (await hooks.client.post(url, json={"paid": 7})).text == "thanks"


async def test_an_address_ends_with_its_run(hooks: Any) -> None:
    hooks.deploy({"order": {"type": "hook"}, "paid": {"type": "hook"}}, PAYING)
    (run,) = await start(hooks)
    url = address(hooks, run)
    hooks.store.cancel_run(run)
    hooks.problem(await hooks.client.post(url), 410, "run-ended")
    hooks.store.retain(age=0.0)
    hooks.problem(await hooks.client.post(url), 410, "run-ended")


async def test_forged_addresses_are_not_there(hooks: Any) -> None:
    hooks.deploy({"order": {"type": "hook"}, "paid": {"type": "hook"}, "other": {"type": "hook"}}, PAYING)
    runs = await start(hooks, 2)
    good = address(hooks, runs[0])
    origins = [hooks.run(run).stage_runs[0].id for run in runs]
    forged = [
        good[:-1] + ("0" if good[-1] != "0" else "1"),
        good.replace(origins[0], origins[1]),
        good.replace("/paid/", "/other/"),
        good[:-1],
        good + "/",
    ]
    for url in forged:
        assert (await hooks.client.post(url)).status_code == 404, url
    assert all(hooks.run(run).run.state is RunState.WAITING for run in runs)


async def test_an_address_takes_the_methods_of_its_hook(hooks: Any) -> None:
    hooks.deploy({"order": {"type": "hook"}, "paid": {"type": "hook", "methods": ["GET"]}}, PAYING)
    (run,) = await start(hooks)
    url = address(hooks, run)
    hooks.problem(await hooks.client.post(url), 405, "wrong-method")
    assert (await hooks.client.head(url)).status_code == 200
    assert hooks.run(run).run.state is RunState.WAITING
    assert (await hooks.client.get(url, params={"a": "1"})).status_code == 200
    assert hooks.runner.seen[-1].request["query"] == [["a", "1"]]


async def test_branches_have_addresses_of_their_own(hooks: Any) -> None:
    hooks.deploy(
        {"order": {"type": "hook"}, "ask": {}, "paid": {"type": "hook"}},
        {
            "a": {"source": "order", "target": "ask", "each": "items"},
            "b": {"source": "ask", "target": "paid"},
        },
    )
    hooks.runner.behaviours["order"] = lambda attempt: {"items": [1, 2, 3]}
    run = (await hooks.post("order")).json()["run"]
    await hooks.until(lambda: hooks.run(run).run.state is RunState.WAITING)
    found = hooks.run(run).stage_runs
    asked = [stage_run for stage_run in found if stage_run.path == "ask"]
    key = hooks.store.address_key()
    url = f"{hooks.url}{capabilities.callback(key, asked[1].id, 'paid')}"
    assert (await hooks.client.post(url)).status_code == 200
    done = [one for one in hooks.run(run).stage_runs if one.path == "paid"]
    states = {one.parents[0]: one.state for one in done}
    assert [states[one.id] for one in asked] == [
        StageRunState.WAITING,
        StageRunState.COMPLETED,
        StageRunState.WAITING,
    ]
    hooks.problem(await hooks.client.post(address(hooks, run)), 409, "several-wait")
