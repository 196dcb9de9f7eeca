"""The ZeroMQ sockets of a forked kernel, for kernels that several clients connect to."""

from __future__ import annotations

import threading
import uuid
from typing import Any

import zmq
from ipykernel.control import ControlThread
from zmq.eventloop.zmqstream import ZMQStream

from jupyter_workflows.execution.kernels.protocol import fits

CHANNELS = ("shell", "iopub", "stdin", "control", "hb")


class SocketOutlet:
    """Publishes on a socket, and welcomes who subscribes."""

    def __init__(self, publisher: zmq.Socket[bytes], session: Any) -> None:
        self.socket = publisher
        self._session = session

    def send(self, messages: list[list[bytes]]) -> None:
        """Send messages, in order."""
        for frames in messages:
            self.socket.send_multipart(frames)
        self.look()  # sending swallows the sign that someone subscribed

    def descriptor(self) -> int:
        """Return what becomes readable when someone subscribes."""
        return int(self.socket.FD)

    def look(self) -> None:
        """Welcome new subscribers."""
        while int(self.socket.get(zmq.EVENTS)) & zmq.POLLIN:
            frame = self.socket.recv()
            if frame[:1] == b"\x01":
                topic = frame[1:]
                message = self._session.msg("iopub_welcome", {"subscription": topic.decode(errors="replace")})
                frames = self._session.serialize(message)
                self.socket.send_multipart([topic, *frames] if topic else frames)


def open_sockets(app: Any, kernel: Any, sockets: str) -> SocketOutlet:
    """Bind the sockets of a kernel, and return where it publishes."""
    app.session.session = kernel.ident = str(uuid.uuid4())
    if fits(f"{sockets}-{len(CHANNELS)}"):
        app.transport, app.ip = "ipc", sockets
        for number, name in enumerate(CHANNELS, 1):
            setattr(app, f"{name}_port", number)
    else:
        app.transport, app.ip = "tcp", "127.0.0.1"
    app.context = context = zmq.Context()
    for name in ("shell", "stdin", "control"):
        router = context.socket(zmq.ROUTER)
        router.linger = 1000
        router.router_handover = 1
        setattr(app, f"{name}_port", app._bind_socket(router, getattr(app, f"{name}_port")))
        setattr(app, f"{name}_socket", router)
    publisher = context.socket(zmq.XPUB)
    publisher.linger = 1000
    app.iopub_port = app._bind_socket(publisher, app.iopub_port)
    heartbeat = context.socket(zmq.ROUTER)
    heartbeat.linger = 1000
    app.hb_port = app._bind_socket(heartbeat, app.hb_port)
    thread_class: Any = ControlThread
    app.control_thread = kernel.control_thread = thread_class(daemon=True)
    loop = app.control_thread.io_loop
    kernel.shell_stream = ZMQStream(app.shell_socket)
    kernel.control_stream = ZMQStream(app.control_socket, loop)
    kernel.stdin_socket = app.stdin_socket
    echo = ZMQStream(heartbeat, loop)
    echo.on_recv(echo.send_multipart)
    return SocketOutlet(publisher, app.session)


def connection(app: Any, kernel: Any) -> dict[str, Any]:
    """Return how to connect to a kernel."""
    ports = {f"{name}_port": getattr(app, f"{name}_port") for name in CHANNELS}
    kernel.record_ports(ports)
    return {
        "transport": app.transport,
        "ip": app.ip,
        "key": app.session.key.decode(),
        "signature_scheme": app.session.signature_scheme,
        **ports,
    }


def flush_sockets(app: Any, outlet: SocketOutlet) -> None:
    """Wait a moment until what was sent has left the process."""
    # ipykernel 7.4: closing races the control thread, which still sends its reply.
    app.control_thread.join(1.0)
    for item in (outlet.socket, app.control_socket, app.shell_socket, app.stdin_socket):
        item.close()
    closer = threading.Thread(target=app.context.term, daemon=True)
    closer.start()
    closer.join(1.0)
