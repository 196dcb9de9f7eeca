"""The server's loop: keeps a pool of forked kernels, and gives them to owners."""

from __future__ import annotations

import contextlib
import json
import os
import select
import selectors
import signal
import socket
import sys
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from jupyter_workflows.execution.kernels.protocol import LINKED, START, Lines, pack
from jupyter_workflows.execution.kernels.server.process import Seat, adopt_orphans, end_orphans, seat_child

#: So many kernels in a row may end before they are ready; then the pool is given up.
_MOST_FAILURES = 3


class OwnerGone(SystemExit):
    """Nobody needs the server any more."""

    def __init__(self) -> None:
        super().__init__("The owner of the fork server is gone.")


@dataclass(frozen=True, slots=True)
class Settings:
    """What the server was started with."""

    folder: str
    owner: int
    pool: int
    patience: float


@dataclass(eq=False, slots=True)
class Kernel:
    """A forked process, as the server sees it."""

    pid: int
    number: int
    exit_fd: int
    channel: socket.socket
    lines: Lines = field(default_factory=Lines)
    ready: bool = False
    has_sockets: bool = False
    origin: str = "forked"
    owner: Owner | None = None
    ends_by: float | None = None


@dataclass(eq=False, slots=True)
class Owner:
    """A connection of someone who wants a kernel."""

    socket: socket.socket
    lines: Lines = field(default_factory=Lines)
    kernel: Kernel | None = None
    passed: list[int] = field(default_factory=list)

    def tell(self, message: dict[str, Any]) -> None:
        """Send a message, unless the owner is gone."""
        with contextlib.suppress(OSError):
            self.socket.sendall(pack(message))

    def drop_passed(self) -> None:
        """Close the server's copies of the descriptors that the owner passed."""
        while self.passed:
            os.close(self.passed.pop())


