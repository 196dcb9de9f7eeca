"""The embedded runner, as the server sees it: started, watched, started again, and let go."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import logging
import os
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from jupyter_workflows.runner.embedded import SOCKET, TAKEN, address_of, supported

State = Literal["disabled", "starting", "running", "restarting", "stopped", "unsupported"]

#: Seconds that a runner may take until it listens.
_STARTING = 60.0
_LOOK = 0.05
#: Seconds before a runner that ended is started again: at first, and at most.
_FIRST_DELAY = 1.0
_LONGEST_DELAY = 60.0
#: Seconds after which a runner that ends counts as one that had worked.
_WORKED = 60.0
_ANSWER = 2.0
#: Bytes of the log file, beyond which it is begun anew.
_LARGEST_LOG = 5 * 1024 * 1024
#: What must not reach the runner's environment: it would be seen by what it starts.
_SECRETS = ("JUPYTER_TOKEN", "JPY_API_TOKEN", "JUPYTERHUB_API_TOKEN", "JPY_COOKIE_SECRET", "JUPYTER_PASSWORD")


@dataclass(frozen=True, slots=True)
class RunnerCommand:
    """How the embedded runner is started.

    Parameters
    ----------
    arguments
        Of ``jupyter workflows runner``.
    environment
        Variables beside those of this process.
    """

    arguments: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)

    def key(self, database: str, version: str) -> str:
        """Return a name that runners share which are started in the same way."""
        same = [sys.executable, version, database, self.arguments, sorted(self.environment.items())]
        return hashlib.sha256(json.dumps(same).encode()).hexdigest()[:12]


@dataclass(slots=True)
class RunnerStatus:
    """How the embedded runner stands.

    Parameters
    ----------
    message
        In words, for a person.
    adopted
        It was started by another server.
    restarts
        How often it had to be started again.
    """

    state: State = "stopped"
    message: str = ""
    pid: int | None = None
    since: datetime = field(default_factory=lambda: datetime.now(UTC))
    adopted: bool = False
    restarts: int = 0
    next_start: datetime | None = None
    executing: int | None = None
    concurrency: int | None = None
    runner: str | None = None


class Supervisor:
    """Keeps an embedded runner at work while this server lives.

    Parameters
    ----------
    command
        How it is started.
    database
        URL of the database; the runner gets it in its environment, for it may hold a password.
    state
        Folder beside the database.
    on_change
        Called when the runner's state changes.
    on_work
        Called when the runner says that something has changed in the database.
    on_cells
        Called with what it says of the cells that are being executed.
    """

    def __init__(
        self,
        command: RunnerCommand,
        *,
        database: str,
        state: Path,
        version: str,
        log: logging.Logger,
        on_change: Callable[[RunnerStatus], None] = lambda status: None,
        on_work: Callable[[], None] = lambda: None,
        on_cells: Callable[[list[dict[str, Any]]], None] = lambda cells: None,
    ) -> None:
        self.status = RunnerStatus()
        self.folder = state / "embedded" / command.key(database, version)
        self._command = command
        self._database = database
        self._log = log
        self._on_change = on_change
        self._on_work = on_work
        self._on_cells = on_cells
        self._process: subprocess.Popen[bytes] | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._answers: deque[asyncio.Future[dict[str, Any]]] = deque()
        self._task: asyncio.Task[None] | None = None
        self._stopping = False

    @property
    def log_file(self) -> Path:
        """Where the runner's own log is."""
        return self.folder / "runner.log"

    def start(self) -> None:
        """Begin to supervise."""
        if not supported():
            self._set("unsupported", "this system has no embedded runner: start `jupyter workflows runner`")
            self._log.warning("the embedded runner: %s", self.status.message)
            return
        self._task = asyncio.create_task(self._watch(), name="supervising the workflows runner")

    async def stop(self, *, at_once: bool = False) -> None:
        """Let the runner go: it finishes what it executes, and is not waited for.

        Parameters
        ----------
        at_once
            End what it executes, too, unless it works for another server as well.
        """
        if self.status.state == "running":
            await self.ask()
        self._stopping = True
        if self._writer is not None:
            if at_once:
                with contextlib.suppress(ConnectionError):
                    self._writer.write(b"end\n")
                    await self._writer.drain()
            self._writer.close()
        elif self._process is not None and self._process.poll() is None:
            # It is being started: it would wait for a server.
            self._process.terminate()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._process is not None:
            # Nobody waits for it, but this process, if it lives on, must not keep its remains.
            threading.Thread(target=self._process.wait, daemon=True, name="runner's end").start()
        if self.status.state == "running" and self.status.executing:
            self._log.info("the workflows runner finishes what it executes, and ends by itself")
        self._set("stopped", "the server has stopped")

    async def ask(self) -> RunnerStatus:
        """Return how the runner stands, after having asked it."""
        writer = self._writer
        if writer is None or self.status.state != "running":
            return self.status
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._answers.append(answer)
        try:
            writer.write(b"status\n")
            async with asyncio.timeout(_ANSWER):
                self._note(await answer)
        except (TimeoutError, ConnectionError):
            self.status.message = "it does not answer"
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise  # it is who asks that is cancelled, not the answer
            self.status.message = "it does not answer"
        return self.status

    # -- watching -----------------------------------------------------------------------------------------

    async def _watch(self) -> None:
        delay = _FIRST_DELAY
        while not self._stopping:
            began = time.monotonic()
            try:
                reason = await self._work_with_runner()
            except OSError as error:
                reason = f"it cannot be started: {error}"
            except Exception:
                self._log.exception("supervising the workflows runner failed")
                reason = "supervising it failed; see the log"
            if time.monotonic() - began > _WORKED:
                delay = _FIRST_DELAY
            self.status.restarts += 1
            self.status.next_start = datetime.now(UTC) + timedelta(seconds=delay)
            self._set("restarting", f"{reason}; started again in {delay:.0f} s")
            self._log.error("the workflows runner: %s (its log: %s)", self.status.message, self.log_file)
            await asyncio.sleep(delay)
            delay = min(2 * delay, _LONGEST_DELAY)

    async def _work_with_runner(self) -> str:
        """Have a runner, until it has gone; return why it went."""
        self._set("starting", "it is being started")
        # One that another server started, or that a server left behind, is as good.
        connection = await self._connect()
        adopted = connection is not None
        if connection is None:
            await asyncio.to_thread(self._spawn)
            connection = await self._await_connection()
        if connection is None:
            return await self._how_it_ended()
        reader, self._writer = connection
        try:
            await self._greet(adopted)
            reading = asyncio.create_task(self._read(reader), name="reading from the workflows runner")
            try:
                await self.ask()
                await reading
            finally:
                reading.cancel()
        finally:
            self._writer.close()
            self._writer = None
            for answer in self._answers:
                answer.cancel()
            self._answers.clear()
        return await self._how_it_ended()

    async def _greet(self, adopted: bool) -> None:
        self.status.adopted = adopted
        self.status.pid = self._process.pid if self._process is not None and not adopted else None
        self.status.next_start = None
        self._set("running", "")
        if adopted:
            self._log.info("the workflows runner of another server is at work; it is taken over")
        else:
            self._log.info("the workflows runner is at work (process %s)", self.status.pid)

    async def _read(self, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(ConnectionError):
            while line := await reader.readline():
                message = json.loads(line)
                if "changed" in message:
                    self.status.executing = message.get("executing")
                    self._on_work()
                elif "pid" not in message:
                    self._on_cells(message.get("cells", []))
                elif self._answers:
                    answer = self._answers.popleft()
                    if not answer.done():
                        answer.set_result(message)

    def _note(self, answer: dict[str, Any]) -> None:
        self._on_cells(answer.get("cells", []))
        self.status.pid = answer.get("pid")
        self.status.executing = answer.get("executing")
        self.status.concurrency = answer.get("concurrency")
        self.status.runner = answer.get("runner")
        self.status.message = ""

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        try:
            with address_of(self.folder / SOCKET) as address:
                return await asyncio.open_unix_connection(address)
        except OSError:
            return None

    async def _await_connection(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        deadline = time.monotonic() + _STARTING
        while time.monotonic() < deadline:
            ended = self._process is not None and self._process.poll() is not None
            if connection := await self._connect():
                return connection
            if ended:
                return None
            await asyncio.sleep(_LOOK)
        return None

    async def _how_it_ended(self) -> str:
        process = self._process
        if process is None or self.status.adopted:
            return "it has gone"
        try:
            code = await asyncio.to_thread(process.wait, 10)
        except subprocess.TimeoutExpired:
            process.kill()
            return "it does not answer"
        self._process = None
        if code == TAKEN:
            return "another runner has its place"
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        last = await asyncio.to_thread(self._last_words)
        return f"it ended with {how}" + (f": {last}" if last and code > 0 else "")

    def _last_words(self) -> str:
        try:
            with self.log_file.open("rb") as stream:
                stream.seek(max(0, stream.seek(0, 2) - 4096))
                lines = stream.read().decode(errors="replace").strip().splitlines()
        except OSError:
            return ""
        return " ".join(line.strip() for line in lines[-2:])[-500:]

    def _spawn(self) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            if self.log_file.stat().st_size > _LARGEST_LOG:
                self.log_file.replace(self.log_file.with_suffix(".log.1"))
        log = os.open(self.log_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        environment = {name: value for name, value in os.environ.items() if name not in _SECRETS}
        environment |= self._command.environment
        if path := environment.get("PYTHONPATH"):
            environment["PYTHONPATH"] = os.pathsep.join(map(os.path.abspath, path.split(os.pathsep)))
        environment["JUPYTER_WORKFLOWS_DATABASE"] = self._database
        try:
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    *("-m", "jupyter_workflows.cli", "runner", "--embedded", str(self.folder)),
                    *self._command.arguments,
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
                # Not the user's: with -m, modules there would come before all others.
                cwd=self.folder,
                # A Ctrl-C at the server's terminal, or its end, is not the runner's.
                start_new_session=True,
            )
        finally:
            os.close(log)

    def _set(self, state: State, message: str) -> None:
        if state != self.status.state:
            self.status.since = datetime.now(UTC)
        self.status.state = state
        self.status.message = message
        if state != "running":
            self.status.pid = self.status.executing = self.status.runner = None
        self._on_change(self.status)
