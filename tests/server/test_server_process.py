"""A plain `jupyter server`: it finds the extension, has a runner, and lets go of it."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.servers import ServerProcess, alive, server_process, wait_for

UID = "0b1c2d3e-0000-4000-8000-00000000000a"


@pytest.fixture(autouse=True)
def jp_server_cleanup() -> None:
    """Nothing is left in this process."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    """A server that runs."""
    with server_process(tmp_path, WorkflowsApp__runner_kernel_pool="1") as started:
        yield started


def make_project(root: Path, source: str, **stage: Any) -> str:
    """Write a workflow of one notebook, and return its path."""
    cell = {
        "cell_type": "code",
        "id": "one",
        "metadata": {},
        "outputs": [],
        "execution_count": None,
        "source": source,
    }
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": kernel, "cells": [cell]}
    (root / "work.ipynb").write_text(json.dumps(notebook))
    (root / "requirements.txt").write_text("")
    stages = {"s1": {"type": "script", "path": "work", "title": "Work", "notebook": "work.ipynb", **stage}}
    value = {"format": 1, "uid": UID, "title": "Work", "stages": stages, "transitions": {}}
    (root / "work.workflow").write_text(json.dumps(value))
    return "work.workflow"


def ended(server: ServerProcess, run: str) -> Any:
    """Return a run's report when it has ended."""

    def report() -> Any:
        found = server.get(f"runs/{run}/report")
        return found if found["state"] in ("completed", "failed", "cancelled") else None

    return wait_for(report, "the run to end", 90)


def wait_until_begun(server: ServerProcess, flag: Path) -> None:
    wait_for(flag.exists, f"the stage to begin:\n{server.log}")


#: A stage that says that it has begun, and ends when it is told to.
WAITS = """
import pathlib, time
pathlib.Path({begun!r}).touch()
while not pathlib.Path({go!r}).exists():
    time.sleep(0.05)
print("done")
"""


def test_a_run_is_executed_by_the_servers_own_runner(server: ServerProcess) -> None:
    path = make_project(
        server.root, "from jupyter_workflows import get_stage\nget_stage()['x'] = 6 * 7\nprint('hi')"
    )
    run = server.post("runs", {"mode": "test", "path": path})["id"]
    report = ended(server, run)
    assert (report["state"], report["data"]) == ("completed", {"x": 42})
    assert server.get(f"runs/{run}/logs")["logs"][0]["cells"] == [{"cell": 0, "text": "hi\n"}]
    health = server.get("health")
    assert health["status"] == "ok"
    assert [runner["pid"] for runner in health["runners"]] == [health["runner"]["pid"]]
    assert "the workflows runner is at work" in server.log
    # Deployed, too.
    deployed = server.post("deployments", {"path": path, "note": "first"})
    live = server.post("runs", {"mode": "live", "workflow": deployed["slug"]})["id"]
    assert ended(server, live)["data"] == {"x": 42}
    assert server.get(f"runs/{live}")["deployment"] == deployed["id"]


def test_secrets_of_the_server_do_not_reach_the_notebooks(tmp_path: Path) -> None:
    source = "import os\nprint(sorted(n for n in os.environ if 'TOKEN' in n or 'DATABASE' in n))"
    os.environ["JPY_API_TOKEN"] = "secret"
    try:
        with server_process(tmp_path) as server:
            run = server.post("runs", {"mode": "test", "path": make_project(server.root, source)})["id"]
            ended(server, run)
            assert server.get(f"runs/{run}/logs")["logs"][0]["cells"][0]["text"] == "[]\n"
    finally:
        del os.environ["JPY_API_TOKEN"]


def test_a_runner_that_dies_is_started_again(server: ServerProcess) -> None:
    first = server.runner()["pid"]
    os.kill(first, signal.SIGKILL)
    second = wait_for(
        lambda: (found := server.get("health")["runner"])["pid"] not in (None, first) and found,
        "another runner",
    )
    assert second["restarts"] == 1
    assert "it ended with signal 9" in server.log


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_a_runner_without_work_ends_with_its_server(server: ServerProcess, how: str) -> None:
    runner = server.runner()["pid"]
    getattr(server, how)()
    wait_for(lambda: not alive(runner), "the runner to end")


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_what_runs_is_finished_without_the_server_and_nothing_more_is_begun(
    server: ServerProcess, tmp_path: Path, how: str
) -> None:
    begun, go = tmp_path / "begun", tmp_path / "go"
    path = make_project(server.root, WAITS.format(begun=str(begun), go=str(go)))
    run = server.post("runs", {"mode": "test", "path": path})["id"]
    wait_until_begun(server, begun)
    runner = server.runner()["pid"]
    getattr(server, how)()
    from jupyter_workflows.store import open_store

    store = open_store(server.database)
    try:
        # Queued while no server is there: nobody begins it.
        later = store.rerun(run)
        assert alive(runner)
        go.touch()
        wait_for(lambda: not alive(runner), "the runner to end")
        assert store.get_run_record(run).state == "completed"
        assert store.get_run(later).stage_runs[0].attempt == 0
    finally:
        store.close()


