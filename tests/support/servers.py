"""A Jupyter server as a process of its own, with everything that it keeps in folders of the test's."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil


def wait_for(condition: Callable[[], Any], what: str, seconds: float = 60) -> Any:
    """Return the first true value of a condition; fail when it stays false for too long."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.05)
    raise AssertionError(f"waited {seconds} s in vain for {what}")


@dataclass
class ServerProcess:
    """A server: `jupyter server` (or another program) that finds our extension by itself."""

    folder: Path
    settings: dict[str, str] = field(default_factory=dict)
    program: tuple[str, ...] = ("jupyter_server",)
    token: str = field(default_factory=lambda: secrets.token_hex(8))
    process: subprocess.Popen[bytes] | None = None
    port: int = 0

    @property
    def root(self) -> Path:
        """The folder that it serves."""
        return self.folder / "root"

    @property
    def log(self) -> str:
        """What it has logged."""
        file = self.folder / "server.log"
        return file.read_text() if file.exists() else ""

    @property
    def database(self) -> str:
        """URL of its database."""
        return f"sqlite:///{self.folder / 'data' / 'workflows' / 'workflows.sqlite3'}"

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}/"

    @property
    def environment(self) -> dict[str, str]:
        """Variables that keep it to the test's folders."""
        named = {
            f"JUPYTER_{name.upper()}_DIR": str(self.folder / name) for name in ("data", "runtime", "config")
        }
        kept = {name: value for name, value in os.environ.items() if not name.startswith("JUPYTER_")}
        # What is turned off in the test's folder is off, although the environment turns it on.
        return {**kept, **named, "HOME": str(self.folder), "JUPYTER_PREFER_ENV_PATH": "0"}

    def prepare(self) -> None:
        """Make its folders, and find a port; started again, it has the same one."""
        self.root.mkdir(parents=True, exist_ok=True)
        self._leave_others_out()
        if self.port:
            return
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]

    def start(self) -> ServerProcess:
        """Start it and wait until it answers."""
        self.launch()
        wait_for(self._answers, "the server to answer", 150)
        return self

    def launch(self) -> None:
        """Start it."""
        self.prepare()
        settings = {
            "ServerApp.port": str(self.port),
            "ServerApp.port_retries": "0",
            "ServerApp.root_dir": str(self.root),
            "IdentityProvider.token": self.token,
            **self.settings,
        }
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                [
                    sys.executable,
                    *("-m", *self.program, "--no-browser", "--allow-root"),
                    *(f"--{name}={value}" for name, value in settings.items()),
                ],
                stdout=log,
                stderr=log,
                env=self.environment,
                cwd=self.root,
                start_new_session=True,
            )

    def _leave_others_out(self) -> None:
        """Turn other extensions off: some take seconds to start."""
        file = self.folder / "config" / "jupyter_server_config.d" / "others.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        names = ("jupyter_lsp", "jupyterlab", "notebook_shim", "jupyter_server_terminals")
        others = dict.fromkeys((*names, "jupyter_server_fileid", "jupyter_server_ydoc"), False)
        file.write_text(json.dumps({"ServerApp": {"jpserver_extensions": others}}))

    def _answers(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            raise AssertionError(f"the server has ended:\n{self.log}")
        try:
            return self.request("GET", "health")[0] == 200
        except OSError:
            return False

    def request(
        self, method: str, path: str, body: Any = None, *, token: str | None = None
    ) -> tuple[int, Any]:
        """Ask a REST route and return status and JSON value."""
        content = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"token {self.token if token is None else token}"}
        if content is not None:
            headers["Content-Type"] = "application/json"
        request = urllib.request.Request(
            f"{self.url}workflows/api/{path}",
            content or (b"" if method == "POST" else None),
            headers,
            method=method,
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                text = response.read()
                return response.status, json.loads(text) if text else None
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read() or b"null")

    def get(self, path: str) -> Any:
        """Return the JSON value of an answer without error."""
        status, value = self.request("GET", path)
        assert status == 200, value
        return value

    def post(self, path: str, body: Any = None) -> Any:
        """Return the JSON value of an answer without error."""
        status, value = self.request("POST", path, body)
        assert status < 300, value
        return value

    def runner(self) -> dict[str, Any]:
        """Return how its runner stands, when that is at work."""

        def running() -> Any:
            found = self.get("health")["runner"]
            return found if found["state"] == "running" and found["pid"] else None

        found: dict[str, Any] = wait_for(running, "the runner to work")
        return found

    def stop(self) -> None:
        """Let it stop by itself."""
        assert self.process is not None
        self.process.terminate()
        self.process.wait(30)

    def kill(self) -> None:
        """Kill it, without a chance to say anything."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(30)

    def end(self) -> None:
        """End it and all that works in the test's folders: runners outlive their servers."""
        if self.process is not None and self.process.poll() is None:
            self.kill()
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if str(self.folder) in " ".join(process.cmdline()) and process.pid != os.getpid():
                    process.kill()
                    process.wait(10)


def alive(pid: int) -> bool:
    """Return whether a process lives, and is more than a zombie."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@contextlib.contextmanager
def server_process(folder: Path, **settings: str) -> Iterator[ServerProcess]:
    """Run a server for a while."""
    server = ServerProcess(folder, {name.replace("__", "."): value for name, value in settings.items()})
    try:
        yield server.start()
    finally:
        server.end()
