"""The fork server of a local executor: started beside the workers, started again when it died."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable

from jupyter_workflows.execution.kernels import ForkServer, ForkServerError
from jupyter_workflows.execution.limits import process_end

logger = logging.getLogger(__name__)

#: How often in a row a fork server that died is started again, and after how many seconds of life its end
#: is the first one again.
_RESTARTS = 3
_STEADY = 300.0

#: What nearly every stage imports, and the engine asks for at the end.
AUTHORING = tuple(
    f"jupyter_workflows.authoring.{name}"
    for name in ("record", "stage", "routing", "once", "hooks", "journal", "lock")
)


class KernelSupply:
    """Keeps a fork server running.

    Parameters
    ----------
    pool_size
        Kernels that are kept ready.
    preload
        Modules that kernels find imported.
    """

    def __init__(self, pool_size: int, preload: Iterable[str]) -> None:
        self._pool_size = pool_size
        self._preload = (*AUTHORING, *preload)
        self._server: ForkServer | None = None
        self._starting: asyncio.Task[None] | None = None
        self._watching: asyncio.Task[None] | None = None
        self._restarts = 0
        self._started_at = 0.0

    @property
    def server(self) -> ForkServer | None:
        """The fork server, once it is started."""
        return self._server

    def start(self) -> None:
        """Begin to start the fork server."""
        self._starting = asyncio.ensure_future(self._start())

    async def address(self) -> str | None:
        """Return the fork server's address; `None` where kernels have to be started the slow way."""
        if self._starting is not None:
            await asyncio.shield(self._starting)
        return self._server.address if self._server is not None else None

    async def stop(self) -> None:
        """Stop the fork server."""
        if self._watching is not None:
            self._watching.cancel()
        if self._starting is not None:
            await self._starting
        server, self._server = self._server, None
        if server is not None:
            await asyncio.to_thread(server.stop)

    async def _start(self) -> None:
        try:
            self._server = await asyncio.to_thread(
                ForkServer.start, pool=self._pool_size, preload=self._preload
            )
        except ForkServerError as error:
            logger.warning("Kernels are started the slow way. %s", error)
            return
        self._started_at = time.monotonic()
        for module, reason in self._server.refused.items():
            logger.warning("The module %s is not loaded beforehand: %s", module, reason)
        self._watching = asyncio.ensure_future(self._watch(self._server))

    async def _watch(self, server: ForkServer) -> None:
        """Start the server again when it ends."""
        await process_end(server.pid)
        self._server = None
        if time.monotonic() - self._started_at > _STEADY:
            self._restarts = 0
        if self._restarts < _RESTARTS:
            self._restarts += 1
            logger.warning("The fork server ended unexpectedly; it is started again.")
            self.start()
        else:
            logger.warning(
                "The fork server ended unexpectedly again; kernels are started the slow way from now on."
            )
        await asyncio.to_thread(server.stop, timeout=0)  # its folder would stay behind