class Service:
    """Forks, hands out and buries kernels, in one thread.

    Attributes
    ----------
    seat
        Set in a forked process, where `serve` returns: what the new process has been given.
    """

    def __init__(self, settings: Settings, listener: socket.socket) -> None:
        self.settings = settings
        self.pool = settings.pool
        self.listener = listener
        self.seat: Seat | None = None
        self.selector = selectors.DefaultSelector()
        self.kernels: dict[int, Kernel] = {}
        self.owners: set[Owner] = set()
        self.ready: deque[Kernel] = deque()
        self.warming: deque[Kernel] = deque()
        self.forks = self.failures = 0
        self.used = 0.0
        self.served = {"warm": 0, "forked": 0}
        self.running = self.starting = True
        adopt_orphans()
        try:
            self.owner_fd = os.pidfd_open(settings.owner)
        except ProcessLookupError:
            raise OwnerGone from None
        if os.getppid() != settings.owner:
            raise OwnerGone
        self.selector.register(self.owner_fd, selectors.EVENT_READ, (self._owner_ended, None))
        self.selector.register(listener, selectors.EVENT_READ, (self._accept, None))

    def check(self) -> bool:
        """Fork a first kernel; return, in the server, once that is ready."""
        first = self._fork()
        if first is None:
            return False
        while self.running and not first.ready:
            if first.pid not in self.kernels:
                self._stop()
                raise SystemExit("The first kernel did not start.")
            if not self._turn():
                return False
        self.starting = False
        self._shrink()
        return True

    def serve(self) -> None:
        """Serve until there is no owner any more, or, in a forked process, return at once."""
        while self.running:
            if not self._turn() or not self._refill():
                return
        self._stop()

    def _turn(self) -> bool:
        """Do what is to be done now; return false in a forked process."""
        timeout = None
        ending = [kernel.ends_by for kernel in self.kernels.values() if kernel.ends_by is not None]
        if ending:
            timeout = max(0.0, min(ending) - time.monotonic())
        for key, _ in self.selector.select(timeout):
            react, subject = key.data
            try:
                react(subject)
            except (OSError, ValueError, KeyError, TypeError) as error:
                print(f"fork server: {error!r}", file=sys.stderr, flush=True)
            if self.seat is not None:
                return False
        if ending:
            now = time.monotonic()
            for kernel in list(self.kernels.values()):
                if kernel.ends_by is not None and kernel.ends_by <= now:
                    self._kill(kernel)
        return True

    # Kernels

    def _fork(self) -> Kernel | None:
        """Fork a kernel; return `None` in the new process."""
        ours, theirs = socket.socketpair()
        self.forks += 1
        number = self.forks
        server = os.getpid()
        pid = os.fork()
        if pid == 0:
            self._leave(keep=theirs)
            self.seat = seat_child(server, theirs, os.path.join(self.settings.folder, f"k{number}"))  # noqa: PTH118
            return None
        theirs.close()
        ours.setblocking(False)
        kernel = Kernel(pid, number, os.pidfd_open(pid), ours)
        self.kernels[pid] = kernel
        self.warming.append(kernel)
        self.selector.register(ours, selectors.EVENT_READ, (self._heard, kernel))
        self.selector.register(kernel.exit_fd, selectors.EVENT_READ, (self._exited, kernel))
        return kernel

    def _leave(self, keep: socket.socket) -> None:
        """In a forked process: let go of what belongs to the server, without closing a number twice."""
        self.selector.close()
        self.listener.detach()
        for kernel in self.kernels.values():
            kernel.channel.detach()
        for owner in self.owners:
            owner.socket.detach()
        descriptor = keep.fileno()
        os.closerange(3, descriptor)
        os.closerange(descriptor + 1, os.sysconf("SC_OPEN_MAX"))

    def _refill(self) -> bool:
        """Fork what the pool lacks; return false in a forked process."""
        waiting = sum(kernel.owner is None for kernel in self.warming)
        if len(self.ready) + waiting >= self.pool or self.failures >= _MOST_FAILURES:
            return True
        return self._fork() is not None

    def _heard(self, kernel: Kernel) -> None:
        """Take in what a kernel says: it is ready, has begun, or could not."""
        data = kernel.channel.recv(65536)
        if not data:
            self.selector.unregister(kernel.channel)
            return
        for message in kernel.lines.feed(data):
            if "ready" in message:
                self.failures = 0
                kernel.ready = True
                self.warming.remove(kernel)
                if kernel.owner is None:
                    self.ready.append(kernel)
                    self._shrink()
            elif kernel.owner is not None:
                kernel.owner.tell({**message, "pid": kernel.pid, "origin": kernel.origin})

    def _exited(self, kernel: Kernel) -> None:
        """Bury a kernel, together with the processes that it left."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(kernel.pid, signal.SIGKILL)
        _, status, usage = os.wait4(kernel.pid, 0)
        end_orphans(spare=self.kernels)
        used = usage.ru_utime + usage.ru_stime
        self.used += used
        self.selector.unregister(kernel.exit_fd)
        os.close(kernel.exit_fd)
        with contextlib.suppress(KeyError):
            self.selector.unregister(kernel.channel)
        kernel.channel.close()
        del self.kernels[kernel.pid]
        if not kernel.ready:
            self.failures += 1
            self.warming.remove(kernel)
        elif kernel.owner is None:
            with contextlib.suppress(ValueError):
                self.ready.remove(kernel)
        if kernel.has_sockets:
            self._remove(f"k{kernel.number}-")
        if kernel.owner is not None:
            kernel.owner.kernel = None
            kernel.owner.tell({"exit": os.waitstatus_to_exitcode(status), "cpu": used})
            self._dismiss(kernel.owner)

    def _kill(self, kernel: Kernel) -> None:
        kernel.ends_by = None
        # The process becomes the leader of its group only a moment after the fork.
        with contextlib.suppress(ProcessLookupError):
            os.kill(kernel.pid, signal.SIGKILL)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(kernel.pid, signal.SIGKILL)

    # Owners

    def _accept(self, _: None) -> None:
        connection, _address = self.listener.accept()
        connection.setblocking(False)
        owner = Owner(connection)
        self.owners.add(owner)
        self.selector.register(connection, selectors.EVENT_READ, (self._asked, owner))

    def _asked(self, owner: Owner) -> None:
        """Do what an owner asks for; its end is the end of its kernel."""
        try:
            data, passed, _, _ = socket.recv_fds(owner.socket, 65536, 1)
        except ConnectionError:
            data, passed = b"", []
        owner.passed += passed
        if not data:
            if owner.kernel is not None:
                owner.kernel.owner = None
                if owner.kernel.ends_by is None:
                    self._kill(owner.kernel)
            self._dismiss(owner)
            return
        for line in owner.lines.split(data):
            if line.startswith(START) and owner.kernel is None:
                if not self._start(owner, line):
                    return
                continue
            message = json.loads(line)
            operation = message["op"]
            if operation == "finish" and owner.kernel is not None:
                owner.kernel.ends_by = time.monotonic() + self.settings.patience
                with contextlib.suppress(OSError):
                    owner.kernel.channel.sendall(pack({"op": "finish"}))
            elif operation == "statistics":
                owner.tell(self._statistics())
            elif operation == "pool":
                self._resize(int(message["size"]))
            elif operation == "stop":
                self.running = False

    def _start(self, owner: Owner, request: bytes) -> bool:
        """Give an owner a kernel, and the kernel what it asks for; return false in a forked process."""
        kernel: Kernel | None = None
        if self.ready:
            kernel = self.ready.popleft()
            kernel.origin = "warm"
        else:
            kernel = next((kernel for kernel in self.warming if kernel.owner is None), None)
        if kernel is None:
            kernel = self._fork()
            if kernel is None:
                return False
        kernel.owner, owner.kernel = owner, kernel
        kernel.has_sockets = LINKED not in request
        self.served[kernel.origin] += 1
        try:
            _send_all(kernel.channel, request + b"\n", owner.passed)
        except OSError:
            self._kill(kernel)  # the owner is told by the kernel's exit
        finally:
            owner.drop_passed()
        return True

    def _dismiss(self, owner: Owner) -> None:
        with contextlib.suppress(KeyError):
            self.selector.unregister(owner.socket)
        owner.socket.close()
        owner.drop_passed()
        self.owners.discard(owner)

    def _resize(self, pool: int) -> None:
        self.pool = pool
        self._shrink()

    def _shrink(self) -> None:
        """Kill what the pool has too many of."""
        while len(self.ready) > max(self.pool, int(self.starting)):
            self._kill(self.ready.pop())

    def _statistics(self) -> dict[str, Any]:
        return {
            "pid": os.getpid(),
            "executable": sys.executable,
            "pool": self.pool,
            "ready": [kernel.pid for kernel in self.ready],
            "warming": [kernel.pid for kernel in self.warming],
            "owned": [kernel.pid for kernel in self.kernels.values() if kernel.owner is not None],
            "kernels": len(self.kernels),
            "forks": self.forks,
            "served": self.served,
            "threads": len(os.listdir("/proc/self/task")),  # noqa: PTH208
            "descriptors": len(os.listdir("/proc/self/fd")) - 1,  # noqa: PTH208
            "cpu": time.process_time(),
            "cpu_of_kernels": self.used,
        }

    # The end

    def _owner_ended(self, _: None) -> None:
        self.running = False

    def _stop(self) -> None:
        """Kill all kernels and leave nothing behind."""
        for kernel in list(self.kernels.values()):
            self._kill(kernel)
            self._exited(kernel)
        self.listener.close()
        self._remove("")
        with contextlib.suppress(OSError):
            os.rmdir(self.settings.folder)  # noqa: PTH106

    def _remove(self, prefix: str) -> None:
        """Remove files from the server's folder."""
        for name in os.listdir(self.settings.folder):  # noqa: PTH208
            if name.startswith(prefix):
                with contextlib.suppress(OSError):
                    os.unlink(os.path.join(self.settings.folder, name))  # noqa: PTH108, PTH118


def _send_all(channel: socket.socket, data: bytes, descriptors: list[int]) -> None:
    """Send to a kernel, which reads at once, without waiting for ever for one that does not."""
    view = memoryview(data)
    if descriptors:
        view = view[socket.send_fds(channel, [data], descriptors) :]
    while view:
        try:
            view = view[channel.send(view) :]
        except BlockingIOError:
            if not select.select([], [channel], [], 5.0)[1]:
                raise TimeoutError("The kernel does not take its request.") from None
