"""Deployed workflows, their versions, secrets and schedules over HTTP."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from jupyter_workflows.store import Store

PATH = "project/two.workflow"


@pytest.fixture
def with_hook_and_job(project: Path) -> Path:
    """The project, with a hook and a job."""
    value = json.loads(project.read_text())
    value["stages"]["h"] = {
        "type": "hook",
        "path": "order",
        "title": "Order",
        "notebook": "a.ipynb",
        "auth": {"kind": "token"},
    }
    value["stages"]["j"] = {
        "type": "job",
        "path": "nightly",
        "title": "Nightly",
        "notebook": "b.ipynb",
        "schedule": {"cron": "0 3 * * *", "timezone": "Europe/Berlin"},
    }
    project.write_text(json.dumps(value))
    return project


async def test_a_working_copy_is_deployed_and_rolled_back(
    api: Any, store: Store, with_hook_and_job: Path
) -> None:
    reply = await api("POST", "deployments", {"path": PATH, "note": "first", "owner_address": "a@b.org"})
    assert reply.status == 201, reply.body
    first = reply.json
    assert reply.headers["Location"].endswith(f"/workflows/api/deployments/{first['id']}")
    assert (first["version"], first["live"], first["slug"]) == (1, True, "two-scripts")
    assert [hook["address"].partition("/workflows")[2] for hook in first["hooks"]] == [
        "/hooks/two-scripts/order"
    ]
    assert [job["path"] for job in first["jobs"]] == ["nightly"]
    assert [secret["path"] for secret in first["secrets"]] == ["order"]
    second = await api.post("deployments", {"path": PATH}, status=201)
    assert (second["version"], second["instead_of"], second["secrets"]) == (2, 1, [])
    page = await api.get("deployments?limit=1&workflow=two-scripts")
    assert [one["version"] for one in page["deployments"]] == [2]
    rest = await api.get(f"deployments?limit=1&cursor={page['cursor']}")
    assert ([one["version"] for one in rest["deployments"]], rest["cursor"]) == ([1], None)
    back = await api.post(f"deployments/{first['id']}/activate")
    assert (back["version"], back["live"], back["instead_of"]) == (1, True, 2)
    assert (await api.get(f"deployments/{second['id']}"))["live"] is False
    (await api("POST", f"deployments/{first['id']}/activate")).problem(409, "wrong-state")
    shown = await api.get("workflows/two-scripts")
    assert (shown["live_version"], shown["last_version"], shown["owner_address"]) == (1, 2, "a@b.org")
    assert (await api.get(f"workflows/{shown['uid']}")) == shown
    (listed,) = (await api.get("workflows"))["workflows"]
    assert listed == {name: value for name, value in shown.items() if name != "hooks"}


async def test_a_project_that_is_not_fit_is_refused(api: Any, project: Path) -> None:
    (project.parent / "requirements.txt").unlink()
    found = (await api("POST", "deployments", {"path": PATH})).problem(422, "invalid-workflow")
    assert "no-requirements" in [finding["code"] for finding in found["findings"]]
    assert (await api.get("deployments"))["deployments"] == []
    assert (await api.get("workflows")) == {"workflows": [], "cursor": None}


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({}, 422, "path"),
        ({"path": "nothing.workflow"}, 404, "path"),
        ({"path": PATH, "slug": "Not A Slug"}, 422, "slug"),
        ({"path": PATH, "note": 3}, 422, "note"),
        ({"path": PATH, "version": 3}, 422, "version"),
    ],
)
async def test_a_wrong_deployment_is_refused_by_field(
    api: Any, project: Path, body: Any, status: int, field: str
) -> None:
    reply = await api("POST", "deployments", body)
    assert reply.status == status
    assert [error["field"] for error in reply.json["errors"]] == [field]


async def test_a_live_run_is_started(api: Any, store: Store, with_hook_and_job: Path) -> None:
    deployed = await api.post("deployments", {"path": PATH}, status=201)
    body = {"mode": "live", "workflow": "two-scripts", "stage": "a", "data": {"n": 1}}
    headers = {"Idempotency-Key": "once"}
    run = await api.post("runs", body, status=201, headers=dict(headers))
    assert (run["mode"], run["deployment"]) == ("live", deployed["id"])
    assert (await api.post("runs", body, status=201, headers=dict(headers)))["id"] == run["id"]
    hook = {"mode": "live", "workflow": "two-scripts", "stage": "order", "request": {"body": {"n": 2}}}
    await api.post("runs", hook, status=201)
    found = (await api("POST", "runs", {"mode": "live", "workflow": "two-scripts"})).problem(
        422, "cannot-start"
    )
    assert set(found["choices"]) == {"a", "order", "nightly"}
    wrong = (await api("POST", "runs", {**body, "request": {}})).problem(422, "cannot-start")
    assert wrong["errors"][0]["field"] == "request"
    (await api("POST", "runs", {"mode": "live", "workflow": "nothing"})).problem(404, "not-found")


async def test_a_paused_workflow_starts_nothing(api: Any, project: Path) -> None:
    await api.post("deployments", {"path": PATH}, status=201)
    assert (await api.post("workflows/two-scripts/pause"))["paused"] is True
    body = {"mode": "live", "workflow": "two-scripts", "stage": "a"}
    (await api("POST", "runs", body)).problem(409, "wrong-state")
    assert (await api.post("workflows/two-scripts/resume"))["paused"] is False
    await api.post("runs", body, status=201)
    (await api("POST", "workflows/nothing/pause")).problem(404, "not-found")


async def test_secrets_are_shown_once_rotated_and_revoked(api: Any, with_hook_and_job: Path) -> None:
    deployed = await api.post("deployments", {"path": PATH}, status=201)
    (secret,) = deployed["secrets"]
    listed = await api.get("workflows/two-scripts/secrets")
    assert secret["secret"] not in str(listed)
    assert listed["secrets"][0]["hint"] == secret["secret"][-4:]
    new = await api.post("workflows/two-scripts/stages/order/secrets", {"overlap": 60.0}, status=201)
    assert new["secret"] != secret["secret"]
    both = (await api.get("workflows/two-scripts/secrets"))["secrets"]
    assert {one["id"]: one["expires_at"] is None for one in both} == {secret["id"]: False, new["id"]: True}
    reply = await api("DELETE", f"workflows/two-scripts/secrets/{secret['id']}")
    assert (reply.status, reply.body) == (204, b"")
    (await api("DELETE", f"workflows/two-scripts/secrets/{secret['id']}")).problem(404, "not-found")
    (await api("POST", "workflows/two-scripts/stages/a/secrets")).problem(404, "not-found")


async def test_schedules_say_when_they_are_due(api: Any, store: Store, with_hook_and_job: Path) -> None:
    await api.post("deployments", {"path": PATH}, status=201)
    (job,) = (await api.get("schedules?times=2"))["schedules"]
    assert (job["path"], job["timezone"], len(job["next_times"])) == ("nightly", "Europe/Berlin", 2)
    assert job["next_times"][0] == job["next_due"]
    assert (await api.get("schedules/two-scripts/nightly?times=2")) == job
    run = await api.post("schedules/two-scripts/nightly/run", status=201)
    assert (run["entry"], run["mode"]) == ("j", "live")
    now = datetime.now(UTC)
    times = {"start": (now - timedelta(days=2)).isoformat(), "end": now.isoformat()}
    done = await api.post("schedules/two-scripts/nightly/backfill", times, status=202)
    assert len(done["started"]) == 2
    again = await api.post("schedules/two-scripts/nightly/backfill", times, status=202)
    assert (again["started"], len(again["known"])) == ([], 2)
    (await api("GET", "schedules/two-scripts/a")).problem(404, "not-found")
    (await api("GET", "schedules?workflow=nothing")).problem(404, "not-found")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"start": "2020-01-01T00:00:00", "end": "2020-01-02T00:00:00Z"}, 422),
        ({"start": "2020-01-03T00:00:00Z", "end": "2020-01-02T00:00:00Z"}, 409),
        ({"start": "2020-01-03T00:00:00Z", "end": "2999-01-02T00:00:00Z"}, 409),
        ({"start": "1900-01-03T00:00:00Z", "end": "2020-01-02T00:00:00Z"}, 409),
    ],
)
async def test_a_wrong_backfill_is_refused(
    api: Any, store: Store, with_hook_and_job: Path, body: Any, status: int
) -> None:
    await api.post("deployments", {"path": PATH}, status=201)
    assert (await api("POST", "schedules/two-scripts/nightly/backfill", body)).status == status
    assert store.list_runs().runs == ()
