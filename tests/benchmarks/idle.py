"""What a runner costs that has nothing to do while many tasks wait for people.

The tasks are forms of live runs with a deadline far away, in the durable SQLite database. The runner, its
workers, its fork server and the kernels in its pool are counted each for itself.

Nothing here is asserted.
"""

from __future__ import annotations

import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

sys.path.insert(1, str(Path(__file__).parents[1]))

from measuring import Report, options, runner, scratch
from sqlalchemy import insert, select
from support.projects import write_project

from jupyter_workflows.store import NewRun, Store, TaskFilter, new_id, open_store
from jupyter_workflows.store.tables import runs, stage_runs

BATCH = 2000
TARGET = 1.0
GROUPS = {"own": "runner", "workers": "workers", "server": "fork server", "kernels": "kernels of the pool"}


def fill(store: Store, project: Path, document: str, tasks: int) -> None:
    """Make one run that waits, and copies of it."""
    run_id = store.create_run(NewRun(document_text=document, project=str(project), entry_stage="approve"))
    with store.database.read() as connection:
        run = dict(connection.execute(select(runs).where(runs.c.id == run_id)).one()._mapping)
        of_run = stage_runs.c.run_id == run_id
        stage_run = dict(connection.execute(select(stage_runs).where(of_run)).one()._mapping)
    for first in range(1, tasks, BATCH):
        run_rows: list[dict[str, Any]] = []
        stage_rows: list[dict[str, Any]] = []
        for place in range(first, min(first + BATCH, tasks)):
            at = {"created_at": run["created_at"] + timedelta(milliseconds=place)}
            run_rows.append({**run, "id": new_id(), **at})
            stage_rows.append({**stage_run, "id": new_id(), "run_id": run_rows[-1]["id"], **at})
        with store.database.write() as connection:
            connection.execute(insert(runs), run_rows)
            connection.execute(insert(stage_runs), stage_rows)
    if len(store.list_tasks(TaskFilter(), limit=2).tasks) != min(2, tasks):
        raise RuntimeError("The tasks do not wait")


def main() -> None:
    """Measure and print."""
    given = options(__doc__, tasks=10_000, seconds=20.0)
    report = Report(given)
    with scratch() as folder:
        project = folder / "project"
        form = {"type": "form", "cells": ["1 + 1"], "due": "P30D", "remind": "P20D", "expires": "P60D"}
        text = write_project(project, {"approve": form}).read_text()
        url = f"sqlite:///{folder / 'state' / 'workflows.sqlite3'}"
        store = open_store(url)
        fill(store, project, text, given.tasks)
        store.close()
        with runner(url) as family:
            time.sleep(5)  # what comes once: the first looks, the pool
            family.settle()
            kernels = set(family.kernels())
            begin, before = time.perf_counter(), family.cpu()
            memory, threads = family.memory(), family.threads()
            time.sleep(given.seconds)
            used, passed = family.cpu() - before, time.perf_counter() - begin
            after, threads_after = family.memory(), family.threads()
            family.refresh()
            counts = {
                "own": 1,
                "workers": len(family.workers),
                "server": len(family.servers),
                "kernels": len(family.kernels()),
            }
            started = set(family.kernels()) - kernels
    rows = [
        {
            "": title,
            "processes": counts[name],
            "% of a processor": 100 * getattr(used, name) / passed,
            "target": TARGET if name == "own" else None,
            "MiB at start": memory[name] / 2**20,
            "MiB at end": after[name] / 2**20,
            "threads": threads[name],
            "threads at end": threads_after[name],
        }
        for name, title in GROUPS.items()
    ]
    report.table(
        "idle",
        f"{given.tasks} waiting tasks, {passed:.0f} s (memory: resident; of kernels the proportional share)",
        rows,
    )
    report.note(f"kernels started meanwhile: {len(started)}")
    report.content["kernels_started"] = len(started)
    report.close()


if __name__ == "__main__":
    main()
