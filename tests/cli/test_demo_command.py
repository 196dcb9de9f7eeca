"""``demo``: copies that lose nothing, and a run to the end."""

from __future__ import annotations

import json
from pathlib import Path

from jupyter_workflows.cli.demos import find_demos


def test_demos_are_listed(call) -> None:
    result = call("demo", "--list")
    assert result.exit_code == 0
    demos = json.loads(call("demo", "--list", "--json").stdout)["demos"]
    assert len(demos) == len(find_demos()) >= 3
    for demo in demos:
        assert demo["name"] in result.stdout
        assert demo["description"] in result.stdout


def test_unknown_demo(call) -> None:
    result = call("demo", "nope")
    assert result.exit_code == 2
    assert "first-steps" in result.stderr


def test_changes_are_kept(call, own_folders: Path) -> None:
    result = call("demo", "first-steps", "--copy-only", "--directory", "my demos")
    assert result.exit_code == 0, result.output
    project = own_folders / "my demos" / "first-steps"
    changed, removed = project / "stages" / "compare.ipynb", project / "stages" / "missing.ipynb"
    changed.write_text("mine", encoding="utf-8")
    removed.unlink()
    result = call("demo", "first-steps", "--copy-only", "--directory", "my demos", "--json")
    value = json.loads(result.stdout)
    assert value["kept"] == ["stages/compare.ipynb"]
    assert value["written"] == ["stages/missing.ipynb"]
    assert changed.read_text(encoding="utf-8") == "mine"


def test_other_folders_are_left_alone(call, own_folders: Path) -> None:
    project = own_folders / "jupyter-workflows-demo" / "first-steps"
    project.mkdir(parents=True)
    (project / "thesis.txt").write_text("mine", encoding="utf-8")
    result = call("demo", "first-steps", "--copy-only")
    assert result.exit_code == 2
    assert "--directory" in result.stderr
    assert [path.name for path in project.iterdir()] == ["thesis.txt"]
