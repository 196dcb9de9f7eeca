"""How long lists and counts take with 100,000 finished runs.

Run as ``python tests/benchmarks/store_queries.py [--runs N] [--postgres]``.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from sqlalchemy import insert
from support.postgres import postgres_server
from support.stores import document, linear, start, work

from jupyter_workflows.model.states import RunMode, RunState
from jupyter_workflows.store import RunFilter, RunnerIdentity, Store, TaskFilter, new_id, open_database
from jupyter_workflows.store.runs import document_hash, search_text
from jupyter_workflows.store.tables import attempts, documents, runs, stage_runs

WORKFLOWS = 20
BATCH = 5_000


@contextmanager
def database_url(kind: str) -> Iterator[str]:
    """An empty database of a kind."""
    if kind == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            yield f"sqlite:///{folder}/state/workflows.sqlite3"
        return
    servers = postgres_server()
    try:
        yield next(servers).create_database()
    finally:
        servers.close()


def fill(store: Store, count: int) -> None:
    """Insert finished runs of three stages each."""
    begin = datetime.now(UTC) - timedelta(seconds=count * 10)
    texts = [linear(3, uid=f"w{number}") for number in range(WORKFLOWS)]
    with store.database.write() as connection:
        connection.execute(
            insert(documents),
            [
                {
                    "hash": document_hash(body),
                    "workflow_uid": f"w{number}",
                    "title": f"Workflow {number}",
                    "text": body,
                    "created_at": begin,
                }
                for number, body in enumerate(texts)
            ],
        )
    hashes = [document_hash(body) for body in texts]
    for first in range(0, count, BATCH):
        run_rows, stage_rows, attempt_rows = [], [], []
        for place in range(first, min(first + BATCH, count)):
            run_id, workflow = new_id(), place % WORKFLOWS
            at = begin + timedelta(seconds=place * 10)
            run_rows.append(
                {
                    "id": run_id,
                    "workflow_uid": f"w{workflow}",
                    "title": f"Workflow {workflow}",
                    "document_hash": hashes[workflow],
                    "project": "/project",
                    "mode": "live" if place % 10 else "test",
                    "state": "failed" if place % 50 == 7 else "completed",
                    "entry_stage": "a",
                    "started_by": f"person{place % 500}",
                    "created_at": at,
                    "ended_at": at + timedelta(seconds=5),
                    "total": 3,
                    "search": search_text(run_id, f"Workflow {workflow}", f"person{place % 500}"),
                }
            )
            for sequence, stage in enumerate("abc"):
                stage_run = new_id()
                stage_rows.append(
                    {
                        "id": stage_run,
                        "run_id": run_id,
                        "workflow_uid": f"w{workflow}",
                        "stage": stage,
                        "path": stage,
                        "title": stage,
                        "type": "script",
                        "state": "completed",
                        "key": (),
                        "sequence": sequence,
                        "attempt": 1,
                        "created_at": at,
                        "data": {"amount": place, "email": "ada@example.org"},
                        "result": {"amount": place, "email": "ada@example.org"},
                    }
                )
                attempt_rows.append(
                    {
                        "stage_run_id": stage_run,
                        "number": 1,
                        "run_id": run_id,
                        "state": "completed",
                        "started_at": at,
                        "ended_at": at,
                    }
                )
        with store.database.write() as connection:
            connection.execute(insert(runs), run_rows)
            connection.execute(insert(stage_runs), stage_rows)
            connection.execute(insert(attempts), attempt_rows)
    analyze = "ANALYZE" if store.database.is_sqlite else "VACUUM ANALYZE"  # as autovacuum does
    with store.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(analyze)


def measure(name: str, function: Callable[[], object], times: int = 15) -> None:
    """Print the median and the worst of several calls."""
    taken = []
    for _ in range(times):
        begin = time.perf_counter()
        function()
        taken.append((time.perf_counter() - begin) * 1000)
    print(f"  {name:44} {statistics.median(taken):8.2f} ms (worst {max(taken):.2f})")


def pages(store: Store, wanted: RunFilter, number: int) -> None:
    """Read some pages one after the other."""
    cursor = None
    for _ in range(number):
        cursor = store.list_runs(wanted, cursor=cursor).cursor


def measure_all(store: Store, count: int) -> None:
    """Measure what pages and runners ask for."""
    for _ in range(200):
        start(store, document({"a": {"type": "form"}}, uid="w1"), started_by="ada")
    one = store.list_runs(RunFilter(states=(RunState.COMPLETED,))).runs[0].id
    for name, wanted in (
        ("", RunFilter()),
        (" of a workflow", RunFilter(workflow_uid="w3")),
        (" in a state", RunFilter(states=(RunState.FAILED,))),
        (" in two states", RunFilter(states=(RunState.FAILED, RunState.CANCELLED))),
        (" of a workflow in a state", RunFilter(workflow_uid="w7", states=(RunState.FAILED,))),
        (" in a mode", RunFilter(mode=RunMode.TEST)),
        (" with a text in all", RunFilter(text="workflow")),
        (" with a rare text", RunFilter(text="person77")),
        (" with a text in none", RunFilter(text="nowhere")),
        (" of a person", RunFilter(started_by="person77")),
    ):
        measure(f"list{name}", partial(store.list_runs, wanted))
        measure(f"count{name}", partial(store.count_runs, wanted))
    measure("twenty pages", lambda: pages(store, RunFilter(), 20), 5)
    measure("a run", lambda: store.get_run(one))
    measure("tasks", store.list_tasks)
    measure("tasks of a person", lambda: store.list_tasks(TaskFilter(assignees=("ada",))))
    runner = RunnerIdentity.current()
    store.register_runner(runner)
    measure("an empty claim", lambda: store.claim(runner, limit=4))
    measure("a run of three stages", lambda: (start(store, linear(3)), work(store, runner)))
    measure("nothing to retain", lambda: store.retain(count=count, age=1e9, test_age=1e9), 3)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=100_000)
    parser.add_argument("--postgres", action="store_true")
    options = parser.parse_args()
    for kind in ("sqlite", "postgresql") if options.postgres else ("sqlite",):
        with database_url(kind) as url:
            store = Store(open_database(url), state=Path(tempfile.gettempdir()))
            begin = time.perf_counter()
            fill(store, options.runs)
            print(f"{kind}: {options.runs} runs, filled in {time.perf_counter() - begin:.0f} s")
            measure_all(store, options.runs)
            store.close()


if __name__ == "__main__":
    main()
