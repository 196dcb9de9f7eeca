"""Stage runs that wait: for people, for requests, and not for ever."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from support.clock import Clock
from support.stores import document, fail, finish, linear, park, start, work

from jupyter_workflows.model.states import RunMode, RunState, StageRunState
from jupyter_workflows.store import RunFilter, RunnerIdentity, Store, TaskFilter, WrongState


def approval(**form: Any) -> str:
    """Return a script, then a form."""
    return document(
        {"a": {}, "b": {"type": "form", "title": "Approve", "assignee": "team:finance", **form}},
        {"t": {"source": "a", "target": "b"}},
        title="Expenses",
    )


def outbox(store: Store) -> list[tuple[str, Mapping[str, Any]]]:
    """Take and send what is in the outbox."""
    entries = store.take_outbox(limit=100)
    for entry in entries:
        store.outbox_sent(entry)
    return [(entry.kind, entry.payload) for entry in entries]


def test_a_task_is_listed_until_it_is_done(store: Store, runner: RunnerIdentity) -> None:
    run_id = start(store, approval(), started_by="ada")
    assert store.list_tasks().tasks == ()
    work(store, runner)
    (task,) = store.list_tasks(TaskFilter(assignees=("grace", "team:finance"))).tasks
    assert (task.run_id, task.path, task.title, task.workflow_title) == (run_id, "b", "Approve", "Expenses")
    assert (task.assignee, task.started_by, task.opened_by) == ("team:finance", "ada", None)
    assert store.list_tasks(TaskFilter(assignees=("grace",))).tasks == ()
    claim = store.claim_waiting(runner, task.id, by="grace")
    (opened,) = store.list_tasks().tasks
    assert (opened.state, opened.opened_by) == (StageRunState.RUNNING, "grace")
    assert store.get_run_record(run_id).state is RunState.RUNNING
    with pytest.raises(WrongState, match="opened by grace"):
        store.claim_waiting(runner, task.id, by="linus")
    park(store, claim)
    (waiting,) = store.list_tasks().tasks
    assert (waiting.state, waiting.opened_by) == (StageRunState.WAITING, None)
    finish(store, store.claim_waiting(runner, task.id, by="grace"))
    assert store.list_tasks().tasks == ()
    with pytest.raises(WrongState, match="completed"):
        store.claim_waiting(runner, task.id, by="linus")


def test_tasks_come_page_by_page(store: Store, runner: RunnerIdentity) -> None:
    for _ in range(7):
        start(store, document({"a": {"type": "form"}}), started_by="ada")
    for task in store.list_tasks(limit=2).tasks:
        store.claim_waiting(runner, task.id, by="ada")
    seen: list[str] = []
    cursor = None
    while True:
        page = store.list_tasks(cursor=cursor, limit=3)
        seen += [task.id for task in page.tasks]
        cursor = page.cursor
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 7
    assert seen == sorted(seen)


def test_tasks_are_narrowed(store: Store, runner: RunnerIdentity) -> None:
    test = start(store, document({"a": {"type": "form"}}), started_by="ada")
    live = start(store, document({"a": {"type": "form"}}, uid="w2"), started_by="ada", mode=RunMode.LIVE)
    start(store, document({"a": {}, "h": {"type": "hook"}}, {"t": {"source": "a", "target": "h"}}))
    work(store, runner)

    def runs(**wanted: Any) -> set[str]:
        return {task.run_id for task in store.list_tasks(TaskFilter(**wanted)).tasks}

    assert runs() == {test, live}
    assert runs(mode=RunMode.LIVE) == {live}
    assert runs(workflow_uid="w2") == {live}
    assert runs(run_id=test) == {test}
    assert len(runs(types=("form", "hook"))) == 3


def test_the_assignee_is_told_once(store: Store, runner: RunnerIdentity) -> None:
    run_id = start(store, approval(), mode=RunMode.LIVE)
    work(store, runner)
    ((kind, payload),) = outbox(store)
    assert kind == "task-assigned"
    assert payload["run"] == run_id
    assert (payload["title"], payload["assignee"], payload["workflow_title"]) == (
        "Approve",
        "team:finance",
        "Expenses",
    )
    (task,) = store.list_tasks().tasks
    park(store, store.claim_waiting(runner, task.id))
    assert outbox(store) == []


def test_test_runs_tell_nobody(store: Store, runner: RunnerIdentity) -> None:
    start(store, approval())
    work(store, runner)
    start(store, linear(1))
    fail(store, store.claim(runner, limit=1)[0])
    assert outbox(store) == []


def test_who_starts_with_a_form_is_not_told_of_it(store: Store) -> None:
    start(store, document({"a": {"type": "form"}}), mode=RunMode.LIVE, started_by="ada")
    assert outbox(store) == []
    start(store, document({"a": {"type": "form"}}), mode=RunMode.LIVE, started_by="ada", assignee="grace")
    assert [payload["assignee"] for _, payload in outbox(store)] == ["grace"]


def test_a_failed_run_is_told(store: Store, runner: RunnerIdentity) -> None:
    run_id = start(store, linear(1), mode=RunMode.LIVE, started_by="ada")
    fail(store, store.claim(runner, limit=1)[0])
    ((kind, payload),) = outbox(store)
    assert (kind, payload["run"], payload["started_by"]) == ("run-failed", run_id, "ada")


def test_a_task_is_given_to_somebody_else(store: Store, runner: RunnerIdentity) -> None:
    run_id = start(store, approval(), mode=RunMode.LIVE)
    work(store, runner)
    outbox(store)
    (task,) = store.list_tasks().tasks
    store.assign(task.id, "linus", by="grace")
    assert store.get_stage_run(task.id).assignee == "linus"
    assert [payload["assignee"] for _, payload in outbox(store)] == ["linus"]
    (entry,) = store.audit(run_id=run_id)
    assert (entry.who, entry.what, entry.detail) == (
        "grace",
        "assigned",
        {"from": "team:finance", "to": "linus"},
    )


def test_a_request_reaches_the_waiting_hook(store: Store, runner: RunnerIdentity) -> None:
    text = document({"a": {}, "h": {"type": "hook"}}, {"t": {"source": "a", "target": "h"}})
    run_id = start(store, text, values={"order": 7})
    work(store, runner)
    assert store.get_run_record(run_id).state is RunState.WAITING
    (waiting,) = store.waiting_for_request("w1", "h")
    assert waiting.data.values == {"order": 7}
    store.deliver(waiting.id, request={"body": {"paid": True}}, by="shop")
    assert store.waiting_for_request("w1", "h") == []
    assert store.get_run_record(run_id).state is RunState.RUNNING
    with pytest.raises(WrongState, match="does not wait"):
        store.deliver(waiting.id, request={})
    (claim,) = store.claim(runner, limit=1)
    assert claim.request == {"body": {"paid": True}}
    assert store.respond(claim, {"status": 201}) is True
    assert store.respond(claim, {"status": 500}) is False
    finish(store, claim)
    assert store.get_stage_run(waiting.id).response == {"status": 201}


def test_answers_reach_a_waiting_form(store: Store, runner: RunnerIdentity) -> None:
    start(store, document({"a": {"type": "form"}}))
    (task,) = store.list_tasks().tasks
    store.deliver(task.id, answers=[{"Amount": 1}], by="ada")
    (claim,) = store.claim(runner, limit=1)
    assert claim.answers == [{"Amount": 1}]


def test_a_run_carries_requests_for_hooks_in_the_middle(store: Store, runner: RunnerIdentity) -> None:
    text = document({"a": {"type": "hook"}, "h": {"type": "hook"}}, {"t": {"source": "a", "target": "h"}})
    start(store, text, request={"first": 1}, requests={"h": {"second": 2}})
    seen = []
    work(store, runner, lambda claim: seen.append(claim.request))
    assert seen == [{"first": 1}, {"second": 2}]


def test_a_task_expires_and_escalates(store: Store, runner: RunnerIdentity, clock: Clock) -> None:
    text = document(
        {"a": {"type": "form", "expires": "P1D", "due": "PT2H"}, "b": {}},
        {"t": {"source": "a", "target": "b", "on": "failed"}},
    )
    run_id = start(store, text, values={"x": 1})
    (task,) = store.list_tasks().tasks
    assert task.deadline is not None
    assert task.expires_at is not None
    assert (task.deadline - task.created_at).total_seconds() == 7200
    assert store.expire() == []
    clock.pass_(days=1, seconds=1)
    ((expired_run, changes),) = store.expire()
    assert expired_run == run_id
    assert changes.state is StageRunState.FAILED
    assert store.expire() == []
    (claim,) = store.claim(runner, limit=1)
    assert claim.stage_run.source_failure is not None
    assert claim.stage_run.source_failure["name"] == "Expired"
    assert claim.data.values == {"x": 1}
    finish(store, claim)
    assert store.get_run_record(run_id).state is RunState.COMPLETED


def test_an_open_task_does_not_expire(store: Store, runner: RunnerIdentity, clock: Clock) -> None:
    start(store, document({"a": {"type": "form", "expires": "P1D"}}))
    (task,) = store.list_tasks().tasks
    store.claim_waiting(runner, task.id)
    clock.pass_(days=2)
    assert store.expire() == []


def test_opening_a_task_and_leaving_it_gives_it_no_more_time(
    store: Store, runner: RunnerIdentity, clock: Clock
) -> None:
    run_id = start(store, document({"a": {"type": "form", "expires": "P1D", "due": "PT1H"}}))
    (before,) = store.list_tasks().tasks
    clock.pass_(hours=20)
    park(store, store.claim_waiting(runner, before.id))
    (after,) = store.list_tasks().tasks
    assert (after.deadline, after.expires_at) == (before.deadline, before.expires_at)
    clock.pass_(hours=5)
    assert len(store.expire()) == 1
    # One that is tried again gets its time anew.
    store.retry_stage_run(before.id)
    park(store, store.claim(runner, limit=1)[0])
    assert store.expire() == []
    assert store.get_run_record(run_id).state is RunState.WAITING


def test_reminders_come_again_and_again(store: Store, runner: RunnerIdentity, clock: Clock) -> None:
    start(store, approval(remind="P1D"), mode=RunMode.LIVE)
    work(store, runner)
    outbox(store)
    assert store.remind() == 0
    for _ in range(3):
        clock.pass_(days=1, seconds=1)
        assert store.remind() == 1
        assert store.remind() == 0
        assert [kind for kind, _ in outbox(store)] == ["task-reminder"]


def test_an_outbox_entry_that_could_not_be_sent_is_tried_again_later(store: Store, clock: Clock) -> None:
    store.add_to_outbox("mail", {"to": "ada"}, dedupe_key="k")
    store.add_to_outbox("mail", {"to": "ada"}, dedupe_key="k")
    (entry,) = store.take_outbox()
    assert (entry.kind, entry.payload, entry.attempts) == ("mail", {"to": "ada"}, 1)
    assert store.take_outbox() == []  # somebody is sending it
    first = store.outbox_failed(entry, "no route")
    assert store.take_outbox() == []
    clock.pass_(seconds=31)
    (entry,) = store.take_outbox()
    assert entry.attempts == 2
    second = store.outbox_failed(entry, "no route")
    assert second - first > first - entry.created_at
    clock.pass_(hours=1)
    (entry,) = store.take_outbox()
    clock.pass_(minutes=3)
    (entry,) = store.take_outbox()  # whoever took it died
    store.outbox_sent(entry)
    clock.pass_(days=1)
    assert store.take_outbox() == []


def test_a_finished_run_has_no_tasks(store: Store, runner: RunnerIdentity) -> None:
    run_id = start(store, approval())
    work(store, runner)
    store.cancel_run(run_id, by="ada")
    assert store.list_tasks().tasks == ()
    assert store.expire() == []
    assert [run.id for run in store.list_runs(RunFilter(states=(RunState.CANCELLED,))).runs] == [run_id]
