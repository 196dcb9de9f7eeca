"""Output of a forked kernel: ipykernel's streams without their helper threads and TCP ports."""

from __future__ import annotations

import asyncio
import contextvars
import os
import sys
from typing import Any

import zmq
from ipykernel.iostream import IOPubThread, OutStream
from zmq.eventloop.zmqstream import ZMQStream

#: So much is read from a redirected descriptor at once.
_PIECE = 65536


class StageIOPubThread(IOPubThread):
    """Sends output in the background; processes that the notebook forks send theirs through a socket file."""

    def __init__(self, socket: zmq.Socket[bytes], session: Any, relay: str) -> None:
        self._relay = relay
        super().__init__(socket, pipe=True, session=session)  # type: ignore[no-untyped-call]

    def _setup_pipe_in(self) -> None:
        self._pipe_uuid = os.urandom(16)
        pipe: zmq.Socket[bytes] = self.socket.context.socket(zmq.PULL)
        pipe.linger = 0
        if self._relay.startswith("ipc://"):
            pipe.bind(self._relay)
        else:
            self._relay = f"tcp://127.0.0.1:{pipe.bind_to_random_port('tcp://127.0.0.1')}"
        self._pipe_in = ZMQStream(pipe, self.io_loop)
        self._pipe_in.on_recv(self._handle_pipe_msg)

    def _setup_pipe_out(self) -> tuple[zmq.Context[Any], zmq.Socket[bytes]]:
        context: zmq.Context[Any] = zmq.Context()  # a forked process cannot use its parent's
        pipe = context.socket(zmq.PUSH)
        pipe.linger = 3000
        pipe.connect(self._relay)
        return context, pipe


class StageOutStream(OutStream):
    """Also shows what is written to the file descriptor itself, by C code and by other processes.

    The thread that sends output reads the descriptor; ipykernel has two more threads for that.
    """

    def __init__(self, session: Any, pub_thread: StageIOPubThread, name: str, **options: Any) -> None:
        super().__init__(  # type: ignore[no-untyped-call]
            session, pub_thread, name, **{**options, "watchfd": False}
        )
        descriptor = getattr(sys, f"__{name}__").fileno()
        self._original_stdstream_fd = descriptor
        self._original_stdstream_copy = os.dup(descriptor)
        self._read_end, write_end = os.pipe()
        os.dup2(write_end, descriptor)
        os.close(write_end)
        os.set_blocking(self._read_end, False)
        loop: asyncio.AbstractEventLoop = pub_thread.io_loop.asyncio_loop  # type: ignore[attr-defined]
        # In a context of its own, like a thread: what comes in belongs to the cell that runs at that time.
        contextvars.Context().run(loop.add_reader, self._read_end, self._take_in)

    def _take_in(self) -> None:
        try:
            data = os.read(self._read_end, _PIECE)
        except BlockingIOError:
            return
        if data:
            self.write(data.decode(errors="replace"))
