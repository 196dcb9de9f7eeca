"""The fork server as other processes see it."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from jupyter_workflows.execution.kernels.errors import ForkServerError
from jupyter_workflows.execution.kernels.platforms import can_fork_kernels
from jupyter_workflows.execution.kernels.protocol import SOCKET_NAME, Lines, connect, fits, pack
from jupyter_workflows.execution.kernels.server.blas import SINGLE_THREADED

if sys.platform != "win32":
    import fcntl

logger = logging.getLogger(__name__)

_FOLDER_PREFIX = "jwf-"

#: As long as the name of a kernel's socket gets.
_LONGEST_NAME = "k1234567-1"

#: What the server itself may know of its owner's environment. Everybody who can look at a kernel's process
#: sees it, whatever the kernel's own environment is.
_PASSED_ON = {
    "CONDA_PREFIX",
    "HOME",
    "IPYTHONDIR",
    "LANG",
    "LANGUAGE",
    "LD_LIBRARY_PATH",
    "LOGNAME",
    "MPLCONFIGDIR",
    "PATH",
    "PYTHONHOME",
    "PYTHONPATH",
    "PYTHONUSERBASE",
    "PYTHONNOUSERSITE",
    "TMPDIR",
    "TZ",
    "USER",
    "VIRTUAL_ENV",
}
_PASSED_ON_PREFIXES = ("LC_", "XDG_", "JUPYTER_CONFIG", "JUPYTER_DATA", "JUPYTER_PATH", "JUPYTER_PREFER")


class ForkServer:
    """A fork server, started by this process or by another.

    Use `start` or `connect`, not the constructor.

    Attributes
    ----------
    address
        Path of the server's socket, for `connect` in other processes.
    executable
        The Python interpreter that its kernels run.
    refused
        Modules that were to be imported beforehand and were not, each with the reason. Known to the process
        that started the server.
    """

    def __init__(
        self,
        address: str,
        *,
        executable: str,
        refused: dict[str, str] | None = None,
        process: subprocess.Popen[bytes] | None = None,
    ) -> None:
        self.address = address
        self.executable = executable
        self.refused = refused or {}
        self._process = process

    @classmethod
    def start(
        cls,
        pool: int = 2,
        preload: Iterable[str] = (),
        *,
        executable: str | None = None,
        folder: str | os.PathLike[str] | None = None,
        timeout: float = 60.0,
        patience: float = 5.0,
    ) -> ForkServer:
        """Start a fork server, which ends with this process at the latest.

        Parameters
        ----------
        pool
            How many kernels are kept ready. With 0, each is forked when it is asked for.
        preload
            Modules that kernels find imported already. Those that start threads are refused.
        executable
            The Python interpreter of the kernels' environment; by default this process's own. The package
            must be installed there.
        folder
            Where the server makes its private folder. By default where paths are short.
        timeout
            Seconds that the start may take.
        patience
            Seconds that a kernel which is told to finish may take for it.

        Raises
        ------
        ForkServerError
            The server did not start, or there cannot be one on this system.
        """
        if not can_fork_kernels():
            raise ForkServerError(f"Kernels cannot be forked on this system ({sys.platform}).")
        executable = executable or sys.executable
        private = tempfile.mkdtemp(prefix=_FOLDER_PREFIX, dir=folder or _short_folder())
        if not fits(os.path.join(private, _LONGEST_NAME)):  # noqa: PTH118
            logger.warning(
                "The path of %s is too long for sockets: connectable kernels are going to use TCP.", private
            )
        reader, writer = os.pipe()
        command = [executable, "-m", "jupyter_workflows.execution.kernels.server"]
        command += ["--folder", private, "--owner", str(os.getpid()), "--ready", str(writer)]
        command += ["--pool", str(pool), "--preload", ",".join(preload), "--patience", str(patience)]
        try:
            process = subprocess.Popen(
                command,
                cwd=private,
                env=_scrubbed(os.environ),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[writer],
                start_new_session=True,
            )
        except OSError as error:
            os.close(reader)
            os.close(writer)
            shutil.rmtree(private, ignore_errors=True)
            raise ForkServerError(f"The fork server cannot be started: {error}") from error
        os.close(writer)
        server = cls(os.path.join(private, SOCKET_NAME), executable=executable, process=process)  # noqa: PTH118
        try:
            report = _read_report(reader, timeout)
        except ForkServerError:
            server.stop(timeout=0)
            raise
        server.refused = report["refused"]
        return server

    @classmethod
    def connect(cls, address: str) -> ForkServer:
        """Return a handle for a server that another process started.

        Raises
        ------
        ForkServerError
            Nobody answers there.
        """
        server = cls(address, executable="")
        server.executable = server.statistics()["executable"]
        return server

    @property
    def pid(self) -> int:
        """The server's process id."""
        return int(self._process.pid if self._process is not None else self.statistics()["pid"])

    def is_alive(self) -> bool:
        """Return whether the server takes connections."""
        if self._process is not None and self._process.poll() is not None:
            return False
        try:
            connect(self.address).close()
        except OSError:
            return False
        return True

    def statistics(self) -> dict[str, Any]:
        """Return figures: kernels ``ready``, ``warming`` and ``owned`` (process ids), ``forks``, ``cpu`` ...

        Raises
        ------
        ForkServerError
            The server does not answer.
        """
        return self._ask({"op": "statistics"})

    def resize(self, pool: int) -> None:
        """Change how many kernels are kept ready."""
        self._ask({"op": "pool", "size": pool}, {"op": "statistics"})

    def stop(self, *, timeout: float = 5.0) -> None:
        """Stop the server, and with it all kernels that it forked."""
        with contextlib.suppress(OSError, ForkServerError):
            self._ask({"op": "stop"})
        if self._process is not None:
            try:
                self._process.wait(timeout)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            shutil.rmtree(Path(self.address).parent, ignore_errors=True)

    def _ask(self, *requests: dict[str, Any], timeout: float = 10.0) -> dict[str, Any]:
        try:
            with connect(self.address) as connection:
                connection.settimeout(timeout)
                connection.sendall(b"".join(pack(request) for request in requests))
                lines = Lines()
                while data := connection.recv(65536):
                    for message in lines.feed(data):
                        return message
        except OSError as error:
            raise ForkServerError(f"The fork server at {self.address} does not answer: {error}") from error
        return {}

    def __enter__(self) -> ForkServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _scrubbed(environment: os._Environ[str]) -> dict[str, str]:
    kept = {
        name: value
        for name, value in environment.items()
        if name in _PASSED_ON or name.startswith(_PASSED_ON_PREFIXES)
    }
    return {**kept, **SINGLE_THREADED, "MPLBACKEND": "module://matplotlib_inline.backend_inline"}


