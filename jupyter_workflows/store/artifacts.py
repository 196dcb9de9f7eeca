"""Large values of stage data, by the hash of their content: a folder, or any place that fsspec knows."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import fsspec
from fsspec.implementations.local import LocalFileSystem

from .errors import NotFound, StoreError

_HASH = re.compile(r"[0-9a-f]{64}")
_BLOCK = 1 << 20
#: A remote object that is put again is written again after so long, so that it does not count as forgotten.
_FRESH_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class StoredArtifact:
    """An artifact that lies in the store."""

    hash: str
    size: int
    modified: datetime


def sha256_of(path: Path) -> str:
    """Return the hash of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class ArtifactStore:
    """Files by content hash, at ``FIRST TWO DIGITS/HASH`` below a folder.

    Parameters
    ----------
    url
        A path, or a URL of fsspec's (``s3://bucket/prefix``, ``memory://x`` …).
    """

    def __init__(self, url: str | os.PathLike[str]) -> None:
        self.url = os.fspath(url)
        try:
            self._fs, self._root = fsspec.url_to_fs(self.url)
        except (ImportError, ValueError) as error:
            raise StoreError(
                f"artifacts cannot be kept at {self.url!r}: {error}", "Name a folder or an fsspec URL"
            ) from error
        self.is_local = isinstance(self._fs, LocalFileSystem)

    def put_file(self, path: str | os.PathLike[str], expected: str | None = None) -> str:
        """Store a file's content and return its hash.

        Parameters
        ----------
        expected
            The hash that the content must have.

        Raises
        ------
        StoreError
            The content has another hash: it was changed or torn.
        """
        source = Path(path)
        hashed = sha256_of(source)
        _check(hashed, expected, source)
        if self._refresh(hashed):
            return hashed
        if self.is_local:
            self._put_local(source, hashed)
        else:
            self._put_remote(source, hashed)
        return hashed

    def put_bytes(self, content: bytes, expected: str | None = None) -> str:
        """Store bytes and return their hash."""
        hashed = hashlib.sha256(content).hexdigest()
        _check(hashed, expected, "the content")
        if not self._refresh(hashed):
            with self._new(hashed) as file:
                file.write(content)
        return hashed

    def exists(self, hashed: str) -> bool:
        """Return whether the artifact is stored."""
        return bool(self._fs.exists(self._place(hashed)))

    def open(self, hashed: str) -> IO[bytes]:
        """Open an artifact for reading."""
        try:
            file: IO[bytes] = self._fs.open(self._place(hashed), "rb")
        except FileNotFoundError as error:
            raise NotFound(f"there is no artifact {hashed} in {self.url}") from error
        return file

    def path(self, hashed: str) -> Path | None:
        """Return where an artifact lies in the local file system; `None` in a remote store."""
        return Path(self._place(hashed)) if self.is_local else None

    def localise(self, hashed: str, folder: Path) -> Path:
        """Make an artifact readable below a local folder, and return its path there.

        In a local store that is the store's own file, and nothing is copied.
        """
        place = self._place(hashed)
        if self.is_local:
            local = Path(place)
            if not local.exists():
                raise NotFound(f"there is no artifact {hashed} in {self.url}")
            return local
        target = folder / hashed[:2] / hashed
        if target.exists():
            return target
        target.parent.mkdir(parents=True, exist_ok=True)
        with self.open(hashed) as source, _renamed(target) as file:
            shutil.copyfileobj(source, file, _BLOCK)
        return target

    def delete(self, hashed: str) -> None:
        """Remove an artifact; one that is not there is no error."""
        with contextlib.suppress(FileNotFoundError):
            self._fs.rm_file(self._place(hashed))

    def list(self) -> Iterator[StoredArtifact]:
        """Go through all artifacts."""
        try:
            found = self._fs.find(self._root, detail=True)
        except FileNotFoundError:
            return
        for path, info in found.items():
            name = path.rpartition("/")[2]
            if _HASH.fullmatch(name):
                yield StoredArtifact(name, int(info["size"]), _modified(info))

    def modified(self, hashed: str) -> datetime | None:
        """Return when an artifact was last put; `None` if it is not there."""
        try:
            return _modified(self._fs.info(self._place(hashed)))
        except FileNotFoundError:
            return None

    def _place(self, hashed: str) -> str:
        # What comes from a document or a kernel must not become a path of its choice.
        if not _HASH.fullmatch(hashed):
            raise StoreError(f"{hashed!r} is not the hash of an artifact")
        return f"{self._root}/{hashed[:2]}/{hashed}"

    def _refresh(self, hashed: str) -> bool:
        """Return whether the artifact is there, and make it count as just put: it is about to be used."""
        local = self.path(hashed)
        if local is not None:
            try:
                os.utime(local)
            except FileNotFoundError:
                return False
            return True
        modified = self.modified(hashed)
        return modified is not None and (datetime.now(UTC) - modified).total_seconds() < _FRESH_SECONDS

    def _put_local(self, source: Path, hashed: str) -> None:
        with self._new(hashed) as file, source.open("rb") as content:
            digest = hashlib.sha256()
            while block := content.read(_BLOCK):
                digest.update(block)
                file.write(block)
            _check(digest.hexdigest(), hashed, source)

    def _put_remote(self, source: Path, hashed: str) -> None:
        with self._new(hashed) as file, source.open("rb") as content:
            shutil.copyfileobj(content, file, _BLOCK)

    @contextlib.contextmanager
    def _new(self, hashed: str) -> Iterator[IO[bytes]]:
        """Open the place of an artifact for writing; it appears there whole, or not at all."""
        place = self._place(hashed)
        if self.is_local:
            Path(place).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with _renamed(Path(place)) as file:
                yield file
            return
        self._fs.makedirs(place.rpartition("/")[0], exist_ok=True)
        with self._fs.transaction, self._fs.open(place, "wb") as remote:
            yield remote


def _check(hashed: str, expected: str | None, what: object) -> None:
    if expected is not None and hashed != expected:
        raise StoreError(f"{what} has the hash {hashed}, not {expected}: it was changed or torn")


@contextlib.contextmanager
def _renamed(target: Path) -> Iterator[IO[bytes]]:
    """Write a file beside its place, force it to the disk, then move it there."""
    descriptor, temporary = tempfile.mkstemp(dir=target.parent, prefix=".new-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(target)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            Path(temporary).unlink()
        raise


def _modified(info: dict[str, Any]) -> datetime:
    """Return when an object was written; file systems call it by different names."""
    for name in ("mtime", "LastModified", "last_modified", "updated", "modified", "created"):
        value = info.get(name)
        if isinstance(value, datetime):
            return value if value.tzinfo else value.replace(tzinfo=UTC)
        if isinstance(value, int | float):
            return datetime.fromtimestamp(value, UTC)
        if isinstance(value, str):
            with contextlib.suppress(ValueError):
                parsed = datetime.fromisoformat(value)
                return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    # Where it is not known, nothing is old enough to be removed.
    return datetime.now(UTC)
