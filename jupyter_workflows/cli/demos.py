"""The demo projects: where they lie, and copying one without losing what its user changed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .errors import CliError
from .loading import SUFFIX

#: The demo that is run unless another one is named.
DEFAULT = "penguin-report"

_PACKAGE = Path(__file__).parents[1]
_SKIPPED = frozenset({"__pycache__", ".ipynb_checkpoints"})


@dataclass(frozen=True, slots=True)
class Demo:
    """A demo project."""

    name: str
    folder: Path
    document: Path
    title: str
    description: str


@dataclass(frozen=True, slots=True)
class Copied:
    """What became of a demo's files when it was copied, by their paths in the copy."""

    folder: Path
    document: Path
    written: tuple[Path, ...]
    kept: tuple[Path, ...]


def find_demos() -> dict[str, Demo]:
    """Return the demos by name, the default one first."""
    # In the installed package, or beside it in a checkout.
    for root in (_PACKAGE / "demos", _PACKAGE.parent / "notebooks"):
        found = {demo.name: demo for folder in sorted(root.glob("*/")) for demo in _read(folder)}
        if found:
            return dict(sorted(found.items(), key=lambda item: (item[0] != DEFAULT, item[0])))
    raise CliError(
        "The demos are missing from this installation",
        "Install it again: pip install --force-reinstall --no-deps jupyter_workflows",
        code="no-demos",
    )


def _read(folder: Path) -> Iterator[Demo]:
    for document in sorted(folder.glob(f"*{SUFFIX}"))[:1]:
        value = json.loads(document.read_text(encoding="utf-8"))
        yield Demo(folder.name, folder, document, value["title"], value.get("description", ""))


def copy_demo(demo: Demo, folder: Path) -> Copied:
    """Copy a demo into a folder.

    What is there already is never overwritten: a file that its user changed stays as it is.

    Raises
    ------
    CliError
        The folder holds something else.
    """
    _refuse_foreign(demo, folder)
    written, kept = [], []
    for source in sorted(demo.folder.rglob("*")):
        relative = source.relative_to(demo.folder)
        if not source.is_file() or _SKIPPED & set(relative.parts):
            continue
        target = folder / relative
        content = source.read_bytes()
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            with target.open("xb") as stream:
                stream.write(content)
            written.append(relative)
        except FileExistsError:
            if not target.is_file() or target.read_bytes() != content:
                kept.append(relative)
    return Copied(folder, folder / demo.document.name, tuple(written), tuple(kept))


def _refuse_foreign(demo: Demo, folder: Path) -> None:
    if not folder.exists():
        return
    document = folder / demo.document.name
    if not folder.is_dir():
        problem = f"{folder} is a file"
    elif document.is_file() or not any(folder.iterdir()):
        return
    else:
        problem = f"{folder} holds something else"
    raise CliError(
        problem,
        "Nothing was written. Name another folder with --directory",
        code="file-exists",
        details={"file": str(folder)},
    )


def missing_packages(requirements: Path) -> list[str]:
    """Return the packages that a demo needs and this environment lacks."""
    import re
    from importlib.metadata import PackageNotFoundError, version

    missing = []
    for line in requirements.read_text(encoding="utf-8").splitlines():
        name = re.match(r"[A-Za-z0-9._-]+", line.strip())
        if name is None:
            continue
        try:
            version(name[0])
        except PackageNotFoundError:
            missing.append(line.strip())
    return missing
