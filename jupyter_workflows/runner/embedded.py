"""The embedded runner's tie to the servers that it works for.

It listens on a socket in a private folder. While a server is connected it works; when the last one has gone,
stopped or killed, it claims nothing more, finishes what it executes, and ends. A server that comes meanwhile
takes it over. One runner works for all servers of the same settings.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import socket
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .events import RunEvent
from .runner import Runner

log = logging.getLogger(__name__)

#: How the program ends when another runner has this place already.
TAKEN = 3
SOCKET = "runner.sock"
_LOCK = "runner.lock"
#: The kernel's limit for the address of a Unix socket, without the closing zero.
_LONGEST_ADDRESS = 107
#: Seconds that a runner waits for its first server, and for a predecessor to end.
_FIRST = 20.0
_PREDECESSOR = 10.0
_LOOK = 0.1
_TELLING = 0.05
#: Of the cells that stages execute servers are told the last one only, so often.
_TELLING_CELLS = 0.25
_MOST_CELLS = 1000


def supported() -> bool:
    """Return whether there are sockets of the needed kind here."""
    return hasattr(socket, "AF_UNIX") and sys.platform != "win32"


@contextlib.contextmanager
def address_of(file: Path) -> Iterator[str]:
    """Give a socket's address that is short enough, however long the path is.

    Raises
    ------
    OSError
        It is too long, and this system has no shorter way to say it.
    """
    if len(os.fsencode(file)) <= _LONGEST_ADDRESS:
        yield str(file)
        return
    folder = os.open(file.parent, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
    try:
        yield f"/proc/self/fd/{folder}/{file.name}"
    finally:
        os.close(folder)


class Tie:
    """The runner's end.

    Parameters
    ----------
    runner
        Paused while no server is connected, and stopped when nothing runs in it then.
    folder
        Where the socket and the lock are.
    """

    def __init__(self, runner: Runner, folder: Path) -> None:
        self._runner = runner
        self._folder = folder
        self._servers: set[asyncio.StreamWriter] = set()
        self._listener: asyncio.Server | None = None
        self._ending: asyncio.Task[None] | None = None
        self._telling: asyncio.TimerHandle | None = None
        #: The cell that each stage run executes, and those of which the servers were not told yet.
        self._cells: dict[str, dict[str, Any]] = {}
        self._untold: set[str] = set()
        self._telling_cells: asyncio.TimerHandle | None = None
        self._started_at = datetime.now(UTC)

    async def open(self) -> None:
        """Listen for servers."""
        file = self._folder / SOCKET
        with contextlib.suppress(FileNotFoundError):
            file.unlink()  # of a predecessor that was killed: we hold the lock
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        with address_of(file) as address:
            listener.bind(address)
        self._listener = await asyncio.start_unix_server(self._serve, sock=listener)
        self._ending = asyncio.create_task(self._wait_to_end(_FIRST), name="waiting for the first server")

    async def close(self) -> None:
        """Let the servers go."""
        for pending in (self._ending, self._telling, self._telling_cells):
            if pending is not None:
                pending.cancel()
        if self._listener is not None:
            self._listener.close()
            with contextlib.suppress(FileNotFoundError):
                (self._folder / SOCKET).unlink()
        for server in self._servers:
            server.close()

    def on_event(self, event: RunEvent) -> None:
        """Tell the servers that something has changed, a few times a second at most."""
        if event.kind == "cell":
            self._note_cell(event)
            return
        if event.kind == "stage-ended" and event.stage_run_id is not None:
            self._cells.pop(event.stage_run_id, None)
            self._untold.discard(event.stage_run_id)
        if self._telling is None and self._servers:
            self._telling = asyncio.get_running_loop().call_later(_TELLING, self._tell)

    def _note_cell(self, event: RunEvent) -> None:
        assert event.stage_run_id is not None
        if len(self._cells) >= _MOST_CELLS:  # of attempts that were cancelled nobody tells the end
            del self._cells[next(iter(self._cells))]
        self._cells[event.stage_run_id] = {
            "run": event.run_id,
            "workflow": event.workflow_uid,
            "stage_run": event.stage_run_id,
            "path": event.path,
            "attempt": event.attempt,
            "cell": event.cell,
            "cells": event.cells,
        }
        self._untold.add(event.stage_run_id)
        if self._telling_cells is None and self._servers:
            self._telling_cells = asyncio.get_running_loop().call_later(_TELLING_CELLS, self._tell_cells)

    def _tell_cells(self) -> None:
        self._telling_cells = None
        told = [self._cells[name] for name in sorted(self._untold) if name in self._cells]
        self._untold.clear()
        if told:
            self._send({"cells": told})

    def _tell(self) -> None:
        self._telling = None
        self._send({"changed": True, "executing": self._runner.busy})

    def _send(self, message: dict[str, Any]) -> None:
        line = json.dumps(message).encode() + b"\n"
        for server in self._servers:
            if server.transport.get_write_buffer_size() == 0:
                server.write(line)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._servers.add(writer)
        if self._ending is not None:
            self._ending.cancel()
            self._ending = None
        if self._runner.paused:
            log.info("a server has taken this runner over")
        self._runner.resume()
        try:
            while line := await reader.readline():
                self._obey(line.decode(errors="replace").strip(), writer)
                await writer.drain()
        except (ConnectionError, ValueError):
            pass  # a server that was killed, or that is none
        finally:
            self._servers.discard(writer)
            writer.close()
            if not self._servers and not self._runner.stopping:
                self._runner.pause()
                log.info("no server is there any more: finishing what runs (%d)", self._runner.busy)
                self._ending = asyncio.create_task(self._wait_to_end(0), name="ending with the servers")

    def _obey(self, command: str, writer: asyncio.StreamWriter) -> None:
        if command == "status":
            writer.write(json.dumps(self._status()).encode() + b"\n")
        elif command == "end" and len(self._servers) == 1:
            self._runner.stop(at_once=True)

    def _status(self) -> dict[str, Any]:
        return {
            "pid": os.getpid(),
            "started_at": self._started_at.isoformat(),
            "executing": self._runner.busy,
            "concurrency": self._runner.settings.concurrency,
            "servers": len(self._servers),
            "runner": self._runner.identity.id,
            "cells": list(self._cells.values()),
        }

    async def _wait_to_end(self, delay: float) -> None:
        await asyncio.sleep(delay)
        self._runner.pause()
        while self._runner.busy:
            await asyncio.sleep(_LOOK)
        self._runner.stop()


def take_place(folder: Path) -> Callable[[], None] | None:
    """Become the one runner of a folder; return how to leave it, or `None` if there is another one.

    A predecessor that is just ending is waited for.
    """
    import fcntl

    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + _PREDECESSOR
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                os.close(descriptor)
                return None
            time.sleep(_LOOK)
        else:
            return lambda: os.close(descriptor)
