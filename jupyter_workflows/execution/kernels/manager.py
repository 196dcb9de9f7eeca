"""Kernel managers for stages: the choice between a forked kernel and an ordinary one."""

from __future__ import annotations

import functools
import logging
import os
import sys
import uuid
from pathlib import Path
from typing import Any

import zmq
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.session import Session
from traitlets import Any as AnyTrait
from traitlets import Bool, Instance, Type, default

from jupyter_workflows.execution.kernels.channels import LinkEnd
from jupyter_workflows.execution.kernels.client import StageKernelClient
from jupyter_workflows.execution.kernels.errors import ForkServerError
from jupyter_workflows.execution.kernels.handle import ForkServer
from jupyter_workflows.execution.kernels.kernelspecs import find_kernelspec, is_forkable
from jupyter_workflows.execution.kernels.provisioner import ForkProvisioner

if sys.platform == "linux":
    import resource

logger = logging.getLogger(__name__)

_CHANNELS = ("shell", "iopub", "stdin", "control", "hb")


class StageKernelManager(AsyncKernelManager):
    """Starts, interrupts and ends the kernel of one attempt.

    Attributes
    ----------
    kernel_origin
        ``"warm"`` (it was ready), ``"forked"`` (for this attempt) or ``"spec"`` (started by its kernelspec);
        `None` before the start.
    language_info
        What the kernel says of its language; of a forked kernel it is known from the start on.
    """

    client_factory = Type(StageKernelClient, klass="jupyter_client.client.KernelClient", config=True)
    context = Instance(zmq.Context)
    autorestart = Bool(False)
    fork_server = AnyTrait(None, allow_none=True)
    memory = AnyTrait(None, allow_none=True)
    lock = AnyTrait(None, allow_none=True)

    connectable = Bool(False)

    kernel_origin: str | None = None
    is_welcoming = False
    _end: LinkEnd | None = None

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.language_info: dict[str, Any] = {}

    @default("context")
    def _default_context(self) -> zmq.Context[zmq.Socket[bytes]]:
        return zmq.Context.instance()

    @property
    def ipykernel(self) -> bool:
        """Whether the kernel takes IPython's command-line options."""
        return self.fork_server is None and bool(super().ipykernel)

    def use_spec(self, spec: KernelSpec) -> None:
        """Use a kernelspec that was looked up already."""
        self._kernel_spec = spec

    # Start

    async def _async_start_kernel(self, **kwargs: Any) -> None:
        """Start the kernel.

        Parameters
        ----------
        cwd
            The kernel's working directory.
        env
            Its whole environment.

        Raises
        ------
        KernelStartError
            A forked kernel could not take up its work.
        """
        if self.fork_server is not None:
            try:
                await self._start_forked(**kwargs)
                return
            except ForkServerError as error:
                _warn_once(self.fork_server, error)
                self.provisioner = self.fork_server = None
                self.session = Session(parent=self)
        await super()._async_start_kernel(**kwargs)
        self.kernel_origin = "spec"
        pid = getattr(self.provisioner, "pid", None)
        if self.memory is not None and pid is not None and sys.platform == "linux":
            resource.prlimit(pid, resource.RLIMIT_DATA, (self.memory, self.memory))

    start_kernel = _async_start_kernel

    async def _start_forked(self, **kwargs: Any) -> None:
        self._attempted_start = True
        self.shutting_down = False
        self.kernel_id = self.kernel_id or str(uuid.uuid4())
        self._launch_args = kwargs.copy()
        provisioner = ForkProvisioner(
            kernel_id=self.kernel_id,
            kernel_spec=self.kernel_spec,
            parent=self,
            address=self.fork_server.address,
            memory=self.memory,
            lock=None if self.lock is None else os.fspath(self.lock),
            linked=not self.connectable,
        )
        kwargs = await provisioner.pre_launch(**kwargs)
        info: dict[str, Any] = dict(await provisioner.launch_kernel(kwargs.pop("cmd"), **kwargs))
        self.provisioner = provisioner
        self.kernel_origin = provisioner.origin
        self.language_info = provisioner.language_info
        if provisioner.end is not None:
            self._end = LinkEnd(provisioner.end)
            return
        self.transport, self.ip = info["transport"], info["ip"]
        for name in _CHANNELS:
            setattr(self, f"{name}_port", info[f"{name}_port"])
        self.session.key = info["key"]
        self.is_welcoming = True

    def client(self, **kwargs: Any) -> StageKernelClient:  # type: ignore[override]
        """Return a client of the kernel.

        Raises
        ------
        RuntimeError
            A kernel that is not connectable has its client already.
        """
        if self._end is not None:
            if self._end.channels or self._end.closed:
                raise RuntimeError("This kernel has its client. Make the kernel connectable to have several.")
            return StageKernelClient(end=self._end, session=self.session, parent=self, **kwargs)
        if self.kernel_origin in ("warm", "forked"):
            kwargs.setdefault("context", self.context)
        client: Any = super().client(**kwargs)
        return client  # type: ignore[no-any-return]

    # End

    async def finish(self) -> None:
        """Have the kernel end, without waiting for a forked one: the fork server sees to its end."""
        self.shutting_down = True
        if self._end is not None:
            self._end.close()
        if isinstance(self.provisioner, ForkProvisioner):
            self.provisioner.release()
        elif self.has_kernel:
            await self.shutdown_kernel()

    async def kill(self) -> None:
        """Kill the kernel and the processes of its group, and wait for its end."""
        await self.shutdown_kernel(now=True)

    async def _async_shutdown_kernel(self, now: bool = False, restart: bool = False) -> None:
        """End the kernel, and wait for its end."""
        if not isinstance(self.provisioner, ForkProvisioner):
            await super()._async_shutdown_kernel(now=now, restart=restart)
            return
        self.shutting_down = True
        if self.has_kernel:
            if now:
                await self.provisioner.kill()
            else:
                self.provisioner.finish()
            await self.provisioner.wait()
        await self.cleanup_resources(restart=restart)

    shutdown_kernel = _async_shutdown_kernel

    async def _async_cleanup_resources(self, restart: bool = False) -> None:
        """Release what belongs to the kernel."""
        if not isinstance(self.provisioner, ForkProvisioner):
            await super()._async_cleanup_resources(restart=restart)
            return
        self._close_control_socket()
        if self._end is not None:
            self._end.close()
        await self.provisioner.cleanup(restart=restart)

    cleanup_resources = _async_cleanup_resources

    async def _async_wait(self, pollinterval: float = 0.1) -> None:
        """Wait for the kernel's end."""
        if isinstance(self.provisioner, ForkProvisioner):
            await self.provisioner.exit_code()
        else:
            await super()._async_wait(pollinterval)


