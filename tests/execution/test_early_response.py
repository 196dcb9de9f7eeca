"""What a notebook answers is passed on while it goes on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support.attempts import Stage, cells_of, notebook, text_of

from jupyter_workflows.execution.attempt import execute_attempt
from jupyter_workflows.execution.kernels import ForkServer
from jupyter_workflows.execution.spec import AttemptOutcome, Progress
from jupyter_workflows.model.states import AttemptState

HOOK = "from jupyter_workflows.hooks import get_request, respond\n"


@pytest.fixture(scope="module")
def fork_server() -> Any:
    server = ForkServer.start(pool=1)
    yield server.address
    server.stop()


@pytest.fixture(params=["forked", "spec"])
def address(request: pytest.FixtureRequest) -> Any:
    """A fork server's address, or none: kernels of both kinds tell of their answers."""
    return request.getfixturevalue("fork_server") if request.param == "forked" else None


def execute(stage: Stage, address: Any, *cells: str, **changes: Any) -> tuple[AttemptOutcome, list[Any]]:
    """Execute a hook's notebook; return the outcome and the answers that were passed on."""
    answers: list[Any] = []
    go_on = stage.folder / "go-on"

    def on_progress(progress: Progress) -> None:
        if progress.event == "response":
            answers.append(progress.response)
            go_on.touch()

    spec = stage.spec(notebook(*cells), **{"request": {"body": "x"}, **changes})
    outcome = execute_attempt(spec, fork_server=address, on_progress=on_progress)
    return outcome, answers


def wait_cell(folder: Path) -> str:
    """Return code that waits until the answer was passed on; the stage has a timeout."""
    flag = str(folder / "go-on")
    return f"import pathlib, time\nwhile not pathlib.Path({flag!r}).exists(): time.sleep(0.01)"


def test_the_answer_comes_before_the_cell_ends(tmp_path: Path, address: Any) -> None:
    code = f"{HOOK}respond({{'a': 1}}, 201)\n{wait_cell(tmp_path)}\nprint('after')"
    outcome, answers = execute(Stage(tmp_path), address, code, timeout=60)
    assert outcome.state is AttemptState.COMPLETED, outcome.error
    assert [(answer["status"], json.loads(answer["body"])) for answer in answers] == [(201, {"a": 1})]
    assert outcome.response == answers[0]
    (cell,) = cells_of(outcome)
    assert text_of(cell) == "after\n"
    assert [output["output_type"] for output in cell["outputs"]] == ["stream"]


def test_an_answer_whose_message_is_lost_is_found_after_the_cell(tmp_path: Path, fork_server: Any) -> None:
    code = f"{HOOK}import jupyter_workflows.authoring.hooks as h\nh._tell = lambda: None\nrespond('x')"
    outcome, answers = execute(Stage(tmp_path), fork_server, code, wait_cell(tmp_path), timeout=60)
    assert outcome.state is AttemptState.COMPLETED, outcome.error
    assert [answer["body"] for answer in answers] == ["x"]


def test_the_answer_of_a_failed_attempt_is_passed_on_by_the_next(tmp_path: Path, fork_server: Any) -> None:
    stage = Stage(tmp_path)
    outcome, answers = execute(stage, fork_server, f"{HOOK}respond('first')", "1/0")
    assert outcome.state is AttemptState.FAILED
    assert [answer["body"] for answer in answers] == ["first"]
    outcome, answers = execute(stage, fork_server, f"{HOOK}respond('second')", attempt=2)
    assert [answer["body"] for answer in answers] == ["first"]
    assert outcome.response is not None
    assert outcome.response["body"] == "first"
    assert "the first answer stands" in outcome.warnings[0]


def test_a_stage_without_request_passes_nothing_on(tmp_path: Path, fork_server: Any) -> None:
    outcome, answers = execute(Stage(tmp_path), fork_server, "print(1)", request=None)
    assert outcome.state is AttemptState.COMPLETED
    assert answers == []


def test_an_answer_from_a_thread(tmp_path: Path, fork_server: Any) -> None:
    code = f"{HOOK}import threading\nt = threading.Thread(target=respond, args=['x'])\nt.start()\nt.join()\n"
    outcome, answers = execute(Stage(tmp_path), fork_server, code + wait_cell(tmp_path), timeout=60)
    assert outcome.state is AttemptState.COMPLETED, outcome.error
    assert [answer["body"] for answer in answers] == ["x"]
