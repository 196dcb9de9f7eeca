"""What ends an attempt from outside: time, memory, cancelling, the kernel's own end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

import psutil


@dataclass(frozen=True, slots=True)
class Limits:
    """Times that the execution of a stage keeps to, in seconds.

    Parameters
    ----------
    start
        For the kernel to start.
    grace
        Between an interrupt and the kernel's being killed.
    record
        For the kernel to hand over the stage's data.
    save
        Between two saves of the executed copy.
    """

    start: float = 60.0
    grace: float = 5.0
    record: float = 60.0
    save: float = 3.0


class StopReason(StrEnum):
    """Why the execution of a notebook has to stop."""

    TIMED_OUT = "timed-out"
    CANCELLED = "cancelled"
    PARKED = "parked"
    MEMORY = "memory"
    DIED = "died"


class CancelToken:
    """Asks an attempt to stop, from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cancelled = False
        self.parking = False
        self._callbacks: list[Callable[[], None]] = []

    @property
    def cancelled(self) -> bool:
        """Whether the attempt was asked to stop."""
        return self._cancelled

    def cancel(self, *, park: bool = False) -> None:
        """Ask the attempt to stop.

        Parameters
        ----------
        park
            It is a form that goes on when somebody opens it again.
        """
        with self._lock:
            self.parking = park and not self._cancelled
            self._cancelled = True
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()

    def add_callback(self, callback: Callable[[], None]) -> None:
        """Have `callback` called once, in whatever thread, when the attempt is asked to stop."""
        with self._lock:
            if not self._cancelled:
                self._callbacks.append(callback)
                return
        callback()

    def remove_callback(self, callback: Callable[[], None]) -> None:
        """Forget a callback."""
        with self._lock, contextlib.suppress(ValueError):
            self._callbacks.remove(callback)


class Provisioner(Protocol):
    """The part of a kernel provisioner that is needed here."""

    async def poll(self) -> int | None:
        """Return the exit code, or `None` while the kernel runs."""


class Guard:
    """Watches a kernel, and says when and why the execution has to stop.

    Parameters
    ----------
    memory
        Bytes that the kernel and its children may use together.
    """

    #: Seconds between two looks at the memory in use, or at a process that cannot be waited for.
    interval = 0.2

    def __init__(self, *, timeout: float | None, memory: int | None, cancel: CancelToken | None) -> None:
        self.reason: StopReason | None = None
        self.exit_code: int | None = None
        self.used_memory = 0
        self.exited = asyncio.Event()
        self.stopped = asyncio.Event()
        self._timeout = timeout
        self._memory = memory
        self._cancel = cancel
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._left: float | None = None
        self._tasks: list[asyncio.Task[None]] = []
        if cancel is not None:
            cancel.add_callback(self._on_cancel)

    def watch(self, provisioner: Any) -> None:
        """Begin to watch the process of a kernel."""
        pid = getattr(provisioner, "pid", None)
        self._tasks.append(asyncio.ensure_future(self._watch_exit(provisioner, pid)))
        if self._memory and pid:
            self._tasks.append(asyncio.ensure_future(self._watch_memory(pid, self._memory)))

    def start_clock(self) -> None:
        """Begin to count the time of executing."""
        if self._timeout is not None:
            self._left = self._timeout
            self.go_on()

    def hold(self) -> None:
        """Stop the clock: a person's time does not count."""
        if self._timer is not None:
            self._left = max(0.0, self._timer.when() - self._loop.time())
            self._timer.cancel()
            self._timer = None

    def go_on(self) -> None:
        """Let the clock go on."""
        if self._timer is None and self._left is not None:
            self._timer = self._loop.call_later(self._left, self.stop, StopReason.TIMED_OUT)

    def stop(self, reason: StopReason) -> None:
        """Say that the execution has to stop; the first reason counts."""
        if self.reason is None:
            self.reason = reason
        self.stopped.set()

    async def close(self) -> None:
        """Stop watching."""
        if self._cancel is not None:
            self._cancel.remove_callback(self._on_cancel)
        if self._timer is not None:
            self._timer.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _on_cancel(self) -> None:
        parking = self._cancel is not None and self._cancel.parking
        reason = StopReason.PARKED if parking else StopReason.CANCELLED
        with contextlib.suppress(RuntimeError):  # the loop is closed: there is nothing left to stop
            self._loop.call_soon_threadsafe(self.stop, reason)

    async def _watch_exit(self, provisioner: Provisioner, pid: int | None) -> None:
        if pid is not None:
            await process_end(pid)
        while (code := await provisioner.poll()) is None:
            await asyncio.sleep(0.01 if pid is not None else self.interval)
        self.exit_code = code
        self.exited.set()
        self.stop(StopReason.DIED)

    async def _watch_memory(self, pid: int, limit: int) -> None:
        with contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(pid)
            rounds = 0
            children: list[psutil.Process] = []
            while True:
                if rounds % 5 == 0:  # walking through all processes is dear
                    children = process.children(recursive=True)
                rounds += 1
                used = process.memory_info().rss
                for child in children:
                    with contextlib.suppress(psutil.NoSuchProcess):
                        used += child.memory_info().rss
                self.used_memory = max(self.used_memory, used)
                if used > limit:
                    self.stop(StopReason.MEMORY)
                    return
                await asyncio.sleep(self.interval)


async def process_end(pid: int) -> None:
    """Wait for the end of a process, where the system can tell; else return at once."""
    if not hasattr(os, "pidfd_open"):
        return
    try:
        descriptor = os.pidfd_open(pid)
    except OSError:  # gone already, or an old kernel
        return
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    loop.add_reader(descriptor, ended.set)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)
