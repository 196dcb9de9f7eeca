"""Notebooks of all shapes, executed with real kernels."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nbformat
import pytest
from support.attempts import Stage, code, executed, notebook, text_of

from jupyter_workflows.execution.attempt import execute_attempt

STAGE = "from jupyter_workflows import get_stage\nstage = get_stage()\n"


def test_an_empty_notebook(execute: Any) -> None:
    outcome = execute(notebook())

    assert outcome.state == "completed"
    assert outcome.changes == {}


def test_cells_without_code(execute: Any) -> None:
    markdown = {"cell_type": "markdown", "metadata": {}, "source": "# Nothing to do"}
    outcome = execute(markdown, "", "   \n", {"cell_type": "raw", "metadata": {}, "source": "raw"})

    assert outcome.state == "completed"
    assert [cell["cell_type"] for cell in executed(outcome)["cells"]] == ["markdown", "code", "code", "raw"]


def test_format_4_0_without_cell_ids_and_kernel(execute: Any) -> None:
    content = notebook(STAGE + "stage['x'] = 1", code("1 / 0", "raises-exception"))
    content["nbformat_minor"] = 0
    for cell in content["cells"]:
        del cell["id"]
    outcome = execute(content)

    assert outcome.state == "completed"
    assert outcome.changes == {"x": 1}
    nbformat.validate(nbformat.from_dict(executed(outcome)))


def test_hand_written_cells_are_completed_in_memory(execute: Any) -> None:
    content = {
        "nbformat": 4,
        "cells": [
            {"cell_type": "code", "source": [STAGE, "stage['x'] = 1"]},
            {"cell_type": "markdown", "source": "m"},
        ],
    }
    outcome = execute(content)

    assert outcome.state == "completed", outcome
    assert outcome.changes == {"x": 1}


def test_format_3_is_converted_in_memory(execute: Any, stage: Stage) -> None:
    content = {
        "nbformat": 3,
        "nbformat_minor": 0,
        "metadata": {"name": ""},
        "worksheets": [
            {
                "metadata": {},
                "cells": [
                    {"cell_type": "heading", "level": 1, "metadata": {}, "source": ["Old"]},
                    {
                        "cell_type": "code",
                        "collapsed": False,
                        "input": [STAGE, "stage['x'] = 1\n", "1 / 0"],
                        "language": "python",
                        "metadata": {},
                        "outputs": [],
                    },
                ],
            }
        ],
    }
    outcome = execute(content=content)

    assert outcome.error.name == "ZeroDivisionError"
    assert outcome.error.cell == 1
    source = json.loads((stage.folder / "project" / "stages" / "check.ipynb").read_text())
    assert source == content


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "it is empty"),
        ("{not json", "is not a notebook"),
        ("[]", "names no notebook format"),
        (b"\xff\xfe\x00", "is not a notebook"),
        ('{"nbformat": 5, "cells": []}', "up to format 4"),
        ('{"nbformat": 4, "nbformat_minor": 5}', "no list of cells"),
        ('{"nbformat": 4, "cells": [1]}', "cell 1 is no mapping"),
        ('{"nbformat": 4, "cells": [{"cell_type": "code"}]}', "cell 1 has no source"),
        ('{"nbformat": 4, "cells": [{"cell_type": "form", "source": ""}]}', "unknown type ('form')"),
        ('{"nbformat": 4, "metadata": 1, "cells": []}', "its metadata is no mapping"),
        ('{"nbformat": 3, "worksheets": 1}', "old notebook format 3"),
    ],
)
def test_what_is_no_notebook_is_said_clearly(execute: Any, content: str | bytes, message: str) -> None:
    outcome = execute(content=content)

    assert outcome.state == "failed"
    assert outcome.error.name == "InvalidNotebook"
    assert message in outcome.error.message
    assert outcome.error.retriable is False
    assert outcome.output is None


def test_a_notebook_that_is_not_there(stage: Stage) -> None:
    spec = stage.spec(notebook())
    Path(spec.notebook).unlink()
    outcome = execute_attempt(spec)

    assert outcome.error.name == "NotebookNotFound"
    assert spec.notebook in outcome.error.message
    assert outcome.error.retriable is False


def test_what_an_earlier_papermill_left_in_the_source_is_left_out(execute: Any) -> None:
    outcome = execute(
        code("error marker", "papermill-error-cell-tag"),
        code("x = 1", "parameters"),
        code("x = 'of yesterday'", "injected-parameters"),
        "print(x)",
        "1 / 0",
    )

    assert outcome.error.cell == 4
    assert "yesterday" not in json.dumps(executed(outcome))


# Parameters


def test_declared_keys_are_injected_as_literals(execute: Any) -> None:
    outcome = execute(
        code("amount = 0\nname = ''\nflag = False\nnothing = 1\nlines = []\nkept = 7", "parameters"),
        "print(amount, name, flag, nothing, lines, kept)",
        data={
            "amount": 12.5,
            "name": "Zoë \"quoted\" \\ 'and'\nmore",
            "flag": True,
            "nothing": None,
            "lines": [{"price": 1}, {"price": 2}],
            "not_declared": 1,
        },
    )

    assert outcome.state == "completed", outcome.error
    copy = executed(outcome)
    injected = copy["cells"][1]
    assert injected["metadata"]["tags"] == ["injected-parameters"]
    source = "".join(injected["source"])
    assert "amount = 12.5" in source
    assert "get_stage" not in source
    assert "not_declared" not in source
    assert copy["metadata"]["papermill"]["parameters"]["amount"] == 12.5
    assert text_of(copy["cells"][2]) == (
        "12.5 Zoë \"quoted\" \\ 'and'\nmore True None [{'price': 1}, {'price': 2}] 7\n"
    )


def test_other_values_are_injected_as_reads_from_the_stage(execute: Any) -> None:
    outcome = execute(
        code("when: 'date' = None\nprice = 0\ntext = ''", "parameters"),
        "print(when.year, price + 1, len(text))",
        data={
            "when": {"$kind": "date", "value": "2026-11-24"},
            "price": {"$kind": "decimal", "value": "1.10"},
            "text": "long " * 5000,
        },
    )

    assert outcome.state == "completed", outcome.error
    copy = executed(outcome)
    source = "".join(copy["cells"][1]["source"])
    assert 'when = get_stage()["when"]' in source
    assert 'price = get_stage()["price"]' in source
    assert 'text = get_stage()["text"]' in source
    assert text_of(copy["cells"][2]) == "2026 2.10 25000\n"
    assert outcome.changes == {}


def test_nothing_is_injected_without_a_parameters_cell(execute: Any) -> None:
    outcome = execute("amount = 1", "print(amount)", data={"amount": 5})

    copy = executed(outcome)
    assert len(copy["cells"]) == 2
    assert text_of(copy["cells"][1]) == "1\n"


# Displays


def test_displays_are_updated_and_cleared(execute: Any) -> None:
    outcome = execute(
        "from IPython.display import clear_output, display\n"
        "handle = display('first', display_id=True)\n"
        "for number in range(3):\n    clear_output(wait=True)\n    print(number)",
        "handle = display('a', display_id='shared')\nhandle.update('b')",
        "display('x', display_id='late'); print('y')",
        "from IPython.display import update_display\nupdate_display('z', display_id='late')",
        "print('gone'); clear_output(); print('stays')",
    )

    cells = executed(outcome)["cells"]
    assert text_of(cells[0]) == "2\n"
    assert [output["data"]["text/plain"] for output in cells[1]["outputs"]] == [["'b'"]]
    assert cells[2]["outputs"][0]["data"]["text/plain"] == ["'z'"]
    assert text_of(cells[4]) == "stays\n"


def test_the_state_of_widgets_is_kept_where_there_are_any(execute: Any) -> None:
    outcome = execute(
        "import ipywidgets\nfrom IPython.display import display\n"
        "slider = ipywidgets.IntSlider(value=7)\ndisplay(slider)\nslider.value = 8"
    )

    copy = executed(outcome)
    states = copy["metadata"]["widgets"]["application/vnd.jupyter.widget-state+json"]["state"]
    assert any(state["state"].get("value") == 8 for state in states.values())


# Other languages


@pytest.fixture
def tiny_r(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernelspec of another language, whose code looks like Python."""
    import sys

    folder = tmp_path / "jupyter" / "kernels" / "tiny-r"
    folder.mkdir(parents=True)
    (folder / "kernel.json").write_text(
        json.dumps(
            {
                "argv": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
                "display_name": "Tiny R",
                "language": "R",
            }
        )
    )
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))


@pytest.mark.usefixtures("tiny_r")
def test_another_language_passes_data_on_unchanged(execute: Any) -> None:
    outcome = execute(
        code("amount = 0\nwhen = 0", "parameters"),
        "print(amount)",
        kernel="tiny-r",
        data={"amount": 3, "when": {"$kind": "date", "value": "2026-11-24"}, "other": "x"},
    )

    assert outcome.state == "completed", outcome.error
    assert outcome.changes == {}
    assert outcome.route is None
    assert text_of(executed(outcome)["cells"][2]) == "3\n"
    assert "'when'" in outcome.warnings[0]
