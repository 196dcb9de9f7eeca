"""An executor for forms: each attempt on a thread of this process, since it mostly waits for a person."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import threading
from dataclasses import replace
from typing import Any

from jupyter_workflows.execution.executors.base import OnProgress
from jupyter_workflows.execution.executors.supply import KernelSupply
from jupyter_workflows.execution.limits import CancelToken, Limits
from jupyter_workflows.execution.spec import AttemptError, AttemptOutcome, AttemptSpec, Progress
from jupyter_workflows.model.states import AttemptState


class _Job:
    def __init__(self) -> None:
        self.cancel = CancelToken()
        self.killed = False
        self.pid: int | None = None


class ThreadExecutor:
    """Executes attempts on threads; a kernel that waits for input takes hardly anything.

    Parameters
    ----------
    supply
        Where kernels come from; somebody else starts and stops it. `None`: they are started the slow way.
    """

    def __init__(self, supply: KernelSupply | None, *, limits: Limits | None = None) -> None:
        self._supply = supply
        self._limits = limits or Limits()
        self._jobs: dict[str, _Job] = {}
        self._loading: asyncio.Future[None] | None = None

    async def start(self) -> None:
        """Begin to load what executes notebooks."""
        self._loading = asyncio.ensure_future(asyncio.to_thread(_load))

    async def execute(self, spec: AttemptSpec, on_progress: OnProgress | None = None) -> AttemptOutcome:
        """Execute an attempt and return its outcome."""
        job = self._jobs[spec.stage_run_id] = _Job()
        try:
            if self._loading is not None:
                await asyncio.shield(self._loading)
            address = await self._supply.address() if self._supply is not None else None
            outcome = await self._in_thread(spec, address, job, on_progress)
        finally:
            if self._jobs.get(spec.stage_run_id) is job:
                del self._jobs[spec.stage_run_id]
        if job.killed:
            return replace(
                outcome, state=AttemptState.LOST, error=AttemptError("Killed", "The runner was told to end.")
            )
        return outcome

    def cancel(self, stage_run_id: str) -> None:
        """Have an attempt interrupted, then ended."""
        if job := self._jobs.get(stage_run_id):
            job.cancel.cancel()

    def park(self, stage_run_id: str) -> None:
        """Have an attempt ended that goes on when somebody opens it again."""
        if job := self._jobs.get(stage_run_id):
            job.cancel.cancel(park=True)

    def kill(self, stage_run_id: str) -> None:
        """End an attempt at once."""
        job = self._jobs.get(stage_run_id)
        if job is None:
            return
        job.killed = True
        if job.pid is not None:
            with contextlib.suppress(OSError):
                os.killpg(job.pid, signal.SIGKILL) if hasattr(os, "killpg") else os.kill(job.pid, 15)
        job.cancel.cancel()

    async def stop(self, *, wait: bool = True) -> None:
        """Park what waits, and end."""
        for stage_run_id in list(self._jobs):
            self.park(stage_run_id) if wait else self.kill(stage_run_id)
        while self._jobs:
            await asyncio.sleep(0.01)

    async def _in_thread(
        self, spec: AttemptSpec, address: str | None, job: _Job, on_progress: OnProgress | None
    ) -> AttemptOutcome:
        from jupyter_core.utils import ensure_event_loop

        from jupyter_workflows.execution.attempt import execute_attempt

        loop = asyncio.get_running_loop()
        done: asyncio.Future[AttemptOutcome] = loop.create_future()

        def report(progress: Progress) -> None:
            if progress.connection is not None:
                job.pid = progress.connection.pop("pid", None)
            if on_progress is not None:
                loop.call_soon_threadsafe(on_progress, progress)

        def settle(outcome: AttemptOutcome | None, error: BaseException | None) -> None:
            if done.done():
                return
            if error is not None:
                done.set_exception(error)
            elif outcome is not None:
                done.set_result(outcome)

        def work() -> None:
            result: Any = None
            failure: BaseException | None = None
            try:
                result = execute_attempt(
                    spec, fork_server=address, on_progress=report, cancel=job.cancel, limits=self._limits
                )
            except BaseException as error:
                failure = error
            finally:
                ensure_event_loop().close()
            loop.call_soon_threadsafe(settle, result, failure)

        threading.Thread(target=work, name=f"form {spec.stage_run_id}", daemon=True).start()
        return await done


def _load() -> None:
    from jupyter_workflows.execution.executors.imports import import_papermill

    import_papermill()
    import jupyter_workflows.execution.attempt  # noqa: F401
