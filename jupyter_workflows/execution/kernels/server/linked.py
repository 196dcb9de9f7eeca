"""The kernel's side of a link: see `jupyter_workflows.execution.kernels.link`."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
from collections.abc import Callable
from functools import partial
from typing import Any

from jupyter_client.jsonutil import json_default
from jupyter_client.session import DONE, Session

from jupyter_workflows.execution.kernels import link
from jupyter_workflows.execution.kernels.server.publisher import Publisher

logger = logging.getLogger(__name__)


class LinkOutlet:
    """Sends over the link, and waits while the other side does not read."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection

    def send(self, messages: list[bytes]) -> None:
        """Send messages, in order."""
        self._socket.sendall(messages[0] if len(messages) == 1 else b"".join(messages))

    def descriptor(self) -> None:
        """Say that there is nothing to watch."""
        return

    def look(self) -> None:
        """Do nothing."""


class ShellLink:
    """The shell channel of a link, for ipykernel: it takes the place of a stream."""

    def __init__(self, publisher: Publisher, loop: Any) -> None:
        self.publisher = publisher
        self.io_loop = loop
        self._messages = link.Messages()
        self._callback: Callable[[Any], Any] | None = None
        self._tasks: set[asyncio.Future[Any]] = set()
        self._socket: socket.socket | None = None

    def on_recv(self, callback: Callable[[Any], Any] | None, copy: bool = True) -> None:
        """Have messages given to a coroutine function."""
        self._callback = callback

    def watch(self, connection: socket.socket) -> None:
        """Read from a socket, in the loop that runs now."""
        self._socket = connection
        self.io_loop.asyncio_loop.add_reader(connection.fileno(), self._readable)

    def flush(self, flag: int = 3, limit: int | None = None) -> None:
        """Take in what has arrived, if `flag` asks for that. To send is the publisher's business."""
        while flag & 1 and self._socket is not None and self._readable():
            pass

    def feed(self, data: bytes) -> None:
        """Take in a piece of what arrives."""
        for channel, message in self._messages.feed(data):
            if channel == link.SHELL and self._callback is not None:
                task = asyncio.ensure_future(self._callback(message))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def rehearse(self, data: bytes) -> None:
        """Take in a message as if it had arrived, and wait until it is dealt with."""
        self.feed(data)
        while self._tasks:
            await asyncio.gather(*self._tasks)

    def _readable(self) -> bool:
        """Take in a piece, and return whether there was one."""
        assert self._socket is not None
        try:
            data = self._socket.recv(link.PIECE, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except OSError:
            data = b""
        if not data:  # whoever used this kernel is gone; the server ends it
            self.io_loop.asyncio_loop.remove_reader(self._socket.fileno())
            return False
        self.feed(data)
        return True


class StageSession(Session):
    """A session that packs messages for a link as well as for ZeroMQ."""

    def __init__(self, publisher: Publisher, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._publisher = publisher
        self.pack: Callable[[Any], bytes] = partial(_pack, self.pack)
        self.linked = False

    def send(
        self,
        stream: Any,
        msg_or_type: Any,
        content: dict[str, Any] | None = None,
        parent: dict[str, Any] | None = None,
        ident: Any = None,
        buffers: list[Any] | None = None,
        track: bool = False,
        header: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> dict[str, Any] | None:
        """Build and send a message."""
        if not self.linked:
            return super().send(stream, msg_or_type, content, parent, ident, buffers, track, header, metadata)
        if isinstance(msg_or_type, dict):
            message = msg_or_type
            buffers = buffers or message.get("buffers")
        else:
            message = self.msg(msg_or_type, content, parent, header, metadata)
        if os.getpid() != self.pid:
            logger.warning("A message from a forked process was not sent: %s", message["msg_type"])
            return None
        for place, buffer in enumerate(buffers or ()):
            if not memoryview(buffer).contiguous:
                raise ValueError(f"Buffer {place} ({buffer!r}) is not contiguous")
        channel = link.SHELL if isinstance(stream, ShellLink) else link.IOPUB
        self._publisher.put(link.pack(channel, message, buffers or (), self.pack))
        message["tracker"] = DONE
        return message

    def feed_identities(self, msg_list: Any, copy: bool = True) -> Any:
        """Split the identities from a message; over a link there are none."""
        return ([], msg_list) if isinstance(msg_list, dict) else super().feed_identities(msg_list, copy)

    def deserialize(self, msg_list: Any, content: bool = True, copy: bool = True) -> dict[str, Any]:
        """Return the message that frames stand for; over a link it is one already."""
        if isinstance(msg_list, dict):
            return msg_list
        return super().deserialize(msg_list, content, copy)


def _pack(pack: Callable[[Any], bytes], item: Any) -> bytes:
    """Turn JSON into bytes; half a surrogate pair is replaced by who reads them."""
    try:
        return pack(item)
    except UnicodeEncodeError:
        text = json.dumps(item, default=json_default, ensure_ascii=False)
        return text.encode(errors="surrogatepass")
