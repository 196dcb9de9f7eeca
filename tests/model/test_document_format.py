"""The schema's models, and documents of older formats."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from jupyter_workflows.model import generated
from jupyter_workflows.model.document import DocumentError, dump, load
from jupyter_workflows.model.slugs import slug, unique_path
from jupyter_workflows.model.upgrades import CURRENT_FORMAT, STEPS, UpgradeError, upgrade

ROOT = Path(__file__).parents[2]

OLD: dict[str, Any] = {
    "title": "Draft",
    "stages": [
        {"id": "a", "type": "form", "path": "ask", "title": "Ask", "notebook": "ask.ipynb", "mine": 1},
        {"id": "b", "type": "script", "path": "do", "title": "Do", "notebook": "do.ipynb"},
    ],
    "transitions": [
        {"from": "a", "to": "b", "condition": "x > 1"},
        {"from": "b", "to": "a", "on": "failed", "condition": None},
    ],
}


def test_models_are_those_of_the_schema(tmp_path: Path) -> None:
    output = tmp_path / "generated.py"
    subprocess.run(
        [sys.executable, "-m", "datamodel_code_generator", "--output", str(output)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    committed = Path(generated.__file__).read_text("utf-8")
    # Compared as syntax trees: how the text is laid out is the formatter's affair.
    assert ast.dump(ast.parse(output.read_text("utf-8"))) == ast.dump(ast.parse(committed))


@pytest.mark.parametrize("version", [None, 0])
def test_format_0_is_read(version: int | None) -> None:
    old = OLD if version is None else {"format": version, **OLD}
    document = load(json.dumps(old))
    assert document.format == CURRENT_FORMAT
    assert document.stages["a"].path == "ask"
    assert json.loads(dump(document))["stages"]["a"]["mine"] == 1
    first, second = document.transitions["t1"], document.transitions["t2"]
    assert (first.source, first.target, first.condition, first.order) == ("a", "b", "x > 1", 0)
    assert (second.on, second.condition, second.order) == ("failed", None, 1)
    assert load(json.dumps(old)).uid == document.uid, "everybody who reads it finds the same identity"
    assert dump(load(dump(document))) == dump(document)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"stages": {"a": {}}}, "stages"),
        ({"transitions": {}}, "transitions"),
        ({"stages": [{"type": "form"}]}, "stages[0].id"),
        ({"stages": [{"id": "a"}, {"id": "a"}]}, "stages[1].id"),
    ],
)
def test_bad_document_of_format_0(change: dict[str, Any], field: str) -> None:
    with pytest.raises(DocumentError) as caught:
        load(json.dumps({**OLD, "format": 0, **change}))
    assert [finding.field for finding in caught.value.findings] == [field]
    assert caught.value.findings[0].mend


def test_steps_are_taken_in_turn() -> None:
    taken = []

    def step(version: int) -> Any:
        def change(value: dict[str, Any]) -> dict[str, Any]:
            assert value["format"] == version
            taken.append(version)
            return {**value, f"from {version}": True}

        return change

    steps = {version: step(version) for version in (3, 4, 5)}
    assert upgrade({"format": 3}, 3, steps=steps, to=6) == {
        "format": 6,
        "from 3": True,
        "from 4": True,
        "from 5": True,
    }
    assert taken == [3, 4, 5]
    assert upgrade({"format": 6}, 6, steps=steps, to=6) == {"format": 6}
    with pytest.raises(UpgradeError, match="Format 6 is not known"):
        upgrade({"format": 5}, 5, steps=steps, to=7)


def test_there_is_a_step_from_every_older_format() -> None:
    assert sorted(STEPS) == list(range(CURRENT_FORMAT))


@pytest.mark.parametrize(
    ("title", "path"),
    [
        ("Submit an expense", "submit-an-expense"),
        ("  Prüfung: Größe & Maß!  ", "prufung-grosse-mass"),
        ("Ærøskøbing — Łódź", "aeroskobing-lodz"),
        ("ﬁne №1", "fine-no1"),
        ("a--b__c", "a-b-c"),
        ("承認", "stage"),
        ("", "stage"),
    ],
)
def test_slug(title: str, path: str) -> None:
    assert slug(title) == path


def test_unique_path() -> None:
    assert unique_path("Check", []) == "check"
    assert unique_path("Check", ["check", "check-2"]) == "check-3"
