from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from jupyter_workflows.execution.project import Project, ProjectError, kernel_of
from jupyter_workflows.model.checks import NotebookError, check
from jupyter_workflows.model.document import DocumentError

NOTEBOOK = {"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": {"name": "python3"}}, "cells": []}


def write(path: Path, content: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project whose names have spaces and letters beyond ASCII."""
    root = tmp_path / "Mes projets é"
    write(
        root / "Dépenses 1.workflow",
        {
            "format": 1,
            "uid": "u",
            "title": "Dépenses",
            "stages": {
                "s1": {"type": "script", "path": "a", "title": "A", "notebook": "étapes/pas à pas.ipynb"}
            },
        },
    )
    write(root / "étapes" / "pas à pas.ipynb", NOTEBOOK)
    return root


def test_open_by_file_or_folder(folder: Path) -> None:
    file = folder / "Dépenses 1.workflow"
    for path in (file, folder, str(folder)):
        project = Project.open(path)
        assert project.document.title == "Dépenses"
        assert (project.path, project.root) == (file, folder)
        assert project.content == file.read_bytes()
        assert project.text == file.read_text("utf-8")
        assert project.hash == hashlib.sha256(file.read_bytes()).hexdigest()
        assert check(project.document, project) == []


def test_relative_path(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert Project.open(".").root == folder
    assert Project.open("Dépenses 1.workflow").path.is_absolute()


def test_what_cannot_be_opened(folder: Path) -> None:
    with pytest.raises(ProjectError, match="no file") as caught:
        Project.open(folder / "nope.workflow")
    assert "Dépenses 1.workflow" in caught.value.mend
    with pytest.raises(ProjectError, match="no file"):
        Project.open(folder / "nowhere" / "nope.workflow")
    with pytest.raises(ProjectError, match="no workflow"):
        Project.open(folder / "étapes")
    with pytest.raises(ProjectError, match="is not a workflow"):
        Project.open(folder / "étapes" / "pas à pas.ipynb")
    write(folder / "b.workflow", "")
    with pytest.raises(ProjectError, match=r"b\.workflow"):
        Project.open(folder)


def test_invalid_document_is_named_and_kept(folder: Path) -> None:
    file = write(folder / "Dépenses 1.workflow", "{")
    with pytest.raises(DocumentError, match=r"Dépenses 1\.workflow") as caught:
        Project.open(file)
    assert caught.value.findings[0].code == "invalid-json"
    assert file.read_text() == "{"


def test_empty_file_is_a_new_workflow(tmp_path: Path) -> None:
    file = write(tmp_path / "new.workflow", "")
    assert Project.open(file).document.stages == {}
    assert file.read_bytes() == b""


def test_notebook_is_read_again_when_it_changed(folder: Path) -> None:
    project = Project.open(folder)
    path = "étapes/pas à pas.ipynb"
    file = project.notebook_path(path)
    assert file == folder / path
    first = project.notebook(path)
    assert first == NOTEBOOK
    assert project.notebook(path) is first
    assert project.hash_notebook(path) == hashlib.sha256(file.read_bytes()).hexdigest()
    assert kernel_of(first) == "python3"
    write(file, {**NOTEBOOK, "metadata": {}})
    assert kernel_of(project.notebook(path)) is None
    assert project.hash_notebook(path) == hashlib.sha256(file.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "it is empty"),
        ("{", "line 1, column 2"),
        ("[]", "format"),
        ("{}", "format"),
        ({**NOTEBOOK, "nbformat": 3}, "format 3"),
        ({**NOTEBOOK, "nbformat": "4"}, "names no notebook format"),
        ({"nbformat": 4}, "cells"),
        ({"nbformat": 4, "cells": [1]}, "cell 1"),
        ({**NOTEBOOK, "cells": [{"cell_type": "form", "source": ""}]}, "unknown type"),
        ("[" * 100_000, "recursion"),
    ],
)
def test_not_a_notebook(folder: Path, content: Any, words: str) -> None:
    write(folder / "x.ipynb", content)
    with pytest.raises(NotebookError, match=r"x\.ipynb") as caught:
        Project.open(folder).notebook("x.ipynb")
    assert words in str(caught.value)


def test_notebooks_of_an_older_format_are_converted(folder: Path) -> None:
    cell = {"cell_type": "code", "input": "1 + 1", "language": "python", "outputs": []}
    write(folder / "x.ipynb", {"nbformat": 3, "metadata": {}, "worksheets": [{"cells": [cell]}]})
    assert [cell["source"] for cell in Project.open(folder).notebook("x.ipynb")["cells"]] == ["1 + 1"]


def test_unreadable_notebooks(folder: Path) -> None:
    (folder / "x.ipynb").write_bytes(b"\xff")
    project = Project.open(folder)
    for path in ("x.ipynb", "étapes", "none.ipynb", "../x.ipynb", "a\0b"):
        with pytest.raises(NotebookError):
            project.notebook(path)


def test_files_outside_do_not_count(folder: Path) -> None:
    outside = write(folder.parent / "outside.ipynb", NOTEBOOK)
    (folder / "link.ipynb").symlink_to(outside)
    (folder / "inner.ipynb").symlink_to(folder / "étapes" / "pas à pas.ipynb")
    project = Project.open(folder)
    assert not project.exists("../outside.ipynb")
    assert not project.exists(str(outside))
    assert not project.exists("link.ipynb")
    assert not project.exists("étapes")
    assert project.exists("inner.ipynb")
    with pytest.raises(ProjectError, match="folder"):
        project.notebook_path("link.ipynb")


def test_find_leaves_out_what_is_not_the_authors(folder: Path) -> None:
    name = "pas à pas.ipynb"
    for place in (".ipynb_checkpoints", "venv", "node_modules", "copie"):
        write(folder / place / name, NOTEBOOK)
    write(folder / "venv" / "pyvenv.cfg", "")
    assert sorted(Project.open(folder).find(name)) == [f"copie/{name}", f"étapes/{name}"]


def test_modules_of_the_project(folder: Path) -> None:
    write(folder / "helpers.py", "")
    write(folder / "package" / "__init__.py", "")
    write(folder / "étapes" / "near.py", "")
    write(folder / "data" / "table.csv", "")
    project = Project.open(folder)
    assert project.modules("") == {"helpers", "package", "étapes"}
    assert project.modules("étapes") == {"helpers", "package", "étapes", "near"}
    assert project.modules("..") == project.modules("")


def test_requirements(folder: Path) -> None:
    assert Project.open(folder).requirements is None
    write(
        folder / "requirements.txt",
        """\
# a comment
numpy
Pandas_Extra[all]>=2,<3 ; python_version > "3"
scikit.learn == 1.5  # pinned
local @ file:///tmp/local.whl
git+https://example.org/tool.git#egg=tool
--index-url https://example.org/simple
-r more/extra.txt
-r ../../outside.txt
-e .
""",
    )
    write(folder / "more" / "extra.txt", "polars~=1.0\n-r ../requirements.txt\n")
    write(folder.parent / "outside.txt", "secret\n")
    expected = frozenset({"numpy", "pandas-extra", "scikit-learn", "local", "tool", "polars"})
    assert Project.open(folder).requirements == expected


def test_environment(folder: Path) -> None:
    project = Project.open(folder)
    assert "python3" in project.kernels
    assert "pyyaml" in project.distributions("yaml")
    assert "python-dateutil" in project.distributions("dateutil")
    assert project.distributions("no_such_module") == frozenset()