def _read_report(reader: int, timeout: float) -> dict[str, Any]:
    """Wait until the server says that it is ready, or why it is not."""
    deadline = time.monotonic() + timeout
    data = b""
    with os.fdopen(reader, "rb", buffering=0) as pipe:
        while not data.endswith(b"\n"):
            if not select.select([pipe], [], [], max(0.0, deadline - time.monotonic()))[0]:
                raise ForkServerError(f"The fork server was not ready after {timeout:g} seconds.")
            piece = pipe.read(65536)
            if not piece:
                raise ForkServerError("The fork server ended while it was starting.")
            data += piece
    report: dict[str, Any] = json.loads(data)
    if "error" in report:
        raise ForkServerError(f"The fork server could not start: {report['error']}")
    return report


def _short_folder() -> str:
    """Return a folder for sockets: paths to them are limited. Leftovers of killed servers are removed."""
    for candidate in (os.environ.get("XDG_RUNTIME_DIR"), tempfile.gettempdir(), "/tmp"):
        if candidate and len(candidate) < 60 and os.access(candidate, os.W_OK | os.X_OK):
            _sweep(Path(candidate))
            return candidate
    return tempfile.gettempdir()


def _sweep(folder: Path) -> None:
    """Remove the folders of servers that were killed together with their owners."""
    for leftover in folder.glob(f"{_FOLDER_PREFIX}*"):
        try:
            if leftover.stat().st_uid != os.getuid() or time.time() - leftover.stat().st_mtime < 300:
                continue
            with open(leftover / "lock", "rb") as lock:  # noqa: PTH123
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(leftover, ignore_errors=True)
        except OSError:
            continue
