"""Blocking a cell while the messages of widgets are dispatched.

The one module that knows ipykernel from the inside: versions 6 and 7, and the kernels of our own fork server.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

_COMMS = frozenset({"comm_open", "comm_msg", "comm_close"})
_HANDLED = _COMMS | {"kernel_info_request", "comm_info_request"}

#: Milliseconds between two looks at whether the wait is over, if no message comes.
_LOOK = 100


def kernel() -> Any:
    """Return the kernel that executes this notebook; `None` where there is none."""
    get_ipython = getattr(sys.modules.get("IPython"), "get_ipython", None)
    shell = get_ipython() if get_ipython else None
    return getattr(shell, "kernel", None)


def can_pump() -> bool:
    """Return whether messages of widgets can be dispatched while a cell is executed."""
    found = kernel()
    return found is not None and _stream(found) is not None


def _stream(found: Any) -> Any:
    """Return the stream on which the main thread gets its requests; `None` if it is no ZeroMQ stream."""
    thread = getattr(found, "shell_channel_thread", None)
    if thread:  # ipykernel 7 reads the shell channel in a thread, and passes requests on
        stream = thread.manager._shell_channel_to_main.to_stream
    else:
        stream = getattr(found, "shell_stream", None)
    return stream if hasattr(getattr(stream, "socket", None), "recv_multipart") else None


class Pump:
    """Dispatches the messages of widgets, in order, in the thread that calls `run`.

    All other requests, such as the next cell, are kept and handed to the kernel after that.
    """

    def __init__(self) -> None:
        self._kernel = found = kernel()
        self._stream = _stream(found)
        self._socket = self._stream.socket
        thread = getattr(found, "shell_channel_thread", None)
        self._replies = thread.manager.get_subshell_to_shell_channel_socket(None) if thread else self._stream
        self._parent = found.get_parent("shell")
        self._identity = found._parent_ident["shell"]
        self._kept: list[Any] = []

    def run(self, done: Callable[[], bool], tick: Callable[[], None]) -> None:
        """Dispatch messages until `done`.

        Parameters
        ----------
        done
            Asked after each message, and at least ten times a second.
        tick
            Called as often, before `done`.
        """
        import zmq
        from tornado.ioloop import IOLoop

        try:
            while True:
                tick()
                if done():
                    return
                if self._socket.poll(_LOOK):  # an interrupt is raised here
                    self._take(self._socket.recv_multipart(copy=False))
        finally:
            loop = IOLoop.current()
            for frames in self._kept:
                loop.add_callback(self._stream._recv_callback, frames)
            self._kept = []
            # Reading the socket took its sign away: the stream has to look by itself.
            loop.add_callback(self._stream._handle_events, self._socket, zmq.POLLIN)

    def settle(self, seconds: float) -> None:
        """Dispatch what arrives until nothing has for a while."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if self._socket.poll(left * 1000):
                self._take(self._socket.recv_multipart(copy=False))

    def _take(self, frames: Any) -> None:
        found, session = self._kernel, self._kernel.session
        try:
            _, parts = session.feed_identities(frames, copy=False)
            kind = session.unpack(parts[1].bytes)["msg_type"]
        except Exception:  # whatever it is, the kernel says what is wrong with it
            self._kept.append(frames)
            return
        if kind not in _HANDLED:
            # Not deserialised: that notes its signature, and it would count as a duplicate later.
            self._kept.append(frames)
            return
        identity, parts = session.feed_identities(frames, copy=False)
        try:
            message = session.deserialize(parts, content=True, copy=False)
        except Exception:
            found.log.error("Invalid message", exc_info=True)
            return
        # ipykernel 7.4 pins later replies to the subshell that published last.
        message["header"].pop("subshell_id", None)
        found.set_parent(identity, message, channel="shell")
        found._publish_status("busy", "shell", parent=message)
        try:
            result = found.shell_handlers[kind](self._replies, identity, message)
            if hasattr(result, "send"):
                _finish(result)
        except Exception:
            found.log.exception("A message of a form could not be handled (%s)", kind)
        finally:
            found._publish_status("idle", "shell", parent=message)  # widgets send their next change then
            found.set_parent(self._identity, self._parent, channel="shell")
            found._publish_status("busy", "shell", parent=self._parent)


def _finish(coroutine: Any) -> None:
    """Run a coroutine that never really waits."""
    try:
        coroutine.send(None)
    except StopIteration:
        pass
