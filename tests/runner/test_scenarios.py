"""Whole workflows with real kernels, through the same door as `jupyter workflows run`."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from support.projects import write_project

from jupyter_workflows.execution.project import Project
from jupyter_workflows.runner.foreground import RunOptions, run_workflow
from jupyter_workflows.runner.report import run_report
from jupyter_workflows.store import open_store

STAGE = "from jupyter_workflows import get_stage, next_stage, end_stage, once\nstage = get_stage()"

Run = Callable[..., dict[str, Any]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run a document's file to the end and return what `--json` prints."""
    url = f"sqlite:///{tmp_path / 'state' / 'test.sqlite3'}"

    def run_file(file: Path, **options: Any) -> dict[str, Any]:
        run_id = run_workflow(Project.open(file), RunOptions(database=url, **options), lambda event: None)
        store = open_store(url)
        try:
            return json.loads(json.dumps(run_report(store, run_id)))
        finally:
            store.close()

    return run_file


def paths(report: dict[str, Any]) -> list[str]:
    return [stage["path"] for stage in report["stages"]]


def stage_of(report: dict[str, Any], path: str) -> dict[str, Any]:
    found = [stage for stage in report["stages"] if stage["path"] == path]
    assert len(found) == 1, f"{path} ran {len(found)} times"
    return found[0]


def test_data_flows_from_stage_to_stage(tmp_path: Path, run: Run) -> None:
    file = write_project(
        tmp_path / "p",
        {
            "first": {"cells": [STAGE, "stage['x'] = 2", "stage['names'] = ['a', 'b']"]},
            "second": {"cells": [STAGE, "stage['y'] = stage['x'] * 21", "del stage['names']"]},
        },
        [{"source": "first", "target": "second"}],
    )
    report = run(file, data={"given": 1})
    assert report["state"] == "completed"
    assert paths(report) == ["first", "second"]
    assert report["data"] == {"given": 1, "x": 2, "y": 42}
    first = stage_of(report, "first")
    assert first["data"] == {"given": 1, "x": 2, "names": ["a", "b"]}
    assert first["attempts"] == 1 and first["error"] is None
    executed = nbformat.read(first["notebook"], as_version=4)
    assert [cell.execution_count for cell in executed.cells] == [1, 2, 3]
    source = nbformat.read(tmp_path / "p/stages/first.ipynb", as_version=4)
    assert all(cell.execution_count is None for cell in source.cells)


def test_a_loop_ends_when_its_condition_no_longer_holds(tmp_path: Path, run: Run) -> None:
    file = write_project(
        tmp_path,
        {
            "count": {"cells": [STAGE, "stage['n'] = stage.get('n', 0) + 1"], "start": True},
            "done": {"cells": [STAGE, "stage['done'] = True"]},
        },
        [
            {"source": "count", "target": "count", "condition": "n < 4"},
            {"source": "count", "target": "done", "else": True},
        ],
    )
    report = run(file)
    assert report["state"] == "completed"
    assert paths(report) == ["count"] * 4 + ["done"]
    assert report["data"] == {"n": 4, "done": True}


def test_each_fans_out_and_a_join_collects(tmp_path: Path, run: Run) -> None:
    file = write_project(
        tmp_path,
        {
            "split": {"cells": [STAGE, "stage['lines'] = [3, 1, 2]"]},
            "square": {"cells": [STAGE, "stage['score'] = stage['line'] ** 2"]},
            "gather": {
                "join": "all",
                "collect": {"scores": "score"},
                "cells": [STAGE, "stage['total'] = sum(i['score'] for i in stage.inputs)"],
            },
        },
        [
            {"source": "split", "target": "square", "each": "lines", "as": "line"},
            {"source": "square", "target": "gather"},
        ],
    )
    report = run(file)
    assert report["state"] == "completed"
    assert sorted(paths(report)) == ["gather", "split", "square", "square", "square"]
    assert report["data"]["scores"] == [9, 1, 4]
    assert report["data"]["total"] == 14


