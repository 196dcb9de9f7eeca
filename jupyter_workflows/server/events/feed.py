"""What changed in the database, whoever did it, announced on Jupyter's event stream."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_workflows.store import Store, StoreError
from jupyter_workflows.store.changes import Change

if TYPE_CHECKING:
    from ..app import WorkflowsApp
    from ..supervisor import RunnerStatus

BASE = "https://events.jupyter.org/workflows"
RUNS = f"{BASE}/runs/v1"
TASKS = f"{BASE}/tasks/v1"
WORKFLOWS = f"{BASE}/workflows/v1"
RUNNER = f"{BASE}/runner/v1"

_SCHEMAS = Path(__file__).parent / "schemas"
#: Changes that one look announces; the rest waits for the next.
_BATCH = 500
#: Seconds between two announcements, so that a large fan-out does not flood the browsers.
_PAUSE = 0.1
#: How far back PostgreSQL is looked at: transactions may end in another order than they took their numbers.
_LOOK_BACK = 200
#: Seconds between two tries while the database is away.
_AWAY = 5.0


class ChangeFeed:
    """Announces changes until it is stopped.

    It looks when it is told that there is something, and from time to time, for nobody tells it what other
    servers, commands, or runners on other machines do.
    """

    def __init__(self, app: WorkflowsApp) -> None:
        assert app.serverapp is not None
        self._app = app
        logger = app.serverapp.event_logger
        assert logger is not None
        self._logger = logger
        for file in sorted(_SCHEMAS.glob("*.yaml")):
            with contextlib.suppress(Exception):  # registered by an earlier instance
                self._logger.register_event_schema(file)
        self._look = asyncio.Event()
        self._last: int | None = None
        self._seen: deque[int] = deque(maxlen=4 * _LOOK_BACK)
        self._runner_state: str | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look."""
        self._task = asyncio.create_task(self._work(), name="announcing changes of workflows")

    async def stop(self) -> None:
        """Stop."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def look(self) -> None:
        """Look soon: something has changed."""
        self._look.set()

    def cells_changed(self, cells: list[dict[str, Any]]) -> None:
        """Announce which cells are being executed."""
        for told in cells:
            self._app.cells.note(told)
            event = {name: told[name] for name in ("run", "workflow", "stage_run", "path", "cell", "cells")}
            self._emit(RUNS, {**event, "state": "running"})

    def runner_changed(self, status: RunnerStatus) -> None:
        """Announce how the runner stands."""
        if status.state != self._runner_state:
            self._runner_state = status.state
            message = {"message": status.message} if status.message else {}
            self._emit(RUNNER, {"state": status.state, **message})

    async def _work(self) -> None:
        while True:
            pause = self._app.events_interval
            try:
                store = await self._app.database.ready()
                if self._last is None:
                    self._last = await self._app.database.read(store.last_change)
                    await self._app.opened(store)
                while await self._announce(store):
                    await asyncio.sleep(_PAUSE)
            except StoreError:
                pause = _AWAY  # the database's threads have said so in the log
            except Exception:
                self._app.log.exception("announcing changes of workflows failed")
                pause = _AWAY
            with contextlib.suppress(TimeoutError):
                # Not `wait_for`: in Python 3.11 that can swallow being cancelled.
                async with asyncio.timeout(pause):
                    await self._look.wait()
                # What comes within this time is announced together.
                await asyncio.sleep(_PAUSE)
            self._look.clear()

    async def _announce(self, store: Store) -> bool:
        """Announce what is new; return whether there may be more."""
        assert self._last is not None
        after = self._last if store.database.is_sqlite else max(0, self._last - _LOOK_BACK)
        found = await self._app.database.read(store.changes_since, after, limit=_BATCH + _LOOK_BACK)
        new = [change for change in found if change.id > self._last or self._is_late(change)]
        for change in new:
            self._seen.append(change.id)
            self._last = max(self._last, change.id)
            if change.stage_run_id is not None and change.state != "running":
                self._app.cells.forget(change.stage_run_id)
        for schema, event in _events(new):
            self._emit(schema, event)
        return len(new) >= _BATCH

    def _is_late(self, change: Change) -> bool:
        return bool(self._seen) and change.id > self._seen[0] and change.id not in self._seen

    def _emit(self, schema: str, event: dict[str, Any]) -> None:
        try:
            self._logger.emit(schema_id=schema, data=event)
        except Exception:
            self._app.log.exception("the event %s could not be announced", schema)


def _events(changes: list[Change]) -> list[tuple[str, dict[str, Any]]]:
    """Return the events of changes, of each subject the last only, in order."""
    latest: dict[tuple[str, str], tuple[str, dict[str, Any]]] = {}
    for change in changes:
        subject = change.stage_run_id or change.run_id or change.workflow_uid
        for schema, event in _events_of(change):
            # Put at the end anew: order matters more than who was first.
            latest.pop((schema, subject), None)
            latest[schema, subject] = (schema, event)
    return list(latest.values())


def _events_of(change: Change) -> list[tuple[str, dict[str, Any]]]:
    if change.subject == "workflow":
        return [(WORKFLOWS, {"workflow": change.workflow_uid, "state": change.state})]
    run = {"run": change.run_id, "workflow": change.workflow_uid, "state": change.state}
    if change.subject == "run":
        return [(RUNS, run)]
    at = {"path": change.path} if change.path else {}
    found = [(RUNS, {**run, **at, "stage_run": change.stage_run_id})]
    if change.type in ("form", "hook"):
        found.append((TASKS, {**run, **at, "task": change.stage_run_id}))
    return found
