"""Changes are announced on Jupyter's event stream, whoever made them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from support.stores import document, fan_out, finish, linear, start

from jupyter_workflows.server.app import WorkflowsApp
from jupyter_workflows.server.events.feed import RUNS, TASKS, ChangeFeed
from jupyter_workflows.store import RunnerIdentity, Store

RUNNER = RunnerIdentity.current("runner000000000000a1")


class Listener:
    """What was announced."""

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []

    async def __call__(self, logger: Any, schema_id: str, data: dict[str, Any]) -> None:
        plain = {name: value for name, value in data.items() if not name.startswith("__")}
        self.events.append((schema_id, plain))

    def of(self, schema: str, **fields: Any) -> list[dict[str, Any]]:
        return [
            event
            for name, event in self.events
            if name == schema and all(event.get(field) == value for field, value in fields.items())
        ]

    async def until(self, condition: Callable[[], Any]) -> None:
        async with asyncio.timeout(20):
            while not condition():
                await asyncio.sleep(0.02)


async def listening(app: WorkflowsApp) -> tuple[Listener, ChangeFeed]:
    listener = Listener()
    await app.database.ready()
    app.events_interval = 0.1
    feed = ChangeFeed(app)
    assert app.serverapp is not None
    app.serverapp.event_logger.add_listener(listener=listener)
    feed.start()
    await listener.until(lambda: feed._last is not None)
    return listener, feed


async def test_what_another_process_does_is_announced(workflows_app: WorkflowsApp, store: Store) -> None:
    listener, feed = await listening(workflows_app)
    run = start(store, linear(2))
    await listener.until(lambda: listener.of(RUNS, run=run, path="a", state="queued"))
    (claim,) = await asyncio.to_thread(store.claim, RUNNER, limit=1)
    await listener.until(lambda: listener.of(RUNS, stage_run=claim.id, state="running"))
    finish(store, claim)
    await listener.until(lambda: listener.of(RUNS, path="b", state="queued"))
    assert listener.of(RUNS, stage_run=claim.id, state="completed")
    store.cancel_run(run)
    await listener.until(
        lambda: [event for event in listener.of(RUNS, state="cancelled") if "path" not in event]
    )
    # Ids and states, no data, no names.
    for _, event in listener.events:
        assert set(event) <= {"run", "stage_run", "workflow", "path", "state", "task"}
    await feed.stop()


async def test_tasks_are_announced(workflows_app: WorkflowsApp, store: Store) -> None:
    listener, feed = await listening(workflows_app)
    start(store, document({"a": {"type": "form"}}), started_by="ada")
    (task,) = store.list_tasks().tasks
    await listener.until(lambda: listener.of(TASKS, task=task.id, state="waiting"))
    listener.events.clear()
    store.assign(task.id, "bob")
    await listener.until(lambda: listener.of(TASKS, task=task.id, state="waiting"))
    await feed.stop()


async def test_a_server_that_is_told_looks_at_once(workflows_app: WorkflowsApp, store: Store) -> None:
    listener, feed = await listening(workflows_app)
    workflows_app.events_interval = 3600.0
    await asyncio.sleep(0.3)  # the wait that is under way ends
    run = start(store, linear(1))
    feed.look()
    await listener.until(lambda: listener.of(RUNS, run=run))
    await feed.stop()


async def test_of_many_changes_at_once_each_subject_is_announced_once(
    workflows_app: WorkflowsApp, store: Store
) -> None:
    run = start(store, fan_out(), values={"items": list(range(300))})
    (claim,) = store.claim(RUNNER, limit=1)
    listener, feed = await listening(workflows_app)
    workflows_app.events_interval = 3600.0
    finish(store, claim)
    while claims := store.claim(RUNNER, limit=50):
        for one in claims:
            finish(store, one)
    feed.look()
    await listener.until(lambda: listener.of(RUNS, run=run, state="completed"))
    await listener.until(lambda: len({event.get("stage_run") for event in listener.of(RUNS)}) == 302)
    assert len(listener.events) < 700
    await feed.stop()


async def test_only_what_is_new_is_announced(workflows_app: WorkflowsApp, store: Store) -> None:
    start(store, linear(1))
    listener, feed = await listening(workflows_app)
    new = start(store, linear(1))
    await listener.until(lambda: listener.of(RUNS, run=new))
    assert {event["run"] for event in listener.of(RUNS)} == {new}
    await feed.stop()


async def test_browsers_hear_of_it_on_the_event_stream(
    workflows_app: WorkflowsApp, store: Store, jp_ws_fetch: Any, http_server_client: Any
) -> None:
    _, feed = await listening(workflows_app)
    socket = await jp_ws_fetch("api", "events", "subscribe")
    run = start(store, linear(1))
    async with asyncio.timeout(20):
        while True:
            event = json.loads(await socket.read_message())
            if event["schema_id"] == RUNS and event.get("run") == run:
                break
    assert event["state"] in ("running", "queued")
    socket.close()
    await feed.stop()


async def test_it_stops_although_something_has_just_changed(workflows_app: WorkflowsApp) -> None:
    # In Python 3.11 `wait_for` loses being cancelled when what it waits for is there in the same moment.
    for steps in range(6):
        _, feed = await listening(workflows_app)
        workflows_app.events_interval = 60
        await asyncio.sleep(0.3)  # it has nothing to do, and waits
        feed.look()
        for _ in range(steps):
            await asyncio.sleep(0)
        async with asyncio.timeout(5):
            await feed.stop()
