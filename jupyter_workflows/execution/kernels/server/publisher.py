"""What a forked kernel says, and the one thread that says it.

ipykernel's counterpart runs an event loop over several ZeroMQ sockets, and two more threads read what is
written to file descriptors 1 and 2. Here one thread does all of it. It alone writes to the other side: a
signal's handler, which only ever runs in the main thread, can therefore not tear a message.
"""

from __future__ import annotations

import array
import contextlib
import os
import select
import socket
import struct
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from ipykernel.iostream import IOPubThread, OutStream

#: So much is read from a redirected descriptor at once.
_PIECE = 65536

#: A message from a forked process that is larger than this goes through a file in memory.
_LARGEST_DATAGRAM = 65536

#: A kernel that has more to say than this waits until its client has read some of it.
_MOST_UNSENT = 1 << 25


class Outlet(Protocol):
    """Where messages go; used by the publisher's thread only."""

    def send(self, messages: list[Any]) -> None:
        """Send messages, in order."""

    def descriptor(self) -> int | None:
        """Return a descriptor to watch for `look`."""

    def look(self) -> None:
        """See what has happened on the descriptor."""


class Publisher(IOPubThread):
    """Takes messages from all threads, and from processes that the notebook forks, and sends them in order.

    It is made before the fork, and opened after it.
    """

    def __init__(self) -> None:  # nothing of ipykernel's own: that makes sockets and a loop
        self._new_thread()
        self.io_loop = None  # type: ignore[assignment]
        self.background_socket: Any = self  # it may be used in any thread
        self.outlet: Outlet | None = None
        self._master_pid = os.getpid()
        self._queue: deque[Any] = deque()
        self._streams: list[StageOutStream] = []
        self._flush_at: float | None = None
        self._sleeping = False
        self._stopping = False
        self._muted = True
        self._wake_fd = -1
        self._unsent = 0
        self._relayed: socket.socket | None = None
        self._relaying = threading.Lock()
        self._drained = threading.Event()

    @property
    def closed(self) -> bool:
        """Whether nothing can be sent any more."""
        return self._stopping

    # In the process's own threads

    def _new_thread(self) -> None:
        self.thread = threading.Thread(target=self._run, name="IOPub", daemon=True)

    def open(self) -> None:
        """Make, after the fork, what belongs to this process alone."""
        self._master_pid = os.getpid()
        self._new_thread()  # since Python 3.13 one that was made before a fork counts as ended
        self._wake_fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._relay, self._relayed = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._relayed.setblocking(False)  # `recv_fds` ignores flags
        self._muted = False

    def start(self, outlet: Outlet | None = None) -> None:
        """Start to send."""
        self.outlet = outlet
        self.thread.start()

    def stop(self) -> None:
        """Send what is still to be sent, and end the thread."""
        if self.thread.is_alive() and os.getpid() == self._master_pid:
            self._stopping = True
            self._wake()
            self.thread.join(5.0)

    close = stop

    def add_stream(self, stream: StageOutStream) -> None:
        """Flush a stream some time after it was written to."""
        self._streams.append(stream)

    def put(self, message: Any) -> None:
        """Send a message, in the outlet's form."""
        if self._muted:
            return
        if os.getpid() != self._master_pid:
            self._pass_on(message)
            return
        if isinstance(message, bytes):
            # Without the message itself: one that is larger than this would wait for ever.
            while self._unsent > _MOST_UNSENT and threading.current_thread() is not self.thread:
                self._drained.clear()
                self._drained.wait(0.1)
            self._unsent += len(message)
        self._queue.append(message)
        if self._sleeping:
            self._wake()

    def send_multipart(self, msg: Sequence[Any], *args: Any, **kwargs: Any) -> None:
        """Send the frames of a message, as a socket does."""
        self.put(list(msg))

    def schedule(self, f: Callable[[], None]) -> None:
        """Call a function in this thread; at once in a forked process, which has no such thread."""
        if os.getpid() != self._master_pid or self._muted:
            f()
        else:
            self._queue.append(f)
            self._wake()

    def flush_in(self, seconds: float) -> None:
        """Have all streams flushed after some time."""
        if self._flush_at is None and not self._muted:
            self._flush_at = time.monotonic() + seconds
            if self._sleeping:
                self._wake()

    def _wake(self) -> None:
        self._sleeping = False
        os.eventfd_write(self._wake_fd, 1)

    def _pass_on(self, message: Any) -> None:
        """In a process that the notebook forked: hand a message to the kernel's own."""
        data = message if isinstance(message, bytes) else _join(message)
        kind = b"b" if isinstance(message, bytes) else b"f"
        with contextlib.suppress(OSError):
            if len(data) <= _LARGEST_DATAGRAM:
                self._relay.send(kind + data)
                return
            file = os.memfd_create("message")
            try:
                with open(os.dup(file), "wb") as writer:  # noqa: PTH123
                    writer.write(data)
                rights = array.array("i", [file])
                self._relay.sendmsg([kind], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)])
            finally:
                os.close(file)

    # In the publisher's thread

    def _run(self) -> None:
        poll = select.poll()
        assert self._relayed is not None
        react: dict[int, Callable[[], None]] = {
            self._wake_fd: self._woken,
            self._relayed.fileno(): self.take_relayed,
        }
        for stream in self._streams:
            react[stream.read_end] = stream.take_in
        if self.outlet is not None and (descriptor := self.outlet.descriptor()) is not None:
            react[descriptor] = self.outlet.look
        for descriptor in react:
            poll.register(descriptor, select.POLLIN)
        while True:
            self._send_queue()
            timeout = None
            if self._flush_at is not None:
                timeout = max(0.0, 1000 * (self._flush_at - time.monotonic()))
            self._sleeping = True
            if self._queue or self._stopping:
                self._sleeping = False
                if self._stopping and not self._queue:
                    return
                continue
            for descriptor, _ in poll.poll(timeout):
                _guarded(react[descriptor])
            self._sleeping = False
            if self._flush_at is not None and self._flush_at <= time.monotonic():
                self._flush_at = None
                for stream in self._streams:
                    _guarded(stream.flush)

    def _woken(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self._wake_fd)

    def _send_queue(self) -> None:
        messages: list[Any] = []
        while self._queue:
            item = self._queue.popleft()
            if callable(item):
                self._send(messages)
                messages = []
                _guarded(item)
            else:
                messages.append(item)
        self._send(messages)

    def _send(self, messages: list[Any]) -> None:
        if messages and self.outlet is not None:
            with contextlib.suppress(OSError):  # nobody listens any more
                self.outlet.send(messages)
            sent = sum(len(message) for message in messages if isinstance(message, bytes))
            self._unsent = self._unsent - sent if self._queue else 0
            self._drained.set()

    def take_relayed(self) -> None:
        """Take over what processes that the notebook forked have said up to now; from any thread."""
        if self._relayed is None or os.getpid() != self._master_pid:
            return
        with self._relaying:
            while True:
                try:
                    data, files, _, _ = socket.recv_fds(
                        self._relayed, _LARGEST_DATAGRAM + 1, 1, socket.MSG_DONTWAIT
                    )
                except BlockingIOError:
                    return
                kind, data = data[:1], data[1:]
                for file in files:
                    with open(file, "rb") as reader:  # noqa: PTH123
                        reader.seek(0)
                        data = reader.read()
                self._unsent += len(data) if kind == b"b" else 0
                self._queue.append(data if kind == b"b" else _split(data))
                if self._sleeping:
                    self._wake()