def test_an_empty_each_lets_the_join_start_without_inputs(tmp_path: Path, run: Run) -> None:
    file = write_project(
        tmp_path,
        {
            "split": {"cells": [STAGE, "stage['lines'] = []"]},
            "work": {"cells": ["raise RuntimeError('there is nothing to do')"]},
            "gather": {"join": "all", "cells": [STAGE, "stage['inputs'] = len(stage.inputs)"]},
        },
        [
            {"source": "split", "target": "work", "each": "lines"},
            {"source": "work", "target": "gather"},
        ],
    )
    report = run(file)
    assert report["state"] == "completed"
    assert paths(report) == ["split", "gather"]
    assert report["data"] == {"lines": [], "inputs": 0}


def test_next_stage_routes_to_several_assignees_and_ends_the_notebook(tmp_path: Path, run: Run) -> None:
    file = write_project(
        tmp_path,
        {
            "route": {
                "cells": [
                    STAGE,
                    "people = ('ann', 'bob')",
                    "next_stage([{'assignee': a, 'data': {'who': a}, 'stage': 'approve'} for a in people])",
                    "raise RuntimeError('never reached')",
                ]
            },
            "approve": {
                "type": "form",
                "cells": [STAGE, "from jupyter_workflows.forms import read", "stage['ok'] = read('Fine?')"],
            },
            "end": {"join": "all", "collect": {"all": "who"}, "cells": [STAGE]},
        },
        [{"source": "route", "target": "approve"}, {"source": "approve", "target": "end"}],
    )
    waiting = run(file)
    assert waiting["state"] == "waiting"
    assert [stage["state"] for stage in waiting["stages"]] == ["completed", "waiting", "waiting"]
    answered = run(file, answers={"approve": {"Fine?": "yes"}})
    assert answered["state"] == "completed"
    assert answered["data"]["all"] == ["ann", "bob"]
    assert answered["data"]["ok"] == "yes"


def test_a_failed_transition_handles_the_failure(tmp_path: Path, run: Run) -> None:
    file = write_project(
        tmp_path,
        {
            "break": {
                "cells": [STAGE, "stage['lost'] = 1", "raise ValueError('no good')"],
                "retries": {"max": 1},
            },
            "rescue": {
                "cells": [STAGE, "stage['why'] = f\"{stage.failure['stage']}: {stage.failure['message']}\""]
            },
            "never": {"cells": [STAGE]},
        },
        [{"source": "break", "target": "rescue", "on": "failed"}, {"source": "break", "target": "never"}],
    )
    report = run(file, data={"kept": True})
    assert report["state"] == "completed"
    assert report["data"] == {"kept": True, "why": "break: no good"}
    broken = stage_of(report, "break")
    assert broken["state"] == "failed"
    assert broken["attempts"] == 2
    assert broken["error"] == {"name": "ValueError", "message": "no good", "cell": 2}


def test_an_unhandled_failure_fails_the_run_but_not_other_branches(tmp_path: Path, run: Run) -> None:
    file = write_project(
        tmp_path,
        {
            "start": {"cells": [STAGE]},
            "bad": {"cells": ["1 / 0"]},
            "good": {"cells": [STAGE, "stage['good'] = True"]},
            "join": {"join": "all", "cells": [STAGE]},
        },
        [
            {"source": "start", "target": "bad"},
            {"source": "start", "target": "good"},
            {"source": "bad", "target": "join"},
            {"source": "good", "target": "join"},
        ],
    )
    report = run(file)
    assert report["state"] == "failed"
    assert stage_of(report, "good")["state"] == "completed"
    assert stage_of(report, "join")["state"] == "joining"
    assert stage_of(report, "bad")["error"]["name"] == "ZeroDivisionError"


def test_once_is_not_repeated_by_a_retry(tmp_path: Path, run: Run) -> None:
    counter = tmp_path / "counter"
    file = write_project(
        tmp_path / "p",
        {
            "pay": {
                "retries": {"max": 2},
                "cells": [
                    STAGE,
                    f"from pathlib import Path\ncounter = Path({str(counter)!r})\n"
                    "def charge():\n"
                    "    with counter.open('a') as file: file.write('x')\n"
                    "    return {'receipt': 7}\n"
                    "stage['receipt'] = once('charge', charge)['receipt']",
                    "tries = Path(str(counter) + '.tries')\n"
                    "tries.write_text((tries.read_text() if tries.exists() else '') + 'x')\n"
                    "if len(tries.read_text()) < 3: raise OSError('try again')",
                ],
            }
        },
    )
    report = run(file)
    assert report["state"] == "completed"
    assert stage_of(report, "pay")["attempts"] == 3
    assert counter.read_text() == "x"
    assert report["data"] == {"receipt": 7}


