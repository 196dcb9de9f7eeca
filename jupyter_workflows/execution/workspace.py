"""The folder of one live attempt: a copy of the deployed project that it has to itself.

Small files are copied from the snapshot, and larger ones linked where their permissions keep a stage from
changing them through the link. When the attempt has ended, what it wrote or changed is moved beside the
executed notebook, into ``files-ATTEMPT``, up to a quota; the rest goes.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from jupyter_workflows.execution.manifest import (
    PROJECT,
    Manifest,
    ManifestError,
    SnapshotFile,
    read_manifest,
)
from jupyter_workflows.execution.messages import size
from jupyter_workflows.execution.source import SourceError
from jupyter_workflows.execution.spec import AttemptSpec
from jupyter_workflows.execution.trees import clone, remove_tree

MIB = 1024 * 1024

#: What tools leave behind, which nobody looks at.
_LITTER = frozenset({"__pycache__", ".ipynb_checkpoints"})
_NAMED = 5


@dataclass(frozen=True, slots=True)
class WorkspaceLimits:
    """How much is copied, and how much is kept of what a stage wrote.

    Parameters
    ----------
    copy
        Files of more bytes than these are linked instead.
    quota, files
        Bytes and number of the written files that an attempt keeps.
    """

    copy: int = MIB
    quota: int = 64 * MIB
    files: int = 1000


def workspace_folder(folder: str | Path, attempt: int) -> Path:
    """Return where an attempt of a stage run works; `folder` is the stage run's."""
    return Path(folder) / f"work-{attempt}"


def written_folder(folder: str | Path, attempt: int) -> Path:
    """Return where the files are kept that an attempt wrote."""
    return Path(folder) / f"files-{attempt}"


class Workspace:
    """A live attempt's folder.

    Parameters
    ----------
    snapshot
        Folder of the deployment's snapshot, with its manifest.
    folder
        The stage run's.
    """

    def __init__(
        self, snapshot: Path, folder: Path, attempt: int, limits: WorkspaceLimits | None = None
    ) -> None:
        self.snapshot = snapshot
        self.folder = folder
        self.attempt = attempt
        self.limits = limits or WorkspaceLimits()
        self.path = workspace_folder(folder, attempt)

    @classmethod
    def of(cls, spec: AttemptSpec) -> Workspace | None:
        """Return the workspace of an attempt; a run of a working copy has none."""
        if spec.snapshot is None:
            return None
        return cls(Path(spec.snapshot), Path(spec.folder), spec.attempt)

    def fill(self) -> None:
        """Make the folder.

        Raises
        ------
        SourceError
            The snapshot is not what was deployed.
        """
        manifest = self._manifest()
        source = self.snapshot / PROJECT
        remove_tree(self.path)
        self.path.mkdir(mode=0o700)
        for name in manifest.folders:
            (self.path / name).mkdir()
        for file in manifest.files:
            self._bring(file, source / file.path, self.path / file.path)
        for link in manifest.links:
            (self.path / link.path).symlink_to(link.target)
        for name in manifest.bytecode:
            target = self.path / name
            target.parent.mkdir(exist_ok=True)
            shutil.copyfile(source / name, target)

    def close(self) -> list[str]:
        """Keep what was written, remove the rest, and return what a person should know of it.

        So it is done for earlier attempts that could not do it for themselves.
        """
        warnings = []
        for attempt in self._left_behind():
            there = workspace_folder(self.folder, attempt)
            try:
                dropped = self._keep(there, written_folder(self.folder, attempt))
            except (OSError, ManifestError) as error:
                warnings.append(f"Files that the stage wrote could not be kept: {error}")
                dropped = []
            if dropped:
                warnings.append(self._describe(dropped))
            remove_tree(there)
        return warnings

    def _left_behind(self) -> list[int]:
        found = []
        for path in self.folder.glob("work-*"):
            number = path.name.removeprefix("work-")
            if number.isdigit() and int(number) <= self.attempt:
                found.append(int(number))
        return sorted(found)

    def _manifest(self) -> Manifest:
        try:
            return read_manifest(self.snapshot)
        except ManifestError as error:
            raise SourceError(
                "SnapshotNotFound", f"The deployed version is not there any more: {error}"
            ) from error

    # -- filling --

    def _bring(self, file: SnapshotFile, source: Path, target: Path) -> None:
        try:
            if file.size <= self.limits.copy:
                _copy(file, source, target)
                return
            status = source.stat()
            if status.st_size != file.size:
                raise _damaged(file)
            self._check(file, source, status)
            if not clone(source, target):
                if _is_protected(status) and _link(source, target):
                    return
                shutil.copyfile(source, target)
            os.utime(target, ns=(file.mtime, file.mtime))
            target.chmod(_mode(file))
        except FileNotFoundError:
            raise _damaged(file) from None

    def _check(self, file: SnapshotFile, source: Path, status: os.stat_result) -> None:
        """See whether a file is what was deployed; its time alone says so nearly always."""
        if status.st_mtime_ns == file.mtime:
            return
        with source.open("rb") as content:
            if hashlib.file_digest(content, "sha256").hexdigest() != file.sha256:
                raise _damaged(file)

    # -- keeping --

    def _keep(self, there: Path, kept: Path) -> list[tuple[str, int]]:
        """Move what was written from one folder to another; return path and size of what is too much."""
        known = {file.path: file for file in read_manifest(self.snapshot).files}
        source = self.snapshot / PROJECT
        room, places = self.limits.quota, self.limits.files
        dropped = []
        for path, status in sorted(_files(there)):
            file = known.get(path)
            if file is not None and (file.size, file.mtime) == (status.st_size, status.st_mtime_ns):
                continue
            if status.st_nlink > 1 and file is not None and (there / path).samefile(source / path):
                continue
            if status.st_size > room or not places:
                dropped.append((path, status.st_size))
                continue
            room -= status.st_size
            places -= 1
            target = kept / path
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            (there / path).replace(target)
            if not status.st_mode & stat.S_IRUSR:
                target.chmod(stat.S_IMODE(status.st_mode) | stat.S_IRUSR)
        return dropped

    def _describe(self, dropped: list[tuple[str, int]]) -> str:
        names = [name for name, _ in dropped]
        shown = ", ".join(names[:_NAMED]) + (" …" if len(names) > _NAMED else "")
        number = "A file" if len(names) == 1 else f"{len(names)} files"
        return (
            f"{number} that the stage wrote ({size(sum(length for _, length in dropped))}) went with its "
            f"folder: an attempt keeps {size(self.limits.quota)} and {self.limits.files} files. "
            f"Hand files on in the stage data, or write them elsewhere: {shown}"
        )


