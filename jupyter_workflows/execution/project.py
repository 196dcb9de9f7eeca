"""The working copy: a workflow document and the files around it, read from disk."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from jupyter_workflows.execution.source import SourceError, parse_source
from jupyter_workflows.model.checks import NotebookError, kernel_of
from jupyter_workflows.model.document import Document, load

__all__ = ["Project", "ProjectError", "kernel_of"]

SUFFIX = ".workflow"

#: Folders that hold nothing of the author's.
_SKIPPED = frozenset({"node_modules", "__pycache__"})

#: Distributions of modules that are called differently, for packages that are not installed.
_WELL_KNOWN = {
    "Crypto": ("pycryptodome",),
    "MySQLdb": ("mysqlclient",),
    "OpenSSL": ("pyopenssl",),
    "PIL": ("pillow",),
    "attr": ("attrs",),
    "bs4": ("beautifulsoup4",),
    "cv2": ("opencv-python", "opencv-python-headless"),
    "dateutil": ("python-dateutil",),
    "docx": ("python-docx",),
    "dotenv": ("python-dotenv",),
    "fitz": ("pymupdf",),
    "git": ("gitpython",),
    "jwt": ("pyjwt",),
    "ldap": ("python-ldap",),
    "magic": ("python-magic",),
    "mpl_toolkits": ("matplotlib",),
    "pkg_resources": ("setuptools",),
    "pptx": ("python-pptx",),
    "psycopg": ("psycopg", "psycopg-binary"),
    "psycopg2": ("psycopg2", "psycopg2-binary"),
    "pythoncom": ("pywin32",),
    "serial": ("pyserial",),
    "skimage": ("scikit-image",),
    "sklearn": ("scikit-learn",),
    "slugify": ("python-slugify",),
    "win32com": ("pywin32",),
    "yaml": ("pyyaml",),
    "zmq": ("pyzmq",),
}

_REQUIREMENT = re.compile(r"([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?:$|[\[<>=!~;@(, #])")
_INCLUDE = re.compile(r"(?:-r|--requirement)[\s=]+(\S.*)")
_EGG = re.compile(r"[#&]egg=([A-Za-z0-9._-]+)")


class ProjectError(Exception):
    """A project that cannot be read.

    Parameters
    ----------
    mend
        What to do about it.
    """

    def __init__(self, message: str, mend: str) -> None:
        super().__init__(f"{message} {mend}")
        self.message = message
        self.mend = mend


@dataclass(frozen=True, slots=True)
class _File:
    signature: tuple[int, int, int]
    content: bytes
    hash: str


class Project:
    """A workflow document and its folder. Made by `Project.open`.

    Parameters
    ----------
    path
        The workflow file.
    content
        Its bytes.
    document
        What they say.
    """

    def __init__(self, path: Path, content: bytes, document: Document) -> None:
        self.path = path
        self.content = content
        self.document = document
        self.root = path.parent
        self._files: dict[str, _File] = {}
        self._notebooks: dict[str, tuple[str, Mapping[str, Any]]] = {}

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Project:
        """Read a project from disk.

        Parameters
        ----------
        path
            A workflow file, or a folder with one in it.

        Raises
        ------
        ProjectError
            If there is no such file, or a folder has none or several.
        DocumentError
            If the file is not a valid document.
        """
        file = _workflow_file(Path(path))
        try:
            content = file.read_bytes()
        except OSError as error:
            raise ProjectError(
                f"{path} cannot be read: {error.strerror or error}.", "See to its permissions."
            ) from None
        return cls(file.resolve(), content, load(content, path=path))

    @property
    def text(self) -> str:
        """The document's text as it lies on disk."""
        return self.content.decode("utf-8-sig")

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the document's bytes, in hex."""
        return hashlib.sha256(self.content).hexdigest()

    def notebook_path(self, path: str) -> Path:
        """Return the absolute path of a file, by its path within the project.

        Raises
        ------
        ProjectError
            If it does not lie in the project's folder.
        """
        there = self._resolve(path)
        if there is None:
            raise ProjectError(f"{path} does not lie in the project's folder.", f"Move it into {self.root}.")
        return there

    def exists(self, path: str) -> bool:
        """Tell whether a file lies at a path within the project."""
        there = self._resolve(path)
        return there is not None and there.is_file()

    def notebook(self, path: str) -> Mapping[str, Any]:
        """Return a notebook's JSON, converted to format 4. It is read again only when the file has changed.

        Raises
        ------
        NotebookError
            If there is none, or it is not a notebook that can be executed.
        """
        file = self._read(path)
        known = self._notebooks.get(path)
        if known is None or known[0] != file.hash:
            known = (file.hash, _parse_notebook(path, file.content))
            self._notebooks[path] = known
        return known[1]

    def hash_notebook(self, path: str) -> str:
        """Return the SHA-256 of a notebook's bytes, in hex.

        Raises
        ------
        NotebookError
            If the file cannot be read.
        """
        return self._read(path).hash

    def find(self, name: str) -> Sequence[str]:
        """Return the paths of files with this name anywhere in the project."""
        return [
            (Path(folder) / name).relative_to(self.root).as_posix()
            for folder, names in _folders(self.root)
            if name in names
        ]

    def modules(self, folder: str) -> frozenset[str]:
        """Return what a notebook in a folder can import from the project itself."""
        there = self._resolve(folder or ".")
        places = {self.root, there} - {None}
        return frozenset(name for place in places if place is not None for name in _importable(place))

    @cached_property
    def requirements(self) -> frozenset[str] | None:
        """Normalised names of the distributions in ``requirements.txt``; `None` without that file."""
        file = self.root / "requirements.txt"
        return frozenset(self._requirements(file, set())) if file.is_file() else None

    @cached_property
    def kernels(self) -> frozenset[str]:
        """Names of the installed kernels."""
        # Not needed for most commands, and slow to import.
        from jupyter_client.kernelspec import KernelSpecManager

        return frozenset(KernelSpecManager().find_kernel_specs())

    def distributions(self, module: str) -> frozenset[str]:
        """Return normalised names of the distributions known to provide a top-level module."""
        names = [*_WELL_KNOWN.get(module, ()), *self._installed.get(module, ())]
        return frozenset(_normal(name) for name in names)

    @cached_property
    def _installed(self) -> Mapping[str, Sequence[str]]:
        from importlib.metadata import packages_distributions

        return packages_distributions()

    def _resolve(self, path: str) -> Path | None:
        try:
            there = (self.root / path).resolve()
        except (OSError, ValueError, RuntimeError):
            return None
        return there if there.is_relative_to(self.root) else None

    def _read(self, path: str) -> _File:
        there = self._resolve(path)
        if there is None:
            raise NotebookError(f"{path} does not lie in the project's folder.")
        try:
            status = there.stat()
            signature = (status.st_mtime_ns, status.st_size, status.st_ino)
            known = self._files.get(path)
            if known is None or known.signature != signature:
                content = there.read_bytes()
                known = _File(signature, content, hashlib.sha256(content).hexdigest())
                self._files[path] = known
        except OSError as error:
            raise NotebookError(f"{path} cannot be read: {error.strerror or error}.") from None
        return known

    def _requirements(self, file: Path, seen: set[Path]) -> Iterator[str]:
        file = file.resolve()
        if file in seen or not file.is_relative_to(self.root) or not file.is_file():
            return
        seen.add(file)
        for line in file.read_text("utf-8-sig", errors="replace").splitlines():
            text = line.strip()
            include = _INCLUDE.match(text)
            name = _REQUIREMENT.match(text) or _EGG.search(text)
            if include is not None:
                yield from self._requirements(file.parent / include[1].partition(" #")[0].strip(), seen)
            elif name is not None:
                yield _normal(name[1])


