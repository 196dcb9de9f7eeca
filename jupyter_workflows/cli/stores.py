"""Opening the store, and finding runs in it by the beginning of their ids."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from jupyter_workflows.store import Store

F = TypeVar("F", bound=Callable[..., Any])


def database_option(function: F) -> F:
    """Add ``--database``."""
    return click.option(
        "--database",
        metavar="URL",
        envvar="JUPYTER_WORKFLOWS_DATABASE",
        show_envvar=True,
        help="sqlite:///FILE or postgresql://HOST/NAME. By default a file in Jupyter's data folder.",
    )(function)


@contextmanager
def opened_store(url: str | None) -> Iterator[Store]:
    """Open the store and close it at the end."""
    from jupyter_workflows.store import open_store

    store = open_store(url)
    try:
        yield store
    finally:
        store.close()
