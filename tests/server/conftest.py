"""A Jupyter server with our extension in the test's own process, without a runner."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pytest_jupyter.jupyter_server import *  # noqa: F403
from tornado.httpclient import HTTPResponse

from jupyter_workflows.server.app import WorkflowsApp
from jupyter_workflows.store import Store, open_store


@dataclass
class Reply:
    """An answer of the server."""

    status: int
    headers: Any
    body: bytes

    @property
    def json(self) -> Any:
        """Its JSON value."""
        return json.loads(self.body)

    def problem(self, status: int, code: str) -> Any:
        """Return the problem details that it must be."""
        assert self.status == status, self.body
        assert self.headers["Content-Type"] == "application/problem+json"
        found = self.json
        assert found["status"] == status
        assert found["code"] == code, found
        assert "Traceback" not in self.body.decode()
        return found


@dataclass
class Api:
    """Asks the server's REST routes."""

    fetch: Any
    base_url: str

    async def __call__(self, method: str, path: str, body: Any = None, **settings: Any) -> Reply:
        """Ask; `body` is sent as JSON, unless it is bytes."""
        headers = settings.pop("headers", {})
        path, _, query = path.partition("?")
        if isinstance(body, bytes):
            settings["body"] = body
        elif body is not None:
            settings["body"] = json.dumps(body)
            headers.setdefault("Content-Type", "application/json")
        elif method in ("POST", "PUT", "PATCH"):
            settings["body"] = b""
        if query:
            settings["params"] = [tuple(pair.split("=", 1)) for pair in query.split("&")]
        response: HTTPResponse = await self.fetch(
            "workflows",
            "api",
            *path.split("/"),
            method=method,
            headers=headers,
            raise_error=False,
            **settings,
        )
        return Reply(response.code, response.headers, response.body or b"")

    async def get(self, path: str, **settings: Any) -> Any:
        """Return the JSON value of an answer without error."""
        reply = await self("GET", path, **settings)
        assert reply.status == 200, reply.body
        return reply.json

    async def post(self, path: str, body: Any = None, *, status: int = 200, **settings: Any) -> Any:
        """Return the JSON value of an answer without error."""
        reply = await self("POST", path, body, **settings)
        assert reply.status == status, reply.body
        return reply.json


@pytest.fixture
def database_file(tmp_path: Path) -> Path:
    """The server's database."""
    return tmp_path / "state" / "workflows.sqlite3"


@pytest.fixture
def extension_settings() -> dict[str, Any]:
    """Settings of the extension, for a module to override."""
    return {}


@pytest.fixture
def jp_server_config(database_file: Path, extension_settings: dict[str, Any]) -> dict[str, Any]:
    """Our extension, without a runner."""
    return {
        "ServerApp": {"jpserver_extensions": {"jupyter_workflows": True}},
        "WorkflowsApp": {
            "database_url": f"sqlite:///{database_file}",
            "runner_enabled": False,
            **extension_settings,
        },
    }


@pytest.fixture
def workflows_app(jp_serverapp: Any) -> WorkflowsApp:
    """The extension's application."""
    (app,) = jp_serverapp.extension_manager.extension_apps["jupyter_workflows"]
    assert isinstance(app, WorkflowsApp)
    return app


@pytest.fixture
def api(jp_fetch: Any, jp_base_url: str, workflows_app: WorkflowsApp) -> Api:
    """Asks the server."""
    return Api(jp_fetch, jp_base_url)


@pytest.fixture
def store(database_file: Path) -> Iterator[Store]:
    """The server's database, as another process has it."""
    opened = open_store(f"sqlite:///{database_file}")
    yield opened
    opened.close()


@pytest.fixture
def project(jp_root_dir: Path) -> Path:
    """A workflow of two scripts in the server's folder, and its document's path."""
    folder = jp_root_dir / "project"
    folder.mkdir()
    for name in ("a", "b"):
        cell = {
            "cell_type": "code",
            "id": name,
            "metadata": {},
            "outputs": [],
            "execution_count": None,
            "source": f"print({name!r})",
        }
        notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]}
        (folder / f"{name}.ipynb").write_text(json.dumps(notebook))
    (folder / "requirements.txt").write_text("")
    value = {
        "format": 1,
        "uid": "0b1c2d3e-0000-4000-8000-000000000001",
        "title": "Two scripts",
        "stages": {
            name: {"type": "script", "path": name, "title": name.upper(), "notebook": f"{name}.ipynb"}
            for name in ("a", "b")
        },
        "transitions": {"t": {"source": "a", "target": "b"}},
    }
    (folder / "two.workflow").write_text(json.dumps(value))
    return folder / "two.workflow"
