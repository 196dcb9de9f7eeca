"""Form sessions: tasks that people have open, each with a kernel that executes its notebook.

A session is one attempt of a task's stage run. It ends when the notebook has ended, or is parked, when nobody
has given input for a while; opening the task again makes a new one, which finds what was answered before.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from jupyter_workflows.execution.context import context_path
from jupyter_workflows.execution.executors.threads import ThreadExecutor
from jupyter_workflows.execution.spec import AttemptOutcome, AttemptSpec, Progress
from jupyter_workflows.model.states import AttemptState
from jupyter_workflows.store import Claim, RunnerIdentity, Store, StoreError, WrongState

log = logging.getLogger(__name__)


@dataclass
class FormSession:
    """A task that somebody has open."""

    task: str
    attempt: int
    opened_by: str | None
    folder: str
    id: str = field(default_factory=lambda: secrets.token_urlsafe(18))
    connection: dict[str, Any] | None = None
    connected: asyncio.Event = field(default_factory=asyncio.Event)
    ended: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return what a server is told."""
        return {
            "session": self.id,
            "task": self.task,
            "attempt": self.attempt,
            "opened_by": self.opened_by,
            "folder": self.folder,
            "ended": self.ended,
            "connection": self.connection,
        }


class FormSessions:
    """The form sessions of a runner.

    Parameters
    ----------
    executor
        Executes their attempts.
    in_database
        Calls a function on the thread that talks to the database.
    begin
        Has a claim executed.
    idle
        Seconds without input after which a session is parked.
    limit
        Sessions at a time.
    """

    def __init__(
        self,
        store: Store,
        identity: RunnerIdentity,
        executor: ThreadExecutor,
        in_database: Callable[..., Awaitable[Any]],
        begin: Callable[[Claim], None],
        *,
        idle: float,
        limit: int,
    ) -> None:
        self._store = store
        self._identity = identity
        self._executor = executor
        self._in_database = in_database
        self._begin = begin
        self._idle = idle
        self._limit = limit
        self._sessions: dict[str, FormSession] = {}
        self._opening: dict[str, asyncio.Task[FormSession]] = {}

    def __len__(self) -> int:
        return len(self._sessions)

    def __contains__(self, task: object) -> bool:
        return task in self._sessions

    def holds(self, claim: Claim) -> bool:
        """Return whether a claim is the attempt of a session."""
        session = self._sessions.get(claim.id)
        return session is not None and session.attempt == claim.attempt

    def find(self, session: str) -> FormSession | None:
        """Return the session with an id."""
        return next((one for one in self._sessions.values() if one.id == session), None)

    async def open(self, task: str, by: str | None) -> FormSession:
        """Return the session of a task, which is begun unless somebody has the task open already.

        Raises
        ------
        WrongState
            The task does not wait, or too many are open.
        """
        session = self._sessions.get(task)
        if session is not None and not session.ended:
            return session
        opening = self._opening.get(task)
        if opening is None:
            opening = asyncio.ensure_future(self._open(task, by))
            self._opening[task] = opening
            opening.add_done_callback(lambda _: self._opening.pop(task, None))
        return await asyncio.shield(opening)

    async def _open(self, task: str, by: str | None) -> FormSession:
        if len(self._sessions) >= self._limit:
            raise WrongState(
                f"{self._limit} forms are open already, as many as this runner holds",
                "Try again when somebody has submitted theirs",
            )
        claim: Claim = await self._in_database(self._store.claim_waiting, self._identity, task, by=by)
        session = FormSession(task, claim.attempt, by, str(self._store.folder(claim.run.id, claim.id)))
        self._sessions[task] = session
        self._begin(claim)
        return session

    async def connection(self, session: FormSession, seconds: float) -> dict[str, Any] | None:
        """Wait until the session's kernel can be connected to; `None` if it ended, or it takes too long."""
        try:
            await asyncio.wait_for(session.connected.wait(), seconds)
        except TimeoutError:
            return None
        return session.connection

    def park(self, task: str) -> bool:
        """End a session; the task waits again. Return whether there was one."""
        if task not in self._sessions:
            return False
        self._executor.park(task)
        return True

    def park_all(self) -> None:
        """End all sessions."""
        for task in list(self._sessions):
            self._executor.park(task)

    # -- as an executor -----------------------------------------------------------------------------------

    async def execute(
        self, spec: AttemptSpec, on_progress: Callable[[Progress], None] | None = None
    ) -> AttemptOutcome:
        """Execute the attempt of a session."""
        session = self._sessions[spec.stage_run_id]

        def note(progress: Progress) -> None:
            if progress.event == "connectable":
                session.connection = progress.connection
                session.connected.set()
            elif on_progress is not None:
                on_progress(progress)

        try:
            live = replace(spec, live=self._idle, user=session.opened_by or spec.user)
            outcome = await self._executor.execute(live, note)
            if outcome.state is AttemptState.PARKED:
                # It is executed again when somebody opens it: this copy is evidence of nothing.
                for file in (Path(spec.output), context_path(spec)):
                    file.unlink(missing_ok=True)
                outcome = replace(outcome, output=None)
            return outcome
        finally:
            session.ended = True
            session.connected.set()

    def forget(self, claim: Claim) -> None:
        """Forget a session whose end is recorded."""
        if self.holds(claim):
            session = self._sessions.pop(claim.id)
            session.ended = True
            session.connected.set()


class Door:
    """Where servers of this machine ask for form sessions: a socket in a private folder.

    A request is a line of JSON, ``{"op": "open" | "attach" | "park", …}``; so is the answer.
    """

    def __init__(self, store: Store, identity: RunnerIdentity, sessions: FormSessions) -> None:
        self._folder = store.state_folder / "forms"
        self._name = f"{identity.id}.sock"
        self._sessions = sessions
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Begin to listen, where there are sockets of this kind."""
        import socket

        from .embedded import address_of, supported

        if not supported():
            return
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder.chmod(0o700)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            with address_of(self._folder / self._name) as address:
                listener.bind(address)
        except OSError as error:
            listener.close()
            log.warning("forms cannot be opened with this runner: %s", error)
            return
        self._server = await asyncio.start_unix_server(self._serve, sock=listener)

    async def close(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()
            self._server = None
            (self._folder / self._name).unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        import json

        try:
            while line := await reader.readline():
                try:
                    answer = await self._answer(json.loads(line))
                except WrongState as error:
                    answer = {"error": "wrong-state", "message": error.message, "mend": error.mend}
                except StoreError as error:
                    name = "not-found" if type(error).__name__ == "NotFound" else "database-unavailable"
                    answer = {"error": name, "message": error.message, "mend": error.mend}
                except Exception as error:
                    log.exception("a server's request for a form failed")
                    answer = {"error": "unexpected", "message": str(error), "mend": ""}
                writer.write(json.dumps(answer).encode() + b"\n")
                await writer.drain()
        except (ConnectionError, ValueError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def _answer(self, request: dict[str, Any]) -> dict[str, Any]:
        if request["op"] == "open":
            session = await self._sessions.open(str(request["task"]), request.get("by"))
            return session.to_json()
        if request["op"] == "attach":
            found = self._sessions.find(str(request["session"]))
            if found is None:
                return {"error": "not-found", "message": "this form is not open any more", "mend": ""}
            await self._sessions.connection(found, float(request.get("seconds", 30)))
            return found.to_json()
        if request["op"] == "park":
            return {"parked": self._sessions.park(str(request["task"]))}
        return {"error": "wrong-request", "message": "there is no such request", "mend": ""}
