"""Which files of a project are deployed.

All of its folder but names that begin with a dot, ``__pycache__``, ``node_modules`` and virtual
environments. A file ``.workflowsignore`` in the project's folder says what else is left out (or, after an
``!``, what is not), in the way of ``.gitignore``.
"""

from __future__ import annotations

import os
import posixpath
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from pathspec import GitIgnoreSpec

from jupyter_workflows.execution.manifest import SnapshotLink
from jupyter_workflows.execution.messages import size
from jupyter_workflows.model.findings import Finding

IGNORE = ".workflowsignore"
_ALWAYS = (".*", "__pycache__/", "node_modules/")
_MEND_IGNORE = f"Leave it out: name it in {IGNORE}."


@dataclass(frozen=True, slots=True)
class Bounds:
    """How large a deployed project may be.

    Parameters
    ----------
    files
        How many files.
    size
        Bytes of all of them.
    """

    files: int = 20_000
    size: int = 8 * 1024**3


@dataclass(slots=True)
class Selection:
    """The files of a project that are deployed, by their paths with forward slashes, and what was found."""

    folders: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    links: list[SnapshotLink] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    size: int = 0

    def has(self, path: str) -> bool:
        """Return whether a file is deployed, itself or through a link."""
        path = posixpath.normpath(path)
        if path in self.files:
            return True
        for link in self.links:
            if path == link.path or path.startswith(f"{link.path}/"):
                rest = path.removeprefix(link.path).lstrip("/")
                target = posixpath.join(posixpath.dirname(link.path), link.target, rest)
                return self.has(target)
        return False


class _TooMuch(Exception):
    pass


def select(root: Path, *, but: Path | None = None, bounds: Bounds | None = None) -> Selection:
    """Find the files of a project.

    Parameters
    ----------
    but
        A folder that is never a part of it, for the snapshots lie there.
    """
    walk = _Walk(root, but, bounds or Bounds())
    try:
        walk.run()
    except _TooMuch:
        pass
    selection = walk.selection
    selection.folders.sort()
    selection.files.sort()
    return selection


class _Walk:
    def __init__(self, root: Path, but: Path | None, bounds: Bounds) -> None:
        self.root = root
        self.but = but.resolve() if but is not None else None
        self.bounds = bounds
        self.selection = Selection()
        self.ignored = self._patterns()
        self.found_links: list[tuple[str, Path]] = []

    def run(self) -> None:
        waiting = [""]
        while waiting:
            folder = waiting.pop()
            try:
                entries = sorted(os.scandir(self.root / folder), key=lambda entry: entry.name)
            except OSError as error:
                self._unreadable(folder or ".", error)
                continue
            for entry in entries:
                path = posixpath.join(folder, entry.name)
                try:
                    if self._take(path, entry):
                        waiting.append(path)
                except OSError as error:
                    self._unreadable(path, error)
        for path, there in self.found_links:
            self._link(path, there)

    def _take(self, path: str, entry: os.DirEntry[str]) -> bool:
        """Take an entry in; return whether it is a folder to look into."""
        is_folder = entry.is_dir(follow_symlinks=False)
        if self._is_ignored(path, is_folder=is_folder or _leads_to_folder(entry)):
            return False
        there = Path(entry.path)
        if entry.is_symlink():
            self.found_links.append((path, there))
            return False
        if is_folder:
            if (there / "pyvenv.cfg").exists() or there.resolve() == self.but:
                return False
            self.selection.folders.append(path)
            return True
        status = entry.stat(follow_symlinks=False)
        if not stat.S_ISREG(status.st_mode):
            self._note(
                "special-file", "warning", f"{path} is no ordinary file; it is left out.", _MEND_IGNORE
            )
            return False
        if not os.access(there, os.R_OK):
            raise PermissionError(13, "Permission denied")
        self._count(status.st_size)
        self.selection.files.append(path)
        return False

    def _link(self, path: str, there: Path) -> None:
        try:
            target = there.resolve(strict=True)
        except (OSError, RuntimeError):
            self._note(
                "broken-link",
                "warning",
                f"The link {path} leads nowhere; it is left out.",
                f"Mend or remove it. {_MEND_IGNORE}",
            )
            return
        if not target.is_relative_to(self.root):
            self._note(
                "link-outside-project",
                "error",
                f"The link {path} leads out of the project's folder, to {target}.",
                f"Copy what it leads to into the project. {_MEND_IGNORE}",
            )
            return
        inner = target.relative_to(self.root).as_posix()
        if inner != "." and inner not in self.selection.folders and inner not in self.selection.files:
            self._note(
                "link-left-out",
                "warning",
                f"The link {path} leads to {inner}, which is left out, and so is the link.",
                f"Take {inner} in: write !{inner} into {IGNORE}.",
            )
            return
        here = there.parent.resolve().relative_to(self.root).as_posix()
        self.selection.links.append(SnapshotLink(path, posixpath.relpath(inner, here)))

    def _patterns(self) -> Callable[[str], bool]:
        lines = list(_ALWAYS)
        file = self.root / IGNORE
        try:
            if file.exists():
                lines += file.read_text("utf-8-sig").splitlines()
            return GitIgnoreSpec.from_lines(lines).match_file
        except UnicodeDecodeError:
            reason = "it is not text in UTF-8"
        except OSError as error:
            reason = error.strerror or str(error)
        except ValueError as error:  # a pattern that means nothing
            reason = str(error)
        self._note("bad-ignore-file", "error", f"{IGNORE} cannot be read: {reason}.", "Mend or remove it.")
        return GitIgnoreSpec.from_lines(_ALWAYS).match_file

    def _is_ignored(self, path: str, *, is_folder: bool) -> bool:
        return self.ignored(f"{path}/" if is_folder else path)

    def _count(self, length: int) -> None:
        self.selection.size += length
        if len(self.selection.files) >= self.bounds.files:
            self._too_much(f"more than {self.bounds.files} files")
        if self.selection.size > self.bounds.size:
            self._too_much(f"more than {size(self.bounds.size)} of files")

    def _too_much(self, what: str) -> None:
        self._note(
            "project-too-large",
            "error",
            f"The project's folder {self.root} holds {what}.",
            f"See whether it is the right folder, and name what is not needed in {IGNORE}.",
        )
        raise _TooMuch

    def _unreadable(self, path: str, error: OSError) -> None:
        self._note(
            "unreadable-file",
            "error",
            f"{path} cannot be read: {error.strerror or error}.",
            f"See to its permissions. {_MEND_IGNORE}",
        )

    def _note(self, code: str, severity: str, message: str, mend: str) -> None:
        self.selection.findings.append(Finding(code, severity, message, mend))  # type: ignore[arg-type]


def _leads_to_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_symlink() and entry.is_dir()
    except OSError:  # it leads to itself
        return False
