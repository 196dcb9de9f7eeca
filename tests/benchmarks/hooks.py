"""How fast a hook is answered, through a real Jupyter server with its embedded runner.

Each request is a notebook in a kernel of its own that answers with `respond`. Two requests a second show what
a caller sees who finds warm kernels; back to back, and with eight callers, kernels have to be made meanwhile.
The database is the default: SQLite, durable. The answer's time is that of the client, over one connection
that stays open. What limits the requests a second is the processor time of each, which a second table shows
by who computed; that time includes what goes on after the answer. Nothing here is asserted.
"""

from __future__ import annotations

import http.client
import itertools
import sys
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

sys.path.insert(1, str(Path(__file__).parents[1]))

from measuring import Cpu, Family, Report, options, percentile, process_clock, scratch
from support.hooks import Deployed, make_live
from support.projects import write_project
from support.servers import ServerProcess, server_process

from jupyter_workflows.store import open_store

ANSWER = """
from jupyter_workflows.hooks import get_request, respond
request = get_request()
respond({"n": request.body["n"] + 1})
"""


class Caller:
    """A client with one connection."""

    def __init__(self, made: ServerProcess, deployed: Deployed) -> None:
        parts = urlsplit(made.url)
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port)
        self._path = f"{parts.path}{deployed.path('answer')}"
        self._headers = {
            "Content-Type": "application/json",
            "Authorization": f"Bearer {deployed.secrets['answer']}",
        }

    def call(self, number: int) -> float:
        """Call the hook and return how many milliseconds that took."""
        started = time.perf_counter()
        self._connection.request("POST", self._path, f'{{"n": {number}}}', self._headers)
        response = self._connection.getresponse()
        body = response.read()
        took = 1000 * (time.perf_counter() - started)
        if response.status != 200 or body != f'{{"n": {number + 1}}}'.encode():
            raise RuntimeError(f"{response.status}: {body!r}")
        return took


class Costs:
    """Processor time of the server, its runner, and what that has started."""

    def __init__(self, server: int, runner: int) -> None:
        self._server = server
        self._family = Family(runner)
        self.rows: list[dict[str, Any]] = []

    def now(self) -> tuple[float, Cpu]:
        """Return what has been computed up to now, when all is at rest."""
        self._family.refresh()
        self._family.settle()
        return process_clock(self._server), self._family.cpu()

    def add(self, name: str, number: int, before: tuple[float, Cpu]) -> None:
        """Note what a number of requests has cost."""
        server, cpu = self.now()
        used = cpu - before[1]
        parts = {
            "server": server - before[0],
            "runner": used.own,
            "workers": used.workers,
            "fork server": used.server,
            "kernels": used.kernels,
        }
        costs = {f"{part} ms": 1000 * seconds / number for part, seconds in parts.items()}
        self.rows.append({"requests": name, **costs, "all ms": sum(costs.values())})


def row(name: str, times: list[float], seconds: float) -> dict[str, Any]:
    """Return a line of the table."""
    return {
        "requests": name,
        "number": len(times),
        "p50 ms": percentile(times, 0.5),
        "p90 ms": percentile(times, 0.9),
        "p99 ms": percentile(times, 0.99),
        "longest ms": max(times),
        "requests/s": len(times) / seconds,
    }


def paced(caller: Caller, count: int, rate: float) -> dict[str, Any]:
    """Call at a steady rate."""
    times: list[float] = []
    started = time.perf_counter()
    for number in range(count):
        delay = started + number / rate - time.perf_counter()
        if delay > 0:
            time.sleep(delay)
        times.append(caller.call(number))
    return row(f"{rate:g} a second", times, time.perf_counter() - started)


def together(callers: list[Caller], count: int) -> dict[str, Any]:
    """Call as fast as the answers come, from several callers at a time."""
    times: list[float] = []
    numbers = itertools.count()

    def work(caller: Caller) -> None:
        while (number := next(numbers)) < count:
            times.append(caller.call(number))

    threads = [threading.Thread(target=work, args=[caller]) for caller in callers]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    name = "back to back" if len(callers) == 1 else f"{len(callers)} callers"
    return row(name, times, time.perf_counter() - started)


def main() -> None:
    """Measure."""
    given = options(__doc__, requests=120, rate=2.0, callers=(1, 8), kernel_pool=2)
    report = Report(given)
    with scratch() as folder:
        project = write_project(
            folder / "root" / "project",
            {"answer": {"type": "hook", "cells": [ANSWER]}},
            title="Answers",
        )
        (project.parent / "requirements.txt").write_text("jupyter_workflows\n")
        with server_process(folder, WorkflowsApp__runner_kernel_pool=str(given.kernel_pool)) as made:
            made.runner()
            store = open_store(made.database)
            deployed = make_live(store, project)
            callers = [Caller(made, deployed) for _ in range(max(given.callers))]
            for number in range(5):
                callers[0].call(number)
            together(callers, 2 * len(callers))  # so that all workers are there
            assert made.process is not None
            costs = Costs(made.process.pid, made.runner()["pid"])
            rows = []
            for count in (0, *given.callers):
                before = costs.now()
                if count:
                    rows.append(together(callers[:count], given.requests))
                else:
                    rows.append(paced(callers[0], given.requests, given.rate))
                costs.add(str(rows[-1]["requests"]), given.requests, before)
            report.table("hooks", "Hook to answer", rows)
            report.table("processor", "Processor time of a request", costs.rows)
            store.close()
    report.close()


if __name__ == "__main__":
    main()