def test_a_parameters_cell_gets_the_stage_data(tmp_path: Path, run: Run) -> None:
    file = write_project(
        tmp_path,
        {
            "make": {
                "cells": [
                    STAGE,
                    "import datetime, pandas as pd\nstage['limit'] = 5\n"
                    "stage['day'] = datetime.date(2026, 1, 2)\n"
                    "stage['frame'] = pd.DataFrame({'a': [1, 2, 3]})",
                ]
            },
            "use": {
                "cells": [
                    ("limit = 1\nday = None\nframe = None\nother = 'unchanged'", ["parameters"]),
                    STAGE,
                    "stage['seen'] = [limit, day.isoformat(), int(frame['a'].sum()), other]",
                    "raise KeyError('here')",
                ]
            },
        },
        [{"source": "make", "target": "use"}],
    )
    report = run(file)
    use = stage_of(report, "use")
    assert use["error"]["cell"] == 3, "the index is that of the source notebook"
    make = stage_of(report, "make")["data"]
    assert make["day"] == {"kind": "date", "value": "2026-01-02"}
    assert make["frame"]["kind"] == "artifact" and make["frame"]["shape"] == [3, 1]
    executed = nbformat.read(use["notebook"], as_version=4)
    assert any("injected-parameters" in cell.metadata.get("tags", []) for cell in executed.cells)


def test_a_condition_with_a_missing_name_fails_the_stage_and_names_it(tmp_path: Path, run: Run) -> None:
    file = write_project(
        tmp_path,
        {
            "a": {"cells": [STAGE, "stage['amount'] = 1"], "retries": {"max": 3}},
            "b": {"cells": [STAGE]},
        },
        [{"source": "a", "target": "b", "condition": "amuont > 1"}],
    )
    report = run(file)
    assert report["state"] == "failed"
    error = stage_of(report, "a")["error"]
    assert error["name"] == "RoutingError"
    assert "amuont" in error["message"] and "amount" in error["message"]
    assert stage_of(report, "a")["attempts"] == 1


def test_a_kernel_that_is_not_installed(tmp_path: Path, run: Run) -> None:
    file = write_project(
        tmp_path,
        {"a": {"cells": ["1"], "notebook_kernel": "no-such-kernel", "retries": {"max": 2}}},
    )
    report = run(file)
    assert report["state"] == "failed"
    error = stage_of(report, "a")["error"]
    assert "no-such-kernel" in error["message"] and "python3" in error["message"]
    assert stage_of(report, "a")["attempts"] == 1


def test_unicode_spaces_and_braces_in_paths(tmp_path: Path, run: Run) -> None:
    file = write_project(
        tmp_path / "Ein Ordner {mit} Ümläuten – 工作流",
        {
            "a": {
                "notebook": "Schritte & mehr/Prüfung {eins}.ipynb",
                "cells": [STAGE, "from pathlib import Path\nstage['cwd'] = Path.cwd().name"],
            }
        },
        name="Ablauf für alle.workflow",
    )
    report = run(file)
    assert report["state"] == "completed"
    assert report["data"] == {"cwd": "Schritte & mehr"}


def test_a_project_folder_that_cannot_be_written(tmp_path: Path, run: Run) -> None:
    folder = tmp_path / "p"
    file = write_project(folder, {"a": {"cells": [STAGE, "stage['x'] = 1"]}})
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    for path in [*before, folder / "stages", folder]:
        path.chmod(0o500 if path.is_dir() else 0o400)
    try:
        report = run(file)
    finally:
        for path in (folder, folder / "stages"):
            path.chmod(0o700)
    assert report["state"] == "completed"
    after = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert after == before, "nothing was written into the project"


