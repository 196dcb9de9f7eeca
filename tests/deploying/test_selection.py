"""Which files of a project are deployed, and what is found on the way."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from jupyter_workflows.deploying.selection import Bounds, Selection, select


def fill(root: Path, *paths: str) -> None:
    for path in paths:
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(path)


def codes(selection: Selection) -> list[tuple[str, str]]:
    return sorted((finding.code, finding.severity) for finding in selection.findings)


def test_what_is_not_the_author_s_is_left_out(tmp_path: Path) -> None:
    fill(
        tmp_path,
        "w.workflow",
        "stages/a.ipynb",
        "stages/deep/er/b.py",
        ".git/config",
        ".env",
        ".venv/x",
        ".ipynb_checkpoints/a.ipynb",
        "stages/.hidden/x",
        "node_modules/m/index.js",
        "stages/__pycache__/a.pyc",
        "env/pyvenv.cfg",
        "env/lib/x.py",
        "state/database",
        "node_modules_of_mine.txt",
    )
    (tmp_path / "empty").mkdir()
    found = select(tmp_path, but=tmp_path / "state")
    assert found.files == [
        "node_modules_of_mine.txt",
        "stages/a.ipynb",
        "stages/deep/er/b.py",
        "w.workflow",
    ]
    assert found.folders == ["empty", "stages", "stages/deep", "stages/deep/er"]
    assert found.findings == []
    assert found.size == sum(len(path) for path in found.files)


def test_an_ignore_file_leaves_out_and_takes_in(tmp_path: Path) -> None:
    fill(tmp_path, "a.py", "big/x.bin", "raw/1.csv", "raw/keep.csv", ".streamlit/config", "sub/raw/2.csv")
    (tmp_path / ".workflowsignore").write_text(
        "# comment\n/big/\nraw/*\n!keep.csv\n!.streamlit\n", "utf-8-sig"
    )
    found = select(tmp_path)
    assert found.files == [".streamlit/config", "a.py", "raw/keep.csv", "sub/raw/2.csv"]
    assert "big" not in found.folders


@pytest.mark.parametrize("content", [b"\xff\xfe!", b"!\n"])
def test_an_ignore_file_that_cannot_be_read_is_an_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / ".workflowsignore").write_bytes(content)
    assert codes(select(tmp_path)) == [("bad-ignore-file", "error")]


def test_names_in_any_script(tmp_path: Path) -> None:
    names = ["Übersicht 2024.ipynb", "データ/表 1.csv", "a\nb.txt", "#x#", "%41.txt", "'quoted'.py"]
    fill(tmp_path, *names)
    assert select(tmp_path).files == sorted(names)


def test_links_within_the_project_are_kept_as_relative_ones(tmp_path: Path) -> None:
    fill(tmp_path, "data/a.csv", "stages/a.ipynb")
    (tmp_path / "stages/data").symlink_to("../data")
    (tmp_path / "stages/absolute.csv").symlink_to(tmp_path / "data/a.csv")
    (tmp_path / "stages/root").symlink_to("..")
    (tmp_path / "twice").symlink_to("stages/data")
    found = select(tmp_path)
    assert found.findings == []
    assert sorted((link.path, link.target) for link in found.links) == [
        ("stages/absolute.csv", "../data/a.csv"),
        ("stages/data", "../data"),
        ("stages/root", ".."),
        ("twice", "data"),
    ]
    assert found.has("stages/data/a.csv") and found.has("twice/a.csv") and found.has("stages/./a.ipynb")
    assert not found.has("stages/data/b.csv")


def test_links_that_lead_out_are_errors_and_broken_ones_warnings(tmp_path: Path) -> None:
    root = tmp_path / "project"
    fill(root, "a.py", ".hidden/x")
    fill(tmp_path, "elsewhere/secret")
    (root / "out").symlink_to("../elsewhere")
    (root / "out.txt").symlink_to(tmp_path / "elsewhere/secret")
    (root / "nowhere").symlink_to("missing")
    (root / "circle").symlink_to("circle")
    (root / "hidden").symlink_to(".hidden/x")
    found = select(root)
    assert codes(found) == [
        ("broken-link", "warning"),
        ("broken-link", "warning"),
        ("link-left-out", "warning"),
        ("link-outside-project", "error"),
        ("link-outside-project", "error"),
    ]
    assert found.links == [] and found.files == ["a.py"]
    (root / ".workflowsignore").write_text("out*\nnowhere\ncircle\n!.hidden/\n")
    found = select(root)
    assert found.findings == []
    assert [link.path for link in found.links] == ["hidden"]


def test_what_is_no_file_is_left_out_with_a_word(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    found = select(tmp_path)
    assert codes(found) == [("special-file", "warning")]
    assert found.files == []


def test_what_cannot_be_read_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path, "a.py", "b.py")
    access = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path).name != "b.py" and access(path, mode))
    found = select(tmp_path)
    assert codes(found) == [("unreadable-file", "error")]
    assert found.files == ["a.py"]


@pytest.mark.parametrize("bounds", [Bounds(files=2), Bounds(size=3)])
def test_a_folder_that_is_no_project_is_refused_before_all_of_it_is_read(
    tmp_path: Path, bounds: Bounds
) -> None:
    fill(tmp_path, *"abcdefg")
    found = select(tmp_path, bounds=bounds)
    assert codes(found) == [("project-too-large", "error")]
    assert len(found.files) <= 3
