"""How the server says how it stands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jupyter_workflows.store import RunnerIdentity, Store, new_id


async def test_all_is_told(api: Any, store: Store, database_file: Path) -> None:
    store.register_runner(RunnerIdentity.current(new_id()))
    health = await api.get("health")
    assert (health["status"], health["problems"]) == ("ok", [])
    assert health["database"]["place"] == str(database_file)
    assert health["database"]["kind"] == "sqlite"
    assert health["runner"]["state"] == "disabled"
    assert len(health["runners"]) == 1
    assert set(health["versions"]) == {"jupyter_workflows", "jupyter_server", "python"}


async def test_without_any_runner_that_is_a_problem(api: Any) -> None:
    health = await api.get("health")
    assert health["status"] == "degraded"
    assert "jupyter workflows runner" in health["problems"][0]


@pytest.mark.parametrize(
    "extension_settings", [{"database_url": "postgresql://user:secret@127.0.0.1:1/x?connect_timeout=1"}]
)
async def test_a_database_that_is_away_is_told_without_its_password(api: Any) -> None:
    health = await api.get("health")
    assert health["database"]["ok"] is False
    assert health["database"]["message"]
    assert "secret" not in str(health)
    reply = await api("GET", "runs")
    assert reply.status == 503
    assert "secret" not in reply.body.decode()
    # What needs no database works.
    await api.get("openapi.json")
    await api.post("check", {"document": {}})


async def test_looking_at_the_health_is_no_activity(api: Any, jp_serverapp: Any) -> None:
    before = jp_serverapp.web_app.settings.get("api_last_activity")
    await api.get("health")
    assert jp_serverapp.web_app.settings.get("api_last_activity") == before
    await api.get("runs")
    assert jp_serverapp.web_app.settings.get("api_last_activity") != before
