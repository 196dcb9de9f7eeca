"""A server with a runner, and a workflow that begins with a form."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.attempts import notebook
from support.forms import FormClient
from support.servers import ServerProcess, server_process, wait_for


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A Jupyter server with our extension and its runner."""
    with server_process(tmp_path_factory.mktemp("server")) as server:
        server.runner()
        yield server


class Forms:
    """Starts workflows of a form and a script, and opens their tasks."""

    def __init__(self, server: ServerProcess, name: str) -> None:
        self.server = server
        self.folder = server.root / name
        self._clients: list[FormClient] = []

    def start(self, *cells: str, **stage: Any) -> str:
        """Start a test run of a form with these cells, and return its task."""
        self.write(*cells, **stage)
        run = self.server.post("runs", {"mode": "test", "path": f"{self.folder.name}/w.workflow"})
        self.run = run["id"]
        return self.task()

    def write(self, *cells: str, **stage: Any) -> None:
        """Write the workflow."""
        self.folder.mkdir(exist_ok=True)
        (self.folder / "ask.ipynb").write_text(json.dumps(notebook(*cells)))
        after = "from jupyter_workflows import get_stage\nget_stage()['seen'] = True"
        (self.folder / "after.ipynb").write_text(json.dumps(notebook(after)))
        document = {
            "format": 1,
            "uid": f"uid-{self.folder.name}",
            "title": "Ask",
            "stages": {
                "a1": {"type": "form", "path": "ask", "title": "Ask", "notebook": "ask.ipynb", **stage},
                "b1": {"type": "script", "path": "after", "title": "After", "notebook": "after.ipynb"},
            },
            "transitions": {"t1": {"source": "a1", "target": "b1"}},
        }
        (self.folder / "w.workflow").write_text(json.dumps(document))

    def task(self) -> str:
        """Return the id of the run's task."""
        found = wait_for(lambda: self.server.get(f"tasks?run={self.run}")["tasks"], "the task")
        return str(found[0]["id"])

    def open(self, task: str) -> FormClient:
        """Open a task."""
        client = FormClient(self.server, self.server.post(f"tasks/{task}/open")["session"])
        self._clients.append(client)
        return client

    def state(self) -> str:
        """Return the state of the run."""
        return str(self.server.get(f"runs/{self.run}")["state"])

    def data(self) -> Any:
        """Return the data at the end of the run."""
        wait_for(lambda: self.state() in ("completed", "failed"), "the run's end")
        report = self.server.get(f"runs/{self.run}/report")
        assert report["state"] == "completed", report
        return report["data"]

    def task_folder(self, task: str) -> Path:
        """Return the folder of a task's stage run."""
        return self.server.folder / "data" / "workflows" / "runs" / self.run / task

    def close(self) -> None:
        """Close all connections."""
        for client in self._clients:
            client.close()


@pytest.fixture
def forms(server: ServerProcess, request: pytest.FixtureRequest) -> Iterator[Forms]:
    """Forms of a project of the test's own."""
    made = Forms(server, request.node.name.replace("[", "-").rstrip("]"))
    yield made
    made.close()


@pytest.fixture
def wait() -> Callable[..., Any]:
    """Wait for a condition."""
    return wait_for
