"""Bytes by content hash: what the kernel keeps beside the JSON, and what it reads back."""

from __future__ import annotations

import atexit
import hashlib
import os
import shutil
import tempfile
from functools import cache
from pathlib import Path, PurePath
from typing import Any

from .wire import Artifact

_CHUNK = 1 << 20


class Blobs:
    """The blobs in a stage run's folder, backed by the artifacts that the stage run started with.

    Parameters
    ----------
    folder
        The stage run's folder. `None`: a temporary one, made when it is needed.
    artifacts
        Folder in which artifacts lie as ``<first two digits>/<hash>``.
    attempt
        Files are handed out as copies of this attempt's own, so that a notebook that changes one in place
        changes nothing for the next attempt.
    """

    def __init__(self, folder: Path | None, artifacts: Path | None, attempt: int) -> None:
        self._folder = folder
        self._artifacts = artifacts
        self._attempt = attempt
        self._handed_out: dict[tuple[str, str], Path] = {}

    @property
    def folder(self) -> Path:
        """The folder that holds ``blobs``."""
        if self._folder is None:
            self._folder = _temporary_folder()
        return self._folder

    def save(self, content: bytes | Path, description: dict[str, Any]) -> str:
        """Keep bytes or a file and return the hash. Fit for the `save` of `wire.encode`."""
        if isinstance(content, bytes):
            digest = hashlib.sha256(content).hexdigest()
            if self.find(digest) is None:
                self._put(content, digest)
            return digest
        with content.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        if self.find(digest) is not None:
            return digest
        if description.get("temporary") and self._move(content, digest):
            return digest
        return self._copy(content)

    def find(self, digest: str) -> Path | None:
        """Return the file that holds the bytes with this hash, or `None`."""
        candidates = [self.folder / "blobs" / digest]
        if self._artifacts is not None:
            candidates.append(self._artifacts / digest[:2] / digest)
        return next((file for file in candidates if file.is_file()), None)

    def load(self, artifact: Artifact) -> Path:
        """Return the local file of an artifact. Fit for the `load` of `wire.decode`."""
        if artifact.type == "file":
            return self.file(artifact.hash, artifact.name or "file")
        found = self.find(artifact.hash)
        if found is None:
            raise FileNotFoundError(f"the bytes of a stage-data value are missing ({artifact.describe()})")
        return found

    def file(self, digest: str, name: str) -> Path:
        """Return a copy of the bytes with this hash under a file name of its own."""
        name = PurePath(name.replace("\\", "/")).name or "file"
        known = self._handed_out.get((digest, name))
        if known is not None and known.is_file():
            return known
        found = self.find(digest)
        if found is None:
            raise FileNotFoundError(f"the bytes of the file {name} are missing")
        target = self.folder / f"files-{self._attempt}" / digest[:16] / name
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.copyfile(found, target)
        self._handed_out[digest, name] = target
        return target

    def intact(self, digest: str) -> bool:
        """Return whether the bytes are there and are those that the hash names."""
        found = self.find(digest)
        if found is None:
            return False
        with found.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest() == digest

    def _put(self, content: bytes, digest: str) -> None:
        descriptor, name = tempfile.mkstemp(dir=self._blobs())
        with open(descriptor, "wb") as stream:  # noqa: PTH123 - a descriptor has no path
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        self._settle(name, digest)

    def _move(self, source: Path, digest: str) -> bool:
        try:
            with source.open("r+b") as stream:
                os.fsync(stream.fileno())
            self._settle(str(source), digest)
        except OSError:  # on another file system, most likely
            return False
        return True

    def _copy(self, source: Path) -> str:
        # Hashed while copying: what counts is what was copied, should somebody be writing the file.
        digest = hashlib.sha256()
        descriptor, name = tempfile.mkstemp(dir=self._blobs())
        with open(descriptor, "wb") as stream, source.open("rb") as origin:  # noqa: PTH123
            while chunk := origin.read(_CHUNK):
                digest.update(chunk)
                stream.write(chunk)
            stream.flush()
            os.fsync(stream.fileno())
        self._settle(name, digest.hexdigest())
        return digest.hexdigest()

    def _settle(self, temporary: str, digest: str) -> None:
        Path(temporary).replace(self._blobs() / digest)
        sync_folder(self._blobs())

    def _blobs(self) -> Path:
        folder = self.folder / "blobs"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder


@cache
def _temporary_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="jupyter-workflows-draft-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def sync_folder(folder: Path) -> None:
    """Make new names in a folder durable, where the system can."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:  # Windows does not open folders
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_whole(file: Path, content: bytes) -> None:
    """Write a private file so that readers see all of it or nothing."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}-")
    with open(descriptor, "wb") as stream:  # noqa: PTH123 - a descriptor has no path
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    Path(name).replace(file)
    sync_folder(file.parent)
