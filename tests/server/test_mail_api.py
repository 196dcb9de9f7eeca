"""Mail over HTTP."""

from __future__ import annotations

from typing import Any

from support.stores import document, start, work

from jupyter_workflows.model.states import RunMode
from jupyter_workflows.store import RunnerIdentity, Store

FORMS = document(
    {"a": {}, "b": {"type": "form", "title": "Approve", "assignee": "ada"}},
    {"t": {"source": "a", "target": "b"}},
    uid="w1",
    title="Forms",
)


async def test_letters_of_live_runs_and_what_tests_would_send(api: Any, store: Store) -> None:
    runner = RunnerIdentity.current()
    store.register_runner(runner)
    test = start(store, FORMS)
    work(store, runner)
    live = start(store, FORMS, mode=RunMode.LIVE)
    work(store, runner)
    found = (await api.get("mail"))["mail"]
    assert [(one["to"], one["state"], one["run"]) for one in found] == [
        ("ada", "waiting", live),
        ("ada", "test", test),
    ]
    assert found[0]["subject"] == "Approve (Forms)"
    assert [one["state"] for one in (await api.get(f"mail?run={test}"))["mail"]] == ["test"]
    assert len((await api.get("mail?limit=1"))["mail"]) == 1
    (await api("GET", "mail?limit=0")).problem(400, "invalid-request")
