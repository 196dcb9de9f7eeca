"""``check``: findings as table and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.projects import write_project


def test_nothing_found(call, own_folders: Path) -> None:
    document = write_project(own_folders / "good", {"first": {"cells": ["1"]}})
    result = call("check", document)
    assert result.exit_code == 0, result.output
    assert "nothing found" in result.stdout


def test_findings_say_where_and_what_to_do(call, own_folders: Path) -> None:
    document = write_project(
        own_folders / "bad",
        {"first": {"cells": ["1"]}, "last": {"notebook": "stages/nowhere.ipynb"}},
        [{"source": "first", "target": "last", "condition": "amount >"}],
    )
    result = call("check", document)
    assert result.exit_code == 1, result.output
    for word in ("error", "last", "notebook", "stages/nowhere.ipynb", "first → last (t0)", "condition", "→"):
        assert word in result.stdout

    result = call("check", document, "--json")
    assert result.exit_code == 1
    value = json.loads(result.stdout)
    assert value["documents"] == [str(document)]
    assert value["errors"] == 2
    found = {(finding["stage"], finding["transition"], finding["field"]) for finding in value["findings"]}
    assert {("last", None, "notebook"), (None, "t0", "condition")} <= found
    assert all(finding["mend"] for finding in value["findings"] if finding["severity"] == "error")


def test_folders_are_searched(call, own_folders: Path) -> None:
    write_project(own_folders / "Größe ☃" / "a", {"first": {"cells": ["1"]}})
    write_project(own_folders / "b", {"first": {"cells": ["1"]}})
    write_project(own_folders / ".ipynb_checkpoints", {"first": {}})
    for arguments in ((), (".",), (own_folders,)):
        value = json.loads(call("check", *arguments, "--json").stdout)
        names = [Path(name).parent.name for name in value["documents"]]
        assert names == ["a", "b"]


def test_a_document_that_cannot_be_read_is_a_finding(call, own_folders: Path) -> None:
    file = own_folders / "bad.workflow"
    file.write_text('{"format": 1,\n"stages": }', encoding="utf-8")
    result = call("check", file, "--json")
    assert result.exit_code == 1
    (finding,) = json.loads(result.stdout)["findings"]
    assert finding["code"] == "invalid-json"
    assert "line 2" in finding["message"]


@pytest.mark.parametrize(
    "path", ["missing.workflow", "missing", "~nobody-of-this-name/x.workflow", "a\0b", "empty"]
)
def test_wrong_use(call, own_folders: Path, path: str) -> None:
    (own_folders / "empty").mkdir()
    result = call("check", path)
    assert result.exit_code == 2, result.output
    assert result.stderr.startswith("Error: ")
    assert "Traceback" not in result.output
    assert "error" in json.loads(call("check", path, "--json").stdout)


def test_home(call, own_folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_project(own_folders / "mine", {"first": {"cells": ["1"]}})
    monkeypatch.setenv("HOME", str(own_folders))
    assert call("check", "~/mine").exit_code == 0


def test_paths_that_are_not_text(command, own_folders: Path) -> None:
    document = write_project(own_folders / "bad\udcff", {"first": {"cells": ["1"]}})
    done = command("check", document)
    assert done.returncode == 2
    assert "UTF-8" in done.stderr
    done = command("run", ".", cwd=document.parent)
    assert done.returncode == 2
    assert "UTF-8" in done.stderr
