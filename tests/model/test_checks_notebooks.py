from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from jupyter_workflows.model.checks import NotebookError, check
from jupyter_workflows.model.document import Document
from jupyter_workflows.model.findings import Finding


def notebook(*cells: str, **metadata: Any) -> dict[str, Any]:
    code = [{"cell_type": "code", "source": source.splitlines(keepends=True)} for source in cells]
    return {"nbformat": 4, "metadata": metadata, "cells": [{"cell_type": "markdown", "source": "%"}, *code]}


@dataclass
class FakeProject:
    """A project without a disk."""

    notebooks: dict[str, Any] = field(default_factory=dict)
    requirements: frozenset[str] | None = frozenset()
    kernels: frozenset[str] | None = frozenset({"python3"})
    own: frozenset[str] = frozenset()
    known: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def exists(self, path: str) -> bool:
        return path in self.notebooks

    def notebook(self, path: str) -> Mapping[str, Any]:
        found: dict[str, Any] | None = self.notebooks[path]
        if found is None:
            raise NotebookError(f"{path} is not a notebook.")
        return found

    def find(self, name: str) -> Sequence[str]:
        return [path for path in self.notebooks if path.rpartition("/")[2] == name]

    def modules(self, folder: str) -> frozenset[str]:
        return self.own

    def distributions(self, module: str) -> frozenset[str]:
        return self.known.get(module, frozenset())


def workflow(path: str = "a.ipynb", *followers: tuple[str, str], **settings: Any) -> Document:
    """Return a workflow whose first stage has the notebook, and leads to others."""
    stages = {"s": {"type": "script", "path": "first", "title": "First", "notebook": path, **settings}}
    transitions = {}
    for number, (name, title) in enumerate(followers):
        stages[f"f{number}"] = {"type": "script", "path": name, "title": title, "notebook": "z.ipynb"}
        transitions[f"t{number}"] = {"source": "s", "target": f"f{number}"}
    return Document.model_validate(
        {"format": 1, "uid": "u", "title": "T", "stages": stages, "transitions": transitions}
    )


def codes(findings: list[Finding]) -> list[str]:
    return [finding.code for finding in findings]


@pytest.mark.parametrize(
    "path",
    ["../a.ipynb", "x/../../a.ipynb", "/a.ipynb", "C:/a.ipynb", "c:a.ipynb", "x\\a.ipynb", "a\0.ipynb", ".."],
)
def test_notebook_outside_the_project(path: str) -> None:
    (finding,) = check(workflow(path), FakeProject())
    assert (finding.code, finding.where) == ("notebook-outside-project", "stages.s.notebook")


def test_missing_notebook() -> None:
    (finding,) = check(workflow("stages/a.ipynb"), FakeProject())
    assert (finding.code, finding.severity) == ("missing-notebook", "error")
    (finding,) = check(workflow("stages/a.ipynb"), FakeProject({"moved/a.ipynb": notebook()}))
    assert "moved/a.ipynb" in finding.mend
    assert codes(check(workflow(""), FakeProject())) == ["missing-notebook"]


def test_path_is_normalised() -> None:
    assert check(workflow("./x/../a b/é.ipynb"), FakeProject({"a b/é.ipynb": notebook()})) == []


def test_invalid_notebook() -> None:
    (finding,) = check(workflow(), FakeProject({"a.ipynb": None}))
    assert finding.code == "invalid-notebook"
    assert "a.ipynb is not a notebook" in finding.message


def test_kernel() -> None:
    julia = notebook(kernelspec={"name": "julia", "language": "julia"})
    (finding,) = check(workflow(), FakeProject({"a.ipynb": julia}))
    assert (finding.code, finding.field) == ("kernel-not-installed", "notebook")
    assert "python3" in finding.mend
    assert check(workflow(kernel="python3"), FakeProject({"a.ipynb": julia})) == []
    (finding,) = check(workflow(kernel="r"), FakeProject({"a.ipynb": notebook()}))
    assert finding.field == "kernel"
    assert check(workflow(), FakeProject({"a.ipynb": julia}, kernels=None)) == []


