"""jupyter_client's view of a kernel that the fork server made."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning.provisioner_base import KernelProvisionerBase
from traitlets import Bool, Integer, Unicode

from jupyter_workflows.execution.kernels import protocol
from jupyter_workflows.execution.kernels.errors import ForkServerError, KernelStartError
from jupyter_workflows.execution.kernels.platforms import start_ticks

#: Exit code of a kernel whose server is gone, which died with it.
_LOST = -int(getattr(signal, "SIGKILL", 9))


class ForkProvisioner(KernelProvisionerBase):
    """Has a kernel forked, watches and ends it.

    The connection to the fork server belongs to this one kernel: when it closes, by whatever end of this
    process, the kernel's process group is killed.
    """

    address = Unicode(
        "",
        help="Address of the fork server. By default what JUPYTER_WORKFLOWS_FORK_SERVER says.",
    ).tag(config=True)
    memory = Integer(None, allow_none=True, help="Bytes that a kernel may allocate.").tag(config=True)
    lock = Unicode(None, allow_none=True, help="Path that the kernel keeps locked for life.").tag(config=True)
    linked = Bool(
        False,
        help="Talk to the kernel over a pair of sockets instead of ZeroMQ; its manager has to know how.",
    )

    pid: int | None = None
    start_ticks: int | None = None
    origin: str | None = None
    #: This side of the link, once there is one.
    end: socket.socket | None = None
    #: CPU seconds that the kernel used, once it has ended.
    used_cpu = 0.0

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        #: What the kernel says of its language.
        self.language_info: dict[str, Any] = {}
        self._connection: socket.socket | None = None
        self._lines = protocol.Lines()
        self._exit_code: int | None = None
        self._exited: asyncio.Future[None] | None = None

    @property
    def has_process(self) -> bool:
        """Whether there is a kernel, as far as it is known."""
        return self.pid is not None

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Prepare the kernel's environment; there is no command line."""
        kwargs.pop("extra_arguments", None)  # about the history file, which there is none of
        kwargs.pop("transport_encryption", None)
        return await super().pre_launch(cmd=[], **kwargs)

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Ask for a kernel and return how to talk to it.

        Raises
        ------
        ForkServerError
            The server cannot be reached or made no kernel.
        KernelStartError
            The kernel could not take up its work.
        """
        address = self.address or os.environ.get("JUPYTER_WORKFLOWS_FORK_SERVER", "")
        request = {
            "op": "start",
            "env": kwargs["env"],
            "cwd": os.path.abspath(kwargs.get("cwd") or os.getcwd()),  # noqa: PTH100, PTH109
            "lock": self.lock,
            "memory": self.memory,
            "linked": self.linked,
        }
        theirs: socket.socket | None = None
        try:
            connection = protocol.connect(address)
            connection.setblocking(False)
            self._connection = connection
            if self.linked:
                self.end, theirs = socket.socketpair()
            reply = await self._converse(request, theirs)
        except OSError as error:
            self._abandon()
            raise ForkServerError(f"The fork server at {address!r} cannot be reached: {error}") from error
        except BaseException:
            self._abandon()
            raise
        finally:
            if theirs is not None:
                theirs.close()
        if "started" not in reply:
            self._abandon()
            if "error" in reply:
                raise KernelStartError(f"The kernel could not start: {reply['error']}")
            raise ForkServerError(f"The fork server made no kernel (exit code {reply.get('exit')}).")
        self.pid, self.start_ticks, self.origin = reply["pid"], reply["started"], reply["origin"]
        self._exit_code = None
        self.language_info = reply["language_info"]
        if connection_info := reply["connection"]:
            connection_info["key"] = connection_info["key"].encode()
            self.connection_info = connection_info
        return self.connection_info

    async def _converse(self, request: dict[str, Any], theirs: socket.socket | None) -> dict[str, Any]:
        assert self._connection is not None
        loop = asyncio.get_running_loop()
        data = protocol.pack(request)
        if theirs is not None:
            data = data[socket.send_fds(self._connection, [data], [theirs.fileno()]) :]
        await loop.sock_sendall(self._connection, data)
        while data := await loop.sock_recv(self._connection, 65536):
            for message in self._lines.feed(data):
                return message
        raise ForkServerError("The fork server ended the conversation.")

    def _abandon(self) -> None:
        """Close everything after a start that failed."""
        self._close()
        if self.end is not None:
            self.end.close()
            self.end = None

    # The kernel's end

    async def poll(self) -> int | None:
        """Return the exit code of a kernel that has ended."""
        if self.pid is None:
            return 0 if self._exit_code is None else self._exit_code
        self._look()
        return self._exit_code

    async def wait(self) -> int | None:
        """Wait for the kernel's end, without polling."""
        code = await self.exit_code()
        self.pid = None
        self._close()
        return code

    async def exit_code(self) -> int:
        """Wait for the kernel's end, and return its exit code; may be awaited by several."""
        self._look()
        while self._exit_code is None:
            assert self._connection is not None
            if self._exited is None:
                loop = asyncio.get_running_loop()
                self._exited = exited = loop.create_future()
                loop.add_reader(self._connection, _resolve, exited)
                exited.add_done_callback(self._unwatch)
            await asyncio.shield(self._exited)
            self._look()
        return self._exit_code

    def _unwatch(self, exited: asyncio.Future[None]) -> None:
        self._exited = None
        if self._connection is not None:
            exited.get_loop().remove_reader(self._connection)

    def _look(self) -> None:
        """Take in what the server says of the kernel's end."""
        if self._exit_code is not None:
            return
        if self._connection is None:
            self._exit_code = 0
            return
        try:
            data = self._connection.recv(4096)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._exit_code = _LOST
            return
        for message in self._lines.feed(data):
            if "exit" in message:
                self._exit_code = int(message["exit"])
                self.used_cpu = float(message["cpu"])

    async def send_signal(self, signum: int) -> None:
        """Send a signal to the kernel and the processes of its group."""
        self._look()
        if self.pid is not None and self._exit_code is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signum)

    async def kill(self, restart: bool = False) -> None:
        """Kill the kernel and the processes of its group."""
        await self.send_signal(signal.SIGKILL)

    async def terminate(self, restart: bool = False) -> None:
        """Ask the kernel and the processes of its group to end."""
        await self.send_signal(signal.SIGTERM)

    def finish(self) -> None:
        """Have the kernel end as Python programs do, in the background; else the server kills it."""
        if self._connection is not None and self._exit_code is None:
            with contextlib.suppress(OSError):
                self._connection.send(protocol.pack({"op": "finish"}))

    def release(self) -> None:
        """Tell the kernel to finish, and forget it."""
        self.finish()
        self.pid = None
        self._close()

    async def cleanup(self, restart: bool = False) -> None:
        """Close the connection, which ends a kernel that still runs."""
        self._close()

    def _close(self) -> None:
        if self._exited is not None and not self._exited.done():
            self._exited.get_loop().call_soon(_resolve, self._exited)
            self._exited.get_loop().remove_reader(self._connection)  # type: ignore[arg-type]
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self._lines = protocol.Lines()

    # Persistence

    async def get_provisioner_info(self) -> dict[str, Any]:
        """Return what identifies the kernel."""
        info: dict[str, Any] = await super().get_provisioner_info()
        info.update(pid=self.pid, start_ticks=self.start_ticks, address=self.address, origin=self.origin)
        return info

    async def load_provisioner_info(self, provisioner_info: dict[str, Any]) -> None:
        """Take over what `get_provisioner_info` returned.

        The kernel itself stays with the process that had it started, and ends with it.
        """
        await super().load_provisioner_info(provisioner_info)
        self.address = provisioner_info["address"]
        self.origin = provisioner_info["origin"]
        self.start_ticks = provisioner_info["start_ticks"]
        pid = provisioner_info["pid"]
        alive = pid is not None and start_ticks(pid) == self.start_ticks
        self.pid = pid if alive else None


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
