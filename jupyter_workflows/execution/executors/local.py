"""The local executor: attempts in worker processes, kernels from a fork server."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections import deque
from collections.abc import Iterable

from jupyter_workflows.execution.executors.base import OnProgress
from jupyter_workflows.execution.executors.process import NotTakenError, WorkerProcess
from jupyter_workflows.execution.executors.supply import KernelSupply
from jupyter_workflows.execution.limits import Limits
from jupyter_workflows.execution.spec import AttemptError, AttemptOutcome, AttemptSpec
from jupyter_workflows.model.states import AttemptState

logger = logging.getLogger(__name__)

#: How often it is tried to start a worker, before who waits for it is told.
_STARTS = 3

#: How many workers may end before they take an attempt, before it counts as lost.
_HANDS = 3


def default_concurrency() -> int:
    """Return how many attempts are executed at a time unless told otherwise.

    One more than the processors: while one attempt waits for its kernel, another one computes.
    """
    try:
        processors = len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        processors = os.cpu_count() or 1
    return processors + 1


class _Job:
    """An attempt from the moment it is asked for."""

    def __init__(self) -> None:
        self.worker: WorkerProcess | None = None
        self.cancelled = asyncio.Event()


class LocalExecutor:
    """Executes attempts in worker processes of this machine.

    Parameters
    ----------
    concurrency
        Attempts executed at a time; further ones wait in order.
    pool_size
        Kernels that the fork server keeps ready.
    preload
        Modules that kernels find imported.
    fork_server
        Whether to have a fork server at all.
    eager
        Start all workers at once. Otherwise the first is started, and others when they are needed.
    limits
        Times that attempts keep to.
    """

    def __init__(
        self,
        concurrency: int | None = None,
        *,
        pool_size: int = 2,
        preload: Iterable[str] = (),
        fork_server: bool = True,
        eager: bool = False,
        limits: Limits | None = None,
    ) -> None:
        self.concurrency = concurrency or default_concurrency()
        self._eager = eager
        self._limits = limits or Limits()
        self._supply = KernelSupply(pool_size, preload) if fork_server else None
        self._jobs: dict[str, _Job] = {}
        self._idle: list[WorkerProcess] = []
        self._waiting: deque[asyncio.Future[WorkerProcess]] = deque()
        self._workers: set[WorkerProcess] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping = False

    @property
    def supply(self) -> KernelSupply | None:
        """Where kernels come from, for other executors of this process; `None`: there is no fork server."""
        return self._supply

    async def start(self) -> None:
        """Begin to start the fork server and workers, side by side; an attempt waits for them."""
        if self._supply is not None:
            self._supply.start()
        for _ in range(self.concurrency if self._eager else 1):
            self._add_worker()

    async def execute(self, spec: AttemptSpec, on_progress: OnProgress | None = None) -> AttemptOutcome:
        """Execute an attempt and return its outcome."""
        if self._stopping:
            raise RuntimeError("The executor is stopping and takes no more attempts")
        job = self._jobs[spec.stage_run_id] = _Job()
        try:
            for _ in range(_HANDS):
                try:
                    worker = await self._worker_for(job)
                except OSError as error:
                    failure = error
                    break
                if worker is None:
                    return AttemptOutcome(AttemptState.CANCELLED)
                try:
                    return await self._execute_on(worker, job, spec, on_progress)
                except NotTakenError as error:
                    failure = error  # another worker has the notebook to itself
            # No fault of the notebook, which was never looked at.
            return AttemptOutcome(AttemptState.LOST, error=AttemptError("WorkerDied", str(failure)))
        finally:
            if self._jobs.get(spec.stage_run_id) is job:
                del self._jobs[spec.stage_run_id]

    def cancel(self, stage_run_id: str) -> None:
        """Have an attempt interrupted, then ended."""
        job = self._jobs.get(stage_run_id)
        if job is not None:
            job.cancelled.set()
            if job.worker is not None:
                job.worker.cancel()

    def kill(self, stage_run_id: str) -> None:
        """End an attempt at once: its worker and kernel."""
        job = self._jobs.get(stage_run_id)
        if job is not None:
            job.cancelled.set()
            if job.worker is not None:
                job.worker.kill()

    async def stop(self, *, wait: bool = True) -> None:
        """Take no more attempts and end; with `wait` when those being executed have ended."""
        self._stopping = True
        if not wait:
            for worker in list(self._workers):
                worker.kill()
        while self._jobs:
            await asyncio.sleep(0.01)
        for task in list(self._tasks):
            await asyncio.gather(task, return_exceptions=True)
        await asyncio.gather(*(worker.stop() for worker in list(self._workers)))
        if self._supply is not None:
            await self._supply.stop()

    def busy_workers(self) -> list[int]:
        """Return the process ids of the workers that are executing attempts."""
        return [job.worker.pid for job in self._jobs.values() if job.worker is not None]

    def fork_server_pid(self) -> int | None:
        """Return the fork server's process id; `None` if there is none."""
        server = self._supply.server if self._supply is not None else None
        return server.pid if server is not None else None

    async def _execute_on(
        self, worker: WorkerProcess, job: _Job, spec: AttemptSpec, on_progress: OnProgress | None
    ) -> AttemptOutcome:
        address = await self._supply.address() if self._supply is not None else None
        job.worker = worker
        try:
            if job.cancelled.is_set():
                return AttemptOutcome(AttemptState.CANCELLED)
            outcome = await worker.execute(spec, address, self._limits, on_progress)
        finally:
            job.worker = None
            self._release(worker)
        if outcome is not None:
            return outcome
        message = f"The worker process that executed the stage ended unexpectedly ({worker.ending})"
        return AttemptOutcome(
            AttemptState.LOST,
            error=AttemptError("WorkerDied", message),
            output=spec.output if os.path.exists(spec.output) else None,  # noqa: PTH110
        )

    # Workers

    async def _worker_for(self, job: _Job) -> WorkerProcess | None:
        """Return a worker that has nothing to do; `None` if the job was cancelled meanwhile."""
        while self._idle:
            worker = self._idle.pop()
            if worker.is_alive:
                return worker
            self._workers.discard(worker)  # it ended while it had nothing to do
            await worker.stop()
        waiting = sum(not ticket.done() for ticket in self._waiting)
        if len(self._tasks) <= waiting and len(self._workers) + len(self._tasks) < self.concurrency:
            self._add_worker()  # those that are being started are for others
        ticket: asyncio.Future[WorkerProcess] = asyncio.get_running_loop().create_future()
        self._waiting.append(ticket)
        cancelled = asyncio.ensure_future(job.cancelled.wait())
        try:
            await asyncio.wait((ticket, cancelled), return_when=asyncio.FIRST_COMPLETED)
        except BaseException:
            if ticket.done() and ticket.exception() is None:
                self._release(ticket.result())
            raise
        finally:
            cancelled.cancel()
            with contextlib.suppress(ValueError):
                self._waiting.remove(ticket)
        if ticket.done():
            return ticket.result()
        return None

    def _add_worker(self) -> None:
        task = asyncio.ensure_future(self._start_worker())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _start_worker(self) -> None:
        for tries in range(1, _STARTS + 1):
            try:
                worker = await WorkerProcess.start()
            except OSError as error:
                if tries < _STARTS:
                    logger.warning("%s; another one is started", error)
                    continue
                logger.error("A worker process did not start: %s", error)
                self._tasks.discard(asyncio.current_task())
                if not self._workers and not self._tasks:
                    self._refuse(error)
                return
            self._workers.add(worker)
            self._tasks.discard(asyncio.current_task())
            self._release(worker)
            return

    def _refuse(self, error: OSError) -> None:
        """Tell all who wait for a worker that there is none."""
        while self._waiting:
            ticket = self._waiting.popleft()
            if not ticket.done():
                ticket.set_exception(error)

    def _release(self, worker: WorkerProcess) -> None:
        """Give a worker to who has waited longest; replace it if it is gone."""
        if not worker.is_alive:
            self._workers.discard(worker)
            if not self._stopping or self._waiting:
                self._add_worker()
            return
        while self._waiting:
            ticket = self._waiting.popleft()
            if not ticket.done():
                ticket.set_result(worker)
                return
        self._idle.append(worker)
