"""Taking a snapshot: a copy of a project that nobody changes any more."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import py_compile
import stat
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from jupyter_workflows.execution.manifest import (
    MANIFEST,
    PROJECT,
    Manifest,
    SnapshotFile,
    read_manifest,
    sorted_manifest,
)
from jupyter_workflows.execution.messages import size
from jupyter_workflows.execution.trees import clone

from .errors import DeployError
from .selection import IGNORE, Selection

#: Files from this size on are shared with the file system's other copies where that is possible.
LARGE = 1024 * 1024
#: From this size on it is said that a file is copied.
_WORTH_A_WORD = 64 * 1024 * 1024
_CHUNK = 1024 * 1024
_TRIES = 3
_WRITERS = 16
#: How many modules are compiled in advance.
_MODULES = 1000

#: Says what takes a while.
Progress = Callable[[str], None]


def new_folder(parent: Path) -> Path:
    """Make a folder for a snapshot that is being taken; what is left of one begins with ``.new-``."""
    folder = parent / f".new-{uuid.uuid4().hex[:12]}"
    folder.mkdir(mode=0o700)
    return folder


def take(
    root: Path,
    document: str,
    content: bytes,
    selection: Selection,
    folder: Path,
    *,
    previous: Path | None = None,
    on_progress: Progress | None = None,
) -> Manifest:
    """Copy a project into a folder, with a manifest.

    Parameters
    ----------
    document, content
        Name and bytes of the workflow document, as it was read.
    previous
        The snapshot of another version: large files that did not change are shared with it.

    Raises
    ------
    DeployError
        A file keeps changing.
    """
    project = folder / PROJECT
    project.mkdir()
    for name in selection.folders:
        (project / name).mkdir()
    copier = _Copier(root, project, _contents(previous), on_progress)
    files = [copier.copy(path) for path in selection.files if path != document]
    files.append(_write(project / document, document, content))
    for link in selection.links:
        (project / link.path).symlink_to(link.target)
    manifest = sorted_manifest(
        document, selection.folders, files, selection.links, _compile(project, selection.files)
    )
    text = json.dumps(manifest.to_json(), indent=1)
    (folder / MANIFEST).write_text(text + "\n", encoding="ascii")
    _to_disk(folder)
    return manifest


def seal(folder: Path) -> None:
    """Take the permissions to write away from a snapshot's project."""
    for path, folders, names in os.walk(folder / PROJECT, topdown=False):
        for name in names:
            file = Path(path) / name
            if not file.is_symlink():
                mode = file.stat().st_mode
                if mode & 0o222:  # a shared file has none, and must keep its time of change
                    file.chmod(0o555 if mode & stat.S_IXUSR else 0o444)
        for name in folders:
            inner = Path(path) / name
            if not inner.is_symlink():
                inner.chmod(0o555)
    (folder / PROJECT).chmod(0o555)


class _Copier:
    def __init__(
        self, root: Path, project: Path, known: dict[tuple[str, int], Path], on_progress: Progress | None
    ) -> None:
        self.root = root
        self.project = project
        self.known = known
        self.on_progress = on_progress

    def copy(self, path: str) -> SnapshotFile:
        """Copy a file as it is at one moment."""
        source, target = self.root / path, self.project / path
        for _ in range(_TRIES):
            before = source.stat()
            if before.st_size >= _WORTH_A_WORD and self.on_progress is not None:
                self.on_progress(f"Copying {path} ({size(before.st_size)})")
            hashed, length = self._bring(source, target, before.st_size)
            after = source.stat()
            if _signature(before) == _signature(after) and length == after.st_size:
                executable = bool(after.st_mode & stat.S_IXUSR)
                if target.stat().st_nlink == 1:
                    target.chmod(0o755 if executable else 0o644)
                    os.utime(target, ns=(after.st_mtime_ns, after.st_mtime_ns))
                return SnapshotFile(path, length, target.stat().st_mtime_ns, hashed, executable)
            target.unlink()
        raise DeployError(
            f"{path} changes while it is copied",
            f"Try again when nothing writes to it, or leave it out: name it in {IGNORE}",
        )

    def _bring(self, source: Path, target: Path, length: int) -> tuple[str, int]:
        """Bring a file's content to its place and return its hash and length."""
        if length < LARGE:
            content = source.read_bytes()
            target.write_bytes(content)
            return hashlib.sha256(content).hexdigest(), len(content)
        if clone(source, target):
            return _hash(target)
        if any(known[1] == length for known in self.known):
            hashed, length = _hash(source)
            same = self.known.get((hashed, length))
            if same is not None:
                with contextlib.suppress(OSError):
                    os.link(same, target)
                    return hashed, length
        digest, copied = hashlib.sha256(), 0
        with source.open("rb") as reading, target.open("wb") as writing:
            while chunk := reading.read(_CHUNK):
                digest.update(chunk)
                writing.write(chunk)
                copied += len(chunk)
        return digest.hexdigest(), copied


def _contents(snapshot: Path | None) -> dict[tuple[str, int], Path]:
    """Return the large files of a snapshot by hash and size."""
    if snapshot is None:
        return {}
    return {
        (file.sha256, file.size): snapshot / PROJECT / file.path
        for file in read_manifest(snapshot).files
        if file.size >= LARGE and _is_untouched(snapshot / PROJECT / file.path, file)
    }


def _is_untouched(path: Path, file: SnapshotFile) -> bool:
    try:
        status = path.stat()
    except OSError:
        return False
    return (status.st_size, status.st_mtime_ns) == (file.size, file.mtime)


def _signature(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_size, status.st_mtime_ns, status.st_ino


def _hash(path: Path) -> tuple[str, int]:
    with path.open("rb") as content:
        hashed = hashlib.file_digest(content, "sha256").hexdigest()
        return hashed, content.tell()


def _write(target: Path, path: str, content: bytes) -> SnapshotFile:
    target.write_bytes(content)
    hashed = hashlib.sha256(content).hexdigest()
    return SnapshotFile(path, len(content), target.stat().st_mtime_ns, hashed)


def _compile(project: Path, files: list[str]) -> list[str]:
    """Compile modules, so that not every attempt does it anew; return the paths of the bytecode."""
    made = []
    for path in [path for path in files if path.endswith(".py")][:_MODULES]:
        # A module that cannot be compiled, or a file that only looks like one, says so when it is imported.
        with contextlib.suppress(Exception):
            compiled = py_compile.compile(str(project / path), dfile=path, doraise=True)
            if compiled is not None:
                made.append(Path(compiled).relative_to(project).as_posix())
    return made


def _to_disk(folder: Path) -> None:
    """Return when all of a folder is on the disk: what was promised is there after a power failure."""
    if os.name != "posix":
        return
    paths = [Path(path) for path, _, _ in os.walk(folder)]
    paths += [Path(path) / name for path, _, names in os.walk(folder) for name in names]
    # The file system writes for all that wait at the same time at once.
    with ThreadPoolExecutor(_WRITERS) as threads:
        for _ in threads.map(sync, [path for path in paths if not path.is_symlink()]):
            pass


def sync(path: Path) -> None:
    """Return when a file, or a folder's list of names, is on the disk."""
    if os.name != "posix":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
