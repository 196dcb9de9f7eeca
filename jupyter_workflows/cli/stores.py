"""Opening the store, and finding runs and stage runs in it by the beginning of their ids."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click
from click.core import ParameterSource

from .errors import CliError
from .loading import SUFFIX, open_project

if TYPE_CHECKING:
    from jupyter_workflows.store import RunDetails, StageRunRecord, Store

    from .remote import RemoteStore

F = TypeVar("F", bound=Callable[..., Any])

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_ID = re.compile(r"[0-9a-z]{1,20}")
_ID_LENGTH = 20


def database_option(function: F) -> F:
    """Add ``--database``."""
    return click.option(
        "--database",
        metavar="URL",
        envvar="JUPYTER_WORKFLOWS_DATABASE",
        show_envvar=True,
        help="sqlite:///FILE or postgresql://HOST/NAME. By default a file in Jupyter's data folder.",
    )(function)


@dataclass(frozen=True, slots=True)
class Place:
    """Where runs are: in a database, or on a server that is asked over HTTP."""

    database: str | None = None
    server: str | None = None
    token: str | None = None


def place_options(function: F) -> F:
    """Add ``--server``, ``--token`` and ``--database``, which the function gets as `place`."""

    @click.option(
        "--server",
        metavar="URL",
        envvar="JUPYTER_WORKFLOWS_SERVER",
        show_envvar=True,
        help="Ask a running Jupyter server, by its address, instead of the database.",
    )
    @click.option(
        "--token",
        metavar="TOKEN",
        envvar="JUPYTER_WORKFLOWS_TOKEN",
        show_envvar=True,
        help="The server's token; that of a server of yours on this machine is found by itself.",
    )
    @database_option
    @wraps(function)
    def wrapped(
        *arguments: Any, database: str | None, server: str | None, token: str | None, **given: Any
    ) -> Any:
        context = click.get_current_context()
        if server is not None and context.get_parameter_source("database") is ParameterSource.COMMANDLINE:
            if context.get_parameter_source("server") is ParameterSource.COMMANDLINE:
                raise CliError("--server and --database do not go together", "Leave one of them out")
            server = None  # what was typed counts before what the environment says
        return function(*arguments, place=Place(database, server, token), **given)

    return cast("F", wrapped)


@contextmanager
def opened(place: Place) -> Iterator[Store | RemoteStore]:
    """Open the store, or what stands for it, and close it at the end."""
    if place.server is None:
        with opened_store(place.database) as store:
            store.cancel_abandoned()  # else a run whose process was killed would be running for ever
            yield store
        return
    from .remote import RemoteStore

    yield RemoteStore(place.server, place.token)


def report_of(store: Store | RemoteStore, run_id: str) -> dict[str, Any]:
    """Return what a run came to; see `run_report`."""
    from jupyter_workflows.runner.report import run_report
    from jupyter_workflows.store import Store

    return run_report(store, run_id) if isinstance(store, Store) else store.report(run_id)


def wake_runners(store: Store | RemoteStore) -> int:
    """Wake the runners that there are, and return how many; a server wakes its own."""
    from jupyter_workflows.runner.wakeup import wake
    from jupyter_workflows.store import Store

    return wake(store.state_folder / "wake") if isinstance(store, Store) else 1


@contextmanager
def opened_store(url: str | None) -> Iterator[Store]:
    """Open the store and close it at the end."""
    from jupyter_workflows.store import open_store

    store = open_store(url)
    try:
        yield store
    finally:
        store.close()


def find_run(store: Store | RemoteStore, prefix: str) -> RunDetails:
    """Return the run whose id begins with `prefix`.

    Raises
    ------
    CliError
        There is none, or more than one.
    """
    return store.get_run(_find_run_id(store, prefix.strip().lower()))


def _find_run_id(store: Store | RemoteStore, prefix: str) -> str:
    from jupyter_workflows.store import RunFilter

    if not _ID.fullmatch(prefix):
        raise CliError(f"{prefix!r} is not the id of a run", "See: jupyter workflows runs list")
    if len(prefix) == _ID_LENGTH:
        return prefix
    found: list[str] = []
    cursor = None
    while len(found) < 10:
        page = store.list_runs(RunFilter(text=prefix), cursor=cursor, limit=200)
        found += [run.id for run in page.runs if run.id.startswith(prefix)]
        cursor = page.cursor
        if cursor is None:
            break
    if not found:
        raise CliError(
            f"There is no run whose id begins with {prefix!r}",
            "See: jupyter workflows runs list",
            code="not-found",
        )
    if len(found) > 1:
        raise CliError(
            f"{len(found)} or more runs have ids that begin with {prefix!r}: {', '.join(found[:5])}",
            "Write more of the id",
            details={"choices": found},
        )
    return found[0]


def find_stage_runs(details: RunDetails, names: Sequence[str]) -> list[StageRunRecord]:
    """Return the stage runs of a run that are named by the stage's path or the beginning of their id."""
    found: dict[str, StageRunRecord] = {}
    for name in names:
        matching = [
            stage_run
            for stage_run in details.stage_runs
            if stage_run.path == name or (len(name) >= 4 and stage_run.id.startswith(name.lower()))
        ]
        if not matching:
            paths = list(dict.fromkeys(stage_run.path for stage_run in details.stage_runs))
            raise CliError(
                f"Run {details.run.id} has no stage {name!r}",
                f"Its stages are: {', '.join(paths)}",
                code="not-found",
                details={"choices": paths},
            )
        found |= {stage_run.id: stage_run for stage_run in matching}
    return list(found.values())


def workflow_uid(given: str) -> str | None:
    """Return the identity of the workflow that a file or a UUID names; `None` for anything else."""
    if _UUID.fullmatch(given.lower()):
        return given.lower()
    path_like = given.endswith(SUFFIX) or given in (".", "..") or bool({"/", os.sep} & set(given))
    if not path_like:
        return None
    return open_project(given).document.uid


def local_time(moment: datetime | None) -> str:
    """Return a moment in the time zone of this machine."""
    return "" if moment is None else f"{moment.astimezone():%Y-%m-%d %H:%M:%S}"


def iso_time(moment: datetime | None) -> str | None:
    """Return a moment for JSON."""
    return None if moment is None else moment.isoformat()
