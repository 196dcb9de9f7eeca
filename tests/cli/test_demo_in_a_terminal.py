"""``demo`` in a terminal: JupyterLab opens with the demo deployed."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import subprocess
import sys
import termios
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from support.servers import ServerProcess, wait_for


class Terminal:
    """A program in a terminal of its own."""

    def __init__(self, arguments: list[str], environment: dict[str, str], folder: Path) -> None:
        self._master, slave = pty.openpty()
        self.text = ""
        self.process = subprocess.Popen(
            arguments,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=environment,
            cwd=folder,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(slave)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        with contextlib.suppress(OSError):  # the other end is closed
            while chunk := os.read(self._master, 4096):
                self.text += chunk.decode(errors="replace")

    def type(self, text: str) -> None:
        """Type something."""
        os.write(self._master, text.encode())

    def end(self) -> None:
        """End it, and what it has started."""
        with contextlib.suppress(psutil.NoSuchProcess):
            for process in psutil.Process(self.process.pid).children(recursive=True):
                process.kill()
        self.process.kill()
        self.process.wait()
        os.close(self._master)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    """What the demo's server will be; it is not started here."""
    server = ServerProcess(tmp_path / "server")
    server.prepare()
    yield server
    server.end()


def test_the_demo_is_deployed_and_opened(server: ServerProcess, own_folders: Path) -> None:
    settings = {
        "ServerApp": {"open_browser": False, "port": server.port, "port_retries": 0, "allow_root": True},
        "IdentityProvider": {"token": server.token},
    }
    (server.folder / "config" / "jupyter_server_config.json").write_text(json.dumps(settings))
    environment = {**server.environment, "TERM": "xterm", "CI": ""}
    command = [sys.executable, "-m", "jupyter_workflows.cli", "demo", "first-steps"]
    terminal = Terminal(command, environment, own_folders)
    try:
        wait_for(lambda: _answers(server, terminal), "JupyterLab to answer", 120)
        (workflow,) = server.get("workflows")["workflows"]
        assert (workflow["slug"], workflow["live_version"]) == ("first-steps", 1)
        run = server.post("runs", {"mode": "live", "workflow": "first-steps"})
        assert run["deployment"] == workflow["live_deployment"]
        assert "JupyterLab opens" in terminal.text
        terminal.type("\x03")
        wait_for(lambda: "Shut" in terminal.text.rpartition("^C")[2], "the question")
        terminal.type("\x03")
        assert terminal.process.wait(60) == 0, terminal.text
    finally:
        terminal.end()


def _answers(server: ServerProcess, terminal: Terminal) -> bool:
    assert terminal.process.poll() is None, terminal.text
    try:
        return server.request("GET", "health")[0] == 200
    except (OSError, ValueError):
        return False
