"""Checking workflows over HTTP."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest


async def test_a_file_is_checked_with_its_notebooks(api: Any, project: Path) -> None:
    assert (await api.post("check", {"path": "project/two.workflow"}))["errors"] == 0
    (project.parent / "b.ipynb").unlink()
    found = await api.post("check", {"path": "/project/two.workflow"})
    assert found["errors"] == 1
    assert found["findings"][0]["stage"] == "b"
    assert found["findings"][0]["mend"]


async def test_a_document_that_is_edited_is_checked_beside_its_notebooks(api: Any, project: Path) -> None:
    value = json.loads(project.read_text())
    value["stages"]["c"] = {**value["stages"]["a"], "path": "c", "notebook": "c.ipynb"}
    found = await api.post("check", {"document": value, "path": "project/two.workflow"})
    assert {finding["stage"] for finding in found["findings"] if finding["severity"] == "error"} == {"c"}
    # Alone: nothing is said of notebooks.
    assert (await api.post("check", {"document": value}))["errors"] == 0
    assert (await api.post("check", {"document": json.dumps(value)}))["errors"] == 0


@pytest.mark.parametrize("document", [{}, {"format": 99}, "{", "", {"stages": []}, {"a": {"b": [None]}}])
async def test_any_document_is_answered_with_findings(api: Any, document: Any) -> None:
    found = await api.post("check", {"document": document})
    assert found["errors"] == sum(one["severity"] == "error" for one in found["findings"])


@pytest.mark.parametrize(
    ("body", "status"),
    [({}, 422), ({"path": "x.workflow"}, 404), ({"document": 3}, 422), ({"path": ".secret.workflow"}, 404)],
)
async def test_what_cannot_be_checked_is_refused(api: Any, jp_root_dir: Path, body: Any, status: int) -> None:
    (jp_root_dir / ".secret.workflow").write_text("")
    reply = await api("POST", "check", body)
    assert reply.status == status
    assert reply.json["errors"]
