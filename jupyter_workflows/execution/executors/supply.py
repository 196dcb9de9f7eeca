"""The fork server of a local executor: started beside the workers, started again when it died."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable

from jupyter_workflows.execution.kernels import ForkServer, ForkServerError
from jupyter_workflows.execution.limits import process_end

logger = logging.getLogger(__name__)

#: How often in a row a fork server that died is started again at once, and after how many seconds of life its
#: end is the first one again.
_RESTARTS = 3
_STEADY = 300.0

#: How often in a row a start is tried, and the seconds until it is tried again after that: each time twice
#: as many.
_STARTS = 2
_PAUSE = 60.0
_LONGEST_PAUSE = 3600.0

#: What nearly every stage imports, and the engine asks for at the end.
AUTHORING = (
    "jupyter_workflows.hooks",
    "jupyter_workflows.forms",
    "jupyter_workflows.authoring.forms.live.presenter",
    *(
        f"jupyter_workflows.authoring.{name}"
        for name in ("record", "stage", "routing", "once", "journal", "lock")
    ),
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
        self._started_at = 0.0
        self._restarts = 0
        self._pause = _PAUSE
        self._next_start = 0.0
        self._complaint: str | None = None

    @property
    def server(self) -> ForkServer | None:
        """The fork server, once it is started."""
        return self._server

    def start(self) -> None:
        """Begin to start the fork server."""
        self._starting = asyncio.ensure_future(self._start())

    async def address(self) -> str | None:
        """Return the fork server's address; `None` where kernels have to be started the slow way."""
        if self._server is not None and not self._server.is_alive():
            await self._replace(self._server)
        if self._starting is not None and not self._starting.done():
            if self._complaint is None:  # nobody waits for what did not start before
                await asyncio.shield(self._starting)
        elif self._server is None and time.monotonic() >= self._next_start:
            self.start()
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

    async def _watch(self, server: ForkServer) -> None:
        """Replace the server when it ends, not only when somebody asks for it."""
        await process_end(server.pid)
        await self._replace(server)

    async def _replace(self, dead: ForkServer) -> None:
        if self._server is not dead:
            return  # it was noticed already
        self._server = None
        if time.monotonic() - self._started_at > _STEADY:
            self._restarts = 0
        self._restarts += 1
        if self._restarts <= _RESTARTS:
            logger.warning("The fork server ended unexpectedly; it is started again.")
            self.start()
        else:
            self._restarts = 0
            self._give_up("The fork server ended unexpectedly again and again.")
        await asyncio.to_thread(dead.stop, timeout=0)  # its folder would stay behind

    async def _start(self) -> None:
        for tries in range(1, _STARTS + 1):
            try:
                server = await asyncio.to_thread(
                    ForkServer.start, pool=self._pool_size, preload=self._preload
                )
            except ForkServerError as error:
                if tries == _STARTS:
                    self._give_up(str(error))
            else:
                self._take(server)
                return

    def _give_up(self, reason: str) -> None:
        """Do without a fork server for a while, and say so once."""
        self._next_start = time.monotonic() + self._pause
        self._pause = min(2 * self._pause, _LONGEST_PAUSE)
        if reason != self._complaint:
            self._complaint = reason
            logger.warning("Kernels are started the slow way. %s", reason)

    def _take(self, server: ForkServer) -> None:
        self._server = server
        self._watching = asyncio.ensure_future(self._watch(server))
        self._started_at = time.monotonic()
        self._pause = _PAUSE
        if self._complaint is not None:
            self._complaint = None
            logger.info("Kernels come from a fork server again.")
        for module, reason in server.refused.items():
            logger.warning("The module %s is not loaded beforehand: %s", module, reason)
