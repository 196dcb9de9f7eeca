"""What an attempt gives back, with real kernels."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path
from typing import Any

import pytest
from support.attempts import Stage, cells_of, code, executed, notebook, text_of

from jupyter_workflows.authoring import wire
from jupyter_workflows.execution.attempt import execute_attempt
from jupyter_workflows.execution.limits import Limits
from jupyter_workflows.execution.spec import Progress, Successor
from jupyter_workflows.store.artifacts import ArtifactStore

STAGE = "from jupyter_workflows import end_stage, get_stage, next_stage\nstage = get_stage()\n"


def test_changes_and_deleted_keys_are_handed_over(execute: Any) -> None:
    outcome = execute(
        STAGE + "stage['total'] = stage['amount'] * 2\ndel stage['draft']\nstage['lines'].append(3)",
        data={"amount": 21, "draft": True, "lines": [1, 2]},
    )

    assert outcome.state == "completed"
    assert outcome.error is None
    assert outcome.changes == {"total": 42, "lines": [1, 2, 3]}
    assert outcome.deleted == ["draft"]
    assert outcome.route is None


def test_values_keep_their_types(execute: Any) -> None:
    outcome = execute(
        STAGE + "import datetime, decimal\n"
        "stage['when'] = stage['when'] + datetime.timedelta(days=1)\n"
        "stage['price'] = decimal.Decimal('1.10')",
        data={"when": {"$kind": "date", "value": "2026-02-28"}},
    )

    assert outcome.changes == {
        "when": {"$kind": "date", "value": "2026-03-01"},
        "price": {"$kind": "decimal", "value": "1.10"},
    }


def test_the_executed_copy_says_what_it_is_evidence_of(execute: Any, stage: Stage) -> None:
    outcome = execute("print('hello')")

    copy = executed(outcome)
    source = (stage.folder / "project" / "stages" / "check.ipynb").read_bytes()
    assert copy["metadata"]["jupyter_workflows"] == {
        "run": "run-1",
        "stage_run": "stage-run-1",
        "attempt": 1,
        "stage": "check",
        "workflow": {"uid": "uid-1", "title": "Expenses"},
        "state": "completed",
        "error": None,
        "source": {
            "path": str(stage.folder / "project" / "stages" / "check.ipynb"),
            "sha256": hashlib.sha256(source).hexdigest(),
        },
    }
    papermill = copy["metadata"]["papermill"]
    assert papermill["output_path"] == outcome.output
    assert papermill["input_path"].endswith("check.ipynb")
    assert papermill["duration"] > 0
    assert text_of(copy["cells"][0]) == "hello\n"
    assert copy["cells"][0]["metadata"]["papermill"]["status"] == "completed"
    assert "widgets" not in copy["metadata"]


def test_progress_names_the_cells_of_the_source(execute: Any) -> None:
    seen: list[Progress] = []
    execute(code("x = 1", "parameters"), "print(x)", data={"x": 2}, on_progress=seen.append)

    assert [(progress.event, progress.cell, progress.cells) for progress in seen] == [
        ("started", None, 2),
        ("cell", 1, 2),
        ("cell", 2, 2),
    ]


# Endings


def test_next_stage_ends_the_notebook_with_its_route(execute: Any) -> None:
    outcome = execute(
        STAGE
        + "stage['seen'] = True\nnext_stage([{'stage': 'approve', 'data': {'n': 1}, 'assignee': 'ann'}])",
        "raise RuntimeError('must not run')",
        successors=[Successor("approve", "Approve"), Successor("refuse", "Refuse")],
    )

    assert outcome.state == "completed"
    assert outcome.route == [{"stage": "approve", "data": {"n": 1}, "assignee": "ann"}]
    assert outcome.changes == {"seen": True}
    first, second = executed(outcome)["cells"]
    assert [output["output_type"] for output in first["outputs"]] == ["stream"]
    assert second["metadata"]["jupyter_workflows"] == {"status": "not-run"}
    assert "not-run" in second["metadata"]["tags"]
    assert second["outputs"] == []


def test_end_stage_goes_on_along_the_usual_transitions(execute: Any) -> None:
    outcome = execute(STAGE + "stage['x'] = 1\nend_stage()", "1 / 0")

    assert outcome.state == "completed"
    assert outcome.route is None
    assert outcome.changes == {"x": 1}


def test_a_cell_that_may_raise_still_ends_the_notebook(execute: Any) -> None:
    outcome = execute(code(STAGE + "end_stage()", "raises-exception"), "1 / 0")

    assert outcome.state == "completed"


def test_a_refused_target_is_not_tried_again(execute: Any) -> None:
    outcome = execute(
        STAGE + "next_stage([{'stage': 'aprove'}])", successors=[Successor("approve", "Approve")]
    )

    assert outcome.state == "failed"
    assert outcome.error.name == "RoutingError"
    assert outcome.error.retriable is False


@pytest.mark.parametrize("call", ["import sys; sys.exit()", "import sys; sys.exit(0)", "exit()", "quit()"])
def test_leaving_python_without_a_code_ends_the_notebook(execute: Any, call: str) -> None:
    outcome = execute(STAGE + "stage['x'] = 1", call, "1 / 0")

    assert outcome.state == "completed", outcome
    assert outcome.changes == {"x": 1}
    assert "Cell 2 called" in outcome.warnings[0]
    assert executed(outcome)["cells"][2]["metadata"]["jupyter_workflows"] == {"status": "not-run"}


def test_leaving_python_with_a_code_is_a_failure(execute: Any) -> None:
    outcome = execute("import sys; sys.exit(3)", "1 / 0")

    assert outcome.state == "failed"
    assert outcome.error.name == "SystemExit"
    assert "sys.exit(3)" in outcome.error.message
    assert outcome.error.cell == 0


def test_a_form_without_answer_parks(execute: Any) -> None:
    outcome = execute(
        "from jupyter_workflows.authoring.errors import FormParked\nraise FormParked('waits for ann')",
        "1 / 0",
        stage_type="form",
    )

    assert outcome.state == "parked"
    assert outcome.error is None
    assert outcome.changes == {}
    assert text_of(executed(outcome)["cells"][0]) == "waits for ann\n"


# Failures


def test_an_error_names_the_cell_of_the_source(execute: Any) -> None:
    outcome = execute(
        {"cell_type": "markdown", "metadata": {}, "source": "# Check"},
        code("amount = 1", "parameters"),
        "def check():\n    return 1 / 0\n",
        "check()",
        "print('not reached')",
        data={"amount": 5},
    )

    assert outcome.state == "failed"
    error = outcome.error
    assert (error.name, error.message, error.cell, error.retriable) == (
        "ZeroDivisionError",
        "division by zero",
        3,
        True,
    )
    assert "\x1b" not in error.traceback
    assert "return 1 / 0" in error.traceback
    assert outcome.changes == {}
    copy = executed(outcome)
    assert copy["metadata"]["jupyter_workflows"]["state"] == "failed"
    assert copy["metadata"]["jupyter_workflows"]["error"]["cell"] == 3
    assert "papermill-error-cell" in "".join(copy["cells"][0]["source"])
    assert cells_of(outcome)[-1]["metadata"]["jupyter_workflows"] == {"status": "not-run"}


@pytest.mark.parametrize(
    ("source", "name", "message"),
    [
        ("if True print(1)", "SyntaxError", "invalid syntax"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt", "KeyboardInterrupt"),
        ("input('Name?')", "StdinNotImplementedError", "jupyter_workflows.forms"),
        ("raise MemoryError", "MemoryError", "MemoryError"),
        ("raise ExceptionGroup('two', [ValueError(1), KeyError(2)])", "ExceptionGroup", "two"),
    ],
)
def test_errors_of_a_cell(execute: Any, source: str, name: str, message: str) -> None:
    outcome = execute("pass", source)

    assert outcome.state == "failed"
    assert outcome.error.name == name
    assert message in outcome.error.message
    assert outcome.error.cell == 1


def test_cells_that_may_raise_do_not_fail_a_stage(execute: Any) -> None:
    outcome = execute(code("1 / 0", "raises-exception"), STAGE + "stage['went'] = 'on'")

    assert outcome.state == "completed"
    assert outcome.changes == {"went": "on"}
    (output,) = executed(outcome)["cells"][0]["outputs"]
    assert output["output_type"] == "error"
    assert output["ename"] == "ZeroDivisionError"


def test_a_value_that_cannot_be_stage_data_fails_and_is_named(execute: Any) -> None:
    outcome = execute(STAGE + "stage['lines'].append({1, 2})", data={"lines": []})

    assert outcome.state == "failed"
    assert outcome.error.name == "TypeError"
    assert "lines" in outcome.error.message
    assert outcome.changes == {}


def test_a_kernel_that_does_not_know_the_package_says_how_to_install_it(execute: Any) -> None:
    outcome = execute(
        "import sys\n"
        "for name in [name for name in sys.modules if name.startswith('jupyter_workflows')]:\n"
        "    del sys.modules[name]\n"
        "class Hidden:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.startswith('jupyter_workflows'):\n"
        "            raise ModuleNotFoundError(f'No module named {name!r}', name=name)\n"
        "sys.meta_path.insert(0, Hidden())"
    )

    assert outcome.state == "failed"
    assert outcome.error.name == "PackageNotInstalled"
    assert "-m pip install jupyter_workflows" in outcome.error.message


def test_a_kernel_that_is_not_installed_is_not_tried_again(execute: Any) -> None:
    outcome = execute(notebook("1", kernelspec={"name": "cobol", "display_name": "COBOL"}))

    assert outcome.state == "failed"
    assert outcome.error.name == "NoSuchKernel"
    assert "'cobol'" in outcome.error.message
    assert "python3" in outcome.error.message
    assert outcome.error.retriable is False


# Surroundings


def test_the_kernel_runs_in_the_notebooks_folder_with_the_project_on_its_path(
    execute: Any, stage: Stage
) -> None:
    package = stage.folder / "project" / "helpers"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("answer = 42\n")
    outcome = execute(
        STAGE + "import os, helpers\nstage['cwd'] = os.getcwd()\nstage['answer'] = helpers.answer"
    )

    assert outcome.changes == {"cwd": str(stage.folder / "project" / "stages"), "answer": 42}


def test_the_environment_has_no_tokens_of_the_server(execute: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "secret")
    monkeypatch.setenv("JUPYTER_WORKFLOWS_DATABASE", "sqlite:///secret")
    monkeypatch.setenv("MY_OWN", "kept")
    outcome = execute(
        STAGE
        + "import os\nstage['secret'] = [name for name, value in os.environ.items() if 'secret' in value]\n"
        "stage['own'] = os.environ.get('MY_OWN')\nstage['more'] = os.environ.get('MORE')",
        environment={"MORE": "said"},
    )

    assert outcome.changes == {"secret": [], "own": "kept", "more": "said"}


def test_artifacts_go_through_the_store(execute: Any, stage: Stage) -> None:
    outcome = execute(STAGE + "stage['blob'] = b'\\x00' * 100")

    artifact = wire.Artifact.from_wire(outcome.changes["blob"])
    store = ArtifactStore(str(stage.folder / "artifacts"))
    with store.open(artifact.hash) as file:
        assert file.read() == b"\x00" * 100

    later = execute(STAGE + "stage['same'] = stage['blob'] == b'\\x00' * 100", data=outcome.changes, number=2)
    assert later.changes == {"same": True}


def test_an_artifact_that_was_changed_on_the_way_fails_the_attempt(execute: Any) -> None:
    outcome = execute(
        STAGE + "import atexit, os, pathlib\nstage['blob'] = b'some bytes'\n"
        "folder = pathlib.Path(os.environ['JUPYTER_WORKFLOWS_CONTEXT']).parent / 'blobs'\n"
        "import hashlib\nfolder.mkdir(exist_ok=True)\n"
        "(folder / hashlib.sha256(b'some bytes').hexdigest()).write_bytes(b'other')"
    )

    assert outcome.state == "failed"
    assert outcome.error.name == "ArtifactError"
    assert "changed or torn" in outcome.error.message


def test_a_missing_artifact_is_named_before_the_kernel_starts(execute: Any) -> None:
    value = {"$kind": "artifact", "type": "bytes", "format": "raw", "hash": "0" * 64, "size": 1}
    outcome = execute("1", data={"blob": value})

    assert outcome.state == "failed"
    assert outcome.error.name == "ArtifactError"
    assert outcome.output is None


def test_a_read_only_project_can_be_executed(stage: Stage, fork_server: str) -> None:
    spec = stage.spec(notebook(STAGE + "stage['x'] = 1"))
    before = Path(spec.notebook).read_bytes()
    folders = [Path(spec.cwd), Path(spec.project)]
    for folder in folders:
        folder.chmod(0o500)
    try:
        outcome = execute_attempt(spec, fork_server=fork_server)
    finally:
        for folder in folders:
            folder.chmod(0o700)

    assert outcome.state == "completed"
    assert Path(spec.notebook).read_bytes() == before
    assert sorted(path.name for path in Path(spec.cwd).iterdir()) == ["check.ipynb"]


def test_a_second_attempt_keeps_the_first_ones_copy(execute: Any) -> None:
    first = execute("1 / 0")
    second = execute("print('mended')", attempt=2)

    assert first.output != second.output
    assert executed(first)["metadata"]["jupyter_workflows"]["attempt"] == 1
    assert executed(second)["metadata"]["jupyter_workflows"]["attempt"] == 2


def test_the_answer_to_a_request_survives_a_failure(execute: Any) -> None:
    outcome = execute(
        "from jupyter_workflows.hooks import respond\nrespond({'ok': True}, status=201)", "1 / 0"
    )

    assert outcome.state == "failed"
    assert outcome.response["status"] == 201


def test_an_ordinary_kernel_does_the_same(stage: Stage) -> None:
    spec = stage.spec(notebook(STAGE + "stage['total'] = stage['amount'] + 1"), data={"amount": 1})
    outcome = execute_attempt(spec)

    assert outcome.state == "completed"
    assert outcome.changes == {"total": 2}


# The executed copy while the notebook runs


def test_the_executed_copy_is_there_from_the_start_and_kept_up_to_date(execute: Any) -> None:
    outcome = execute(
        "import json, os, pathlib, time\n"
        "copy = pathlib.Path(os.environ['JUPYTER_WORKFLOWS_CONTEXT']).with_name('executed-1.ipynb')\n"
        "print(json.loads(copy.read_text())['metadata']['jupyter_workflows']['state'])",
        "print('from the second cell')\n"
        "while 'the second cell' not in str(json.loads(copy.read_text())['cells'][1]['outputs']):\n"
        "    time.sleep(0.01)",
        limits=Limits(save=0.05),
        timeout=30,
    )

    assert outcome.state == "completed", outcome
    assert text_of(executed(outcome)["cells"][0]) == "running\n"


def test_an_attempt_can_be_executed_where_an_event_loop_runs(stage: Stage, fork_server: str) -> None:
    async def within() -> Any:
        return execute_attempt(stage.spec(notebook(STAGE + "stage['x'] = 1")), fork_server=fork_server)

    assert asyncio.run(within()).changes == {"x": 1}
