from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jupyter_workflows import RoutingError, end_stage, get_stage, next_stage, once
from jupyter_workflows.authoring import attempt as attempts
from jupyter_workflows.authoring import draft
from jupyter_workflows.authoring.errors import FormParked, StageEnded
from jupyter_workflows.forms import Fields, Page, read, read_number
from jupyter_workflows.hooks import get_request, respond

DOCUMENT: dict[str, Any] = {
    "format": 1,
    "uid": "u",
    "title": "Expenses",
    "stages": {
        "s1": {
            "type": "form",
            "path": "submit",
            "title": "Submit",
            "notebook": "stages/submit.ipynb",
            "assignee": {"from": "boss"},
            "test": {
                "data": {"amount": 12, "boss": "ben", "odd": {"$kind": "x"}},
                "answers": {"Name": "Anna"},
                "request": {"body": {"a": 1}},
            },
        },
        "s2": {"type": "script", "path": "check", "title": "Check", "notebook": "stages/check.ipynb"},
        "s3": {"type": "form", "path": "approve", "title": "Approve", "notebook": "stages/approve.ipynb"},
    },
    "transitions": {
        "t1": {"source": "s1", "target": "s3", "order": 2},
        "t2": {"source": "s1", "target": "s2", "order": 1},
        "t3": {"source": "s1", "target": "s2", "on": "failed"},
        "t4": {"source": "s2", "target": "s3"},
    },
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose notebook is executed by hand."""
    (tmp_path / "stages").mkdir()
    for stage in DOCUMENT["stages"].values():
        (tmp_path / stage["notebook"]).write_text("{}")
    (tmp_path / "expenses.workflow").write_text(json.dumps(DOCUMENT))
    monkeypatch.chdir(tmp_path / "stages")
    monkeypatch.delenv("JUPYTER_WORKFLOWS_CONTEXT", raising=False)
    open_notebook(monkeypatch, tmp_path / "stages" / "submit.ipynb")
    return tmp_path


def open_notebook(monkeypatch: pytest.MonkeyPatch, name: Path | str) -> None:
    monkeypatch.setenv("JPY_SESSION_NAME", str(name))
    draft._announced.clear()
    attempts.begin(None)


@pytest.fixture(autouse=True)
def _forget() -> Any:
    yield
    attempts.begin(None)


def test_the_stage_has_its_test_data(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stage = get_stage()
    assert dict(stage) == {"amount": 12, "boss": "ben", "odd": {"$kind": "x"}}
    assert (stage.mode, stage.path, stage.title, stage.assignee) == ("draft", "submit", "Submit", "ben")
    assert stage.user
    get_stage()
    out = capsys.readouterr().out
    assert out.count("Draft of the stage 'submit' in expenses.workflow, with 3 keys of test data") == 1
    stage["total"] = 5
    assert get_stage()["total"] == 5


@pytest.mark.parametrize("name", ["stages/submit.ipynb", "RTC:stages/submit.ipynb", "RTC:submit.ipynb"])
def test_names_of_front_ends_are_understood(
    project: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    open_notebook(monkeypatch, name)
    assert get_stage().path == "submit"


def test_a_changed_document_is_read_again(project: Path) -> None:
    assert get_stage()["amount"] == 12
    changed = json.loads(json.dumps(DOCUMENT))
    changed["stages"]["s1"]["test"]["data"] = {"amount": 1234}
    (project / "expenses.workflow").write_text(json.dumps(changed))
    assert get_stage()["amount"] == 1234


def test_next_stage_checks_and_says_what_it_would_do(project: Path) -> None:
    with pytest.raises(StageEnded) as ended:
        next_stage([{"stage": "Check", "data": {"a": 1}}, {"stage": "approve", "assignee": "ben"}])
    assert str(ended.value) == (
        "Draft: in a run this stage would end here, and the run would go on to check with a; approve for ben."
    )
    with pytest.raises(StageEnded, match=r"Draft: in a run this branch would end here"):
        next_stage([])
    with pytest.raises(StageEnded, match="Draft: The stage ended"):
        end_stage()
    with pytest.raises(RoutingError, match=r"that can follow are check \(\"Check\"\), approve"):
        next_stage([{"stage": "submit"}])


def test_once_runs_each_time_and_keeps_nothing(project: Path) -> None:
    results = iter([(1,), (2,)])
    assert once("a", lambda: next(results)) == [1]
    assert once("a", lambda: next(results)) == [2]
    assert sorted(file.name for file in project.rglob("*") if file.is_file()) == [
        "approve.ipynb",
        "check.ipynb",
        "expenses.workflow",
        "submit.ipynb",
    ]


def test_a_hook_has_its_test_request(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert get_request().body == {"a": 1}
    respond({"ok": True}, status=201)
    assert "Draft: would answer the request with status 201" in capsys.readouterr().out
    assert list(project.rglob("response*")) == []


def test_without_a_test_request_there_is_an_empty_one(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    open_notebook(monkeypatch, project / "stages" / "check.ipynb")
    assert get_request().body is None
    assert "empty" in capsys.readouterr().out


@pytest.mark.parametrize(
    "content", [b"", b"{broken", b"[]", b'{"stages": []}', b'{"stages": {"a": 5}}', b"\xff"]
)
def test_a_damaged_document_is_a_warning_and_an_empty_draft(
    project: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    (project / "expenses.workflow").write_bytes(content)
    open_notebook(monkeypatch, project / "stages" / "submit.ipynb")
    with pytest.warns(UserWarning, match=r"submit\.ipynb is executed by hand without test data"):
        stage = get_stage()
    assert dict(stage) == {}
    with pytest.raises(StageEnded):
        next_stage([])


def test_without_a_document_there_is_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("JUPYTER_WORKFLOWS_CONTEXT", raising=False)
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    draft._announced.clear()
    attempts.begin(None)
    with pytest.warns(UserWarning, match="this notebook is executed by hand"):
        get_stage()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        get_stage()
    assert capsys.readouterr().out.count("the stage data is empty") == 1


def test_a_notebook_alone_in_its_folder_needs_no_name(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    document = json.loads(json.dumps(DOCUMENT))
    document["stages"]["s2"]["notebook"] = "other/check.ipynb"
    document["stages"]["s3"]["notebook"] = "other/approve.ipynb"
    (project / "expenses.workflow").write_text(json.dumps(document))
    monkeypatch.delenv("JPY_SESSION_NAME")
    attempts.begin(None)
    assert get_stage().path == "submit"


def test_joins_find_their_test_data_among_the_inputs(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    document = json.loads(json.dumps(DOCUMENT))
    document["stages"]["s1"]["join"] = "all"
    (project / "expenses.workflow").write_text(json.dumps(document))
    attempts.begin(None)
    assert [item["amount"] for item in get_stage().inputs] == [12]


def test_forms_use_test_answers_and_ask_for_the_rest(
    project: Path, typed_in: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    assert read("Name") == "Anna"
    typed_in("many", "200", "7")
    assert read_number("Age", max=99) == 7
    out = capsys.readouterr().out
    assert "Age: 'many' (text) is not a number" in out
    assert "Age: 200 is too high; the highest allowed is 99" in out


def test_a_whole_page_at_the_prompt(
    project: Path, typed_in: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "stages" / "scan.pdf").write_bytes(b"%PDF")
    typed_in(
        "secret!",  # password
        "2",  # dropdown
        "1, c",  # checklist
        "y",  # checkbox
        "",  # date: the initial one
        "scan.pdf",
        "first",
        "second",
        "",  # text of several lines
        "yes",
        "Pen",
        "3",
        "n",
        "2",  # which button
        # the validator refuses; everything is asked again
        *("secret!", "a", "b", "n", "2026-05-06", "scan.pdf", "x", "", "n", "Send"),
    )
    verdicts = iter(["not yet", None])
    answers = (
        Page("All")
        .display("some *text*")
        .read_password("Password")
        .read_dropdown("One", ["a", "b"])
        .read_checklist("Some", ["a", "b", "c"])
        .read_checkbox("Sure")
        .read_date("Day", initial="2026-01-02", hint="a working day")
        .read_file("Scan")
        .read_textarea("Note")
        .read_list("Lines", Fields().read("Item").read_number("Count"))
        .validate(lambda answers: next(verdicts))
        .run(actions=["Drop", "Send"])
    )
    assert answers.action == "Send"
    assert answers.one == "a"
    assert answers["Some"] == ["b"]
    assert answers.Sure is False
    assert answers.day.isoformat() == "2026-05-06"
    assert answers.scan.read_bytes() == b"%PDF"
    assert answers.note == "x"
    assert answers.lines == []
    out = capsys.readouterr().out
    assert "some *text*" in out
    assert "(a working day)" in out
    assert "not yet" in out
    assert "secret!" not in out


def test_where_nobody_can_type_the_form_says_so(project: Path, typed_in: Callable[..., None]) -> None:
    typed_in()
    with pytest.raises(FormParked, match=r"Draft: the form 'Age' needs a person.*test answers"):
        read_number("Age")


def test_a_draft_leaves_its_record_too(project: Path) -> None:
    from jupyter_workflows.authoring.record import collect

    get_stage()["x"] = 1
    assert collect().content["changes"] == {"x": 1}
