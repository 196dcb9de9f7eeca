"""A live attempt's folder: filled from the snapshot, its own, and what stays of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from jupyter_workflows.execution.manifest import (
    MANIFEST,
    PROJECT,
    SnapshotFile,
    SnapshotLink,
    sorted_manifest,
)
from jupyter_workflows.execution.source import SourceError
from jupyter_workflows.execution.workspace import Workspace, WorkspaceLimits, written_folder

LIMITS = WorkspaceLimits(copy=1000, quota=100, files=5)


@pytest.fixture
def snapshot(tmp_path: Path) -> Path:
    """A snapshot with a module, a large file, an empty folder and a link."""
    return make_snapshot(tmp_path / "snapshot")


def make_snapshot(folder: Path) -> Path:
    import hashlib

    project = folder / PROJECT
    contents = {"w.workflow": b"{}", "lib/helper.py": b"X = 1\n", "data/big.bin": b"b" * 2000}
    files = []
    for path, content in contents.items():
        file = project / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        os.utime(file, ns=(1_700_000_000_123_456_789, 1_700_000_000_123_456_789))
        file.chmod(0o444)
        files.append(
            SnapshotFile(
                path,
                len(content),
                file.stat().st_mtime_ns,
                hashlib.sha256(content).hexdigest(),
                path == "lib/helper.py",
            )
        )
    (project / "out").mkdir()
    links = [SnapshotLink("lib/data", "../data")]
    manifest = sorted_manifest("w.workflow", ["lib", "data", "out"], files, links)
    (folder / MANIFEST).write_text(json.dumps(manifest.to_json()))
    return folder


def workspace(snapshot: Path, attempt: int = 1, limits: WorkspaceLimits = LIMITS) -> Workspace:
    folder = snapshot.parent / "stage-run"
    folder.mkdir(exist_ok=True)
    return Workspace(snapshot, folder, attempt, limits)


def test_it_holds_what_was_deployed_and_can_be_written(snapshot: Path) -> None:
    made = workspace(snapshot)
    made.fill()
    assert (made.path / "lib/helper.py").read_text() == "X = 1\n"
    assert os.access(made.path / "lib/helper.py", os.W_OK | os.X_OK)
    assert (made.path / "lib/helper.py").stat().st_mtime_ns == 1_700_000_000_123_456_789
    assert (made.path / "out").is_dir()
    assert (made.path / "lib/data/big.bin").read_bytes() == b"b" * 2000
    (made.path / "lib/helper.py").write_text("X = 2\n")
    (made.path / "lib/data/new").write_text("")
    assert (snapshot / PROJECT / "lib/helper.py").read_text() == "X = 1\n"
    assert not (snapshot / PROJECT / "data/new").exists()


def test_attempts_do_not_see_each_other(snapshot: Path) -> None:
    first, second = workspace(snapshot, 1), workspace(snapshot, 2)
    first.fill()
    (first.path / "lib/helper.py").write_text("X = 2\n")
    (first.path / "data/big.bin").unlink()
    (first.path / "data/big.bin").write_bytes(b"c")
    second.fill()
    assert (second.path / "lib/helper.py").read_text() == "X = 1\n"
    assert (second.path / "data/big.bin").read_bytes() == b"b" * 2000


def test_a_large_file_is_linked_only_where_permissions_protect_it(
    snapshot: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = snapshot / PROJECT / "data/big.bin"
    for user, shared in ((0, False), (1000, True)):
        monkeypatch.setattr(os, "geteuid", lambda user=user: user)
        made = workspace(snapshot)
        made.fill()
        there = made.path / "data/big.bin"
        if shared and not there.samefile(source):
            assert there.read_bytes() == source.read_bytes()  # its blocks are shared, which is better
        else:
            assert there.samefile(source) is shared
            assert bool(there.stat().st_mode & 0o222) is not shared
        assert not made.close()
        assert source.read_bytes() == b"b" * 2000


def test_without_privileges_a_linked_file_cannot_be_changed() -> None:
    script = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from jupyter_workflows.execution.workspace import Workspace, WorkspaceLimits\n"
        "if os.geteuid() == 0:\n"
        "    os.setgid(65534); os.setuid(65534)\n"
        "snapshot = Path(sys.argv[1])\n"
        "(snapshot.parent / 's').mkdir()\n"
        "made = Workspace(snapshot, snapshot.parent / 's', 1, WorkspaceLimits(copy=1000))\n"
        "made.fill()\n"
        "try:\n"
        "    with open(made.path / 'data/big.bin', 'ab') as file: file.write(b'!')\n"
        "except PermissionError: pass\n"
        "print(made.close())\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        there = make_snapshot(Path(folder) / "snapshot")
        if os.geteuid() == 0:
            for path in [Path(folder), *Path(folder).rglob("*")]:
                os.chown(path, 65534, 65534, follow_symlinks=False)
        done = subprocess.run([sys.executable, "-c", script, str(there)], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert (there / PROJECT / "data/big.bin").read_bytes() == b"b" * 2000


def test_what_a_stage_wrote_is_kept_beside_the_evidence(snapshot: Path) -> None:
    made = workspace(snapshot)
    made.fill()
    (made.path / "out/report.txt").write_text("done")
    (made.path / "lib/helper.py").write_text("X = 2\n")
    (made.path / "lib/__pycache__").mkdir()
    (made.path / "lib/__pycache__/helper.pyc").write_text("x")
    (made.path / "secret").write_text("!")
    (made.path / "secret").chmod(0)
    (made.path / "passwords").symlink_to("/etc/passwd")
    (made.path / "w.workflow").unlink()
    assert made.close() == []
    kept = written_folder(made.folder, 1)
    assert {path.relative_to(kept).as_posix() for path in kept.rglob("*") if path.is_file()} == {
        "out/report.txt",
        "lib/helper.py",
        "secret",
    }
    assert (kept / "lib/helper.py").read_text() == "X = 2\n"
    assert not made.path.exists()


def test_nothing_is_kept_of_a_stage_that_wrote_nothing(snapshot: Path) -> None:
    made = workspace(snapshot)
    made.fill()
    assert made.close() == []
    assert list(made.folder.iterdir()) == []


def test_what_is_more_than_the_quota_goes_with_a_word(snapshot: Path) -> None:
    made = workspace(snapshot)
    made.fill()
    (made.path / "a").write_bytes(b"x" * 60)
    (made.path / "b").write_bytes(b"x" * 2048)
    (made.path / "c").write_bytes(b"x" * 40)
    (warning,) = made.close()
    assert "A file that the stage wrote (2.0 KiB)" in warning and "b" in warning
    assert sorted(path.name for path in written_folder(made.folder, 1).iterdir()) == ["a", "c"]
    made = workspace(snapshot, 2)
    made.fill()
    for number in range(15):
        (made.path / f"f{number:02}").write_text("")
    (warning,) = made.close()
    assert warning.startswith("10 files") and warning.endswith("f05, f06, f07, f08, f09 …")


def test_an_attempt_clears_up_after_those_that_were_lost(snapshot: Path) -> None:
    lost, later = workspace(snapshot, 1), workspace(snapshot, 3)
    lost.fill()
    (lost.path / "out/half").write_text("done")
    (lost.path / "out").chmod(0o555)
    later.fill()
    assert workspace(snapshot, 2).close() == []
    assert later.path.exists() and not lost.path.exists()
    assert (written_folder(later.folder, 1) / "out/half").read_text() == "done"


def test_a_workspace_that_was_begun_is_made_anew(snapshot: Path) -> None:
    made = workspace(snapshot)
    made.path.mkdir()
    (made.path / "half").write_text("")
    made.fill()
    assert not (made.path / "half").exists()


@pytest.mark.parametrize("damage", ["size", "content", "missing", "manifest"])
def test_a_snapshot_that_was_tampered_with_is_not_executed(snapshot: Path, damage: str) -> None:
    file = snapshot / PROJECT / "data/big.bin"
    file.chmod(0o644)
    if damage == "size":
        file.write_bytes(b"b")
    elif damage == "content":
        file.write_bytes(b"c" * 2000)
    elif damage == "missing":
        file.unlink()
    else:
        (snapshot / MANIFEST).write_text('{"format": 2}')
    with pytest.raises(SourceError) as caught:
        workspace(snapshot).fill()
    assert caught.value.name == ("SnapshotNotFound" if damage == "manifest" else "SnapshotDamaged")


@pytest.mark.parametrize("user", [0, 1000])
def test_a_snapshot_that_came_from_a_backup_is_what_was_deployed(
    snapshot: Path, monkeypatch: pytest.MonkeyPatch, user: int
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: user)
    file = snapshot / PROJECT / "data/big.bin"
    os.utime(file, ns=(0, 0))
    made = workspace(snapshot)
    made.fill()
    # Nothing of it counts as written.
    assert (made.path / "data/big.bin").read_bytes() == b"b" * 2000
    assert made.close() == []
    assert list(made.folder.iterdir()) == []
