"""How long it takes from a stage's last cell to the next stage's first cell.

Stages write the time at the beginning of their first cell and at the end of their last one into stage data.
Chains run one after the other, in a runner of their own, with the durable SQLite database; nothing else is
queued. What the gap is made of is read from what attempts keep of their own times.

Nothing here is asserted.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

sys.path.insert(1, str(Path(__file__).parents[1]))

from measuring import Report, median, options, percentile, runner, scratch, wait_until
from support.projects import write_project

from jupyter_workflows.model.records import StageData
from jupyter_workflows.model.states import RunState
from jupyter_workflows.store import NewRun, RunDetails, Store, open_store

CELLS = [
    "import time\nfirst = time.time()",
    "from jupyter_workflows import get_stage\nstage = get_stage()\ntotal = sum(n * n for n in range(30000))",
    "stage['total'] = total\nstage['marks'] = [*stage['marks'], [first, time.time()]]",
]
TARGET = 25.0


def run_chain(store: Store, project: Path, document: str, entry: str) -> RunDetails:
    """Run a chain to its end."""
    data = StageData({"marks": []}, {"marks": None})
    run_id = store.create_run(
        NewRun(document_text=document, project=str(project), entry_stage=entry, data=data)
    )
    ended = (RunState.COMPLETED, RunState.FAILED, RunState.CANCELLED)
    wait_until(lambda: store.get_run_record(run_id).state in ended, pause=0.25)
    details = store.get_run(run_id)
    if details.run.state is not RunState.COMPLETED:
        raise RuntimeError(f"The run is {details.run.state}")
    return details


def gaps(details: RunDetails, parts: dict[str, list[float]]) -> list[float]:
    """Return the gaps between the stages of a chain, and add to what they are made of."""
    stage_runs = sorted(details.stage_runs, key=lambda one: one.created_at)
    result = stage_runs[-1].result
    assert result is not None
    marks = result.values["marks"]
    for number, (one, other) in enumerate(pairwise(stage_runs)):
        (before,), (after,) = details.attempts[one.id], details.attempts[other.id]
        assert before.ended_at is not None
        last, first = marks[number][1], marks[number + 1][0]
        recorded, claimed = _seconds(before.ended_at), _seconds(after.started_at)
        inside = {name: before.timings.get(name, 0.0) for name in ("record", "save", "finish", "artifacts")}
        beginning = {name: after.timings.get(name, 0.0) for name in ("load", "start", "kernel")}
        row = {
            **inside,
            "papermill, way back, decision": recorded - last - sum(inside.values()),
            "recording and claiming": claimed - recorded,
            **beginning,
            "way there, papermill, first cell": first - claimed - sum(beginning.values()),
        }
        for name, seconds in row.items():
            parts[name].append(seconds)
    return [following[0] - this[1] for this, following in pairwise(marks)]


def _seconds(moment: datetime) -> float:
    return moment.astimezone(UTC).timestamp()


def main() -> None:
    """Measure and print."""
    given = options(__doc__, stages=20, rounds=3, kernel_pool=2)
    report = Report(given)
    paths = [f"stage-{number}" for number in range(given.stages)]
    stages: dict[str, dict[str, Any]] = {path: {"notebook": "stages/stage.ipynb"} for path in paths}
    stages[paths[0]] = {**stages[paths[0]], "cells": CELLS}
    transitions = [{"source": source, "target": target} for source, target in pairwise(paths)]
    found: list[float] = []
    parts: dict[str, list[float]] = defaultdict(list)
    with scratch() as folder:
        project = folder / "project"
        text = write_project(project, stages, transitions).read_text()
        url = f"sqlite:///{folder / 'state' / 'workflows.sqlite3'}"
        store = open_store(url)
        with runner(url, "--kernel-pool", str(given.kernel_pool)) as family:
            run_chain(store, project, text, paths[0])
            family.settle()
            for _ in range(given.rounds):
                found += gaps(run_chain(store, project, text, paths[0]), parts)
        store.close()
    report.table(
        "handover",
        f"From the last cell of a stage to the first one of the next, {len(found)} times, ms",
        [
            {
                "": "hand-over",
                "p50": 1e3 * (median(found) or 0),
                "p95": 1e3 * (percentile(found, 0.95) or 0),
                "best": 1e3 * min(found),
                "target p50": TARGET,
            }
        ],
    )
    report.table(
        "parts",
        "What it is made of, ms",
        [
            {"part": name, "p50": 1e3 * (median(values) or 0), "p95": 1e3 * (percentile(values, 0.95) or 0)}
            for name, values in parts.items()
        ],
    )
    report.close()


if __name__ == "__main__":
    main()
