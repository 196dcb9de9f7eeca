"""Runs of a deployed version with real kernels, in a runner that is a process of its own."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from support.projects import write_notebook, write_project

from jupyter_workflows.deploying import Deployment, rollback
from jupyter_workflows.execution.workspace import written_folder
from jupyter_workflows.model.records import StageData
from jupyter_workflows.model.states import RunMode, RunState
from jupyter_workflows.runner.wakeup import wake
from jupyter_workflows.store import RunDetails, Store

STAGE = "from jupyter_workflows import get_stage\nstage = get_stage()"


@contextmanager
def runner_process(store: Store, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    url = f"sqlite:///{store.database.path}"
    process = subprocess.Popen(
        [sys.executable, "-m", "jupyter_workflows.cli", "runner", "--database", url, *options],
        start_new_session=True,
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(60)


def until(condition: Callable[[], Any], *, seconds: float = 90) -> Any:
    """Wait for a condition that other processes bring about, and return it."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.01)
    raise AssertionError("it did not happen in time")


def start(store: Store, made: Deployment, stage: str, **values: Any) -> str:
    run = store.start_deployed(
        made.uid, stage, data=StageData(values, dict.fromkeys(values)), started_by="ada"
    )
    wake(store.state_folder / "wake")
    return run


def finished(store: Store, run: str) -> RunDetails:
    ended = (RunState.COMPLETED, RunState.FAILED)
    until(lambda: store.get_run_record(run).state in ended)
    details = store.get_run(run)
    assert details.run.state is RunState.COMPLETED, details
    return details


@pytest.fixture
def orders(tmp_path: Path) -> Path:
    """Two stages: the first waits for a file outside, the second reads, imports and writes."""
    folder = tmp_path / "project"
    gate = tmp_path / "gate"
    write_project(
        folder,
        {
            "begin": {
                "cells": [
                    STAGE,
                    "import time\nfrom pathlib import Path",
                    f"while not Path({str(gate)!r}).exists(): time.sleep(0.01)",
                ]
            },
            "count": {
                "cells": [
                    STAGE,
                    "import os, sys, helper\nfrom pathlib import Path",
                    "stage['answer'] = helper.ANSWER\nstage['rate'] = Path('../data/rates.csv').read_text()",
                    "stage['cwd'] = os.getcwd()\nstage['compiled'] = Path(helper.__cached__).exists()",
                    "Path('result.txt').write_text(f'{helper.ANSWER}')",
                    "Path('../data/rates.csv').write_text('mine')",
                ]
            },
        },
        [{"source": "begin", "target": "count"}],
        title="Orders",
    )
    (folder / "requirements.txt").write_text("")
    (folder / "helper.py").write_text("ANSWER = 42\n")
    (folder / "data").mkdir()
    (folder / "data" / "rates.csv").write_text("EUR,1\n")
    return folder


def test_a_live_run_follows_its_version_whatever_becomes_of_the_working_copy(
    orders: Path, tmp_path: Path, store: Store, deploy_it: Callable[..., Deployment]
) -> None:
    first = deploy_it(orders)
    with runner_process(store):
        old = start(store, first, "begin")
        until(lambda: store.get_run(old).stage_runs[0].started_at)
        # While it runs: the working copy changes, is deployed, and breaks.
        (orders / "helper.py").write_text("ANSWER = 43\n")
        (orders / "data" / "rates.csv").write_text("EUR,2\n")
        second = deploy_it(orders)
        write_notebook(orders / "stages" / "count.ipynb", ["1/0"])
        (orders / "helper.py").unlink()
        (tmp_path / "gate").touch()
        new = start(store, second, "begin")
        details = finished(store, old), finished(store, new)
        rollback(store, first.uid)
        again = finished(store, start(store, first, "begin"))
    for run, version, answer, rate in (
        (details[0], first, 42, "EUR,1\n"),
        (details[1], second, 43, "EUR,2\n"),
        (again, first, 42, "EUR,1\n"),
    ):
        assert (run.run.mode, run.run.deployment) == (RunMode.LIVE, version.id)
        count = run.stage_runs[-1]
        assert count.result is not None
        values = count.result.values
        assert (values["answer"], values["rate"], values["compiled"]) == (answer, rate, True)
        folder = store.folder(run.run.id, count.id)
        assert values["cwd"] == str(folder / "work-1" / "stages")
        # Its folder is gone, and what it wrote is beside the executed notebook.
        assert not (folder / "work-1").exists()
        kept = written_folder(folder, 1)
        assert (kept / "stages" / "result.txt").read_text() == str(answer)
        assert (kept / "data" / "rates.csv").read_text() == "mine"
        (attempt,) = run.attempts[count.id]
        assert attempt.output is not None and attempt.warnings == []
    assert (first.snapshot / "project" / "data" / "rates.csv").read_text() == "EUR,1\n"


def test_parallel_attempts_do_not_overwrite_each_other(
    tmp_path: Path, store: Store, deploy_it: Callable[..., Deployment]
) -> None:
    folder = tmp_path / "project"
    begun = tmp_path / "begun"
    begun.mkdir()
    write_project(
        folder,
        {
            "write": {
                "cells": [
                    STAGE,
                    "import time\nfrom pathlib import Path",
                    "Path('note.txt').write_text(str(stage['number']))",
                    f"begun = Path({str(begun)!r})\n(begun / str(stage['number'])).touch()",
                    "while len(list(begun.iterdir())) < 3: time.sleep(0.01)",
                    "stage['read'] = Path('note.txt').read_text()",
                    "stage['seen'] = sorted(path.name for path in Path().iterdir())",
                ]
            }
        },
    )
    (folder / "requirements.txt").write_text("")
    made = deploy_it(folder)
    with runner_process(store, "--concurrency", "3"):
        runs = [start(store, made, "write", number=number) for number in range(3)]
        for number, run in enumerate(runs):
            (only,) = finished(store, run).stage_runs
            assert only.result is not None
            assert only.result.values["read"] == str(number)
            assert only.result.values["seen"] == ["note.txt", "write.ipynb"]