def test_joins_per_item(tmp_path: Path, run: Run) -> None:
    file = write_project(
        tmp_path,
        {
            "orders": {"cells": [STAGE, "stage['orders'] = [10, 20]"]},
            "price": {"cells": [STAGE, "stage['price'] = stage['order'] * 2"]},
            "stock": {"cells": [STAGE, "stage['stock'] = stage['order'] + 1"]},
            "fan": {"cells": [STAGE]},
            "offer": {
                "join": "all",
                "per": "order",
                "cells": [STAGE, "stage['offer'] = [stage['order'], stage['price'], stage['stock']]"],
            },
            "end": {"join": "all", "collect": {"offers": "offer"}, "cells": [STAGE]},
        },
        [
            {"source": "orders", "target": "fan", "each": "orders", "as": "order"},
            {"source": "fan", "target": "price"},
            {"source": "fan", "target": "stock"},
            {"source": "price", "target": "offer"},
            {"source": "stock", "target": "offer"},
            {"source": "offer", "target": "end"},
        ],
    )
    report = run(file)
    assert report["state"] == "completed"
    assert paths(report).count("offer") == 2
    assert report["data"]["offers"] == [[10, 20, 11], [20, 40, 21]]


def test_two_joins_on_one_cycle(tmp_path: Path, run: Run) -> None:
    file = write_project(
        tmp_path,
        {
            "start": {"cells": [STAGE, "stage['rounds'] = 0"]},
            "one": {"join": "all", "cells": [STAGE, "stage['rounds'] += 1"]},
            "two": {"join": "all", "cells": [STAGE]},
            "end": {"cells": [STAGE]},
        },
        [
            {"source": "start", "target": "one"},
            {"source": "start", "target": "two"},
            {"source": "one", "target": "two"},
            {"source": "two", "target": "one", "condition": "rounds < 3"},
            {"source": "two", "target": "end", "else": True},
        ],
    )
    report = run(file)
    assert report["state"] == "completed"
    assert paths(report).count("end") == 1
    assert report["data"]["rounds"] == 3


def test_settled_starts_whatever_failed(tmp_path: Path, run: Run) -> None:
    file = write_project(
        tmp_path,
        {
            "start": {"cells": [STAGE]},
            "bad": {"cells": ["1 / 0"]},
            "good": {"cells": [STAGE, "stage['good'] = True"]},
            "join": {"join": "settled", "cells": [STAGE, "stage['arrived'] = len(stage.inputs)"]},
        },
        [
            {"source": "start", "target": "bad"},
            {"source": "start", "target": "good"},
            {"source": "bad", "target": "join"},
            {"source": "good", "target": "join"},
        ],
    )
    report = run(file)
    assert report["state"] == "failed", "nobody handled the failure of 'bad'"
    assert stage_of(report, "join")["data"] == {"good": True, "arrived": 1}


def test_an_infinite_loop_is_stopped_by_its_timeout(tmp_path: Path, run: Run) -> None:
    file = write_project(tmp_path, {"spin": {"timeout": 1, "cells": ["x = 1", "while True: pass", "y = 2"]}})
    report = run(file)
    error = stage_of(report, "spin")["error"]
    assert report["state"] == "failed"
    assert error["cell"] == 1 and "1 s" in error["message"]
    executed = nbformat.read(stage_of(report, "spin")["notebook"], as_version=4)
    code = [cell for cell in executed.cells if cell.cell_type == "code"]
    assert code[0].execution_count == 1 and code[2].execution_count is None


def test_a_hook_answers_and_goes_on(tmp_path: Path, run: Run) -> None:
    file = write_project(
        tmp_path,
        {
            "order": {
                "type": "hook",
                "cells": [
                    STAGE,
                    "from jupyter_workflows.hooks import get_request, respond\n"
                    "request = get_request()\nstage['amount'] = request.body['amount']",
                    "respond({'accepted': True}, status=202)",
                ],
            },
            "large": {"cells": [STAGE, "stage['size'] = 'large'"]},
            "small": {"cells": [STAGE, "stage['size'] = 'small'"]},
        },
        [
            {"source": "order", "target": "large", "condition": "amount > 100"},
            {"source": "order", "target": "small", "else": True},
        ],
    )
    report = run(file, request={"method": "POST", "body": {"amount": 150}})
    assert report["state"] == "completed"
    assert report["data"] == {"amount": 150, "size": "large"}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a kernel that can kill itself")
def test_a_stage_that_kills_its_kernel(tmp_path: Path, run: Run) -> None:
    file = write_project(
        tmp_path, {"die": {"cells": ["x = 1", "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"]}}
    )
    report = run(file)
    assert report["state"] == "failed"
    error = stage_of(report, "die")["error"]
    assert error["cell"] == 1
    assert "kernel" in error["message"].lower()
