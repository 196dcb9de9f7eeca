"""How many stages a runner executes in a second when there is always work, and what each of them costs.

Everything is on: the durable SQLite database, executed copies, stage data. The workflow is a chain of three
stages of three cells each; so many runs are queued beforehand that the queue does not run dry. Values of
``--concurrency`` take turns, each with a runner of its own, in random order.

Nothing here is asserted.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

sys.path.insert(1, str(Path(__file__).parents[1]))

from measuring import Cpu, Report, median, options, percentile, runner, scratch, wait_until
from sqlalchemy import func, select
from support.projects import write_project

from jupyter_workflows.model.records import StageData
from jupyter_workflows.store import NewRun, Store, open_store
from jupyter_workflows.store.tables import attempts, stage_runs

CELLS = [
    "import time\n_first = time.process_time()\n"
    "from jupyter_workflows import get_stage\nstage = get_stage()\nx = stage['x']",
    "values = [n * n for n in range(30000)]\ntotal = sum(values) * x",
    "print(total)\nstage['total'] = total\nstage['cpu'] = [_first, time.process_time()]",
]
PATHS = ("first", "second", "third")
DATA = {"x": 3, "customer": {"name": "Ada", "amount": 120.5}}
TARGET_RATE, TARGET_CPU = 16.0, 90.0


@dataclass
class Window:
    """What happened in a time of sustained work."""

    concurrency: int
    seconds: float
    stages: int
    cpu: Cpu
    timings: list[dict[str, float]]
    took: list[float]
    kernel_cpu: list[list[float]]
    states: dict[str, int]

    @property
    def rate(self) -> float:
        """Stages in a second."""
        return self.stages / self.seconds


def fill(store: Store, project: Path, document: str, runs: int) -> None:
    """Queue runs."""
    data = StageData(DATA, dict.fromkeys(DATA))
    for _ in range(runs):
        store.create_run(
            NewRun(document_text=document, project=str(project), entry_stage=PATHS[0], data=data)
        )


def work(concurrency: int, kernel_pool: int, seconds: float) -> Window:
    """Let a runner work for some time."""
    with scratch() as folder:
        project = folder / "project"
        file = write_project(
            project,
            {path: {"cells": CELLS} for path in PATHS},
            [{"source": source, "target": target} for source, target in pairwise(PATHS)],
        )
        url = f"sqlite:///{folder / 'state' / 'workflows.sqlite3'}"
        store = open_store(url)
        fill(store, project, file.read_text(), int(15 * (seconds + 5)))
        arguments = ("--concurrency", str(concurrency), "--kernel-pool", str(kernel_pool))
        with runner(url, *arguments) as family:
            wait_until(lambda: _ended(store) >= 6 * concurrency)
            family.refresh()
            begin, clock, before = datetime.now(UTC), time.perf_counter(), family.cpu()
            time.sleep(seconds)
            after, passed, end = family.cpu(), time.perf_counter() - clock, datetime.now(UTC)
        rows = _between(store, begin, end)
        store.close()
    return Window(
        concurrency,
        passed,
        len(rows),
        after - before,
        [row.timings for row in rows if row.timings],
        [(row.ended_at - row.started_at).total_seconds() for row in rows],
        [row.result["cpu"] for row in rows if row.result and "cpu" in row.result],
        {state: sum(row.state == state for row in rows) for state in {row.state for row in rows}},
    )


def _ended(store: Store) -> int:
    with store.database.read() as connection:
        statement = select(func.count()).select_from(attempts).where(attempts.c.ended_at.is_not(None))
        return int(connection.execute(statement).scalar_one())


def _between(store: Store, begin: datetime, end: datetime) -> list[Any]:
    """Return the attempts that ended within a time."""
    columns = attempts.c
    statement = (
        select(columns.state, columns.started_at, columns.ended_at, columns.timings, stage_runs.c.result)
        .join_from(attempts, stage_runs, stage_runs.c.id == columns.stage_run_id)
        .where(columns.ended_at > begin, columns.ended_at <= end)
    )
    with store.database.read() as connection:
        return list(connection.execute(statement).all())


def main() -> None:
    """Measure and print."""
    given = options(__doc__, seconds=20.0, rounds=1, concurrency=(2, 3, 4), kernel_pool=2)
    report = Report(given)
    windows: dict[int, list[Window]] = {value: [] for value in given.concurrency}
    for _ in range(given.rounds):
        for concurrency in random.sample(given.concurrency, len(given.concurrency)):
            windows[concurrency].append(work(concurrency, given.kernel_pool, given.seconds))
    tell(report, windows)


def tell(report: Report, windows: dict[int, list[Window]]) -> None:
    """Show the figures."""
    rates, costs, times = [], [], []
    for concurrency, found in windows.items():
        stages = sum(window.stages for window in found)
        if not stages:
            report.note(f"no stage ended with a concurrency of {concurrency}")
            continue
        failed = stages - sum(window.states.get("completed", 0) for window in found)
        took = [seconds for window in found for seconds in window.took]
        cpu = sum((window.cpu for window in found), Cpu())
        rates.append(
            {
                "concurrency": concurrency,
                "stages/s": stages / sum(window.seconds for window in found),
                "target": TARGET_RATE,
                "stages": stages,
                "failed": failed,
                "median ms": _ms(took),
                "p95 ms": 1e3 * (percentile(took, 0.95) or 0),
                "busy processors": cpu.total / sum(window.seconds for window in found),
            }
        )
        marks = [pair for window in found for pair in window.kernel_cpu]
        start, end = _mean(pair[0] for pair in marks), _mean(pair[1] for pair in marks)
        kernel = 1e3 * cpu.kernels / stages
        costs.append(
            {
                "concurrency": concurrency,
                "CPU ms": 1e3 * cpu.total / stages,
                "target": TARGET_CPU,
                "runner and store": 1e3 * cpu.own / stages,
                "workers": 1e3 * cpu.workers / stages,
                "fork server": 1e3 * cpu.server / stages,
                "kernel": kernel,
                "of it start": 1e3 * start,
                "cells": 1e3 * (end - start),
                "end": kernel - 1e3 * end,
            }
        )
        timings = [one for window in found for one in window.timings]
        times.append({"concurrency": concurrency, **_phases(timings, took)})
    report.table("rates", "Sustained work", rates)
    report.table("cpu", "Processor time of a stage, mean ms", costs)
    report.table("phases", "Where the time of a stage goes, median ms from claim to recorded end", times)
    report.close()


def _phases(timings: list[dict[str, float]], took: list[float]) -> dict[str, float]:
    """Return the medians of the phases in which an attempt goes, in their order.

    What papermill itself does is what is left of its time; what is left of the whole is the way from the
    runner to the worker and back, waiting for a free worker, and the database.
    """
    parts = ("kernel", "cells", "record", "save")
    rows = []
    for one in timings:
        row = {name: one.get(name, 0.0) for name in ("load", "start", *parts)}
        row["papermill"] = one.get("papermill", 0.0) - sum(one.get(name, 0.0) for name in parts)
        row["finish"] = one.get("finish", 0.0)
        row["in worker"] = one.get("total", 0.0)
        rows.append(row)
    if not rows:
        return {}
    result = {name: _ms(row[name] for row in rows) for name in rows[0]}
    outside = [whole - row["in worker"] for whole, row in zip(took, rows, strict=False)]
    return {**result, "outside": _ms(outside), "all": _ms(took)}


def _ms(values: Iterable[float]) -> float:
    return 1e3 * (median(values) or 0.0)


def _mean(values: Iterable[float]) -> float:
    found = list(values)
    return sum(found) / len(found) if found else 0.0


if __name__ == "__main__":
    main()
