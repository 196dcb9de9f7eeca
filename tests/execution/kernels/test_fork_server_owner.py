"""A fork server whose owner ends while it is being started."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from support.attempts import wait_until

from jupyter_workflows.execution.kernels.platforms import can_fork_kernels

pytestmark = pytest.mark.skipif(not can_fork_kernels(), reason="kernels are not forked on this system")
START = "import sys; from jupyter_workflows.execution.kernels import ForkServer; ForkServer.start()"


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="jwo-", dir="/tmp") as made:
        yield Path(made)


def server_of(owner: psutil.Process) -> psutil.Process | None:
    return next((child for child in owner.children() if "--owner" in child.cmdline()), None)


def test_it_leaves_nothing_behind_and_says_why(folder: Path) -> None:
    environment = {**os.environ, "XDG_RUNTIME_DIR": str(folder)}
    with subprocess.Popen([sys.executable, "-c", START], env=environment, stderr=subprocess.PIPE) as owner:
        server = wait_until(lambda: server_of(psutil.Process(owner.pid)))
        owner.kill()
        wait_until(lambda: not server.is_running() or server.status() == psutil.STATUS_ZOMBIE)
        assert owner.stderr is not None
        said = owner.stderr.read().decode()
    assert "The owner of the fork server is gone." in said
    assert "Traceback" not in said
    assert list(folder.iterdir()) == []
