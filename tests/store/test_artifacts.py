"""Large values, in a folder and elsewhere."""

from __future__ import annotations

import hashlib
import uuid
from pathlib import Path

import pytest

from jupyter_workflows.store import ArtifactStore, NotFound, StoreError

CONTENT = b"some bytes" * 1000
HASH = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(params=["path", "file", "memory"])
def artifacts(request: pytest.FixtureRequest, tmp_path: Path) -> ArtifactStore:
    """A store in a folder, at a file URL, and in fsspec's memory."""
    return ArtifactStore(
        {
            "path": tmp_path / "artifacts",
            "file": f"file://{tmp_path / 'artifacts'}",
            "memory": f"memory://{uuid.uuid4()}/artifacts",
        }[request.param]
    )


def test_bytes_and_files_are_kept_by_their_hash(artifacts: ArtifactStore, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(CONTENT)
    assert not artifacts.exists(HASH)
    assert artifacts.put_file(tmp_path / "file") == HASH
    assert artifacts.put_file(tmp_path / "file", HASH) == HASH
    assert artifacts.put_bytes(CONTENT) == HASH
    other = artifacts.put_bytes(b"other")
    with artifacts.open(HASH) as file:
        assert file.read() == CONTENT
    assert {one.hash: one.size for one in artifacts.list()} == {HASH: len(CONTENT), other: 5}
    artifacts.delete(other)
    artifacts.delete(other)
    assert not artifacts.exists(other)


def test_a_file_with_another_hash_is_refused(artifacts: ArtifactStore, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(CONTENT + b"torn")
    with pytest.raises(StoreError, match="changed or torn"):
        artifacts.put_file(tmp_path / "file", HASH)
    assert list(artifacts.list()) == []


def test_what_is_not_there(artifacts: ArtifactStore, tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        artifacts.open(HASH)
    with pytest.raises(NotFound):
        artifacts.localise(HASH, tmp_path / "cache")
    assert artifacts.modified(HASH) is None
    assert list(artifacts.list()) == []


def test_an_artifact_is_made_local(artifacts: ArtifactStore, tmp_path: Path) -> None:
    artifacts.put_bytes(CONTENT)
    local = artifacts.localise(HASH, tmp_path / "cache")
    assert local.read_bytes() == CONTENT
    assert local.parts[-2:] == (HASH[:2], HASH)
    assert artifacts.localise(HASH, tmp_path / "cache") == local
    if artifacts.is_local:
        assert local == artifacts.path(HASH)
        assert not (tmp_path / "cache").exists()
    else:
        assert artifacts.path(HASH) is None


@pytest.mark.parametrize("name", ["../../etc/passwd", "", "AB" * 32, "ab" * 31 + "/x", HASH + "0"])
def test_only_hashes_name_artifacts(artifacts: ArtifactStore, name: str, tmp_path: Path) -> None:
    for method in (artifacts.open, artifacts.path, artifacts.delete, artifacts.exists):
        if artifacts.is_local or method != artifacts.path:
            with pytest.raises(StoreError, match="not the hash"):
                method(name)
    with pytest.raises(StoreError, match="not the hash"):
        artifacts.localise(name, tmp_path)


def test_a_write_that_breaks_off_leaves_nothing(artifacts: ArtifactStore, tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), artifacts._new(HASH) as file:
        file.write(b"half")
        1 / 0  # noqa: B018
    assert not artifacts.exists(HASH)
    assert list(artifacts.list()) == []
    if artifacts.is_local:
        assert [path for path in (tmp_path / "artifacts").rglob("*") if path.is_file()] == []


def test_an_unknown_place_is_refused() -> None:
    with pytest.raises(StoreError, match="cannot be kept"):
        ArtifactStore("nowhere://x")
