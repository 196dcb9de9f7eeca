"""The kernel of one attempt, from its start to its end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import threading
from pathlib import Path
from typing import Any

from jupyter_core.utils import ensure_event_loop

from jupyter_workflows.execution import messages
from jupyter_workflows.execution.kernels import (
    ForkServer,
    ForkServerError,
    StageKernelClient,
    make_kernel_manager,
    take_over,
)
from jupyter_workflows.execution.kernels.errors import KernelStartError

logger = logging.getLogger(__name__)

#: Names the fork server to use where nobody says which, as for papermill's own command.
FORK_SERVER_VARIABLE = "JUPYTER_WORKFLOWS_FORK_SERVER"

_servers: dict[str, ForkServer | None] = {}

#: The kernels that this process has running.
_running: set[StageKernel] = set()


def kill_kernels() -> None:
    """Kill all kernels of this process; it is about to end."""
    for kernel in list(_running):
        pid = getattr(kernel.manager.provisioner, "pid", None)
        if pid:
            with contextlib.suppress(OSError):
                if hasattr(os, "killpg"):
                    os.killpg(os.getpgid(pid), signal.SIGKILL)
                else:
                    os.kill(pid, signal.SIGTERM)


def fork_server_at(address: str | None) -> ForkServer | None:
    """Return a handle for the fork server at an address; `None` if nobody answers there."""
    if not address:
        return None
    if address not in _servers:
        _servers.clear()  # one at a time is in use: a new address means that the old server is gone
        try:
            _servers[address] = ForkServer.connect(address)
        except ForkServerError as error:
            logger.warning("Kernels are started the slow way. %s", error)
            _servers[address] = None
    return _servers[address]


class StageKernel:
    """Starts a kernel, has it ready, ends it.

    Parameters
    ----------
    lock
        File that the kernel keeps locked for life.
    log
        Where an ordinary kernel's own messages go; of a forked one there are none.
    connectable
        Whether others than this client may connect to a forked kernel; to others they can anyway.

    Raises
    ------
    NoSuchKernel
        If no kernel of that name is installed.
    """

    def __init__(
        self,
        name: str | None,
        *,
        fork_server: ForkServer | None,
        memory: int | None,
        lock: Path,
        log: Path,
        connectable: bool = False,
    ) -> None:
        self.manager = make_kernel_manager(
            name, fork_server=fork_server, memory=memory, lock=lock, connectable=connectable
        )
        self._client: StageKernelClient | None = None
        self._starting: asyncio.Task[None] | None = None
        self._lock = lock
        self._log = log
        spec = self.manager.kernel_spec
        assert spec is not None
        self.language = str(spec.language or "")
        self.executable: str | None = spec.argv[0] if spec.argv else None

    @property
    def client(self) -> StageKernelClient:
        """The client that is connected to the kernel."""
        assert self._client is not None
        return self._client

    def connection(self) -> dict[str, Any]:
        """Return how others connect to the kernel, its key included."""
        info: dict[str, Any] = {**self.manager.get_connection_info(session=False)}
        key = info["key"]
        info["key"] = key.decode() if isinstance(key, bytes) else key
        info["pid"] = getattr(self.manager.provisioner, "pid", None)
        names = ("transport", "ip", "key", "signature_scheme", "pid")
        return {name: info[name] for name in info if name in names or name.endswith("_port")}

    @property
    def language_info(self) -> dict[str, Any]:
        """What the kernel says of its language."""
        return self.client.language_info

    def begin(self, *, cwd: str, env: dict[str, str]) -> None:
        """Begin to start the kernel; what it needs from us meanwhile is seen to in `started`."""
        loop = ensure_event_loop()
        self._starting = loop.create_task(self._start(cwd, env))
        loop.run_until_complete(asyncio.sleep(0))  # the request, or the new process, is on its way

    async def started(self) -> None:
        """Wait until the kernel is started and connected to; its answer is waited for in `ready`.

        Raises
        ------
        KernelStartError
            It cannot be started.
        """
        assert self._starting is not None
        await asyncio.shield(self._starting)

    async def _start(self, cwd: str, env: dict[str, str]) -> None:
        try:
            take_over(self._lock)
            if self.manager.fork_server is not None:
                await self.manager.start_kernel(cwd=cwd, env=env)
            else:
                with self._log.open("ab") as log, Path(os.devnull).open("ab") as null:
                    await self.manager.start_kernel(cwd=cwd, env=env, stdout=null, stderr=log)
        except OSError as error:
            raise KernelStartError(
                f"The kernel {self.manager.kernel_name!r} could not be started: {error}"
            ) from error
        _running.add(self)
        self._client = self.manager.client()
        self._client.start_channels()
        self._client.allow_stdin = False

    async def ready(self, timeout: float) -> None:
        """Wait until the kernel takes requests.

        Raises
        ------
        KernelStartError
            It ended, or did not answer in time.
        """
        try:
            await self.client.wait_for_ready(timeout=timeout)
        except RuntimeError as error:
            raise KernelStartError(self.start_failure(str(error))) from error

    def is_supported(self) -> bool:
        """Return whether the fork server that a forked kernel depends on is there still."""
        server = self.manager.fork_server
        return server is None or server.is_alive()

    def start_failure(self, reason: str) -> str:
        """Return `reason` with the end of what the kernel itself said."""
        said = ""
        with contextlib.suppress(OSError):
            said = messages.plain(self._log.read_text(errors="replace")).strip()
        return f"{reason} It said: {said[-2000:]}" if said else reason

    def finish(self, *, at_once: bool) -> None:
        """Have the kernel end, without waiting for that.

        Parameters
        ----------
        at_once
            Do not give it time to end by itself.
        """
        if self._starting is not None:
            with contextlib.suppress(Exception):  # whoever waited for the start was told
                ensure_event_loop().run_until_complete(self._starting)
        if self._client is not None:
            self._client.stop_channels()
        if not self.manager.has_kernel:
            self._forget_log()
            return
        if self.manager.fork_server is not None and not at_once:
            ensure_event_loop().run_until_complete(self.manager.finish())
            _running.discard(self)
            return
        # An ordinary kernel takes a while to end, and nobody needs to wait for that.
        threading.Thread(target=self._end, args=(at_once,), name="kernel-end").start()

    def _end(self, at_once: bool) -> None:
        try:
            asyncio.run(self.manager.kill() if at_once else self.manager.finish())
        except Exception:
            logger.exception("The kernel could not be ended")
        _running.discard(self)
        self._forget_log()

    def _forget_log(self) -> None:
        with contextlib.suppress(OSError):
            if self._log.stat().st_size == 0:
                self._log.unlink()
