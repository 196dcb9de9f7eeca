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
import socket
import sys
import threading
import traceback
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from IPython.core.application import ENV_CONFIG_DIRS, SYSTEM_CONFIG_DIRS, BaseIPythonApplication
from traitlets import Any as AnyTrait

from jupyter_workflows.execution.kernels import locks
from jupyter_workflows.execution.kernels.platforms import start_ticks
from jupyter_workflows.execution.kernels.protocol import Lines, pack
from jupyter_workflows.execution.kernels.server import blas, process


def _without_debugger() -> None:
    """Import ipykernel's debugger as if debugpy were not installed: it is large, and nobody debugs here."""
    before = sys.modules.get("debugpy")
    sys.modules["debugpy"] = None  # type: ignore[assignment]
    try:
        import ipykernel.debugger  # noqa: F401
    finally:
        del sys.modules["debugpy"]
        if isinstance(before, ModuleType):
            sys.modules["debugpy"] = before


_without_debugger()

from ipykernel.displayhook import ZMQDisplayHook  # noqa: E402
from ipykernel.ipkernel import IPythonKernel  # noqa: E402
from ipykernel.kernelapp import IPKernelApp  # noqa: E402
from ipykernel.utils import _async_in_context  # noqa: E402

from jupyter_workflows.execution.kernels.server import shortcuts, sockets  # noqa: E402
from jupyter_workflows.execution.kernels.server.linked import (  # noqa: E402
    LinkOutlet,
    ShellLink,
    StageSession,
)
from jupyter_workflows.execution.kernels.server.loops import ForkableLoop  # noqa: E402
from jupyter_workflows.execution.kernels.server.publisher import Publisher, StageOutStream  # noqa: E402
from jupyter_workflows.execution.kernels.server.rehearsal import rehearse  # noqa: E402


class _MainThread:
    """Stands in for ipykernel's shell channel thread, which a kernel without subshells has no use for."""

    def __init__(self) -> None:
        self.parent_thread = threading.main_thread()

    def __bool__(self) -> bool:
        return False


class _StopAborting:
    """A message part of ipykernel's own."""

    buffer = b"stop aborting"
    bytes = b""


