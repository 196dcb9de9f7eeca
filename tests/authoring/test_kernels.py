"""The authoring API in kernels as any notebook has them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from jupyter_core.utils import run_sync
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

RECORD = "__import__('jupyter_workflows.authoring.record', fromlist=['collect']).collect()"


class Executed:
    """A notebook that was executed, and the record that its kernel left."""

    def __init__(self, cells: list[str], folder: Path) -> None:
        self.error: CellExecutionError | None = None
        self.record: dict[str, Any] = {}
        self.notebook = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(source) for source in cells]
        )
        self.client = NotebookClient(
            self.notebook, timeout=60, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
        )
        with self.client.setup_kernel():
            try:
                for place, cell in enumerate(self.notebook.cells):
                    self.client.execute_cell(cell, place)
            except CellExecutionError as error:
                self.error = error
            self._fetch()

    def _fetch(self) -> None:
        reply = run_sync(self._ask)()
        self.record = reply["content"]["user_expressions"]["record"]["data"]["application/json"]

    async def _ask(self) -> dict[str, Any]:
        request = self.client.kc.execute("", silent=True, user_expressions={"record": RECORD})
        while True:
            reply: dict[str, Any] = await self.client.kc.get_shell_msg(timeout=60)
            if reply["parent_header"].get("msg_id") == request:
                return reply

    def outputs(self, cell: int) -> list[Any]:
        return list(self.notebook.cells[cell].outputs)


@pytest.fixture
def execute(run: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Execute cells as an attempt of a run."""

    def execute(*cells: str, **context: Any) -> Executed:
        run.begin(**context)
        return Executed(list(cells), run.project)

    return execute


def test_data_goes_in_and_out(execute: Any) -> None:
    import pandas as pd

    executed = execute(
        "from jupyter_workflows import get_stage\nstage = get_stage()\nstage",
        "stage['rows'] = len(stage['frame'])\nstage['copy'] = stage['frame']",
        data={"frame": pd.DataFrame({"a": [1, 2]})},
    )
    assert executed.error is None
    assert "pandas DataFrame, 2 × 1" in executed.outputs(0)[0]["data"]["text/html"]
    record = executed.record
    assert record["error"] is None
    assert record["changes"]["rows"] == 2
    assert record["changes"]["copy"]["shape"] == [2, 1]
    assert (record["route"], record["ended"], record["format"]) == (None, False, 1)


def test_next_stage_ends_the_notebook_with_one_line(execute: Any) -> None:
    executed = execute(
        "from jupyter_workflows import get_stage, next_stage\nget_stage()['x'] = 1",
        "try:\n    next_stage([{'stage': 'approve'}])\nexcept Exception:\n    print('swallowed')",
        "print('not run')",
        successors=[{"path": "approve", "title": "Approve"}],
    )
    assert executed.error is not None
    assert executed.error.ename == "StageEnded"
    (output,) = executed.outputs(1)
    assert output["traceback"] == ["The stage ended here, by next_stage; the run goes on to approve."]
    assert executed.outputs(2) == []
    assert executed.record["route"] == [{"stage": "approve"}]
    assert executed.record["changes"] == {"x": 1}


def test_a_form_parks_or_shows_what_was_answered(execute: Any) -> None:
    cells = (
        "from jupyter_workflows.forms import Page, display\ndisplay('*Hello*')",
        "answers = Page('Expense').read('Who').read_date('Day').run()\nanswers",
    )
    executed = execute(*cells)
    assert executed.error is not None
    assert executed.error.ename == "FormParked"
    assert executed.outputs(0)[0]["data"]["text/markdown"] == "*Hello*"
    assert executed.record["asked"] == ["Who", "Day"]
    executed = execute(*cells, answers={"Who": "Anna", "Day": "2026-01-02"})
    assert executed.error is None
    shown = json.dumps([output.get("data") for output in executed.outputs(1)])
    assert "Anna" in shown
    assert "datetime.date(2026, 1, 2)" in shown


def test_by_hand_without_a_front_end_a_form_does_not_hang(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("JUPYTER_WORKFLOWS_CONTEXT", raising=False)
    executed = Executed(["from jupyter_workflows.forms import read\nread('Who')"], tmp_path)
    assert executed.error is not None
    assert executed.error.ename == "FormParked"
    assert executed.record["error"] is None


def test_a_route_that_does_not_fit_is_an_error_of_the_cell(execute: Any) -> None:
    executed = execute("from jupyter_workflows import next_stage\nnext_stage([{'stage': 'x'}])")
    assert executed.error is not None
    assert executed.error.ename == "RoutingError"


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        ("import jupyter_workflows", ["dataclasses", "json", "jupyter_workflows.authoring"]),
        ("from jupyter_workflows import get_stage, next_stage, end_stage, once", ["pandas", "IPython"]),
        ("import jupyter_workflows.forms, jupyter_workflows.hooks", ["pandas", "numpy", "IPython"]),
        ("import jupyter_workflows.authoring.record", ["jupyter_workflows.authoring.forms"]),
    ],
)
def test_imports_stay_light(statement: str, absent: list[str]) -> None:
    server_side = ["papermill", "sqlalchemy", "ipywidgets", "pydantic", "jupyter_workflows.model", "tornado"]
    code = (
        f"import sys; {statement}; print([name for name in {absent + server_side!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
