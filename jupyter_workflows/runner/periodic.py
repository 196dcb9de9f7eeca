"""What a runner does from time to time beside its attempts."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from jupyter_workflows.store import StoreError

log = logging.getLogger(__name__)


def steady_seconds() -> float:
    """Return seconds on a clock that nobody sets and that counts the time a machine sleeps."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.clock_gettime(clock) if clock is not None else time.monotonic()


class Periodic:
    """Calls functions again and again until it is stopped; a failing one is logged and tried again.

    Parameters
    ----------
    tasks
        Name, seconds between two calls, and the function. An interval of zero leaves a task out.
    """

    def __init__(self, tasks: list[tuple[str, float, Callable[[], Awaitable[None]]]]) -> None:
        self._plans = [plan for plan in tasks if plan[1] > 0]
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Start to call the functions; the first call of each comes after its interval."""
        self._tasks = [
            asyncio.create_task(self._repeat(name, interval, function), name=name)
            for name, interval, function in self._plans
        ]

    async def stop(self) -> None:
        """Stop; a call under way is cancelled."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []

    @staticmethod
    async def _repeat(name: str, interval: float, function: Callable[[], Awaitable[None]]) -> None:
        while True:
            await asyncio.sleep(interval)
            try:
                await function()
            except StoreError as error:
                log.warning("%s failed and will be tried again: %s", name, error)
            except Exception:
                log.exception("%s failed and will be tried again", name)
