"""Asking the runners of this machine for form sessions."""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupyter_workflows.runner.embedded import address_of

from ..problems import Problem

#: Bytes of an answer.
_LARGEST = 1024 * 1024
#: Seconds that a runner may take to open a form, and to give the kernel's address.
_PATIENCE = 30.0
#: How often, and after how many seconds, a runner that is just being started is looked for again.
_TRIES = 100
_LOOK = 0.1


@dataclass(frozen=True, slots=True)
class Session:
    """A form session, and the door of the runner that holds it."""

    id: str
    task: str
    attempt: int
    folder: Path
    door: Path
    connection: dict[str, Any] | None

    @classmethod
    def of(cls, answer: dict[str, Any], door: Path) -> Session:
        """Return the session of a runner's answer."""
        return cls(
            answer["session"],
            answer["task"],
            answer["attempt"],
            Path(answer["folder"]),
            door,
            answer["connection"],
        )


class Doors:
    """The runners' doors.

    Parameters
    ----------
    folder
        Where their sockets are.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        #: Sessions that were opened through this server: who else asks for one gets nothing.
        self._sessions: dict[str, Session] = {}

    async def open(self, task: str, by: str, *, runner: str | None, patient: bool) -> Session:
        """Return the session of a task, which is begun if nobody has it open.

        Parameters
        ----------
        runner
            Who has it open already, as the database says.
        patient
            Wait for a runner that is being started.

        Raises
        ------
        Problem
            It cannot be opened.
        """
        refusal: Problem | None = None
        for _ in range(_TRIES if patient else 1):
            for door in self._doors(runner):
                answer = await self._ask(door, {"op": "open", "task": task, "by": by})
                if answer is None:
                    continue
                if "error" not in answer:
                    session = Session.of(answer, door)
                    self._sessions = {name: one for name, one in self._sessions.items() if one.task != task}
                    self._sessions[session.id] = session
                    return session
                refusal = _problem(answer)
            if refusal is not None:
                raise refusal
            await asyncio.sleep(_LOOK)
        if runner is not None:
            raise Problem(
                409,
                "open-elsewhere",
                "another server's runner has this form open",
                "Open it there, or try again when it was closed",
            )
        raise Problem(
            503,
            "no-runner",
            "no runner on this machine can open the form",
            "Start one with: jupyter workflows runner",
            headers={"Retry-After": "5"},
        )

    def known(self, session_id: str) -> Session | None:
        """Return a session that was opened through this server."""
        return self._sessions.get(session_id)

    async def attach(self, session_id: str) -> Session | None:
        """Return a session with its kernel's address, once it has one; `None` if it has ended."""
        session = self._sessions.get(session_id)
        if session is None:
            return None
        answer = await self._ask(session.door, {"op": "attach", "session": session_id, "seconds": _PATIENCE})
        if answer is None or "error" in answer or answer["ended"] or answer["connection"] is None:
            self._sessions.pop(session_id, None)
            return None
        return Session.of(answer, session.door)

    async def park(self, task: str) -> bool:
        """Close a task; return whether a runner here had it open."""
        for door in self._doors(None):
            answer = await self._ask(door, {"op": "park", "task": task})
            if answer is not None and answer.get("parked"):
                return True
        return False

    def _doors(self, runner: str | None) -> list[Path]:
        if runner is not None:
            return [self._folder / f"{runner}.sock"]
        with contextlib.suppress(OSError):
            found = [(door.stat().st_mtime, door) for door in self._folder.glob("*.sock")]
            return [door for _, door in sorted(found, reverse=True)]
        return []

    async def _ask(self, door: Path, request: dict[str, Any]) -> dict[str, Any] | None:
        """Return a runner's answer; `None` if there is none behind this door."""
        try:
            with address_of(door) as address:
                reader, writer = await asyncio.open_unix_connection(address, limit=_LARGEST)
        except FileNotFoundError:
            return None
        except ConnectionRefusedError:
            door.unlink(missing_ok=True)  # its runner was killed
            return None
        except OSError:
            return None
        try:
            writer.write(json.dumps(request).encode() + b"\n")
            line = await asyncio.wait_for(reader.readline(), _PATIENCE + 5)
            answer: dict[str, Any] | None = json.loads(line) if line else None
            return answer
        except (OSError, ValueError, TimeoutError):
            return None
        finally:
            writer.close()


def _problem(answer: dict[str, Any]) -> Problem:
    status = {"wrong-state": 409, "not-found": 404}.get(answer["error"], 503)
    return Problem(status, answer["error"], answer["message"], answer.get("mend"))