def _mode(file: SnapshotFile) -> int:
    return 0o755 if file.executable else 0o644


def _copy(file: SnapshotFile, source: Path, target: Path) -> None:
    """Copy a small file; there may be many of them, and somebody may be waiting for the attempt."""
    with open(source, "rb", buffering=0) as reading:  # noqa: PTH123
        content = reading.read()
    if len(content) != file.size:
        raise _damaged(file)
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _mode(file))
    with open(descriptor, "wb", buffering=0) as writing:  # noqa: PTH123
        writing.write(content)
    os.utime(target, ns=(file.mtime, file.mtime))


def _is_protected(status: os.stat_result) -> bool:
    """Return whether permissions keep a stage from changing the file through a link to it."""
    return os.name != "posix" or (os.geteuid() != 0 and not status.st_mode & 0o222)


def _link(source: Path, target: Path) -> bool:
    try:
        os.link(source, target)
    except OSError:  # on another file system, or one without links
        return False
    return True


def _damaged(file: SnapshotFile) -> SourceError:
    return SourceError(
        "SnapshotDamaged",
        f"{file.path} in the snapshot is not what was deployed: something changed or removed it. "
        "Deploy the workflow again.",
    )


def _files(there: Path) -> Iterator[tuple[str, os.stat_result]]:
    """Yield path and status of the regular files in a folder and below."""
    waiting = [PurePosixPath()]
    while waiting:
        folder = waiting.pop()
        try:
            entries = list(os.scandir(there / folder))
        except PermissionError:
            (there / folder).chmod(0o700)
            entries = list(os.scandir(there / folder))
        for entry in entries:
            if entry.is_symlink() or entry.name in _LITTER:
                continue
            if entry.is_dir():
                waiting.append(folder / entry.name)
            elif entry.is_file():
                yield str(folder / entry.name), entry.stat()
