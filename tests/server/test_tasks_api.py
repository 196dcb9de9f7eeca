"""Tasks over HTTP."""

from __future__ import annotations

import getpass
from typing import Any

import pytest
from support.stores import document, start

from jupyter_workflows.store import Store

FORM = document({"a": {"type": "form"}}, uid="w1", title="Forms")
HOOK = document(
    {"a": {}, "b": {"type": "hook"}, "c": {"type": "form", "start": True}},
    {"t": {"source": "a", "target": "b"}},
    uid="w2",
)


async def test_tasks_are_listed_in_pages_with_filters(api: Any, store: Store) -> None:
    for person in ("ada", "bob", "ada"):
        start(store, FORM, started_by=person)
    mine = start(store, HOOK, "c", started_by=getpass.getuser())
    first = await api.get("tasks?limit=3")
    assert [task["assignee"] for task in first["tasks"]] == ["ada", "bob", "ada"]
    rest = await api.get(f"tasks?limit=3&cursor={first['cursor']}")
    assert ([task["run"] for task in rest["tasks"]], rest["cursor"]) == ([mine], None)
    assert len((await api.get("tasks?assignee=ada"))["tasks"]) == 2
    assert len((await api.get("tasks?assignee=ada&assignee=bob&type=form"))["tasks"]) == 3
    assert [task["run"] for task in (await api.get("tasks?mine=true"))["tasks"]] == [mine]
    assert (await api.get("tasks?type=hook"))["tasks"] == []
    assert len((await api.get("tasks?workflow=w1&mode=test"))["tasks"]) == 3
    assert len((await api.get(f"tasks?run={mine}&path=c"))["tasks"]) == 1


async def test_a_task_is_shown_and_given_to_somebody_else(api: Any, store: Store) -> None:
    start(store, FORM, started_by="ada")
    (task,) = (await api.get("tasks"))["tasks"]
    assert (await api.get(f"tasks/{task['id']}")) == task
    given = await api.post(f"tasks/{task['id']}/assign", {"assignee": "team:finance"})
    assert given == {**task, "assignee": "team:finance"}
    (entry,) = [entry for entry in store.audit() if entry.what == "assigned"]
    assert entry.who == getpass.getuser()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "assignee"),
        ({"assignee": ""}, "assignee"),
        ({"assignee": 3}, "assignee"),
        ({"assignee": "\x00"}, "assignee"),
    ],
)
async def test_a_wrong_assignee_is_refused(api: Any, store: Store, body: Any, field: str) -> None:
    start(store, FORM, started_by="ada")
    (task,) = (await api.get("tasks"))["tasks"]
    found = (await api("POST", f"tasks/{task['id']}/assign", body)).problem(422, "invalid-request")
    assert [error["field"] for error in found["errors"]] == [field]


async def test_what_does_not_wait_is_no_task(api: Any, store: Store) -> None:
    run = start(store, document({"a": {}}))
    (stage_run,) = store.get_run(run).stage_runs
    (await api("GET", f"tasks/{stage_run.id}")).problem(404, "not-found")
    (await api("POST", f"tasks/{stage_run.id}/assign", {"assignee": "bob"})).problem(409, "wrong-state")
    (await api("POST", f"tasks/{'0' * 20}/assign", {"assignee": "bob"})).problem(404, "not-found")
    (await api("GET", "tasks?assignee=")).problem(400, "invalid-request")
