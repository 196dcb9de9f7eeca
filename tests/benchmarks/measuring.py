"""What the benchmarks share: what processes cost, runners to measure, tables.

Processor time says more than the clock on a machine that does other things too. It is read from each
process's own clock, which counts nanoseconds, and, for processes that have ended, from whoever waited for
them.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.metadata
import json
import os
import platform
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from jupyter_workflows.execution.kernels import ForkServer
from jupyter_workflows.execution.kernels.protocol import SOCKET_NAME

_PACKAGES = (
    "jupyter_workflows",
    "papermill",
    "nbclient",
    "jupyter_client",
    "ipykernel",
    "ploomber-engine",
    "pyzmq",
    "sqlalchemy",
)
_TICKS = os.sysconf("SC_CLK_TCK")
_GROUPS = ("own", "workers", "server", "kernels")
_WORKER = "jupyter_workflows.execution.executors.worker"
_SERVER = "jupyter_workflows.execution.kernels.server"

#: Seconds after which a benchmark gives up waiting.
PATIENCE = 120.0


# Options and tables


def options(description: str | None, **defaults: Any) -> argparse.Namespace:
    """Parse the command line: an option for each default, and ``--json``.

    A default that is a sequence is given as a list with commas.
    """
    parser = argparse.ArgumentParser(description=description)
    for name, default in defaults.items():
        kind: Callable[[str], Any] = type(default)
        if isinstance(default, tuple):
            element = type(default[0])

            def kind(text: str, element: Any = element) -> tuple[Any, ...]:
                return tuple(element(item) for item in text.split(",") if item)

        option = f"--{name.replace('_', '-')}"
        parser.add_argument(option, type=kind, default=default, metavar=name[0].upper())
    parser.add_argument("--json", action="store_true", help="print the figures as JSON instead")
    return parser.parse_args()


def machine() -> dict[str, Any]:
    """Describe where and with what the figures are made."""
    packages = {}
    for name in _PACKAGES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            packages[name] = importlib.metadata.version(name)
    return {
        "processors": len(os.sched_getaffinity(0)),
        "load": [round(value, 2) for value in os.getloadavg()],
        "python": platform.python_version(),
        "system": platform.platform(terse=True),
        "packages": packages,
    }


@dataclass
class Report:
    """Figures and tables, printed for people or as JSON."""

    options: argparse.Namespace
    content: dict[str, Any] = field(default_factory=lambda: {"machine": machine()})

    def __post_init__(self) -> None:
        if not self.options.json:
            about = self.content["machine"]
            versions = ", ".join(f"{name} {version}" for name, version in about["packages"].items())
            load = " ".join(f"{value:g}" for value in about["load"])
            print(f"Python {about['python']}, {about['processors']} processors, load {load}")
            print(versions, flush=True)

    def table(self, key: str, title: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Show rows that have the same columns."""
        self.content[key] = [dict(row) for row in rows]
        if self.options.json or not rows:
            return
        columns = list(rows[0])
        cells = [columns, *([_text(row.get(column)) for column in columns] for row in rows)]
        widths = [max(len(line[place]) for line in cells) for place in range(len(columns))]
        print(f"\n{title}")
        for line in cells:
            first, *others = line
            print(
                f"  {first:<{widths[0]}}",
                *(f"{text:>{width}}" for text, width in zip(others, widths[1:], strict=True)),
                sep="  ",
            )
        sys.stdout.flush()

    def note(self, text: str) -> None:
        """Say something on the way."""
        print(text, file=sys.stderr if self.options.json else sys.stdout, flush=True)

    def close(self) -> None:
        """Say how busy the machine was at the end."""
        load = [round(value, 2) for value in os.getloadavg()]
        self.content["load_at_end"] = load
        if self.options.json:
            print(json.dumps(self.content, indent=2))
        else:
            print(f"\nload at the end {' '.join(f'{value:g}' for value in load)}")


def _text(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}" if abs(value) < 100 else f"{value:.0f}"
    return str(value)


def median(values: Iterable[float]) -> float | None:
    """Return the median; `None` of nothing."""
    found = list(values)
    return statistics.median(found) if found else None


def percentile(values: Iterable[float], part: float) -> float | None:
    """Return the value that `part` of the values do not exceed; `None` of nothing."""
    found = sorted(values)
    return found[min(len(found) - 1, int(part * len(found)))] if found else None


# Processor time


def process_clock(pid: int) -> float:
    """Return the seconds that a process has computed, in all its threads.

    Raises
    ------
    ProcessLookupError
        There is no such process.
    """
    try:
        # The number of another process's clock is made of its id, see clock_getcpuclockid(3).
        return time.clock_gettime((~pid << 3) | 2)
    except OSError as error:
        raise ProcessLookupError(pid) from error


def _waited_for(pid: int) -> float:
    """Return the seconds of those children of a process that have ended."""
    values = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(values[13]) + int(values[14])) / _TICKS


def children(pid: int) -> list[int]:
    """Return the children of a process."""
    found: list[int] = []
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(OSError):
                found += map(int, (task / "children").read_text().split())
    return found


