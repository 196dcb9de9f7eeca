"""A project as one file, to be deployed on another machine: a tar archive, compressed by gzip.

It holds the files that would be in a snapshot, the workflow document as it was read, and the file that says
what is left out, so that the other side chooses the same files.
"""

from __future__ import annotations

import gzip
import io
import os
import posixpath
import shutil
import stat
import tarfile
import zlib
from pathlib import Path, PurePosixPath
from typing import IO

from jupyter_workflows.execution.messages import size
from jupyter_workflows.execution.project import Project

from .errors import DeployError
from .selection import IGNORE, Bounds, select

_CHUNK = 1024 * 1024
_LONGEST_NAME = 4096
#: Zeros at the end of an archive.
_END = 1024


def pack(project: Project, stream: IO[bytes]) -> None:
    """Write a project into a stream.

    Raises
    ------
    DeployError
        There is something in its folder that cannot be deployed, or that cannot be read.
    """
    chosen = select(project.root)
    if any(finding.severity == "error" for finding in chosen.findings):
        raise DeployError(
            f"{project.path} is not deployed, because of what is in its folder",
            "Mend what was found, then deploy again",
            findings=chosen.findings,
            code="invalid-workflow",
        )
    name = project.path.name
    ignore = [IGNORE] if (project.root / IGNORE).is_file() and IGNORE not in chosen.files else []
    try:
        with tarfile.open(fileobj=stream, mode="w:gz", compresslevel=6, format=tarfile.PAX_FORMAT) as archive:
            for path in chosen.folders:
                archive.add(project.root / path, path, recursive=False, filter=_anonymous)
            for path in [*ignore, *(path for path in chosen.files if path != name)]:
                archive.add(project.root / path, path, recursive=False, filter=_anonymous)
            member = tarfile.TarInfo(name)
            member.size = len(project.content)
            archive.addfile(member, io.BytesIO(project.content))
            for link in chosen.links:
                member = tarfile.TarInfo(link.path)
                member.type, member.linkname = tarfile.SYMTYPE, link.target
                archive.addfile(member)
    except OSError as error:
        where = error.filename or project.root
        raise DeployError(
            f"The project cannot be sent: {where}: {error.strerror or error}",
            "Try again when nothing changes in its folder",
            code="file-error",
        ) from error


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Leave out whose file it is."""
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    if member.type == tarfile.LNKTYPE:  # another name of a file that is in the archive already
        raise OSError(0, "it has several names", member.name)
    return member


def unpack(file: Path, folder: Path, bounds: Bounds | None = None) -> None:
    """Unpack an archive that anybody may have made into an empty folder; nothing is written outside of it.

    Raises
    ------
    DeployError
        It is not such an archive, or has more in it than a project may have.
    """
    try:
        _Unpacking(folder, bounds or Bounds()).run(file)
    except (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError, UnicodeError, ValueError) as error:
        raise _invalid(f"it is not a tar archive that was compressed by gzip ({error})") from error


def _invalid(what: str) -> DeployError:
    mend = "Send it by: jupyter workflows deploy --to URL"
    return DeployError(f"The archive cannot be used: {what}", mend, code="invalid-archive")


class _Unpacking:
    def __init__(self, folder: Path, bounds: Bounds) -> None:
        self.folder = folder
        self.bounds = bounds
        self.names: set[str] = set()
        self.size = 0
        self.end = 0
        self.links: list[tuple[Path, str]] = []

    def run(self, file: Path) -> None:
        with gzip.open(file) as stream, tarfile.open(fileobj=stream, mode="r:") as archive:
            for member in archive:
                self.take(archive, member)
                self.end = archive.offset
                archive.members.clear()  # type: ignore[attr-defined]  # else each is kept until the end
            stream.seek(self.end)
            # Without its end it was cut off, where that looks like an end; reading on checks the sum, too.
            if stream.read(_END) != bytes(_END) or len(stream.read(_CHUNK)) == _CHUNK:
                raise _invalid("it ends too early, or too late")
        # Last, so that nothing is written through one of them.
        for path, target in self.links:
            try:
                path.symlink_to(target)
            except FileExistsError as error:
                raise _invalid(f"{path.name[:200]!r} is a link and a folder") from error

    def take(self, archive: tarfile.TarFile, member: tarfile.TarInfo) -> None:
        path = self.place(member.name)
        if member.isdir():
            self.make(path)
        elif member.isfile():
            self.size += member.size
            if self.size > self.bounds.size:
                raise _too_much(f"more than {size(self.bounds.size)} of files")
            self.make(path.parent)
            self.write(archive, member, path)
        elif member.issym():
            self.make(path.parent)
            there = posixpath.normpath(posixpath.join(posixpath.dirname(member.name), member.linkname))
            if not member.linkname or there.startswith(("/", "../")) or there == "..":
                raise _invalid(f"{member.name[:200]!r} leads out of the project")
            self.links.append((path, member.linkname))
        else:
            raise _invalid(f"{member.name[:200]!r} is neither a file nor a folder")

    def place(self, name: str) -> Path:
        """Return where a member belongs."""
        pure = PurePosixPath(name)
        parts = pure.parts
        if (
            not parts
            or len(name) > _LONGEST_NAME
            or pure.is_absolute()
            or ".." in parts
            or "\0" in name
            or "\\" in name
        ):
            raise _invalid(f"{name[:200]!r} is not a path within a project")
        path = "/".join(parts)
        if path in self.names:
            raise _invalid(f"{path[:200]!r} is in it twice")
        self.names.add(path)
        if len(self.names) > self.bounds.files:
            raise _too_much(f"more than {self.bounds.files} files")
        return self.folder.joinpath(*parts)

    @staticmethod
    def make(folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError) as error:
            raise _invalid(f"{folder.name[:200]!r} is a file and a folder") from error

    @staticmethod
    def write(archive: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> None:
        content = archive.extractfile(member)
        assert content is not None
        try:
            with path.open("xb") as target:
                shutil.copyfileobj(content, target, _CHUNK)
        except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
            raise _invalid(f"{member.name[:200]!r} is a file and a folder") from error
        if path.stat().st_size != member.size:
            raise _invalid("it ends too early")
        path.chmod(0o755 if member.mode & stat.S_IXUSR else 0o644)
        if 0 <= member.mtime < 1 << 40:
            os.utime(path, (member.mtime, member.mtime))


def _too_much(what: str) -> DeployError:
    return DeployError(
        f"The project holds {what}", f"Name what is not needed in {IGNORE}", code="project-too-large"
    )
