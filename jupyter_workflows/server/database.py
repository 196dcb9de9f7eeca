"""The store for handlers: opened when it is first needed, and never called on the event loop."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from jupyter_workflows.store import DatabaseBusy, Store, StoreError, open_store

P = ParamSpec("P")
T = TypeVar("T")

#: Reads at a time. SQLite answers in a millisecond; PostgreSQL may be far away.
_READERS = 4
#: Writes that wait for their turn, beyond which a request is refused rather than kept waiting.
_WAITING_WRITES = 256
#: Seconds after which a request does not wait any longer for the store to be opened.
_OPENING = 10.0
#: Seconds before a store that could not be opened is tried again.
_TRY_AGAIN = 2.0


class StoreThreads:
    """Calls the store on threads, so that the event loop never waits for the database.

    SQLite has one writer at a time, whoever it is: writes go through one thread, and while another process
    holds the lock they queue up there and nowhere else. Reads do not wait for writes.

    Parameters
    ----------
    url
        Of the database; `None`: the embedded one.
    """

    def __init__(self, url: str | None, *, log: logging.Logger, state: Path | None = None) -> None:
        self.url = url
        self._state = state
        self._log = log
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="workflows-reader")
        self._writers: ThreadPoolExecutor | None = None
        self._waiting_writes = 0
        self._store: Store | None = None
        self._opening: asyncio.Task[Store] | None = None
        self._failure: tuple[float, StoreError] | None = None
        self._closed = False

    @property
    def store(self) -> Store:
        """The store.

        Raises
        ------
        StoreError
            It is not open.
        """
        if self._store is None:
            raise self.error or DatabaseBusy("the database is not open yet", "Try again in a moment")
        return self._store

    @property
    def error(self) -> StoreError | None:
        """Why the store could not be opened when it was last tried."""
        return self._failure[1] if self._failure is not None else None

    async def ready(self) -> Store:
        """Return the store, opened.

        Raises
        ------
        StoreError
            It cannot be opened (or did not open in time); it will be tried again by a later call.
        """
        if self._store is not None:
            return self._store
        if self._opening is None:
            if self._failure is not None and time.monotonic() - self._failure[0] < _TRY_AGAIN:
                raise self._failure[1]
            self._opening = asyncio.create_task(self._open(), name="opening the workflows database")
        try:
            # Shielded: that one request does not wait any longer must not undo it for the others.
            async with asyncio.timeout(_OPENING):
                return await asyncio.shield(self._opening)
        except TimeoutError:
            raise DatabaseBusy("the database is still being opened", "Try again in a moment") from None

    async def _open(self) -> Store:
        try:
            store = await self._run(self._readers, lambda: open_store(self.url, state=self._state))
        except StoreError as error:
            if self._failure is None or str(self._failure[1]) != str(error):
                self._log.error("the workflows database cannot be used: %s", error)
            self._failure = (time.monotonic(), error)
            raise
        except Exception as error:
            self._log.exception("the workflows database cannot be opened")
            failure = StoreError(f"the database cannot be opened: {type(error).__name__}", "See the log")
            self._failure = (time.monotonic(), failure)
            raise failure from error
        finally:
            self._opening = None
        writers = 1 if store.database.is_sqlite else _READERS
        self._writers = ThreadPoolExecutor(writers, thread_name_prefix="workflows-writer")
        self._failure = None
        self._store = store
        if self._closed:
            await self.close()
        return store

    async def read(self, function: Callable[P, T], *arguments: P.args, **keywords: P.kwargs) -> T:
        """Call a function that only reads."""
        return await self._run(self._readers, lambda: function(*arguments, **keywords))

    async def write(self, function: Callable[P, T], *arguments: P.args, **keywords: P.kwargs) -> T:
        """Call a function that writes, after those that were called before.

        Raises
        ------
        DatabaseBusy
            Too many are waiting already.
        """
        writers = self._writers
        if writers is None:
            raise DatabaseBusy("the database is not open", "Try again in a moment")
        if self._waiting_writes >= _WAITING_WRITES:
            raise DatabaseBusy(
                f"{self._waiting_writes} changes wait for the database already", "Try again in a moment"
            )
        self._waiting_writes += 1

        def call() -> T:
            try:
                return function(*arguments, **keywords)
            finally:
                self._waiting_writes -= 1

        return await self._run(writers, call)

    @staticmethod
    async def _run(pool: ThreadPoolExecutor, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(pool, call)

    async def close(self) -> None:
        """Close the connections when what was begun is done."""
        self._closed = True
        store, self._store = self._store, None
        pools = [pool for pool in (self._writers, self._readers) if pool is not None]

        def end() -> None:
            for pool in pools:
                pool.shutdown(wait=True)
            if store is not None:
                store.close()

        # Not waited for without end: a write may be waiting for a lock that nobody gives back.
        closing: asyncio.Future[Any] = asyncio.ensure_future(asyncio.to_thread(end))
        await asyncio.wait([closing], timeout=2.0)
