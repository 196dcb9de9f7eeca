"""A kernel client that knows when a kernel is ready, and spends little on each message."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from queue import Empty
from typing import Any

import zmq
from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.session import Session
from traitlets import Instance, Type

#: Seconds after which a kernel that has not answered is asked again.
_ASK_AGAIN = 1.0

#: Seconds after which a kernel that has not welcomed a subscriber is asked instead.
_WELCOME = 0.5


class StageChannel:
    """One of the channels to a kernel.

    It watches the socket itself and takes all that has arrived at once; pyzmq's asyncio sockets make several
    futures for each message.
    """

    def __init__(self, socket: zmq.Socket[bytes], session: Session, loop: Any = None) -> None:
        self.socket: zmq.Socket[bytes] | None = socket
        self.session = session
        self._received: deque[list[bytes]] = deque()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: asyncio.Future[None] | None = None

    def start(self) -> None:
        """Start the channel; it watches its socket from the first wait for a message on."""

    def is_alive(self) -> bool:
        """Return whether the channel is open."""
        return self.socket is not None

    def send(self, msg: dict[str, Any]) -> None:
        """Send a message."""
        assert self.socket is not None
        self.session.send(self.socket, msg)
        if self._loop is not None:
            self._take()  # sending swallows the sign that something has arrived

    async def get_msg(self, timeout: float | None = None) -> dict[str, Any]:
        """Return the next message.

        Raises
        ------
        queue.Empty
            None arrived within `timeout` seconds.
        """
        if not self._received:
            self._watch()
            self._take()
        if not self._received and timeout is None:
            while not self._received:
                await self._arrival()
        elif not self._received:
            deadline = time.monotonic() + max(0.0, timeout or 0.0)
            while not self._received:
                try:
                    await asyncio.wait_for(self._arrival(), max(0.0, deadline - time.monotonic()))
                except TimeoutError:
                    raise Empty from None
        _, message = self.session.feed_identities(self._received.popleft())
        return self.session.deserialize(message)

    async def get_msgs(self) -> list[dict[str, Any]]:
        """Return the messages that have arrived."""
        messages = []
        while await self.msg_ready():
            messages.append(await self.get_msg())
        return messages

    async def msg_ready(self) -> bool:
        """Return whether a message has arrived."""
        self._take()
        return bool(self._received)

    def close(self) -> None:
        """Close the channel."""
        if self.socket is None:
            return
        if self._loop is not None and not self._loop.is_closed():
            self._loop.remove_reader(self.socket.FD)
        self._loop = None
        self.socket.close(linger=0)
        self.socket = None
        if self._waiting is not None and not self._waiting.done():
            self._waiting.cancel()

    stop = close

    def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        if loop is self._loop:
            return
        assert self.socket is not None
        if self._loop is not None and not self._loop.is_closed():
            self._loop.remove_reader(self.socket.FD)
        self._loop = loop
        loop.add_reader(self.socket.FD, self._take)

    def _take(self) -> None:
        """Take what has arrived."""
        if self.socket is None:
            return
        while True:
            try:
                self._received.append(self.socket.recv_multipart(zmq.NOBLOCK))
            except zmq.Again:
                break
        if self._received and self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    async def _arrival(self) -> None:
        if self._waiting is None or self._waiting.done():
            self._waiting = asyncio.get_running_loop().create_future()
        await asyncio.shield(self._waiting)


class StageKernelClient(AsyncKernelClient):
    """Talks to a kernel over the shell and IOPub channels.

    Other channels are opened when they are asked for.

    Attributes
    ----------
    language_info
        What the kernel says of its language, once it is ready.
    """

    context = Instance(zmq.Context)  # type: ignore[assignment]
    shell_channel_class = Type(StageChannel)  # type: ignore[assignment]
    iopub_channel_class = Type(StageChannel)  # type: ignore[assignment]
    stdin_channel_class = Type(StageChannel)  # type: ignore[assignment]
    control_channel_class = Type(StageChannel)  # type: ignore[assignment]

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
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
