"""Executing one attempt: a specification in, an outcome out."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import papermill
from jupyter_core.utils import ensure_event_loop
from papermill.exceptions import PapermillExecutionError

from jupyter_workflows.execution import messages
from jupyter_workflows.execution.artifacts import ArtifactError, keep_artifacts, local_artifacts
from jupyter_workflows.execution.context import context_path, kernel_environment, write_context
from jupyter_workflows.execution.kernels.errors import KernelStartError, NoSuchKernel
from jupyter_workflows.execution.limits import CancelToken, Limits
from jupyter_workflows.execution.parameters import stage_parameters
from jupyter_workflows.execution.responses import stored_response
from jupyter_workflows.execution.running import StageKernel, fork_server_at
from jupyter_workflows.execution.saving import papermill_address
from jupyter_workflows.execution.session import OnProgress, Session
from jupyter_workflows.execution.source import Source, SourceError, read_source
from jupyter_workflows.execution.spec import AttemptError, AttemptOutcome, AttemptSpec
from jupyter_workflows.execution.workspace import Workspace
from jupyter_workflows.model.states import AttemptState

logger = logging.getLogger(__name__)


def execute_attempt(
    spec: AttemptSpec,
    *,
    fork_server: str | None = None,
    on_progress: OnProgress | None = None,
    cancel: CancelToken | None = None,
    limits: Limits | None = None,
) -> AttemptOutcome:
    """Execute a stage's notebook once.

    Nothing that a notebook does makes this raise; it is told in the outcome.

    Parameters
    ----------
    fork_server
        Address of the fork server to take the kernel from. `None`: an ordinary kernel.
    on_progress
        Told when the kernel is ready and when each cell begins.
    cancel
        With this another thread can end the attempt.
    """
    attempt = _Attempt(spec, fork_server, on_progress, cancel, limits or Limits())
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        if threading.current_thread() is threading.main_thread():
            return attempt.execute()
        return attempt.execute_and_close()  # nobody else would, when the thread has ended
    # The caller's thread runs an event loop already, as in a notebook: take another one.
    with ThreadPoolExecutor(1) as threads:
        return threads.submit(attempt.execute_and_close).result()


class _Attempt:
    def __init__(
        self,
        spec: AttemptSpec,
        fork_server: str | None,
        on_progress: OnProgress | None,
        cancel: CancelToken | None,
        limits: Limits,
    ) -> None:
        self.spec = spec
        self.fork_server = fork_server
        self.on_progress = on_progress
        self.cancel = cancel
        self.limits = limits
        self.timings: dict[str, float] = {}

    def execute(self) -> AttemptOutcome:
        started = time.perf_counter()
        if self.cancel is not None and self.cancel.cancelled:
            return AttemptOutcome(AttemptState.CANCELLED)
        workspace = Workspace.of(self.spec)
        try:
            outcome = self._execute(workspace)
        except SourceError as error:
            outcome = self._failed(error.name, error.message, retriable=False)
        except NoSuchKernel as error:
            outcome = self._failed("NoSuchKernel", str(error), retriable=False)
        except KernelStartError as error:
            outcome = self._failed("KernelStartError", str(error))
        except ArtifactError as error:
            outcome = self._failed("ArtifactError", str(error))
        except Exception as error:
            logger.exception("Attempt %s of stage run %s", self.spec.attempt, self.spec.stage_run_id)
            outcome = self._failed(type(error).__name__, str(error), details=traceback.format_exc())
        if workspace is not None:
            outcome.warnings.extend(self._timed("workspace kept", workspace.close))
            outcome.timings.update(self.timings)
        outcome.timings["total"] = time.perf_counter() - started
        return outcome

    def execute_and_close(self) -> AttemptOutcome:
        """Execute in a thread that may have nothing else to do, and leave no event loop behind."""
        try:
            return self.execute()
        finally:
            ensure_event_loop().close()

    def _execute(self, workspace: Workspace | None) -> AttemptOutcome:
        spec = self.spec
        Path(spec.folder).mkdir(mode=0o700, parents=True, exist_ok=True)
        Path(spec.output).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if workspace is not None:
            self._timed("workspace", workspace.fill)
        source = self._timed("load", lambda: read_source(spec.notebook))
        artifacts = local_artifacts(spec)
        kernel = StageKernel(
            spec.kernel or source.kernel_name,
            fork_server=fork_server_at(self.fork_server),
            memory=spec.memory,
            lock=Path(spec.folder) / "lock",
            log=Path(spec.folder) / f"kernel-{spec.attempt}.log",
            connectable=spec.live > 0,
        )
        completed = False
        try:
            # The kernel comes to life while the notebook is made ready for it.
            environment = kernel_environment(context_path(spec), spec)
            self._timed("start", lambda: kernel.begin(cwd=spec.cwd, env=environment))
            write_context(spec, artifacts)
            session = self._run_papermill(source, kernel)
            completed = session.result.state is AttemptState.COMPLETED
        finally:
            self._timed("finish", lambda: kernel.finish(at_once=not completed))
        return self._outcome(session)

    def _run_papermill(self, source: Source, kernel: StageKernel) -> Session:
        spec = self.spec
        language = kernel.language or source.language or "python"
        session = Session(
            spec,
            source,
            kernel,
            language=language,
            limits=self.limits,
            on_progress=self.on_progress,
            cancel=self.cancel,
        )
        kernel_name = kernel.manager.kernel_name
        parameters = stage_parameters(source, spec.data, kernel_name=kernel_name, language=language)
        session.result.warnings += parameters.warnings
        started = time.perf_counter()
        with papermill_address(session) as address:
            try:
                papermill.execute_notebook(
                    address,
                    address,
                    parameters.values,
                    engine_name="workflows",
                    kernel_name=kernel_name,
                    language=parameters.language,
                    progress_bar=False,
                    session=session,
                )
            except PapermillExecutionError:
                pass  # papermill has marked the cell in the executed copy; the session knows the rest
        session.timings["papermill"] = time.perf_counter() - started
        return session

    def _outcome(self, session: Session) -> AttemptOutcome:
        result = session.result
        record = result.record or {}
        changes = dict(record.get("changes") or {})
        route = record.get("route")
        completed = result.state is AttemptState.COMPLETED
        if completed:
            self._timed("artifacts", lambda: keep_artifacts(self.spec, [changes, route]))
        return AttemptOutcome(
            result.state,
            changes=changes if completed else {},
            deleted=list(record.get("deleted") or []) if completed else [],
            route=route if completed else None,
            response=record.get("response") or stored_response(self.spec.folder),
            error=result.error,
            output=self._output(),
            warnings=result.warnings,
            timings={**session.timings, **self.timings},
        )

    def _failed(
        self, name: str, message: str, *, retriable: bool = True, details: str | None = None
    ) -> AttemptOutcome:
        error = AttemptError(name, messages.plain(message), retriable=retriable, traceback=details)
        return AttemptOutcome(
            AttemptState.FAILED, error=error, output=self._output(), timings=dict(self.timings)
        )

    def _output(self) -> str | None:
        return self.spec.output if Path(self.spec.output).exists() else None

    def _timed(self, name: str, function: Callable[[], Any]) -> Any:
        started = time.perf_counter()
        try:
            return function()
        finally:
            self.timings[name] = time.perf_counter() - started