class StageKernel(shortcuts.Shortcuts, IPythonKernel):
    """An IPython kernel that reads its shell channel itself."""

    shell_stream = AnyTrait(allow_none=True)

    @property
    def _supports_kernel_subshells(self) -> bool:
        return False

    async def do_execute(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Execute a cell; a process that it forked, and that comes back from it, is no second kernel."""
        execute: Any = super().do_execute
        me = os.getpid()
        try:
            reply: dict[str, Any] = await execute(*args, **kwargs)
        finally:
            if os.getpid() != me:
                os._exit(0)  # before it takes part in the loop, whose descriptors it shares
        return reply

    def _abort_queues(self, subshell_id: str | None = None) -> None:
        """Abort the requests that have arrived; the mark behind them ends it."""
        self._aborting = True
        self.shell_stream.flush(1)
        receive: Any = _async_in_context(partial(self.shell_main, None))
        self._abort_mark = asyncio.ensure_future(receive([_StopAborting]))


class PreparedKernel:
    """A kernel before and after the fork."""

    def __init__(self, app: Any, kernel: Any, publisher: Publisher) -> None:
        self.app = app
        self.kernel = kernel
        self.publisher = publisher
        self.surroundings = process.Surroundings()
        self.streams = [StageOutStream(app.session, publisher, name) for name in ("stdout", "stderr")]
        self.loop = ForkableLoop()
        self.shell = ShellLink(publisher, self.loop.tornado)
        self.startup_folders = [
            app.profile_dir.startup_dir,
            *(os.path.join(path, "startup") for path in (*ENV_CONFIG_DIRS, *SYSTEM_CONFIG_DIRS)),  # noqa: PTH118
        ]
        self.outlet: LinkOutlet | sockets.SocketOutlet | None = None
        self.threads: blas.Threads
        self.begun = False
        self.lock: int | None = None
        self.passed: list[int] = []

    # Before the fork

    @classmethod
    def make(cls) -> PreparedKernel:
        """Build what can be built without sockets and threads."""
        app: Any = IPKernelApp.instance()
        initialize: Any = BaseIPythonApplication.initialize
        initialize(app, ["--HistoryManager.enabled=False", "--log-level=40"])
        app.log.setLevel(app.log_level)  # else each message that nobody sees is made nevertheless
        app.init_pdb()
        publisher = Publisher()
        app.session = StageSession(publisher, parent=app)
        app.iopub_thread = app.iopub_socket = publisher
        kernel: Any = StageKernel.instance(
            parent=app,
            session=app.session,
            log=app.log,
            profile_dir=app.profile_dir,
            user_ns=app.user_ns,
            iopub_thread=publisher,
            iopub_socket=publisher,
            shell_channel_thread=_MainThread(),
            compiler_class=shortcuts.StageCompiler,
        )
        kernel.take_shortcuts(kernel.shell)
        kernel._execute_sleep = 0.0  # what it helps against, outputs after the reply, does not happen here
        app.kernel = kernel
        app.displayhook = ZMQDisplayHook(app.session, publisher)  # type: ignore[no-untyped-call]
        app.displayhook.get_execution_count = lambda: kernel.execution_count
        app.init_path()
        prepared = cls(app, kernel, publisher)
        app.init_shell()
        app.init_gui_pylab()
        app.init_extensions()
        app.patch_io()
        atexit.unregister(kernel.shell.atexit_operations)  # see `_leave`
        return prepared

    def rehearse(self) -> None:
        """Go through what every kernel does, so that its code and caches are there before the fork."""
        import ipywidgets  # noqa: F401

        signal.signal(signal.SIGINT, signal.SIG_IGN)
        self.kernel.shell.exit_now = False
        rehearse(self.kernel, self.streams, self.loop.asyncio)
        self.threads = blas.Threads()
        self.kernel.shell_stream = self.shell
        self.kernel.start()
        self.loop.fold()
        self.app.init_code()

    # After the fork

    def live(self, seat: process.Seat) -> None:
        """Be a kernel until the end of this process."""
        code = 1
        try:
            self._open()
            lines = Lines()
            self.loop.asyncio.add_reader(seat.channel.fileno(), self._hear, seat, lines)
            self._tell(seat, {"ready": True})
            gc.enable()
            try:
                self.loop.tornado.start()
            except KeyboardInterrupt:
                pass
            code = 0
        except SystemExit as error:
            code = error.code if isinstance(error.code, int) else 0 if error.code is None else 1
        except BaseException:
            traceback.print_exc(file=sys.__stderr__)
        finally:
            self._leave(code)

    def _open(self) -> None:
        """Do what can be done before it is known what this kernel is for."""
        app, kernel, session = self.app, self.kernel, self.app.session
        self.loop.unfold()
        session.pid = os.getpid()
        session.session = kernel.ident = os.urandom(16).hex()
        kernel.shell.displayhook.topic = kernel._topic("execute_result")
        self.publisher.open()
        for stream in self.streams:
            stream.redirect()
        sys.stdout, sys.stderr = self.streams
        sys.displayhook = app.displayhook
        kernel._stdout, kernel._stderr = sys.stdout, sys.stderr

    def _hear(self, seat: process.Seat, lines: Lines) -> None:
        """Do what the server asks for."""
        data, passed, _, _ = socket.recv_fds(seat.channel, 65536, 1)
        self.passed += passed
        if not data:
            self.loop.asyncio.remove_reader(seat.channel.fileno())
            self.loop.tornado.stop()
        for message in lines.feed(data):
            if message["op"] == "start" and not self.begun:
                self.begun = True
                try:
                    connection = self._begin(message, seat)
                except Exception as error:
                    self._tell(seat, {"error": f"{type(error).__name__}: {error}"})
                    self.loop.tornado.stop()
                else:
                    reply = {"started": start_ticks(os.getpid()), "connection": connection}
                    self._tell(seat, {**reply, "language_info": self.kernel.language_info})
            elif message["op"] == "finish":
                self.loop.tornado.stop()

    def _tell(self, seat: process.Seat, message: dict[str, Any]) -> None:
        seat.channel.sendall(pack(message))

    def _begin(self, request: dict[str, Any], seat: process.Seat) -> dict[str, Any] | None:
        """Take up the work of one attempt, and return how to connect if that is to be possible."""
        if request["lock"] is not None:
            self.lock = locks.hold(request["lock"])
        shell = self.kernel.shell
        environment = request["env"]
        self.surroundings.replace(environment, request["cwd"])
        process.renew_secrets()
        self.threads.restore(environment)
        shell.init_environment()
        os.environ.setdefault("MPLBACKEND", "module://matplotlib_inline.backend_inline")
        cwd = Path.cwd()
        shell.starting_dir = str(cwd)
        shell.history_manager.dir_hist[:] = [cwd]
        if name := environment.get("JPY_SESSION_NAME"):
            shell.user_ns["__session__"] = name
        connection = self._connect(request["linked"], seat)
        if request["memory"] is not None:
            process.limit_memory(request["memory"])
        if self._has_startup_files():
            self.app.init_code()
        return connection

    def _has_startup_files(self) -> bool:
        """Return whether the user's profile has code that each kernel begins with."""
        return bool(os.environ.get("PYTHONSTARTUP")) or any(
            name.endswith((".py", ".ipy")) for folder in self.startup_folders for name in _list(folder)
        )

    def _connect(self, linked: bool, seat: process.Seat) -> dict[str, Any] | None:
        """Open the channels that were asked for."""
        session = self.app.session
        if linked:
            connection = socket.socket(fileno=self.passed.pop())
            session.linked = True
            session.key = b""
            self.shell.watch(connection)
            self.outlet = LinkOutlet(connection)
            self.publisher.start(self.outlet)
            return None
        session.key = os.urandom(32).hex().encode()
        self.outlet = sockets.open_sockets(self.app, self.kernel, seat.sockets)
        self.publisher.start(self.outlet)
        self.kernel.start()
        self.app.control_thread.start()
        return sockets.connection(self.app, self.kernel)

    # The end

    def _leave(self, code: int) -> None:
        """End this process as Python would, without taking apart what ends with it anyway."""
        try:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            threading._shutdown()  # type: ignore[attr-defined]
            atexit._run_exitfuncs()
            shell = self.kernel.shell
            if shell.tempfiles or shell.tempdirs:
                shell.atexit_operations()
            shell.history_manager.output_hist.clear()
            while shell.user_ns:
                shell.user_ns.popitem()  # the latest first, as what a finaliser needs is older
            self._close_files()
            for stream in self.streams:
                stream.flush()
            self.publisher.stop()
            if isinstance(self.outlet, sockets.SocketOutlet) and self.kernel._shutdown_message is not None:
                sockets.flush_sockets(self.app, self.outlet)
        finally:
            os._exit(code)

    def _close_files(self) -> None:
        """Write out what the notebook left in the buffers of files that it did not close."""
        for item in gc.get_objects():
            if isinstance(item, io.BufferedWriter | io.BufferedRandom | io.TextIOWrapper):
                try:
                    item.flush()
                except (OSError, ValueError):
                    pass


def _list(folder: str) -> list[str]:
    try:
        return os.listdir(folder)  # noqa: PTH208
    except OSError:
        return []