def _workflow_file(path: Path) -> Path:
    if path.is_dir():
        found = sorted(file for file in path.glob(f"*{SUFFIX}") if file.is_file())
        if len(found) == 1:
            return found[0]
        if not found:
            raise ProjectError(f"There is no workflow in {path}.", f"Name a file that ends in {SUFFIX}.")
        names = ", ".join(file.name for file in found)
        raise ProjectError(f"There are several workflows in {path}: {names}.", "Name one of these files.")
    if not path.exists():
        others = sorted(path.parent.glob(f"*{SUFFIX}")) if path.parent.is_dir() else []
        names = ", ".join(file.name for file in others)
        raise ProjectError(
            f"There is no file {path}.",
            f"In its folder there is {names}." if others else "See whether the path is right.",
        )
    if path.suffix != SUFFIX:
        raise ProjectError(f"{path} is not a workflow.", f"Name a file that ends in {SUFFIX}.")
    return path


def _parse_notebook(path: str, content: bytes) -> Mapping[str, Any]:
    try:
        source = parse_source(content, path)
    except SourceError as error:
        raise NotebookError(f"{error.message.rstrip('.')}.") from None
    notebook: dict[str, Any] = json.loads(content.decode("utf-8-sig"))
    # As it is in the file, so that the places of cells are those that the author sees.
    return notebook if notebook["nbformat"] == 4 else source.notebook


def _folders(root: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield the folders that may hold something of the author's, with their files' names."""
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".")
            and name not in _SKIPPED
            and not (Path(folder) / name / "pyvenv.cfg").exists()
        )
        yield folder, names


def _importable(folder: Path) -> Iterator[str]:
    try:
        entries = list(folder.iterdir())
    except OSError:
        return
    for entry in entries:
        name = entry.name.partition(".")[0]
        if not name.isidentifier():
            continue
        if entry.suffix in (".py", ".so", ".pyd") or (entry.is_dir() and any(entry.glob("*.py"))):
            yield name


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
