"""What tests of the commands share."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from jupyter_workflows.cli.main import cli

Call = Callable[..., Result]
Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep databases, runtime files and the working folder of each test to itself."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    for name in ("data", "runtime", "config"):
        monkeypatch.setenv(f"JUPYTER_{name.upper()}_DIR", str(tmp_path / name))
    for name in ("JUPYTER_WORKFLOWS_DATABASE", "JUPYTER_WORKFLOWS_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    return here


@pytest.fixture
def call() -> Call:
    """Call a command within this process."""

    def call(*arguments: str | Path, input: str | None = None) -> Result:
        return CliRunner().invoke(cli, [str(argument) for argument in arguments], input=input)

    return call


@pytest.fixture
def command(own_folders: Path) -> Command:
    """Call the console script, as a person does."""
    executable = shutil.which("jupyter-workflows", path=str(Path(sys.executable).parent))
    assert executable, "the package is not installed in this environment"

    def call(*arguments: str | Path, **settings: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [executable, *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=150,
            env=os.environ | settings.pop("env", {}),
            **settings,
        )

    return call
