"""Kernels for tests: started, asked and ended from plain functions."""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_workflows.execution.kernels import ForkServer, StageKernelManager, make_kernel_manager

#: Seconds after which a test gives up waiting.
PATIENCE = 60.0


def until(condition: Callable[[], Any], *, patience: float = PATIENCE) -> Any:
    """Wait until a condition holds, and return what it returned."""
    deadline = time.monotonic() + patience
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{condition} did not come true")
        time.sleep(0.005)
    return value


@dataclass
class Execution:
    """What a kernel answered to a request, and what it said in between."""

    reply: dict[str, Any]
    messages: list[dict[str, Any]] = field(default_factory=list)

    @property
    def status(self) -> str:
        """``"ok"`` or ``"error"``."""
        return str(self.reply["status"])

    def text(self, name: str = "stdout") -> str:
        """What was written to a stream."""
        return "".join(
            m["content"]["text"]
            for m in self.messages
            if m["msg_type"] == "stream" and m["content"]["name"] == name
        )

    def data(self, kind: str = "text/plain") -> list[Any]:
        """What was displayed or returned, in one form."""
        shown = [m["content"]["data"] for m in self.messages if "data" in m["content"]]
        return [bundle[kind] for bundle in shown if kind in bundle]

    @property
    def value(self) -> Any:
        """The result of the cell, evaluated."""
        (text,) = self.data()
        return eval(text)


class LiveKernel:
    """A kernel that runs, and its client."""

    def __init__(self, manager: StageKernelManager, runner: asyncio.Runner) -> None:
        self.manager = manager
        self._runner = runner
        self.client: Any = None

    def run(self, coroutine: Any) -> Any:
        """Run a coroutine to its end."""
        return self._runner.run(asyncio.wait_for(coroutine, PATIENCE))

    def start(
        self, *, cwd: str | Path = "/tmp", env: dict[str, str] | None = None, **channels: bool
    ) -> LiveKernel:
        """Start the kernel and connect to it."""
        self.run(self.manager.start_kernel(cwd=str(cwd), env=dict(os.environ) if env is None else env))
        self.client = self.manager.client()
        self.client.start_channels(**channels)
        self.run(self.client.wait_for_ready(timeout=PATIENCE))
        return self

    @property
    def pid(self) -> int:
        """The kernel's process id."""
        assert self.manager.provisioner is not None
        return int(self.manager.provisioner.pid)  # type: ignore[attr-defined]

    def execute(self, code: str, *, meanwhile: Callable[[], None] | None = None, **options: Any) -> Execution:
        """Execute code to its end. `meanwhile` is called once it says something."""
        return self.run(self._execute(code, meanwhile, options))  # type: ignore[no-any-return]

    async def _execute(
        self, code: str, meanwhile: Callable[[], None] | None, options: dict[str, Any]
    ) -> Execution:
        request = self.client.execute(code, **options)
        messages = []
        while True:
            message = await self.client.get_iopub_msg(timeout=None)
            if message["parent_header"].get("msg_id") != request:
                continue
            messages.append(message)
            if message["content"].get("execution_state") == "idle":
                break
            if message["msg_type"] == "stream" and meanwhile is not None:
                meanwhile()
                meanwhile = None
        while True:
            reply = await self.client.get_shell_msg(timeout=None)
            if reply["parent_header"].get("msg_id") == request:
                return Execution(reply["content"], messages)

    def value(self, expression: str) -> Any:
        """Evaluate an expression in the kernel, by its representation."""
        execution = self.execute(expression)
        assert execution.status == "ok", execution.reply
        return execution.value

    def wait(self) -> int:
        """Wait for the kernel's end, and return its exit code."""
        return int(self.run(self.manager.provisioner.wait()))  # type: ignore[union-attr]

    def shutdown(self, *, now: bool = False) -> None:
        """End the kernel and wait for that."""
        if self.client is not None:
            self.client.stop_channels()
        if self.manager.has_kernel:
            self.run(self.manager.shutdown_kernel(now=now))


@contextlib.contextmanager
def kernel(
    server: ForkServer | None, name: str | None = None, *, start: bool = True, **options: Any
) -> Iterator[LiveKernel]:
    """Make a kernel, and end it afterwards."""
    starting = {key: options.pop(key) for key in ("cwd", "env") if key in options}
    with asyncio.Runner() as runner:
        live = LiveKernel(make_kernel_manager(name, fork_server=server, **options), runner)
        try:
            yield live.start(**starting) if start else live
        finally:
            live.shutdown(now=True)


class Watch:
    """Notices the end of a process that is not this one's child."""

    def __init__(self, pid: int) -> None:
        self._descriptor = os.pidfd_open(pid)

    def ended(self, *, patience: float = PATIENCE) -> bool:
        """Wait for the process's end, and return whether it came."""
        return bool(select.select([self._descriptor], [], [], patience)[0])

    def runs(self) -> bool:
        """Return whether the process still runs."""
        return not self.ended(patience=0)


def is_running(pid: int) -> bool:
    """Return whether there is a process that is not a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False