def make_kernel_manager(
    kernel_name: str | None = None,
    *,
    fork_server: ForkServer | None = None,
    memory: int | None = None,
    lock: Path | None = None,
    connectable: bool = False,
    kernel_spec_manager: KernelSpecManager | None = None,
) -> StageKernelManager:
    """Return a manager for the kernel of one attempt; its kernel is not started yet.

    The kernel is forked where `fork_server` can do that: for a Python kernel of the server's environment.
    Otherwise, or when the server turns out to be gone, it is started by its kernelspec.

    Parameters
    ----------
    kernel_name
        Name of a kernelspec; `None` for the Python kernel.
    memory
        Bytes that the kernel may allocate.
    lock
        File that the kernel keeps locked for life, see `take_over`. Only a forked kernel does so by itself.
    connectable
        Give a forked kernel its ZeroMQ sockets, so that others can connect to it, and input can be asked for.
        Without them it has one client, starts faster, and loses no output.

    Raises
    ------
    NoSuchKernel
        There is no such kernelspec.
    """
    name, spec = find_kernelspec(kernel_name, kernel_spec_manager)
    if fork_server is not None and not is_forkable(spec, fork_server.executable):
        fork_server = None
    options: dict[str, Any] = {
        "kernel_name": name,
        "fork_server": fork_server,
        "memory": memory,
        "lock": lock,
        "connectable": connectable,
    }
    if fork_server is not None and not connectable:
        options["session"] = _shared_session()
    if kernel_spec_manager is not None:
        options["kernel_spec_manager"] = kernel_spec_manager
    manager = StageKernelManager(**options)
    manager.use_spec(spec)
    return manager


@functools.cache
def _shared_session() -> Session:
    """Return the session of all linked kernels: it makes messages, and has no secret to keep."""
    session = Session()
    session.key = b""  # afterwards: one that is made without a key warns of it
    return session


_warned: set[str] = set()


def _warn_once(server: ForkServer, error: ForkServerError) -> None:
    """Say once for each server that it is of no use any more."""
    if server.address not in _warned:
        _warned.add(server.address)
        logger.warning("Kernels are started the slow way from now on. %s", error)