FOLLOWERS = (("approve", "Approve it"), ("reject", "No"), ("two", "Same"), ("three", "Same"))


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("next_stage({'stage': 'approve'})", []),
        ("next_stage([{'stage': 'Approve it'}, {'stage': 'reject', 'data': {'stage': 'other'}}])", []),
        ("next_stage([])", []),
        ("next_stage({'stage': chosen})", []),
        ("next_stage({'data': {'stage': 'zzz'}})", []),
        ("other({'stage': 'zzz'})", []),
        ("next_stage({'stage': 'aprove'})", ["unknown-stage"]),
        ("if x:\n    next_stage([{'stage': 'a'}, {'stage': 'b'}])", ["unknown-stage", "unknown-stage"]),
        ("jw.next_stage(stage='zzz')", ["unknown-stage"]),
        ("next_stage(entries=[dict(stage='zzz')])", ["unknown-stage"]),
        ("next_stage([{'stage': 'zzz', 'data': i} for i in items])", ["unknown-stage"]),
        ("next_stage({'stage': 'approve' if ok else 'zzz'})", ["unknown-stage"]),
        ("from jupyter_workflows import next_stage as go\ngo({'stage': 'zzz'})", ["unknown-stage"]),
        ("%load_ext x\n!ls\nnext_stage({'stage': 'zzz'})", ["unknown-stage"]),
        ("for i in a:\n    !ls {i}\nnext_stage({'stage': 'zzz'})", ["unknown-stage"]),
        ("%%time\nnext_stage({'stage': 'zzz'})", ["unknown-stage"]),
        ("%%bash\nnext_stage({'stage': 'zzz'})", []),
        ("x = !ls\nawait y\nnext_stage({'stage': 'zzz'})", ["unknown-stage"]),
        ("next_stage({'stage': 'first'})", ["stage-not-next"]),
        ("next_stage({'stage': 'Same'})", ["ambiguous-stage"]),
        ("next_stage({'stage': ", []),
    ],
)
def test_stages_that_the_notebook_names(code: str, expected: list[str]) -> None:
    files = {"a.ipynb": notebook("1", code), "z.ipynb": notebook()}
    findings = check(workflow("a.ipynb", *FOLLOWERS), FakeProject(files))
    assert codes(findings) == expected
    for finding in findings:
        assert (finding.where, finding.cell) == ("stages.s.notebook", 2)
        assert "approve" in finding.mend


def test_magics_are_tolerated_without_ipython(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "IPython.core.inputtransformer2", None)
    code = "%load_ext x\nif y:\n    !ls\nnext_stage({'stage': 'aprove'})"
    files = {"a.ipynb": notebook(code), "z.ipynb": notebook()}
    (finding,) = check(workflow("a.ipynb", *FOLLOWERS), FakeProject(files))
    assert "Did you mean 'approve'?" in finding.mend


def test_notebook_in_another_language_is_not_read() -> None:
    code = notebook("import zzz\nnext_stage({'stage': 'zzz'})", language_info={"name": "julia"})
    assert check(workflow(), FakeProject({"a.ipynb": code})) == []


IMPORTS = """
import os, numpy.linalg
import mine
import jupyter_workflows.forms
from IPython.display import display
from yaml import safe_load
from . import sibling
import Under_Score
try:
    import optional
except ImportError:
    optional = None
def f():
    import late
"""


def test_packages_that_are_not_required() -> None:
    project = FakeProject(
        {"a.ipynb": notebook(IMPORTS, "import late")},
        requirements=frozenset({"numpy", "under-score"}),
        own=frozenset({"mine"}),
        known={"yaml": frozenset({"pyyaml"})},
    )
    findings = check(workflow(), project)
    assert codes(findings) == ["package-not-required"] * 2
    assert {finding.severity for finding in findings} == {"warning"}
    assert {finding.cell for finding in findings} == {1}
    assert [finding.mend for finding in findings] == ["Add late to it.", "Add pyyaml to it."]
    project.requirements = frozenset({"numpy", "under-score", "pyyaml", "late"})
    assert check(workflow(), project) == []


def test_no_requirements_at_all() -> None:
    project = FakeProject({"a.ipynb": notebook("import numpy, yaml, os")}, requirements=None)
    (finding,) = check(workflow(), project)
    assert (finding.code, finding.severity, finding.where) == ("no-requirements", "warning", "")
    assert "numpy, yaml" in finding.mend
    assert check(workflow(), FakeProject({"a.ipynb": notebook("import os")}, requirements=None)) == []


@pytest.mark.parametrize(
    "broken",
    [
        {"nbformat": 4, "cells": []},
        {"nbformat": 4, "cells": [{"cell_type": "code"}, {"cell_type": "code", "source": 5}, {}]},
        {"nbformat": 4, "metadata": [], "cells": []},
        {"nbformat": 4, "metadata": {"kernelspec": "x", "language_info": {"name": 5}}, "cells": []},
        notebook("\0", "(" * 500, "-" * 5000 + "1", "%%", "?", "\ud800"),
    ],
)
def test_odd_notebooks_do_not_break_the_check(broken: dict[str, Any]) -> None:
    assert json.dumps(broken)
    assert check(workflow(), FakeProject({"a.ipynb": broken})) == []
