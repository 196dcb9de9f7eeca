"""Starting jobs when they are due."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, Protocol

from jupyter_workflows.store import Store, StoreError
from jupyter_workflows.store.operations.schedules import DueWork

log = logging.getLogger(__name__)

#: After its time a job starts, not before: timers may end a little early.
_MARGIN = 0.002


class Clock(Protocol):
    """Tells the time of the day."""

    def now(self) -> datetime:
        """Return an aware time."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the time, in UTC."""
        return datetime.now(UTC)


class Scheduler:
    """Starts the jobs that are due, and sleeps until the next one is.

    Any number of runners may do so on one database: each due time has at most one run.

    Parameters
    ----------
    in_database
        Calls a function on the thread that talks to the database.
    interval
        The longest sleep in seconds: after it the clock is read again, for it may have been set, and the
        machine may have slept; and what others have deployed is seen if no wake-up told of it.
    started
        Called when there is something new to claim.
    resting
        Whether nothing is to be started now.
    clock
        By default the database's, which all runners share.
    """

    def __init__(
        self,
        store: Store,
        in_database: Callable[..., Awaitable[Any]],
        *,
        interval: float,
        started: Callable[[], None],
        resting: Callable[[], bool] = lambda: False,
        clock: Clock | None = None,
    ) -> None:
        self._store = store
        self._in_database = in_database
        self._interval = interval
        self._started = started
        self._resting = resting
        self._clock = clock
        self._nudged = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._told: dict[tuple[str, str], str] = {}

    def start(self) -> None:
        """Begin, unless the interval is zero."""
        if self._interval > 0:
            self._task = asyncio.create_task(self._work(), name="starting jobs that are due")

    async def stop(self) -> None:
        """Stop; no transaction is left half done."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    def nudge(self) -> None:
        """Look now: a run has ended for which others wait, or something was deployed."""
        self._nudged.set()

    async def look(self) -> float:
        """Start what is due, and return for how many seconds there is nothing to do."""
        if self._resting():
            return self._interval
        now = self._clock.now() if self._clock is not None else None
        work: DueWork = await self._in_database(self._store.start_due, now)
        self._tell(work)
        if work.started or work.released:
            self._started()
        if work.more:
            return 0.0
        if work.next_due is None:
            return self._interval
        now = self._clock.now() if self._clock is not None else await self._in_database(self._store.now)
        return min(max((work.next_due - now).total_seconds() + _MARGIN, 0.0), self._interval)

    async def _work(self) -> None:
        while True:
            self._nudged.clear()
            delay = self._interval
            try:
                delay = await self.look()
            except StoreError as error:
                log.warning("jobs could not be started and will be tried again: %s", error)
            except Exception:
                log.exception("jobs could not be started and will be tried again")
            with contextlib.suppress(TimeoutError):
                # Not `wait_for`: in Python 3.11 that can swallow being cancelled.
                async with asyncio.timeout(delay):
                    await self._nudged.wait()

    def _tell(self, work: DueWork) -> None:
        for due in work.due:
            self._told.pop((due.job.workflow_uid, due.job.stage), None)
            name = f"{due.job.slug}/{due.job.path}"
            for run in due.started:
                waits = ", which waits for an earlier one to end" if run.held else ""
                log.info("job %s, due %s: run %s%s", name, run.scheduled_time, run.run_id, waits)
            for time in due.skipped:
                log.info("job %s, due %s: left out, for an earlier run still goes on", name, time)
            if due.waiting:
                log.warning("job %s: too many of its runs wait; what is due now counts as missed", name)
        for workflow, stage, error in work.failed:
            if self._told.get((workflow, stage)) != str(error):
                self._told[workflow, stage] = str(error)
                log.error("the job %s of workflow %s cannot be started: %s", stage, workflow, error)
