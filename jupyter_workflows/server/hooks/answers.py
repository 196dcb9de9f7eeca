"""Waiting for the answers to requests, all of one server's together."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection
from pathlib import Path

from jupyter_workflows.runner.wakeup import SERVERS, WakeUps
from jupyter_workflows.store import StoreError
from jupyter_workflows.store.hook_calls import HookAnswer

log = logging.getLogger(__name__)

#: Stage runs whose answer came before anybody waited for it: the request was a moment ahead of its caller.
_REMEMBERED = 1024

Look = Callable[[Collection[str]], Awaitable[list[HookAnswer]]]


class Answers:
    """Gives the answers of stage runs to those who wait for them.

    A runner of this machine says when there is one; for those of other machines, and for wake-ups that are
    lost, the database is asked twice a second, while anybody waits.

    Parameters
    ----------
    look
        Returns those of some stage runs' answers that are in the database.
    folder
        Where runners find the sockets of servers.
    interval
        Seconds between two looks without a wake-up.
    """

    def __init__(self, look: Look, folder: Callable[[], Path], *, interval: float = 0.5) -> None:
        self._ask = look
        self._folder = folder
        self._interval = interval
        self._waiting: dict[str, set[asyncio.Future[HookAnswer | None]]] = {}
        self._early: OrderedDict[str, None] = OrderedDict()
        self._due: set[str] = set()
        self._wake_ups: WakeUps | None = None
        self._looking: asyncio.Task[None] | None = None
        self._polling: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def waiting(self) -> int:
        """How many callers wait."""
        return sum(len(futures) for futures in self._waiting.values())

    def open(self) -> None:
        """Begin to listen to runners; what is open already stays so."""
        if self._wake_ups is None and not self._closed:
            self._wake_ups = WakeUps(self._folder(), self._woken, kind=SERVERS)
            self._wake_ups.open()

    async def close(self) -> None:
        """Let all who wait go, without an answer."""
        self._closed = True
        if self._wake_ups is not None:
            self._wake_ups.close()
        for futures in self._waiting.values():
            for future in futures:
                if not future.done():
                    future.set_result(None)
        tasks = [task for task in (self._looking, self._polling) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def wait(self, stage_run_id: str, timeout: float, *, look: bool = False) -> HookAnswer | None:
        """Wait for the answer of a stage run; `None` if there is none in time.

        Parameters
        ----------
        look
            Whether it may have been given long ago.
        """
        if self._closed:
            return None
        self.open()
        future: asyncio.Future[HookAnswer | None] = asyncio.get_running_loop().create_future()
        futures = self._waiting.setdefault(stage_run_id, set())
        futures.add(future)
        if look or self._early.pop(stage_run_id, self) is None:
            self._look_for({stage_run_id})
        if self._polling is None:
            self._polling = asyncio.create_task(self._poll(), name="looking for answers")
        try:
            async with asyncio.timeout(timeout):
                return await future
        except TimeoutError:
            return None
        finally:
            futures.discard(future)
            if not futures and self._waiting.get(stage_run_id) is futures:
                del self._waiting[stage_run_id]

    def _woken(self, messages: list[bytes]) -> None:
        found = set()
        for message in messages:
            name = message.decode(errors="replace")
            if name in self._waiting:
                found.add(name)
            else:
                self._early[name] = None
                if len(self._early) > _REMEMBERED:
                    self._early.popitem(last=False)
        if found:
            self._look_for(found)

    def _look_for(self, names: set[str]) -> None:
        self._due |= names
        if self._looking is None:
            self._looking = asyncio.create_task(self._look(), name="fetching answers")

    async def _look(self) -> None:
        try:
            while self._due:
                names, self._due = self._due & self._waiting.keys(), set()
                if not names:
                    return
                try:
                    found = await self._ask(names)
                except StoreError as error:
                    log.warning("answers cannot be fetched at the moment: %s", error)
                    return  # the next look comes soon
                for answer in found:
                    for future in self._waiting.get(answer.stage_run_id, ()):
                        if not future.done():
                            future.set_result(answer)
        finally:
            self._looking = None

    async def _poll(self) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            while self._waiting:
                await asyncio.sleep(self._interval)
                self._look_for(set(self._waiting))
        self._polling = None
