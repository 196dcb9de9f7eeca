"""Asking the runner and the database how they stand, without waiting long for either."""

from __future__ import annotations

import asyncio
import platform
import time
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.metadata import metadata, version
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from jupyter_workflows.store import Store, StoreError
from jupyter_workflows.store.database import default_url, parse_url

from .models import DatabaseHealth, Documentation, Health, KnownRunner, RunnerHealth, Versions

if TYPE_CHECKING:
    from ..app import WorkflowsApp

#: Seconds that a healthy database may take.
_PATIENCE = 2.0
_ALIVE = timedelta(minutes=1)


class HealthManager:
    """How everything stands."""

    def __init__(self, app: WorkflowsApp) -> None:
        self._app = app

    async def look(self) -> Health:
        """Look at everything."""
        (database, runners), runner = await asyncio.gather(self._database(), self._runner())
        problems = []
        if not database.ok:
            problems.append(f"The database: {database.message}")
        if runner.state not in ("running", "disabled", "starting"):
            problems.append(f"The runner is {runner.state}: {runner.message}")
        elif runner.state == "disabled" and database.ok and not runners:
            problems.append("No runner is at work: start `jupyter workflows runner`")
        return Health(
            status="degraded" if problems else "ok",
            problems=problems,
            database=database,
            runner=runner,
            runners=runners,
            versions=versions(),
            server_time=datetime.now(UTC),
        )

    async def _database(self) -> tuple[DatabaseHealth, list[KnownRunner]]:
        began = time.perf_counter()
        runners: list[KnownRunner] = []
        message = None
        took = None
        try:
            async with asyncio.timeout(_PATIENCE):
                store = await self._app.database.ready()
                runners = await self._app.database.read(_known_runners, store)
            took = round(1000 * (time.perf_counter() - began), 2)
        except TimeoutError:
            message = f"it did not answer within {_PATIENCE:.0f} s"
        except StoreError as error:
            message = str(error)
        kind, place = _place(self._app.database.url)
        health = DatabaseHealth(
            ok=message is None, kind=kind, place=place, milliseconds=took, message=message
        )
        return health, runners

    async def _runner(self) -> RunnerHealth:
        supervisor = self._app.supervisor
        if supervisor is None:
            return RunnerHealth(
                state="disabled" if not self._app.runner_enabled else "stopped",
                message="turned off by configuration" if not self._app.runner_enabled else "not started yet",
                pid=None,
                since=self._app.started_at,
                adopted=False,
                restarts=0,
                next_start=None,
                executing=None,
                concurrency=None,
                log=None,
            )
        status = await supervisor.ask()
        return RunnerHealth(
            state=status.state,
            message=status.message or None,
            pid=status.pid,
            since=status.since,
            adopted=status.adopted,
            restarts=status.restarts,
            next_start=status.next_start if status.state == "restarting" else None,
            executing=status.executing,
            concurrency=status.concurrency,
            log=str(supervisor.log_file),
        )


def _known_runners(store: Store) -> list[KnownRunner]:
    return [
        KnownRunner(
            id=runner.id,
            host=runner.host,
            pid=runner.pid,
            started_at=runner.started_at,
            heartbeat_at=runner.heartbeat_at,
        )
        for runner in store.list_runners(since=_ALIVE)
    ]


def _place(url: str | None) -> tuple[Literal["sqlite", "postgresql"] | None, str]:
    try:
        parsed = parse_url(url or default_url())
    except StoreError:
        return None, "not the URL of a database"
    if parsed.get_backend_name() == "sqlite":
        return "sqlite", parsed.database or ""
    return "postgresql", parsed.render_as_string(hide_password=True)


@cache
def versions() -> Versions:
    """Return what this server is made of."""
    return Versions(
        jupyter_workflows=version("jupyter_workflows"),
        jupyter_server=version("jupyter_server"),
        python=platform.python_version(),
    )


def documentation() -> Documentation:
    """Return what there is to read, in the version that is installed."""
    # A checkout may be newer than what was written when it was installed.
    checkout = Path(__file__).parents[3] / "README.md"
    if checkout.is_file():
        return Documentation(text=checkout.read_text("utf-8"))
    return Documentation(text=metadata("jupyter_workflows")["Description"] or "")