@dataclass(frozen=True, slots=True)
class Cpu:
    """Seconds by who computed: the process itself, workers, fork server, kernels."""

    own: float = 0.0
    workers: float = 0.0
    server: float = 0.0
    kernels: float = 0.0

    def __sub__(self, other: Cpu) -> Cpu:
        return Cpu(*(getattr(self, name) - getattr(other, name) for name in _GROUPS))

    def __add__(self, other: Cpu) -> Cpu:
        return Cpu(*(getattr(self, name) + getattr(other, name) for name in _GROUPS))

    @property
    def total(self) -> float:
        """All of it."""
        return self.own + self.workers + self.server + self.kernels


class Family:
    """A process that has an executor, with its workers, fork servers and kernels.

    Workers and servers are looked for among the children; those that appear later are found by `refresh`.
    """

    def __init__(self, pid: int | None = None) -> None:
        self.pid = pid or os.getpid()
        self.workers: list[int] = []
        self.servers: dict[int, ForkServer] = {}
        self._asking = 0.0
        self.refresh()

    def refresh(self) -> None:
        """Look for workers and servers."""
        self.workers = []
        known, self.servers = self.servers, {}
        for pid in children(self.pid):
            with contextlib.suppress(psutil.Error):
                command = psutil.Process(pid).cmdline()
                if _WORKER in command:
                    self.workers.append(pid)
                elif _SERVER in command and pid not in known:
                    folder = command[command.index("--folder") + 1]
                    self.servers[pid] = ForkServer(str(Path(folder) / SOCKET_NAME), executable="")
                elif pid in known:
                    self.servers[pid] = known[pid]

    def kernels(self) -> list[int]:
        """Return the kernels, those in the pools included."""
        return [kernel for pid in (*self.servers, *self.workers) for kernel in children(pid)]

    def cpu(self) -> Cpu:
        """Return what has been computed up to now."""
        while True:
            try:
                return self._cpu()
            except ProcessLookupError:
                continue  # a kernel ended between two looks

    def _cpu(self) -> Cpu:
        own = process_clock(self.pid)
        workers = sum(map(process_clock, self.workers))
        server = sum(map(process_clock, self.servers))
        kernels = sum(map(_waited_for, self.workers))
        for handle in self.servers.values():
            kernels += float(handle.statistics()["cpu_of_kernels"])
        kernels += sum(map(process_clock, self.kernels()))
        asked = sum(map(process_clock, self.servers)) - server  # what asking costs is nobody's
        result = Cpu(own, workers, server - self._asking, kernels)
        self._asking += asked
        return result

    def settle(self, pause: float = 0.05) -> None:
        """Wait until nobody but this process computes."""
        deadline = time.monotonic() + PATIENCE
        before: tuple[float, list[int]] = (-1.0, [])
        while time.monotonic() < deadline:
            time.sleep(pause)
            kernels = self.kernels()
            try:
                others = sum(map(process_clock, (*self.workers, *self.servers, *kernels)))
            except ProcessLookupError:
                continue
            if kernels == before[1] and others - before[0] < 0.02 * pause:
                return
            before = others, kernels
        raise TimeoutError("The processes did not come to rest")

    def memory(self) -> dict[str, int]:
        """Return resident bytes by who has them."""

        def resident(pids: Iterable[int]) -> int:
            return sum(psutil.Process(pid).memory_info().rss for pid in pids)

        return {
            "own": resident([self.pid]),
            "workers": resident(self.workers),
            "server": resident(self.servers),
            "kernels": sum(psutil.Process(pid).memory_full_info().pss for pid in self.kernels()),
        }

    def threads(self) -> dict[str, int]:
        """Return how many threads there are."""
        groups: dict[str, Iterable[int]] = {
            "own": [self.pid],
            "workers": self.workers,
            "server": self.servers,
            "kernels": self.kernels(),
        }
        return {name: sum(psutil.Process(pid).num_threads() for pid in pids) for name, pids in groups.items()}


# Runners


@contextlib.contextmanager
def scratch() -> Iterator[Path]:
    """A folder that is removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="workflows-benchmark-") as name:
        yield Path(name)


@contextlib.contextmanager
def runner(database: str, *arguments: str) -> Iterator[Family]:
    """A runner in a process of its own; it has started when its kernels are ready."""
    command = [str(Path(sys.executable).with_name("jupyter-workflows")), "runner", "--database", database]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen([*command, *arguments], stdout=log, stderr=log, start_new_session=True)
        try:
            deadline = time.monotonic() + PATIENCE
            family = Family(process.pid)
            while not (family.servers and family.workers and family.kernels()):
                if process.poll() is not None or time.monotonic() > deadline:
                    log.seek(0)
                    raise RuntimeError(f"The runner did not start:\n{log.read().decode(errors='replace')}")
                time.sleep(0.05)
                family.refresh()
            yield family
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(30)
            if process.poll() is None:
                process.kill()
            process.wait()


def wait_until(condition: Callable[[], Any], pause: float = 0.1) -> Any:
    """Wait until a condition holds, and return what it returned."""
    deadline = time.monotonic() + PATIENCE
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{condition} did not come true")
        time.sleep(pause)
    return value
