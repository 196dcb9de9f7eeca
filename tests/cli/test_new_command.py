"""``new``: projects that check finds nothing in, and nothing overwritten."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
import pytest

from jupyter_workflows.model.document import dump, load


@pytest.mark.parametrize("kind", ["form", "hook", "job", "script"])
def test_a_new_project_is_sound(call, own_folders: Path, kind: str) -> None:
    result = call("new", "my-project", "--type", kind, "--json")
    assert result.exit_code == 0, result.output
    files = [Path(name) for name in json.loads(result.stdout)["files"]]
    assert all(file.is_file() for file in files)

    document = own_folders / "my-project" / "my-project.workflow"
    text = document.read_text(encoding="utf-8")
    workflow = load(text)
    assert dump(workflow) == text
    assert workflow.title == "My project"
    (stage,) = workflow.stages.values()
    assert stage.type == kind
    notebook = nbformat.read(document.parent / stage.notebook, as_version=4)
    nbformat.validate(notebook)
    assert notebook.metadata.kernelspec.name == "python3"

    result = call("check", document, "--json")
    assert json.loads(result.stdout)["findings"] == []


def test_nothing_is_overwritten(call, own_folders: Path) -> None:
    assert call("new", "a").exit_code == 0
    before = {path: path.read_bytes() for path in own_folders.rglob("*") if path.is_file()}
    for arguments in (["a"], ["a/a.workflow"], ["a/other.workflow"]):
        result = call("new", *arguments)
        assert result.exit_code == 2, result.output
        assert "a.workflow" in result.stderr or "prepare.ipynb" in result.stderr
    assert {path: path.read_bytes() for path in own_folders.rglob("*") if path.is_file()} == before

    # Another workflow in the same project, with another notebook, is welcome.
    assert call("new", "a/other.workflow", "--type", "job").exit_code == 0
    assert {path: path.read_bytes() for path in before} == before


def test_titles_and_paths(call, own_folders: Path) -> None:
    assert call("new", "Größe ☃/wöchentlicher bericht.workflow", "--type", "form").exit_code == 0
    document = own_folders / "Größe ☃" / "wöchentlicher bericht.workflow"
    assert load(document.read_text(encoding="utf-8")).title == "Wöchentlicher bericht"
    assert call("new", "b", "--title", "Expense approval").exit_code == 0
    assert load((own_folders / "b" / "b.workflow").read_text(encoding="utf-8")).title == "Expense approval"
    assert call("new", "c", "--title", "  ").exit_code == 2
    (own_folders / "file").write_text("")
    assert call("new", "file").exit_code == 2
    assert call("new", "file/project").exit_code == 2
    assert call("new", "/").exit_code == 2
    here = own_folders / "here"
    here.mkdir()
    assert call("new", "here/.").exit_code == 0
    assert (here / "here.workflow").is_file()


@pytest.mark.parametrize("template", ["approval", "report", "answer"])
def test_whole_workflows_are_sound(call, own_folders: Path, template: str) -> None:
    assert call("new", "mine", "--template", template).exit_code == 0
    document = own_folders / "mine" / "mine.workflow"
    assert dump(load(document.read_text())) == document.read_text()
    assert json.loads(call("check", document, "--json").stdout)["findings"] == []


def test_a_blank_workflow_has_no_stages(call, own_folders: Path) -> None:
    result = call("new", "mine", "--template", "blank")
    assert result.exit_code == 0
    assert "jupyter workflows run" not in result.stdout
    assert not load((own_folders / "mine" / "mine.workflow").read_text()).stages
    assert call("new", "other", "--template", "blank", "--type", "form").exit_code == 2
