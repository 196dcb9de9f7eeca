"""A worker process as its executor sees it."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
import signal
import sys
from typing import Any

from jupyter_workflows.execution.executors import frames
from jupyter_workflows.execution.executors.base import OnProgress
from jupyter_workflows.execution.limits import Limits
from jupyter_workflows.execution.spec import AttemptOutcome, AttemptSpec, Progress

#: Seconds that a worker may take to end when it is told to, before it is killed.
_PATIENCE = 2.0


class NotTakenError(ChildProcessError):
    """The worker ended before it had taken the attempt: nothing of it was done."""


class WorkerProcess:
    """Executes one attempt at a time; use `start`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._process = process
        self._reader = process.stdout
        self._writer = process.stdin
        self._gone = False

    @classmethod
    async def start(cls) -> WorkerProcess:
        """Start a worker and wait until it is ready.

        Raises
        ------
        OSError
            It does not start.
        """
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",  # the folder that this process happens to be in has no say in what is imported
            "-m",
            "jupyter_workflows.execution.executors.worker",
            str(os.getpid()),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,  # Ctrl-C in the terminal is for the executor's process alone
        )
        worker = cls(process)
        if await frames.read(worker._reader) is None:
            await process.wait()
            raise ChildProcessError(f"A worker process did not start ({worker.ending})")
        return worker

    @property
    def is_alive(self) -> bool:
        """Whether the worker takes attempts."""
        return not self._gone and self._process.returncode is None

    @property
    def pid(self) -> int:
        """The worker's process id."""
        return self._process.pid

    @property
    def ending(self) -> str:
        """How the process ended, in words."""
        code = self._process.returncode
        if code is None:
            return "its connection broke"
        if code >= 0:
            return f"exit code {code}"
        with contextlib.suppress(ValueError):
            return signal.Signals(-code).name
        return f"signal {-code}"

    async def execute(
        self, spec: AttemptSpec, fork_server: str | None, limits: Limits, on_progress: OnProgress | None
    ) -> AttemptOutcome | None:
        """Execute an attempt; `None` if the worker ended before it was done.

        Raises
        ------
        NotTakenError
            The worker ended before it began.
        """
        self._send(
            {
                "type": "execute",
                "spec": spec.to_json(),
                "fork_server": fork_server,
                "limits": dataclasses.asdict(limits),
            }
        )
        taken = False
        while (message := await frames.read(self._reader)) is not None:
            if message["type"] == "taken":
                taken = True
                continue
            if message["type"] == "outcome":
                return AttemptOutcome.from_json(message["outcome"])
            if on_progress is not None:
                on_progress(
                    Progress(
                        spec.stage_run_id,
                        spec.attempt,
                        message["event"],
                        message["cell"],
                        message["cells"],
                        message["message"],
                        message["response"],
                    )
                )
        self._gone = True
        self._writer.close()
        await self._process.wait()
        if not taken:
            raise NotTakenError(f"The worker process ended while it had nothing to do ({self.ending})")
        return None

    def cancel(self) -> None:
        """Have the attempt that is being executed cancelled."""
        self._send({"type": "cancel"})

    def kill(self) -> None:
        """End the process and its kernel at once."""
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        asyncio.get_running_loop().call_later(_PATIENCE, self._kill)

    async def stop(self) -> None:
        """Have an idle worker end, and wait for that."""
        if self.is_alive:
            self._send({"type": "stop"})
        try:
            async with asyncio.timeout(10 * _PATIENCE):
                await self._process.wait()
        except TimeoutError:
            self._kill()
            await self._process.wait()
        self._writer.close()

    def _kill(self) -> None:
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()

    def _send(self, message: dict[str, Any]) -> None:
        if not self._writer.is_closing():
            self._writer.write(frames.pack(message))
