"""Importing papermill without what a worker has no use for: half of a worker's start and of its memory."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

#: Optional for those that import them: jsonschema would build a parser for web addresses, by which it checks
#: a format that notebooks do not have, and papermill wants pyarrow for files on Hadoop only.
_UNUSED = ("rfc3987_syntax", "pyarrow")


def import_papermill() -> None:
    """Import papermill and register our engine.

    papermill loads all engines that are installed while it is being imported. A worker needs none of them,
    and one that is broken would keep every worker from starting.
    """
    if "papermill" in sys.modules:
        return
    with _absent(_UNUSED), _no_entry_points():
        import papermill.engines
    from jupyter_workflows.execution.papermill_engine import WorkflowsEngine

    papermill.engines.papermill_engines.register("workflows", WorkflowsEngine)


@contextlib.contextmanager
def _absent(names: tuple[str, ...]) -> Iterator[None]:
    """Have modules seem not to be installed."""
    hidden = [name for name in names if name not in sys.modules]
    modules: dict[str, ModuleType | None] = sys.modules  # type: ignore[assignment]
    modules.update(dict.fromkeys(hidden))
    try:
        yield
    finally:
        for name in hidden:
            modules.pop(name, None)


@contextlib.contextmanager
def _no_entry_points() -> Iterator[None]:
    import entrypoints

    def none(*arguments: Any, **keywords: Any) -> list[Any]:
        return []

    get_group_all = entrypoints.get_group_all
    entrypoints.get_group_all = none
    try:
        yield
    finally:
        entrypoints.get_group_all = get_group_all
