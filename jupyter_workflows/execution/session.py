"""What the attempt, papermill's engine and the client share while a notebook is executed."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from nbformat import NotebookNode

from jupyter_workflows.execution.evidence import Evidence
from jupyter_workflows.execution.files import write_atomically
from jupyter_workflows.execution.limits import CancelToken, Limits
from jupyter_workflows.execution.nodes import node
from jupyter_workflows.execution.responses import stored_response
from jupyter_workflows.execution.source import Source
from jupyter_workflows.execution.spec import AttemptError, AttemptSpec, Progress
from jupyter_workflows.model.states import AttemptState

OnProgress = Callable[[Progress], None]


class Kernel(Protocol):
    """A kernel that was started for an attempt.

    `manager` and `client` are jupyter_client's. `executable` is the program that the kernel runs in, if
    that is known.
    """

    manager: Any
    executable: str | None

    @property
    def client(self) -> Any: ...

    @property
    def language_info(self) -> dict[str, Any]: ...

    def connection(self) -> dict[str, Any]:
        """Return how others connect to the kernel, its key included."""

    def is_supported(self) -> bool:
        """Return whether the fork server that a forked kernel depends on is there still."""

    def start_failure(self, reason: str) -> str:
        """Return `reason` with the end of what the kernel itself said."""

    async def started(self) -> None:
        """Wait until the kernel is started and connected to."""

    async def ready(self, timeout: float) -> None:
        """Wait until the kernel takes requests."""


@dataclass(slots=True)
class Result:
    """How the execution of the cells ended."""

    state: AttemptState = AttemptState.COMPLETED
    error: AttemptError | None = None
    record: dict[str, Any] | None = None
    warnings: list[str] = field(default_factory=list)

    def fail(self, error: AttemptError, state: AttemptState = AttemptState.FAILED) -> None:
        """Keep the first error."""
        if self.error is None:
            self.state, self.error = state, error


class Session:
    """One attempt while it is executed.

    Parameters
    ----------
    language
        The kernel's language; only Python kernels hand over stage data.
    """

    def __init__(
        self,
        spec: AttemptSpec,
        source: Source,
        kernel: Kernel,
        *,
        language: str,
        limits: Limits,
        on_progress: OnProgress | None = None,
        cancel: CancelToken | None = None,
    ) -> None:
        self.spec = spec
        self.source = source
        self.kernel = kernel
        self.language = language
        self.limits = limits
        self.cancel = cancel
        self.result = Result()
        self.timings: dict[str, float] = {}
        self.evidence = Evidence(spec.output)
        self._on_progress = on_progress
        self._awaits_response = spec.request is not None

    def report(
        self,
        event: str,
        *,
        cell: int | None = None,
        message: str | None = None,
        response: dict[str, Any] | None = None,
        connection: dict[str, Any] | None = None,
    ) -> None:
        """Give a sign of life."""
        if self._on_progress is not None:
            self._on_progress(
                Progress(
                    stage_run_id=self.spec.stage_run_id,
                    attempt=self.spec.attempt,
                    event=event,
                    cell=cell,
                    cells=len(self.source.indices),
                    message=message,
                    response=response,
                    connection=connection,
                )
            )

    def look_for_response(self) -> None:
        """Pass the notebook's answer to its request on, once there is one."""
        if not self._awaits_response:
            return
        response = stored_response(self.spec.folder)
        if response is not None:
            self._awaits_response = False
            self.report("response", response=response)

    def source_index(self, notebook: NotebookNode, index: int) -> int | None:
        """Return the index in the source notebook of a cell of the executed one."""
        for place, cell in enumerate(notebook["cells"][: index + 1]):
            if "injected-parameters" in cell["metadata"].get("tags", ()):
                if place == index:
                    return None
                index -= 1
                break
        return self.source.indices[index]

    def describe(self, notebook: NotebookNode, *, state: str) -> None:
        """Write into the executed copy what it is evidence of."""
        spec, error = self.spec, self.result.error
        notebook["metadata"]["jupyter_workflows"] = node(
            run=spec.run_id,
            stage_run=spec.stage_run_id,
            attempt=spec.attempt,
            stage=spec.stage_path,
            workflow=node(uid=spec.workflow_uid, title=spec.workflow_title),
            state=state,
            error=node(name=error.name, message=error.message, cell=error.cell) if error else None,
            source=node(path=self.source.path, sha256=self.source.sha256),
        )

    # papermill reads and writes the attempt's notebooks here

    def read(self) -> str:
        """Return the source notebook's JSON text."""
        return self.source.text()

    def write(self, content: str) -> None:
        """Keep the executed copy for good."""
        started = time.perf_counter()
        try:
            write_atomically(self.spec.output, content.encode(errors="backslashreplace"), durable=True)
        except OSError as error:
            # The notebook has done its work: that must not count as undone for want of a copy.
            self.result.warnings.append(f"The executed notebook could not be saved: {error}")
        self.timings["save"] = time.perf_counter() - started

    def save(self, notebook: NotebookNode) -> None:
        """Save the executed copy as far as it is; a later save replaces it."""
        write_atomically(self.spec.output, json.dumps(notebook).encode(), durable=False)
