"""What is in the snapshot of a deployed project."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

FORMAT = 1

#: Below a snapshot's folder: the list of its files, and the folder in which they lie.
MANIFEST = "manifest.json"
PROJECT = "project"


class ManifestError(Exception):
    """A snapshot whose manifest is not there or cannot be read."""


@dataclass(frozen=True, slots=True)
class SnapshotFile:
    """A file of the project.

    Parameters
    ----------
    path
        Relative to the project's root, with forward slashes.
    mtime
        When it was last changed, in nanoseconds.
    executable
        Whether its owner may execute it.
    """

    path: str
    size: int
    mtime: int
    sha256: str
    executable: bool = False


@dataclass(frozen=True, slots=True)
class SnapshotLink:
    """A symbolic link within the project; `target` is relative to the link's folder."""

    path: str
    target: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """All that is in a snapshot, sorted by path.

    Parameters
    ----------
    document
        Name of the workflow document.
    bytecode
        Compiled Python modules, made for the snapshot.
    """

    document: str
    folders: tuple[str, ...]
    files: tuple[SnapshotFile, ...]
    links: tuple[SnapshotLink, ...] = ()
    bytecode: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)

    @property
    def hash(self) -> str:
        """SHA-256 of names and contents: two snapshots with the same one hold the same project."""
        content = [
            self.document,
            self.folders,
            [(file.path, file.sha256, file.executable) for file in self.files],
            [(link.path, link.target) for link in self.links],
        ]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """Return the manifest as JSON-serialisable mapping."""
        return {"format": FORMAT, "hash": self.hash, **asdict(self)}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Manifest:
        """Build a manifest from what `to_json` returned."""
        if value["format"] != FORMAT:
            raise ValueError(f"it is of format {value['format']!r}, and this program reads {FORMAT}")
        return cls(
            value["document"],
            tuple(value["folders"]),
            tuple(SnapshotFile(**file) for file in value["files"]),
            tuple(SnapshotLink(**link) for link in value["links"]),
            tuple(value["bytecode"]),
        )


def sorted_manifest(
    document: str,
    folders: Iterable[str],
    files: Iterable[SnapshotFile],
    links: Iterable[SnapshotLink],
    bytecode: Iterable[str] = (),
) -> Manifest:
    """Return a manifest whose hash does not depend on the order in which files were found."""
    return Manifest(
        document,
        tuple(sorted(folders)),
        tuple(sorted(files, key=lambda file: file.path)),
        tuple(sorted(links, key=lambda link: link.path)),
        tuple(sorted(bytecode)),
    )


def read_manifest(snapshot: Path) -> Manifest:
    """Return the manifest of a snapshot.

    Raises
    ------
    ManifestError
        It cannot be read.
    """
    file = snapshot / MANIFEST
    try:
        return _read(file, file.stat().st_mtime_ns)
    except OSError as error:
        raise ManifestError(f"{file} cannot be read: {error.strerror or error}") from error
    except (ValueError, TypeError, KeyError) as error:
        raise ManifestError(f"{file} is not the manifest of a snapshot: {error}") from error


@lru_cache(maxsize=16)
def _read(file: Path, mtime: int) -> Manifest:
    """Read a manifest, once as long as it is the same file."""
    return Manifest.from_json(json.loads(file.read_bytes()))
