"""Test runs as editors start them: alone, up to a stage, without doing again what is unchanged, pinned."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support.stores import finish, linear, start

from jupyter_workflows.server.app import WorkflowsApp
from jupyter_workflows.store import Claim, RunnerIdentity, Store

RUNNER = RunnerIdentity.current("runner000000000000a1")
PATH = {"mode": "test", "path": "project/two.workflow"}


def execute(store: Store, project: Path, run: str, **changes: Any) -> list[Claim]:
    """Complete a run as a runner would, with the executed copies that it leaves."""
    done = []
    while claims := store.claim(RUNNER, limit=4, run_id=run):
        for claim in claims:
            copy = store.folder(run, claim.id) / "executed-1.ipynb"
            copy.parent.mkdir(parents=True)
            hashed = _hash(project.parent / f"{claim.stage_run.path}.ipynb")
            metadata = {"jupyter_workflows": {"source": {"sha256": hashed}}}
            copy.write_text(json.dumps({"cells": [], "metadata": metadata}))
            finish(store, claim, changes, output=str(copy))
            done.append(claim)
    return done


def _hash(file: Path) -> str:
    import hashlib

    return hashlib.sha256(file.read_bytes()).hexdigest()


def edit(file: Path) -> None:
    """Change what a notebook does."""
    file.write_text(file.read_text().replace("print", "  print"))


async def test_a_stage_is_tested_alone(api: Any, store: Store, project: Path) -> None:
    made = await api.post("runs", {**PATH, "stage": "a", "alone": True}, status=201)
    assert (made["until"], made["temporary"]) == ("a", True)
    execute(store, project, made["id"])
    shown = await api.get(f"runs/{made['id']}")
    assert (shown["state"], [one["path"] for one in shown["stages"]]) == ("completed", ["a"])


async def test_a_run_goes_to_a_stage_and_no_further(api: Any, store: Store, project: Path) -> None:
    made = await api.post("runs", {**PATH, "until": "b"}, status=201)
    assert (made["entry"], made["until"]) == ("a", "b")
    body = {**PATH, "stage": "b", "until": "a"}
    (await api("POST", "runs", body)).problem(422, "cannot-start")
    (await api("POST", "runs", {**PATH, "until": "c"})).problem(422, "cannot-start")
    (await api("POST", "runs", {**PATH, "until": "b", "alone": True})).problem(422, "invalid-request")


async def test_several_ways_to_a_stage_are_named(api: Any, project: Path) -> None:
    value = json.loads(project.read_text())
    value["stages"]["c"] = {**value["stages"]["a"], "path": "c"}
    value["transitions"]["u"] = {"source": "c", "target": "b"}
    project.write_text(json.dumps(value))
    found = (await api("POST", "runs", {**PATH, "until": "b"})).problem(422, "cannot-start")
    assert found["choices"] == ["a", "c"]
    assert (await api.post("runs", {**PATH, "stage": "c", "until": "b"}, status=201))["entry"] == "c"


async def test_unchanged_stages_need_not_be_executed_again(api: Any, store: Store, project: Path) -> None:
    body = {**PATH, "until": "b", "reuse": True}
    first = await api.post("runs", body, status=201)
    assert store.get_run_record(first["id"]).reuse is None
    execute(store, project, first["id"])
    second = await api.post("runs", body, status=201)
    reuse = {"run": first["id"], "stages": ["a"]}
    assert store.get_run_record(second["id"]).reuse == reuse
    execute(store, project, second["id"])
    edit(project.parent / "b.ipynb")
    third = await api.post("runs", body, status=201)
    assert store.get_run_record(third["id"]).reuse == {**reuse, "run": second["id"]}
    store.cancel_run(third["id"])
    edit(project.parent / "a.ipynb")
    fourth = await api.post("runs", body, status=201)
    assert store.get_run_record(fourth["id"]).reuse is None


@pytest.mark.parametrize("change", ["settings", "module"])
async def test_what_else_a_stage_depends_on_counts(
    api: Any, store: Store, project: Path, change: str
) -> None:
    body = {**PATH, "until": "b", "reuse": True}
    execute(store, project, (await api.post("runs", body, status=201))["id"])
    value = json.loads(project.read_text())
    value["stages"]["a"]["position"] = [10, 20]
    if change == "settings":
        value["stages"]["a"]["kernel"] = "python3"
    else:
        (project.parent / "helper.py").write_text("x = 1")
    project.write_text(json.dumps(value))
    again = await api.post("runs", body, status=201)
    assert store.get_run_record(again["id"]).reuse is None


async def test_a_run_begins_with_recorded_data(api: Any, store: Store, project: Path) -> None:
    hashed = store.artifacts.put_bytes(b"large")
    large = {"$kind": "artifact", "type": "bytes", "hash": hashed, "size": 5, "format": "raw"}
    moment = {"$kind": "date", "value": "2026-01-02"}
    run = start(store, linear(1), values={"x": 1, "day": moment, "file": large}, artifacts={hashed: 5})
    (claim,) = store.claim(RUNNER, limit=1)
    finish(store, claim, {"x": 2})
    made = await api.post("runs", {**PATH, "stage": "b", "alone": True, "recorded": claim.id}, status=201)
    (again,) = store.claim(RUNNER, limit=1, run_id=made["id"])
    assert dict(again.data.values) == {"x": 1, "day": moment, "file": large}
    assert store.list_artifacts(made["id"]) == {hashed: 5}
    assert run != made["id"]
    (await api("POST", "runs", {**PATH, "recorded": "0" * 20})).problem(404, "not-found")


async def test_data_is_pinned_with_its_files(api: Any, store: Store, project: Path) -> None:
    hashed = store.artifacts.put_bytes(b"large")
    large = {"$kind": "artifact", "type": "bytes", "hash": hashed, "size": 5, "format": "raw"}
    run = (await api.post("runs", PATH, status=201))["id"]
    (claim,) = store.claim(RUNNER, limit=1)
    address = f"runs/{run}/stages/{claim.id}/pin"
    body = {"path": PATH["path"]}
    (await api("POST", address, body)).problem(409, "wrong-state")
    finish(store, claim, {"file": large, "n": 1}, artifacts={hashed: 5})
    pinned = await api.post(address, body)
    assert pinned == {"pinned": {"file": large, "n": 1}, "files": 1, "size": 5}
    assert (project.parent / ".pinned" / hashed).read_bytes() == b"large"
    value = json.loads(project.read_text())
    value["stages"]["a"]["pinned"] = pinned["pinned"]
    project.write_text(json.dumps(value))
    store.artifacts.delete(hashed)
    made = await api.post("runs", PATH, status=201)
    assert store.artifacts.exists(hashed)
    assert store.list_artifacts(made["id"]) == {hashed: 5}
    store.artifacts.delete(hashed)
    (project.parent / ".pinned" / hashed).unlink()
    found = (await api("POST", "runs", PATH)).problem(422, "cannot-start")
    assert "Unpin" in found["mend"]


async def test_pages_of_a_data_frame_are_handed_out(api: Any, store: Store, tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    file = tmp_path / "table.parquet"
    table = pyarrow.table(
        {
            "n": list(range(1000)),
            "big": [2**60] * 1000,
            "text": ["x" * 600] * 1000,
            "some": [None, float("nan")] * 500,
            "list": [[1, 2]] * 1000,
        }
    )
    parquet.write_table(table, file, row_group_size=150)
    hashed = store.artifacts.put_file(file)
    run = start(store, linear(1), artifacts={hashed: 1})
    found = await api.get(f"runs/{run}/artifacts/{hashed}/rows?offset=140&limit=20")
    assert found["total"] == 1000
    assert [row[0] for row in found["rows"]] == list(range(140, 160))
    assert [column["type"] for column in found["columns"]][:2] == ["int64", "int64"]
    assert found["rows"][1][1:] == [str(2**60), "x" * 500 + "…", "nan", "[1, 2]"]
    assert found["rows"][0][3] is None
    assert (await api.get(f"runs/{run}/artifacts/{hashed}/rows?offset=995"))["rows"][-1][0] == 999
    assert (await api.get(f"runs/{run}/artifacts/{hashed}/rows?offset=5000"))["rows"] == []
    (await api("GET", f"runs/{run}/artifacts/{hashed}/rows?limit=501")).problem(400, "invalid-request")


async def test_other_values_have_no_rows(api: Any, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    array = store.artifacts.put_bytes(b"\x93NUMPY and so on")
    text = store.artifacts.put_bytes(b"hello")
    table = store.artifacts.put_bytes(b"PAR1 and so on")
    run = start(store, linear(1), artifacts={array: 1, text: 1, table: 1})
    found = (await api("GET", f"runs/{run}/artifacts/{array}/rows")).problem(422, "no-table")
    assert "NumPy array" in found["detail"]
    (await api("GET", f"runs/{run}/artifacts/{text}/rows")).problem(422, "no-table")
    (await api("GET", f"runs/{run}/artifacts/{table}/rows")).problem(422, "no-table")
    monkeypatch.setitem(__import__("sys").modules, "pyarrow.parquet", None)
    found = (await api("GET", f"runs/{run}/artifacts/{table}/rows")).problem(501, "no-pyarrow")
    assert "pip install pyarrow" in found["mend"]


async def test_the_cell_that_is_executed_is_shown(
    api: Any, store: Store, workflows_app: WorkflowsApp
) -> None:
    run = start(store, linear(1))
    (claim,) = store.claim(RUNNER, limit=1)
    told = {"stage_run": claim.id, "attempt": 1, "cell": 2, "cells": 7}
    workflows_app.cells.note(told)
    (stage,) = (await api.get(f"runs/{run}"))["stages"]
    assert (stage["cell"], stage["cells"]) == (2, 7)
    workflows_app.cells.note({**told, "attempt": 2})
    (stage,) = (await api.get(f"runs/{run}"))["stages"]
    assert stage["cell"] is None
    workflows_app.cells.note(told)
    finish(store, claim)
    (stage,) = (await api.get(f"runs/{run}"))["stages"]
    assert stage["cell"] is None
