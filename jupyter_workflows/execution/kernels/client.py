"""A kernel client that knows when a kernel is ready, and spends little on each message."""

from __future__ import annotations

import time
from queue import Empty
from typing import Any

import zmq
from jupyter_client.asynchronous.client import AsyncKernelClient
from traitlets import Instance, Type

from jupyter_workflows.execution.kernels import link
from jupyter_workflows.execution.kernels.channels import LinkChannel, LinkEnd, SocketChannel

#: Seconds after which a kernel that has not answered is asked again.
_ASK_AGAIN = 1.0

#: Seconds after which a kernel that has not welcomed a subscriber is asked instead.
_WELCOME = 0.5


class StageKernelClient(AsyncKernelClient):
    """Talks to a kernel over the shell and IOPub channels.

    Other channels are opened when they are asked for, if the kernel has them.

    Parameters
    ----------
    end
        This side of the link to a kernel that has no ZeroMQ sockets.

    Attributes
    ----------
    language_info
        What the kernel says of its language, once it is ready.
    """

    context = Instance(zmq.Context)  # type: ignore[assignment]
    shell_channel_class = Type(SocketChannel)  # type: ignore[assignment]
    iopub_channel_class = Type(SocketChannel)  # type: ignore[assignment]
    stdin_channel_class = Type(SocketChannel)  # type: ignore[assignment]
    control_channel_class = Type(SocketChannel)  # type: ignore[assignment]

    def __init__(self, *, end: LinkEnd | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.linked = end is not None
        if end is not None:
            self._shell_channel = LinkChannel(end, link.SHELL, self.session)
            self._iopub_channel = LinkChannel(end, link.IOPUB, self.session)
        self.language_info: dict[str, Any] = getattr(self.parent, "language_info", {})

    def _context_default(self) -> zmq.Context[zmq.Socket[bytes]]:  # type: ignore[override]
        return zmq.Context.instance()

    def start_channels(
        self,
        shell: bool = True,
        iopub: bool = True,
        stdin: bool = False,
        hb: bool = False,
        control: bool = False,
    ) -> None:
        """Open channels; executing a notebook takes no more than the shell and IOPub."""
        if self.linked:
            self.allow_stdin = False
            return
        super().start_channels(shell=shell, iopub=iopub, stdin=stdin, hb=hb, control=control)

    def stop_channels(self) -> None:
        """Close the channels that are open."""
        for channel in (
            self._shell_channel,
            self._iopub_channel,
            self._stdin_channel,
            self._hb_channel,
            self._control_channel,
        ):
            if channel is not None and channel.is_alive():
                channel.stop()

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Wait until the kernel takes requests and what it publishes arrives here.

        Raises
        ------
        RuntimeError
            The kernel ended, or did not answer within `timeout` seconds.
        """
        if self.linked:
            return  # messages wait in the link until the kernel takes them
        deadline = float("inf") if timeout is None else time.monotonic() + timeout
        if getattr(self.parent, "is_welcoming", False) and await self._welcomed(deadline):
            return
        while not await self._answered(min(deadline, time.monotonic() + _ASK_AGAIN)):
            if not await self.is_alive():
                raise RuntimeError("The kernel ended before it was ready.")
            if time.monotonic() >= deadline:
                raise RuntimeError(f"The kernel was not ready after {timeout:g} seconds.")

    async def _welcomed(self, deadline: float) -> bool:
        """Wait for what a kernel sends to each new subscriber."""
        deadline = min(deadline, time.monotonic() + _WELCOME)
        while (remaining := deadline - time.monotonic()) > 0:
            try:
                message = await self.iopub_channel.get_msg(timeout=remaining)
            except Empty:
                break
            if message["msg_type"] == "iopub_welcome":
                return True
        return False

    async def _answered(self, deadline: float) -> bool:
        """Ask for the kernel's information; return whether both the reply and its idle status came."""
        request = self.kernel_info()
        try:
            while True:
                message = await self.shell_channel.get_msg(timeout=deadline - time.monotonic())
                if message["parent_header"].get("msg_id") == request:
                    break
            self._handle_kernel_info_reply(message)
            self.language_info = message["content"]["language_info"]
            # The kernel publishes before or just after it replies: no message by now means no subscription.
            deadline = min(deadline, time.monotonic() + 0.2)
            while True:
                message = await self.iopub_channel.get_msg(timeout=deadline - time.monotonic())
                content, parent = message["content"], message["parent_header"]
                if parent.get("msg_id") == request and content.get("execution_state") == "idle":
                    return True
        except Empty:
            return False
