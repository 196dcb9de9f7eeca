"""The processes that a campaign starts and kills: runners, and what they start themselves."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path

import psutil
from support.servers import ServerProcess

_WORKER = "jupyter_workflows.execution.executors.worker"
_FORK_SERVER = "jupyter_workflows.execution.kernels.server"
_ORDINARY_KERNEL = "ipykernel_launcher"


class Victim(StrEnum):
    """What is killed."""

    SERVER = "server"
    RUNNER = "runner"
    WORKER = "worker"
    FORK_SERVER = "fork-server"
    KERNEL = "kernel"


class Place:
    """Folders that belong to a campaign's processes alone, by which they are told from all others.

    Parameters
    ----------
    folder
        Short enough for the addresses of sockets.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sockets = folder / "x"
        self.logs = folder / "logs"
        for made in (self.sockets, self.logs):
            made.mkdir(mode=0o700, parents=True, exist_ok=True)

    def environment(self) -> dict[str, str]:
        """Return the environment variables of the runners."""
        return {
            **os.environ,
            "JUPYTER_DATA_DIR": str(self.folder / "data"),
            "JUPYTER_CONFIG_DIR": str(self.folder / "config"),
            "JUPYTER_RUNTIME_DIR": str(self.folder / "runtime"),
            "IPYTHONDIR": str(self.folder / "ipython"),
            "XDG_RUNTIME_DIR": str(self.sockets),
        }

    def processes(self) -> Iterator[psutil.Process]:
        """Find what runs of this place, whoever its parent is."""
        sign = f"JUPYTER_DATA_DIR={self.folder / 'data'}".encode()
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit() or int(entry.name) == os.getpid():
                continue
            with contextlib.suppress(OSError, psutil.Error):
                if sign in (entry / "environ").read_bytes().split(b"\0"):
                    yield psutil.Process(int(entry.name))

    def log_files(self) -> list[Path]:
        """Return the logs of the runners and servers."""
        return sorted([*self.logs.iterdir(), *self.folder.rglob("runner.log"), self.folder / "server.log"])

    def embedded_runners(self) -> list[psutil.Process]:
        """Find the runners that servers started, also those whose server is gone."""
        found = []
        for process in self.processes():
            with contextlib.suppress(psutil.Error):
                if "--embedded" in process.cmdline():
                    found.append(process)
        return found

    def leftover_folders(self) -> list[Path]:
        """Return the folders of fork servers that are there."""
        return list(self.sockets.glob("jwf-*"))


class RunnerProcess:
    """A runner, started as a person would."""

    _count = 0

    def __init__(self, place: Place, url: str, *options: str, environment: Iterable[str] = ()) -> None:
        RunnerProcess._count += 1
        self.number = RunnerProcess._count
        self.log = place.logs / f"runner-{self.number}.log"
        variables = {**place.environment(), **dict(item.split("=", 1) for item in environment)}
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "jupyter_workflows.cli", "runner", "--database", url, *options],
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env=variables,
            )

    @property
    def pid(self) -> int:
        """The runner's process id."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """How it ended; `None` while it runs."""
        return self._process.poll()

    def terminate(self) -> None:
        """Ask it to finish what runs, and to end."""
        self._process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Kill it."""
        self._process.kill()
        self._process.wait()

    def wait(self, seconds: float) -> int | None:
        """Wait for its end; `None` if it does not come."""
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def said(self) -> str:
        """Return what it wrote to its console."""
        return self.log.read_text(errors="replace")


class CampaignServer(ServerProcess):
    """A Jupyter server with an embedded runner, started as a person would.

    Parameters
    ----------
    url
        Of the database.
    """

    def __init__(self, place: Place, url: str, **settings: str) -> None:
        given = {f"WorkflowsApp.{name}": value for name, value in settings.items()}
        super().__init__(place.folder, {"WorkflowsApp.database_url": url, **given})
        self._place = place

    @property
    def environment(self) -> dict[str, str]:
        """Variables that keep it to the campaign's folders."""
        return {**super().environment, **self._place.environment()}

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self.process is not None
        return self.process.pid

    @property
    def exit_code(self) -> int | None:
        """How it ended; `None` while it runs."""
        assert self.process is not None
        return self.process.poll()


def family(pid: int) -> dict[Victim, list[psutil.Process]]:
    """Return a runner and what it started, by what it is."""
    found: dict[Victim, list[psutil.Process]] = {victim: [] for victim in Victim}
    with contextlib.suppress(psutil.Error):
        itself = psutil.Process(pid)
        found[Victim.RUNNER].append(itself)
        for child in itself.children(recursive=True):
            with contextlib.suppress(psutil.Error):
                victim = _kind_of(child)
                if victim is not None:
                    found[victim].append(child)
    return found


def _kind_of(process: psutil.Process) -> Victim | None:
    line = process.cmdline()
    if _WORKER in line:
        return Victim.WORKER
    if _ORDINARY_KERNEL in line:
        return Victim.KERNEL
    if _FORK_SERVER in line:
        parent = process.parent()
        forked = parent is not None and _FORK_SERVER in parent.cmdline()
        return Victim.KERNEL if forked else Victim.FORK_SERVER
    return None


def is_running(process: psutil.Process) -> bool:
    """Return whether a process has not ended."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def wait_for_none(place: Place, seconds: float) -> list[psutil.Process]:
    """Wait until nothing of a place runs; return what does not end."""
    deadline = time.monotonic() + seconds
    while (found := list(place.processes())) and time.monotonic() < deadline:
        time.sleep(0.05)
    return found
