"""The engine as papermill's users meet it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import papermill
import pytest
from papermill.exceptions import PapermillExecutionError
from support.attempts import code, notebook, text_of

from jupyter_workflows.execution.running import FORK_SERVER_VARIABLE


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "in.ipynb"
    content = notebook(
        code("x = 1", "parameters"),
        "import os\nprint(x, os.getppid())",
        kernelspec={"name": "python3", "display_name": "Python", "language": "python"},
    )
    path.write_text(json.dumps(content))
    return path


def test_the_command_takes_the_engine(source: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.ipynb"
    command = [sys.executable, "-m", "papermill", str(source), str(output), "--engine", "workflows"]
    done = subprocess.run([*command, "-p", "x", "3", "--no-progress-bar"], capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    assert text_of(json.loads(output.read_text())["cells"][2]).startswith("3 ")


@pytest.mark.parametrize(
    "first",
    [
        "papermill",
        "jupyter_workflows.execution.engine",
        "jupyter_workflows.execution.client",
        "jupyter_workflows.execution.attempt",
    ],
)
def test_papermill_knows_the_engine_whatever_is_imported_first(first: str) -> None:
    program = (
        f"import {first}\n"
        "from jupyter_workflows.execution.engine import WorkflowsEngine\n"
        "from papermill.engines import NBClientEngine, papermill_engines\n"
        "assert papermill_engines.get_engine('workflows') is WorkflowsEngine\n"
        "assert issubclass(WorkflowsEngine, NBClientEngine)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_running_fork_server_is_used(
    source: Path, tmp_path: Path, fork_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os

    monkeypatch.setenv(FORK_SERVER_VARIABLE, fork_server)
    executed = papermill.execute_notebook(
        source, tmp_path / "out.ipynb", {"x": 4}, engine_name="workflows", progress_bar=False
    )

    number, parent = text_of(executed["cells"][2]).split()
    assert number == "4"
    assert int(parent) != os.getpid()


def test_without_one_the_kernel_is_an_ordinary_child(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os

    monkeypatch.delenv(FORK_SERVER_VARIABLE, raising=False)
    executed = papermill.execute_notebook(
        source, tmp_path / "out.ipynb", engine_name="workflows", progress_bar=False
    )

    number, parent = text_of(executed["cells"][1]).split()
    assert number == "1"
    assert int(parent) == os.getpid()


def test_an_error_is_papermills_own(tmp_path: Path, fork_server: str, monkeypatch: Any) -> None:
    monkeypatch.setenv(FORK_SERVER_VARIABLE, fork_server)
    source, output = tmp_path / "in.ipynb", tmp_path / "out.ipynb"
    source.write_text(json.dumps(notebook("1 / 0")))
    with pytest.raises(PapermillExecutionError, match="ZeroDivisionError"):
        papermill.execute_notebook(
            source, output, engine_name="workflows", kernel_name="python3", progress_bar=False
        )

    assert output.exists()


def test_a_kernel_manager_of_the_callers_is_respected(source: Path, tmp_path: Path) -> None:
    from jupyter_client import AsyncKernelManager

    started = []

    class Manager(AsyncKernelManager):
        async def _async_start_kernel(self, **options: Any) -> None:
            started.append(self)
            await super()._async_start_kernel(**options)

        start_kernel = _async_start_kernel

    papermill.execute_notebook(
        source,
        tmp_path / "out.ipynb",
        engine_name="workflows",
        progress_bar=False,
        kernel_manager_class=Manager,
    )
    assert started