class StageOutStream(OutStream):
    """Standard output or error of a kernel, together with what is written to its file descriptor.

    It is made before the fork, and redirected after it.
    """

    def __init__(self, session: Any, publisher: Publisher, name: str) -> None:
        super().__init__(session, publisher, name, watchfd=False)  # type: ignore[no-untyped-call]
        self.read_end = -1
        self._flushing = threading.RLock()
        publisher.add_stream(self)

    def redirect(self) -> None:
        """Take the place of a file descriptor, in the process that was forked."""
        self._master_pid = os.getpid()
        descriptor = getattr(sys, f"__{self.name}__").fileno()
        self._original_stdstream_fd = descriptor
        self._original_stdstream_copy = os.dup(descriptor)
        self.read_end, write_end = os.pipe()
        os.set_blocking(self.read_end, False)
        os.dup2(write_end, descriptor)
        os.close(write_end)

    def take_in(self) -> None:
        """Take in what was written to the descriptor, by C code or by another process."""
        with self._alone() as mine:
            if not mine:
                return
            try:
                data = os.read(self.read_end, _PIECE)
            except OSError:
                return
            if data:
                self.write(data.decode(errors="replace"))

    def flush(self) -> None:
        """Send what was written, and do so before what is said afterwards."""
        with self._alone() as mine:
            if not mine:
                self._schedule_flush()
                return
            if self.read_end >= 0 and self._master_pid == os.getpid():
                self.take_in()
            self._flush()

    @contextlib.contextmanager
    def _alone(self) -> Iterator[bool]:
        """Keep other threads from flushing; false where the publisher's thread would have to wait.

        Whoever flushes may be waiting for that thread to send.
        """
        patient = threading.current_thread() is not self.pub_thread.thread
        mine = self._flushing.acquire(blocking=patient)
        try:
            if not mine:
                time.sleep(0.001)
            yield mine
        finally:
            if mine:
                self._flushing.release()

    def _schedule_flush(self) -> None:
        self.pub_thread.flush_in(self.flush_interval)

    def _flush(self) -> None:
        if self._buffers:
            super()._flush()  # type: ignore[no-untyped-call]


def _guarded(action: Callable[[], None]) -> None:
    """Call a function; a message that cannot be made must not silence all that follow it."""
    with contextlib.suppress(Exception):
        action()


def _join(frames: Sequence[Any]) -> bytes:
    views = [memoryview(frame) for frame in frames]
    lengths = [view.nbytes for view in views]
    return b"".join([struct.pack(f"!I{len(views)}Q", len(views), *lengths), *views])


def _split(data: bytes) -> list[bytes]:
    (count,) = struct.unpack_from("!I", data)
    lengths = struct.unpack_from(f"!{count}Q", data, 4)
    frames, place = [], 4 + 8 * count
    for length in lengths:
        frames.append(data[place : place + length])
        place += length
    return frames
