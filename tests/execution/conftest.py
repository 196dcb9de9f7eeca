"""Executing notebooks in tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.attempts import Stage, is_cell, notebook

from jupyter_workflows.execution.attempt import execute_attempt
from jupyter_workflows.execution.executors.supply import AUTHORING
from jupyter_workflows.execution.kernels import ForkServer
from jupyter_workflows.execution.limits import Limits
from jupyter_workflows.execution.spec import AttemptOutcome


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """A project in a folder whose name is not easy."""
    folder = tmp_path / "Größe & {Maß} 100 %"
    folder.mkdir()
    return Stage(folder)


@pytest.fixture(scope="session")
def fork_server() -> Iterator[str]:
    """Address of a fork server."""
    with ForkServer.start(pool=1, preload=AUTHORING) as server:
        yield server.address


Execute = Callable[..., AttemptOutcome]


@pytest.fixture
def execute(stage: Stage, fork_server: str) -> Execute:
    """Execute a notebook of the given cells as an attempt, on a forked kernel."""

    def execute(*cells: Any, limits: Limits | None = None, **changes: Any) -> AttemptOutcome:
        options = {name: changes.pop(name) for name in ("on_progress", "cancel") if name in changes}
        content = changes.pop("content", None)
        if content is None:
            content = cells[0] if len(cells) == 1 and not is_cell(cells[0]) else notebook(*cells)
        spec = stage.spec(content, **changes)
        return execute_attempt(spec, fork_server=fork_server, limits=limits, **options)

    return execute
