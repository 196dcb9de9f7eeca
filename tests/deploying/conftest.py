"""A project that can be deployed, and stores to deploy it to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.projects import write_project

from jupyter_workflows.deploying import Deployment, deploy
from jupyter_workflows.execution.project import Project
from jupyter_workflows.store import Store, open_database

Deploy = Callable[..., Deployment]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store on SQLite."""
    store = Store(open_database(f"sqlite:///{tmp_path / 'state' / 'workflows.sqlite3'}"))
    yield store
    store.close()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project's folder: one stage, a module that it imports, a file of data."""
    folder = tmp_path / "project"
    write_project(folder, {"a": {"cells": ["import helper"]}}, title="Orders")
    (folder / "requirements.txt").write_text("")
    (folder / "helper.py").write_text("ANSWER = 42\n")
    (folder / "data").mkdir()
    (folder / "data" / "rates.csv").write_text("EUR,1\n")
    return folder


@pytest.fixture
def deploy_it(store: Store) -> Deploy:
    """Deploy a project's folder."""

    def deploy_it(folder: Path, **settings: Any) -> Deployment:
        settings.setdefault("by", "ada")
        return deploy(store, Project.open(folder), **settings)

    return deploy_it
