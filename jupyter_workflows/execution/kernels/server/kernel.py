"""An ipykernel that is built before the fork, as far as that goes, and comes to life after it.

Sockets and threads do not survive a fork, so they are made in the new process. All else is there already:
the shell with its magics, completer and formatters, configuration, and the code that runs a cell.
"""

from __future__ import annotations

import asyncio
import atexit
import gc
import io
import os
import signal
import sys
import threading
import traceback
import uuid
from pathlib import Path
from types import ModuleType
from typing import Any

import zmq
from IPython.core.application import BaseIPythonApplication
from tornado.ioloop import IOLoop
from zmq.eventloop.zmqstream import ZMQStream

from jupyter_workflows.execution.kernels import locks
from jupyter_workflows.execution.kernels.platforms import start_ticks
from jupyter_workflows.execution.kernels.protocol import Lines, fits, pack
from jupyter_workflows.execution.kernels.server import blas, process


def _without_debugger() -> None:
    """Import ipykernel's debugger as if debugpy were not installed: it is large, and nobody debugs here."""
    missing = object()
    before: Any = sys.modules.get("debugpy", missing)
    sys.modules["debugpy"] = None  # type: ignore[assignment]
    try:
        import ipykernel.debugger  # noqa: F401
    finally:
        del sys.modules["debugpy"]
        if isinstance(before, ModuleType):
            sys.modules["debugpy"] = before


_without_debugger()

from ipykernel.control import ControlThread  # noqa: E402
from ipykernel.ipkernel import IPythonKernel  # noqa: E402
from ipykernel.kernelapp import IPKernelApp  # noqa: E402

from jupyter_workflows.execution.kernels.server.streams import StageIOPubThread  # noqa: E402

_STREAM_CLASS = "jupyter_workflows.execution.kernels.server.streams.StageOutStream"


class _MainThread:
    """Stands in for ipykernel's shell channel thread, which a kernel without subshells has no use for."""

    def __init__(self) -> None:
        self.parent_thread = threading.main_thread()

    def __bool__(self) -> bool:
        return False


class StageKernel(IPythonKernel):
    """An IPython kernel that reads its shell channel itself."""

    @property
    def _supports_kernel_subshells(self) -> bool:
        return False


