"""Runs over HTTP: start, list, count, show, cancel, retry, run again, notebooks and logs."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from support.stores import document, fail, finish, linear, start

from jupyter_workflows.model.states import RunState
from jupyter_workflows.runner.report import run_report
from jupyter_workflows.store import RunnerIdentity, Store

NOWHERE = "0" * 20
RUNNER = RunnerIdentity.current("runner000000000000a1")


def failed_run(store: Store, *, text: str | None = None) -> tuple[str, str]:
    """Return a run whose first stage has failed, and that stage run."""
    run = start(store, text or linear(2), values={"amount": 3})
    (claim,) = store.claim(RUNNER, limit=1)
    fail(store, claim)
    return run, claim.id


async def test_runs_are_listed_in_pages(api: Any, store: Store) -> None:
    made = [start(store, linear(1), started_by="ada") for _ in range(5)]
    first = await api.get("runs?limit=2")
    assert [run["id"] for run in first["runs"]] == made[:-3:-1]
    assert first["runs"][0]["mode"] == "test"
    second = await api.get(f"runs?limit=2&cursor={first['cursor']}")
    third = await api.get(f"runs?limit=2&cursor={second['cursor']}")
    assert [run["id"] for run in second["runs"] + third["runs"]] == made[2::-1]
    assert third["cursor"] is None


async def test_runs_are_filtered_and_counted(api: Any, store: Store) -> None:
    failed_run(store)
    waiting = start(store, document({"a": {"type": "form"}}, uid="w2"), started_by="ada")
    assert (await api.get("runs/counts"))["failed"] == 1
    assert (await api.get("runs/counts?workflow=w2")) == {
        "running": 0,
        "waiting": 1,
        "completed": 0,
        "failed": 0,
        "cancelled": 0,
    }
    for query in (
        "state=waiting",
        "state=waiting&state=cancelled",
        "workflow=w2",
        "started_by=ada",
        "text=ADA",
    ):
        found = await api.get(f"runs?{query}")
        assert [run["id"] for run in found["runs"]] == [waiting], query
    assert (await api.get("runs?until=2020-01-01T00:00:00Z"))["runs"] == []
    assert len((await api.get("runs?since=2020-01-01T00:00:00%2B01:00".replace("%2B", "+")))["runs"]) == 2


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=many", "limit"),
        ("limit=1&limit=2", "limit"),
        ("state=lost", "state[0]"),
        ("mode=real", "mode"),
        ("since=yesterday", "since"),
        ("since=2020-01-01T00:00:00", "since"),
        ("stat=failed", "stat"),
        ("cursor=abc", "cursor"),
        ("cursor=%00", "cursor"),
        ("text=%00", "text"),
        ("parent=x", "parent"),
    ],
)
async def test_a_wrong_parameter_is_named(api: Any, query: str, field: str) -> None:
    query = query.replace("%00", "\x00")
    found = (await api("GET", f"runs?{query}")).problem(400, found_code(field))
    assert [error["field"] for error in found["errors"]] == [field]


def found_code(field: str) -> str:
    return "invalid-cursor" if field == "cursor" else "invalid-request"


async def test_a_run_is_shown_with_its_stages(api: Any, store: Store) -> None:
    run, stage_run = failed_run(store)
    shown = await api.get(f"runs/{run}")
    assert (shown["state"], shown["stage_runs"]) == ("failed", 1)
    (stage,) = shown["stages"]
    assert (stage["id"], stage["path"], stage["state"]) == (stage_run, "a", "failed")
    assert stage["error"] == {"name": "ValueError", "message": "no good", "cell": 1}
    assert [attempt["attempt"] for attempt in stage["attempts"]] == [1]
    assert "data" not in stage
    detail = await api.get(f"runs/{run}/stages/{stage_run}")
    assert (detail["run"], detail["data"], detail["result"]) == (run, {"amount": 3}, None)
    assert await api.get(f"runs/{run}/report") == json.loads(json.dumps(run_report(store, run)))
    assert (await api.get(f"runs/{run}/document"))["uid"] == "w1"
    attempt = await api.get(f"runs/{run}/stages/{stage_run}/attempts/1")
    assert attempt["state"] == "failed"


@pytest.mark.parametrize(
    "path",
    [
        f"runs/{NOWHERE}",
        "runs/short",
        "runs/../etc",
        f"runs/{NOWHERE}/report",
        f"runs/{NOWHERE}/document",
        f"runs/{NOWHERE}/logs",
        f"runs/{NOWHERE}/stages/{NOWHERE}",
        f"runs/{NOWHERE}/stages/{NOWHERE}/attempts/1",
        f"runs/{NOWHERE}/stages/{NOWHERE}/attempts/0",
        f"runs/{NOWHERE}/stages/{NOWHERE}/attempts/99999999999",
        f"runs/{NOWHERE}/stages/{NOWHERE}/attempts/1/notebook",
        f"runs/{NOWHERE}/stages/{NOWHERE}/attempts/1/log",
    ],
)
async def test_what_is_not_there_is_not_found(api: Any, path: str) -> None:
    (await api("GET", path)).problem(404, "not-found")


async def test_a_stage_run_of_another_run_is_not_found(api: Any, store: Store) -> None:
    _, stage_run = failed_run(store)
    other = start(store, linear(1))
    (await api("GET", f"runs/{other}/stages/{stage_run}")).problem(404, "not-found")
    (await api("POST", f"runs/{other}/retry", {"stage_runs": [stage_run]})).problem(404, "not-found")


async def test_a_run_is_cancelled_once(api: Any, store: Store) -> None:
    run = start(store, linear(1))
    assert await api.post(f"runs/{run}/cancel") == {"run": run, "state": "cancelled", "cancelled": True}
    assert (await api.post(f"runs/{run}/cancel"))["cancelled"] is False
    done, _ = failed_run(store)
    (await api("POST", f"runs/{done}/cancel")).problem(409, "wrong-state")
    (await api("POST", f"runs/{NOWHERE}/cancel")).problem(404, "not-found")


async def test_failed_stages_are_tried_again(api: Any, store: Store) -> None:
    run, stage_run = failed_run(store)
    answer = await api.post(f"runs/{run}/retry", status=202)
    assert answer == {
        "run": run,
        "state": "running",
        "retried": [{"stage": "a", "stage_run": stage_run}],
    }
    (await api("POST", f"runs/{run}/retry")).problem(409, "wrong-state")
    (claim,) = store.claim(RUNNER, limit=1)
    fail(store, claim)
    await api.post(
        f"runs/{run}/retry", {"stage_runs": [stage_run], "once": {"pay": {"done": {"ok": 1}}}}, status=202
    )
    (claim,) = store.claim(RUNNER, limit=1)
    assert claim.once == {"pay": 'done:{"ok": 1}'}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"stage_runs": "all"}, "stage_runs"),
        ({"stage_runs": ["x"]}, "stage_runs[0]"),
        ({"stages": []}, "stages"),
        ({"once": {"k": "maybe"}}, "once"),
        ([], "body"),
    ],
)
async def test_a_wrong_retry_is_refused_and_changes_nothing(
    api: Any, store: Store, body: Any, field: str
) -> None:
    run, _ = failed_run(store)
    found = (await api("POST", f"runs/{run}/retry", body)).problem(422, "invalid-request")
    assert found["errors"][0]["field"].startswith(field)
    assert store.get_run_record(run).state is RunState.FAILED


async def test_a_run_is_run_again_from_any_stage(api: Any, store: Store) -> None:
    run = start(store, linear(2), values={"amount": 3})
    (claim,) = store.claim(RUNNER, limit=1)
    finish(store, claim, {"more": 4})
    second = store.get_run(run).stage_runs[1]
    reply = await api("POST", f"runs/{run}/rerun", {"stage_run": second.id})
    assert reply.status == 201
    made = reply.json
    assert reply.headers["Location"].endswith(f"/workflows/api/runs/{made['id']}")
    assert made["parent"] == run
    (stage_run,) = store.get_run(made["id"]).stage_runs
    assert (stage_run.stage, dict(stage_run.data.values)) == ("b", {"amount": 3, "more": 4})
    again = await api.post(f"runs/{run}/rerun", status=201)
    assert store.get_run(again["id"]).stage_runs[0].stage == "a"
    assert [found["id"] for found in (await api.get(f"runs?parent={run}"))["runs"]] == [
        again["id"],
        made["id"],
    ]


async def test_running_again_with_a_key_happens_once(api: Any, store: Store) -> None:
    run, _ = failed_run(store)
    headers = {"Idempotency-Key": "key-1"}
    first = await api.post(f"runs/{run}/rerun", status=201, headers=dict(headers))
    second = await api.post(f"runs/{run}/rerun", status=201, headers=dict(headers))
    assert first["id"] == second["id"]


async def test_a_working_copy_is_run_as_a_test(api: Any, store: Store, project: Path) -> None:
    body = {"mode": "test", "path": "project/two.workflow", "data": {"n": 1}}
    reply = await api("POST", "runs", body)
    assert reply.status == 201, reply.body
    made = reply.json
    assert (made["mode"], made["state"], made["title"]) == ("test", "running", "Two scripts")
    assert made["started_by"]
    location = reply.headers["Location"].partition("workflows/api/")[2]
    assert (await api.get(location))["id"] == made["id"]
    (claim,) = store.claim(RUNNER, limit=1)
    assert dict(claim.data.values) == {"n": 1}


async def test_a_test_run_is_started_once_for_a_key(api: Any, store: Store, project: Path) -> None:
    body = {"mode": "test", "path": "project/two.workflow"}
    headers = {"Idempotency-Key": "one"}
    first = await api.post("runs", body, status=201, headers=dict(headers))
    assert (await api.post("runs", body, status=201, headers=dict(headers)))["id"] == first["id"]
    other = {**body, "data": {"other": True}}
    found = (await api("POST", "runs", other, headers=dict(headers))).problem(422, "key-used-before")
    assert found["errors"][0]["field"] == "Idempotency-Key"
    assert len(store.list_runs().runs) == 1
    (await api("POST", "runs", body, headers={"Idempotency-Key": "x" * 300})).problem(400, "invalid-request")


async def test_only_the_files_that_are_meant_are_run(api: Any, store: Store, project: Path) -> None:
    hashes = {
        "document": hashlib.sha256(project.read_bytes()).hexdigest(),
        "notebooks": {"a.ipynb": hashlib.sha256((project.parent / "a.ipynb").read_bytes()).hexdigest()},
    }
    body = {"mode": "test", "path": "project/two.workflow", "hashes": hashes}
    await api.post("runs", body, status=201)
    hashes["notebooks"] = {"a.ipynb": "0" * 64, "missing.ipynb": ""}
    found = (await api("POST", "runs", body)).problem(409, "files-changed")
    assert [error["field"] for error in found["errors"]] == [
        "hashes.notebooks.a.ipynb",
        "hashes.notebooks.missing.ipynb",
    ]
    assert len(store.list_runs().runs) == 1


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({}, 422, "mode"),
        ({"mode": "real"}, 422, "mode"),
        ({"mode": "test"}, 422, "path"),
        ({"mode": "live"}, 422, "workflow"),
        ({"mode": "test", "path": "project/two.workflow", "data": [1]}, 422, "data"),
        ({"mode": "test", "path": "project/two.workflow", "speed": 1}, 422, "speed"),
        ({"mode": "test", "path": 3}, 422, "path"),
        ({"mode": "test", "path": "nothing.workflow"}, 404, "path"),
        ({"mode": "test", "path": "../root_dir/project/two.workflow"}, 404, "path"),
        ({"mode": "test", "path": "project/a.ipynb"}, 422, "path"),
        ({"mode": "test", "path": "x" * 5000}, 422, "path"),
    ],
)
async def test_a_wrong_start_is_refused_by_field(
    api: Any, store: Store, project: Path, body: Any, status: int, field: str
) -> None:
    reply = await api("POST", "runs", body)
    assert reply.status == status, reply.body
    assert [error["field"] for error in reply.json["errors"]] == [field]
    assert store.list_runs().runs == ()


async def test_a_workflow_with_errors_is_not_run(api: Any, store: Store, project: Path) -> None:
    (project.parent / "a.ipynb").unlink()
    found = (await api("POST", "runs", {"mode": "test", "path": "project/two.workflow"})).problem(
        422, "invalid-workflow"
    )
    assert found["findings"][0]["severity"] == "error"
    project.write_text("{")
    found = (await api("POST", "runs", {"mode": "test", "path": "project/two.workflow"})).problem(
        422, "invalid-workflow"
    )
    assert found["findings"]


async def test_unknown_stages_and_answers_are_refused_with_the_choices(api: Any, project: Path) -> None:
    body = {"mode": "test", "path": "project/two.workflow"}
    found = (await api("POST", "runs", {**body, "stage": "c"})).problem(422, "cannot-start")
    assert "a" in found["choices"]
    (await api("POST", "runs", {**body, "answers": {"a": {}}})).problem(422, "cannot-start")
    (await api("POST", "runs", {**body, "request": {}})).problem(422, "cannot-start")


async def test_executed_notebooks_and_logs_are_handed_out(api: Any, store: Store) -> None:
    run = start(store, linear(1))
    (claim,) = store.claim(RUNNER, limit=1)
    file = store.folder(run, claim.id) / "executed-1.ipynb"
    file.parent.mkdir(parents=True)
    output = {"output_type": "stream", "name": "stdout", "text": "hello\n"}
    cell = {"cell_type": "code", "source": "", "outputs": [output], "metadata": {}, "execution_count": 1}
    file.write_text(json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    address = f"runs/{run}/stages/{claim.id}/attempts/1"
    # Also while it runs.
    reply = await api("GET", f"{address}/notebook")
    assert reply.status == 200
    assert reply.body == file.read_bytes()
    assert reply.headers["Content-Type"] == "application/x-ipynb+json"
    assert "attachment" in reply.headers["Content-Disposition"]
    same = await api("GET", f"{address}/notebook", headers={"If-None-Match": reply.headers["ETag"]})
    assert (same.status, same.body) == (304, b"")
    log = await api.get(f"{address}/log")
    assert log["cells"] == [{"cell": 0, "text": "hello\n"}]
    finish(store, claim, output=str(file))
    logs = await api.get(f"runs/{run}/logs?stage=a")
    assert [entry["cells"] for entry in logs["logs"]] == [log["cells"]]
    found = (await api("GET", f"runs/{run}/logs?stage=b")).problem(404, "not-found")
    assert found["choices"] == ["a"]


async def test_nothing_but_evidence_is_handed_out(api: Any, store: Store, tmp_path: Path) -> None:
    secret = tmp_path / "secret.ipynb"
    secret.write_text("{}")
    run = start(store, linear(1))
    (claim,) = store.claim(RUNNER, limit=1)
    finish(store, claim, output=str(secret))
    (await api("GET", f"runs/{run}/stages/{claim.id}/attempts/1/notebook")).problem(404, "not-found")


async def test_artifacts_are_handed_out_by_the_runs_that_use_them(api: Any, store: Store) -> None:
    hashed = store.artifacts.put_bytes(b"\x00content")
    run = start(store, linear(1), artifacts={hashed: 8})
    reply = await api("GET", f"runs/{run}/artifacts/{hashed}")
    assert (reply.status, reply.body) == (200, b"\x00content")
    assert reply.headers["Content-Type"] == "application/octet-stream"
    other = start(store, linear(1))
    (await api("GET", f"runs/{other}/artifacts/{hashed}")).problem(404, "not-found")
    (await api("GET", f"runs/{run}/artifacts/{'0' * 64}")).problem(404, "not-found")
    (await api("GET", f"runs/{run}/artifacts/..")).problem(404, "not-found")


async def test_an_unchanged_answer_is_not_sent_again(api: Any, store: Store) -> None:
    run, _ = failed_run(store)
    reply = await api("GET", f"runs/{run}")
    same = await api("GET", f"runs/{run}", headers={"If-None-Match": reply.headers["Etag"]})
    assert same.status == 304
