"""The client's side of a kernel's channels, over ZeroMQ or over a link."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from abc import ABC, abstractmethod
from collections import deque
from queue import Empty
from typing import Any

import zmq
from jupyter_client.session import Session

from jupyter_workflows.execution.kernels import link


class StageChannel(ABC):
    """A channel of a kernel: messages that arrive wait in it until they are asked for."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._received: deque[Any] = deque()
        self._waiting: asyncio.Future[None] | None = None

    @abstractmethod
    def is_alive(self) -> bool:
        """Return whether the channel is open."""

    @abstractmethod
    def send(self, msg: dict[str, Any]) -> None:
        """Send a message."""

    @abstractmethod
    def close(self) -> None:
        """Close the channel."""

    @abstractmethod
    def _watch(self) -> None:
        """See to it that `_arrived` is called when something arrives, in the loop that runs now."""

    @abstractmethod
    def _take(self) -> None:
        """Take what has arrived already."""

    def _unpack(self, received: Any) -> dict[str, Any]:
        message: dict[str, Any] = received
        return message

    def start(self) -> None:
        """Start the channel; it watches its socket from the first wait for a message on."""
        return

    def stop(self) -> None:
        """Close the channel."""
        self.close()

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
        if not self._received:
            if timeout is None:
                while not self._received:
                    await self._arrival()
            else:
                await self._wait_until(time.monotonic() + max(0.0, timeout))
        return self._unpack(self._received.popleft())

    async def get_msgs(self) -> list[dict[str, Any]]:
        """Return the messages that have arrived."""
        messages = []
        while await self.msg_ready():
            messages.append(await self.get_msg())
        return messages

    async def msg_ready(self) -> bool:
        """Return whether a message has arrived."""
        if not self._received:
            self._take()
        return bool(self._received)

    async def _wait_until(self, deadline: float) -> None:
        while not self._received:
            try:
                await asyncio.wait_for(self._arrival(), max(0.0, deadline - time.monotonic()))
            except TimeoutError:
                raise Empty from None

    async def _arrival(self) -> None:
        if self._waiting is None or self._waiting.done():
            self._waiting = asyncio.get_running_loop().create_future()
        await asyncio.shield(self._waiting)

    def _arrived(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    def _give_up(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.cancel()


class SocketChannel(StageChannel):
    """A channel over a ZeroMQ socket.

    It takes all that has arrived at once; pyzmq's asyncio sockets make several futures for each message.
    """

    def __init__(self, socket: zmq.Socket[bytes], session: Session, loop: Any = None) -> None:
        super().__init__(session)
        self.socket: zmq.Socket[bytes] | None = socket
        self._loop: asyncio.AbstractEventLoop | None = None

    def is_alive(self) -> bool:
        """Return whether the channel is open."""
        return self.socket is not None

    def send(self, msg: dict[str, Any]) -> None:
        """Send a message."""
        assert self.socket is not None
        self.session.send(self.socket, msg)
        if self._loop is not None:
            self._take()  # sending swallows the sign that something has arrived

    def close(self) -> None:
        """Close the channel."""
        if self.socket is None:
            return
        if self._loop is not None and not self._loop.is_closed():
            self._loop.remove_reader(self.socket.FD)
        self._loop = None
        self.socket.close(linger=0)
        self.socket = None
        self._give_up()

    def _unpack(self, received: Any) -> dict[str, Any]:
        _, message = self.session.feed_identities(received)
        return self.session.deserialize(message)

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
        if self.socket is None:
            return
        while True:
            try:
                self._received.append(self.socket.recv_multipart(zmq.NOBLOCK))
            except zmq.Again:
                break
        if self._received:
            self._arrived()


class LinkChannel(StageChannel):
    """A channel over a link, which it shares with others."""

    def __init__(self, end: LinkEnd, number: int, session: Session) -> None:
        super().__init__(session)
        self._end: LinkEnd | None = end
        self._number = number
        end.channels[number] = self

    def is_alive(self) -> bool:
        """Return whether the channel is open."""
        return self._end is not None and not self._end.closed

    def send(self, msg: dict[str, Any]) -> None:
        """Send a message."""
        assert self._end is not None
        self._end.send(link.pack(self._number, msg, msg.get("buffers") or (), self.session.pack))

    def close(self) -> None:
        """Close the channel, and the link with the last one."""
        if self._end is not None:
            self._end.leave(self._number)
            self._end = None
        self._give_up()

    def put(self, message: dict[str, Any]) -> None:
        """Take in a message from the link."""
        self._received.append(message)
        self._arrived()

    def _watch(self) -> None:
        if self._end is not None:
            self._end.watch()

    def _take(self) -> None:
        if self._end is not None:
            self._end.take()


class LinkEnd:
    """The client's end of a link."""

    def __init__(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        self._socket = connection
        self._messages = link.Messages()
        self._unsent = bytearray()
        self._loop: asyncio.AbstractEventLoop | None = None
        self.channels: dict[int, LinkChannel] = {}
        self.closed = False

    def watch(self) -> None:
        """Watch the socket in the loop that runs now."""
        loop = asyncio.get_running_loop()
        if loop is self._loop or self.closed:
            return
        self._unwatch()
        self._loop = loop
        loop.add_reader(self._socket.fileno(), self.take)
        if self._unsent:
            loop.add_writer(self._socket.fileno(), self._send_rest)

    def take(self) -> None:
        """Take what has arrived."""
        while not self.closed:
            try:
                piece = self._socket.recv(link.PIECE)
            except BlockingIOError:
                return
            except OSError:
                piece = b""
            if not piece:
                self._unwatch()  # the kernel ended; its manager knows why
                return
            for number, message in self._messages.feed(piece):
                if channel := self.channels.get(number):
                    channel.put(message)
            if len(piece) < link.PIECE:
                return

    def send(self, data: bytes) -> None:
        """Send, now or as soon as the kernel takes it."""
        if not self._unsent:
            try:
                sent = self._socket.send(data)
            except BlockingIOError:
                sent = 0
            except OSError:  # the kernel ended; its manager knows why
                return
            data = data[sent:]
        if data:
            if not self._unsent and self._loop is not None and not self._loop.is_closed():
                self._loop.add_writer(self._socket.fileno(), self._send_rest)
            self._unsent += data

    def leave(self, number: int) -> None:
        """Close the link if no channel uses it any more."""
        self.channels.pop(number, None)
        if not self.channels:
            self.close()

    def close(self) -> None:
        """Close the link."""
        if not self.closed:
            self._unwatch()
            self.closed = True
            self._socket.close()

    def _send_rest(self) -> None:
        with contextlib.suppress(BlockingIOError):
            try:
                del self._unsent[: self._socket.send(self._unsent)]
            except BlockingIOError:
                raise
            except OSError:
                self._unsent.clear()
        if not self._unsent and self._loop is not None:
            self._loop.remove_writer(self._socket.fileno())

    def _unwatch(self) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.remove_reader(self._socket.fileno())
            self._loop.remove_writer(self._socket.fileno())
        self._loop = None