class PreparedKernel:
    """A kernel before and after the fork."""

    def __init__(self, app: Any, kernel: Any, surroundings: process.Surroundings) -> None:
        self.app = app
        self.kernel = kernel
        self.surroundings = surroundings
        self.begun = False
        self.lock: int | None = None

    # Before the fork

    @classmethod
    def make(cls) -> PreparedKernel:
        """Build what can be built without sockets and threads."""
        app: Any = IPKernelApp.instance()
        initialize: Any = BaseIPythonApplication.initialize
        initialize(app, ["--HistoryManager.enabled=False", "--log-level=40"])
        app.init_pdb()
        app.outstream_class = _STREAM_CLASS
        kernel = StageKernel.instance(
            parent=app,
            session=app.session,
            log=app.log,
            profile_dir=app.profile_dir,
            user_ns=app.user_ns,
        )
        app.kernel = kernel
        app.init_path()
        surroundings = process.Surroundings()
        app.init_shell()
        app.init_gui_pylab()
        app.init_extensions()
        return cls(app, kernel, surroundings)

    def rehearse(self) -> None:
        """Go through what every kernel does, so that its code and caches are there before the fork."""
        import ipywidgets  # noqa: F401

    # After the fork

    def live(self, seat: process.Seat) -> None:
        """Be a kernel until the end of this process."""
        code = 1
        try:
            self._open(seat)
            self._tell(seat, {"connection": self._connection()})
            loop = IOLoop.current()
            lines = Lines()
            asyncio_loop: asyncio.AbstractEventLoop = loop.asyncio_loop  # type: ignore[attr-defined]
            asyncio_loop.add_reader(seat.channel, self._hear, seat, lines)
            gc.enable()
            try:
                loop.start()
            except KeyboardInterrupt:
                pass
            code = 0
        except SystemExit as error:
            code = error.code if isinstance(error.code, int) else 0 if error.code is None else 1
        except BaseException:
            traceback.print_exc(file=sys.__stderr__)
        finally:
            self._leave(code)

    def _open(self, seat: process.Seat) -> None:
        """Make sockets, threads and streams."""
        app, kernel, session = self.app, self.kernel, self.app.session
        session.session = uuid.uuid4().hex
        session.key = os.urandom(32).hex().encode()
        session.pid = os.getpid()
        kernel.ident = str(uuid.uuid4())
        if fits(f"{seat.sockets}-relay"):
            app.transport, app.ip = "ipc", seat.sockets
            ports = dict.fromkeys(("shell", "iopub", "stdin", "control", "hb"), 0)
            relay = f"ipc://{seat.sockets}-relay"
            for number, name in enumerate(ports, 1):
                setattr(app, f"{name}_port", number)
        else:
            app.transport, app.ip = "tcp", "127.0.0.1"
            relay = ""
        app.context = context = zmq.Context()
        for name in ("shell", "stdin", "control"):
            socket = context.socket(zmq.ROUTER)
            socket.linger = 1000
            socket.router_handover = 1
            setattr(app, f"{name}_port", app._bind_socket(socket, getattr(app, f"{name}_port")))
            setattr(app, f"{name}_socket", socket)
        publisher = context.socket(zmq.XPUB)
        publisher.linger = 1000
        app.iopub_port = app._bind_socket(publisher, app.iopub_port)
        app.iopub_thread = StageIOPubThread(publisher, session, relay)
        app.iopub_socket = app.iopub_thread.background_socket
        app.init_io()
        app.iopub_thread.start()
        atexit.unregister(app.iopub_thread.stop)
        kernel._stdout, kernel._stderr = sys.stdout, sys.stderr
        app.init_signal()
        thread_class: Any = ControlThread
        app.control_thread = thread_class(daemon=True)
        app.shell_channel_thread = _MainThread()
        kernel.shell_stream = ZMQStream(app.shell_socket)
        kernel.control_stream = ZMQStream(app.control_socket, app.control_thread.io_loop)
        kernel.control_thread = app.control_thread
        kernel.shell_channel_thread = app.shell_channel_thread
        kernel.stdin_socket = app.stdin_socket
        kernel.iopub_thread = app.iopub_thread
        kernel.iopub_socket = app.iopub_socket
        shell = kernel.shell
        shell.displayhook.pub_socket = shell.display_pub.pub_socket = app.iopub_socket
        shell.displayhook.topic = kernel._topic("execute_result")
        app.displayhook.get_execution_count = lambda: kernel.execution_count
        app.control_thread.start()
        kernel.record_ports({f"{name}_port": getattr(app, f"{name}_port") for name in _CHANNELS})
        kernel.shell.exit_now = False
        kernel.start()

    def _connection(self) -> dict[str, Any]:
        app = self.app
        ports = {f"{name}_port": getattr(app, f"{name}_port") for name in _CHANNELS}
        return {
            "transport": app.transport,
            "ip": app.ip,
            "key": app.session.key.decode(),
            "signature_scheme": "hmac-sha256",
            "language_info": self.kernel.language_info,
            **ports,
        }

    def _hear(self, seat: process.Seat, lines: Lines) -> None:
        """Do what the server asks for."""
        data = seat.channel.recv(65536)
        if not data:
            IOLoop.current().stop()
            IOLoop.current().asyncio_loop.remove_reader(seat.channel)  # type: ignore[attr-defined]
        for message in lines.feed(data):
            if message["op"] == "start" and not self.begun:
                self.begun = True
                try:
                    self._begin(message)
                except Exception as error:
                    self._tell(seat, {"error": f"{type(error).__name__}: {error}"})
                    IOLoop.current().stop()
                else:
                    self._tell(seat, {"started": start_ticks(os.getpid())})
            elif message["op"] == "finish":
                IOLoop.current().stop()

    def _tell(self, seat: process.Seat, message: dict[str, Any]) -> None:
        seat.channel.sendall(pack(message))

    def _begin(self, request: dict[str, Any]) -> None:
        """Take up the work of one attempt."""
        if request.get("lock") is not None:
            self.lock = locks.hold(request["lock"])
        environment = request["env"]
        self.surroundings.replace(environment, request["cwd"])
        process.renew_secrets()
        blas.restore(environment)
        app, shell = self.app, self.kernel.shell
        shell.init_environment()
        cwd = Path.cwd()
        shell.starting_dir = str(cwd)
        shell.history_manager.dir_hist[:] = [cwd]
        os.environ.setdefault("MPLBACKEND", "module://matplotlib_inline.backend_inline")
        if name := environment.get("JPY_SESSION_NAME"):
            shell.user_ns["__session__"] = name
        if request.get("memory") is not None:
            process.limit_memory(request["memory"])
        app.init_code()

    # The end

    def _leave(self, code: int) -> None:
        """End this process as Python would, without taking apart what ends with it anyway."""
        try:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            if self.kernel._shutdown_message is not None:
                # ipykernel 7.4: closing races the control thread, which still sends its reply.
                self.app.control_thread.join(1.0)
                self._flush_sockets()
            threading._shutdown()  # type: ignore[attr-defined]
            atexit._run_exitfuncs()
            self._close_files()
        finally:
            os._exit(code)

    def _flush_sockets(self) -> None:
        app = self.app
        app.iopub_thread.stop()
        for socket in (app.iopub_thread.socket, app.control_socket, app.shell_socket, app.stdin_socket):
            socket.close()
        closer = threading.Thread(target=app.context.term, daemon=True)
        closer.start()
        closer.join(1.0)

    def _close_files(self) -> None:
        """Write out what the notebook left in the buffers of files that it did not close."""
        for item in gc.get_objects():
            if isinstance(item, io.BufferedWriter | io.BufferedRandom | io.TextIOWrapper):
                try:
                    item.flush()
                except (OSError, ValueError):
                    pass


_CHANNELS = ("shell", "iopub", "stdin", "control", "hb")