def test_a_server_that_comes_meanwhile_takes_the_runner_over(server: ServerProcess, tmp_path: Path) -> None:
    begun, go = tmp_path / "begun", tmp_path / "go"
    path = make_project(server.root, WAITS.format(begun=str(begun), go=str(go)))
    # Test runs of an editor end with its server.
    live = {"mode": "live", "workflow": server.post("deployments", {"path": path})["slug"]}
    run = server.post("runs", live)["id"]
    wait_until_begun(server, begun)
    runner = server.runner()["pid"]
    server.kill()
    server.start()
    found = server.runner()
    assert (found["pid"], found["adopted"], found["executing"]) == (runner, True, 1)
    more = server.post("runs", live)["id"]
    go.touch()
    assert ended(server, run)["stages"][0]["attempts"] == 1
    assert ended(server, more)["state"] == "completed"
    server.stop()
    wait_for(lambda: not alive(runner), "the runner to end")


def test_two_servers_share_a_runner(server: ServerProcess) -> None:
    runner = server.runner()["pid"]
    other = ServerProcess(server.folder, server.settings).start()
    try:
        assert other.runner()["pid"] == runner
        server.stop()
        run = other.post("runs", {"mode": "test", "path": make_project(server.root, "1")})["id"]
        assert ended(other, run)["state"] == "completed"
        assert alive(runner)
        other.stop()
        wait_for(lambda: not alive(runner), "the runner to end")
    finally:
        other.end()


def test_by_configuration_what_runs_ends_with_the_server(tmp_path: Path) -> None:
    begun, go = tmp_path / "begun", tmp_path / "go"
    with server_process(tmp_path, WorkflowsApp__runner_on_stop="end") as server:
        path = make_project(server.root, WAITS.format(begun=str(begun), go=str(go)))
        server.post("runs", {"mode": "test", "path": path})
        wait_until_begun(server, begun)
        runner = server.runner()["pid"]
        server.stop()
        wait_for(lambda: not alive(runner), "the runner to end")


def test_without_a_runner_the_server_says_so(tmp_path: Path) -> None:
    with server_process(tmp_path, WorkflowsApp__runner_enabled="False") as server:
        health = server.get("health")
        assert (health["runner"]["state"], health["status"]) == ("disabled", "degraded")
        assert "jupyter workflows runner" in health["problems"][0]


def test_a_database_that_cannot_be_used_leaves_the_server_alive(tmp_path: Path) -> None:
    url = "postgresql://nobody@127.0.0.1:1/nothing?connect_timeout=2"
    with server_process(tmp_path, WorkflowsApp__database_url=url) as server:
        health = server.get("health")
        assert (health["status"], health["database"]["ok"]) == ("degraded", False)
        status, problem = server.request("GET", "runs")
        assert (status, problem["status"]) == (503, 503)
        assert "the workflows database cannot be used" in server.log


def test_what_editors_tested_is_erased_when_the_server_starts_again(server: ServerProcess) -> None:
    begun, go = server.root / "begun", server.root / "go"
    path = make_project(server.root, WAITS.format(begun=str(begun), go=str(go)))
    run = server.post("runs", {"mode": "test", "path": path})["id"]
    wait_until_begun(server, begun)
    shown = server.get(f"runs/{run}")
    assert shown["temporary"] is True
    wait_for(lambda: server.get(f"runs/{run}")["stages"][0]["cells"] == 1, "the cell to be known")
    server.kill()
    server.start()
    wait_for(lambda: server.get("runs")["runs"] == [], "the run to be erased")
    assert server.request("GET", f"runs/{run}")[0] == 404
    assert "1 test runs of an earlier server are erased" in server.log
