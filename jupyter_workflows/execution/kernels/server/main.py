"""From the command line to serving, and, in a forked process, on to being a kernel."""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import os
import shutil
import socket
import sys
from pathlib import Path

from jupyter_workflows.execution.kernels.protocol import SOCKET_NAME, pack, reachable
from jupyter_workflows.execution.kernels.server import memory, preload
from jupyter_workflows.execution.kernels.server.service import OwnerGone, Service, Settings


def main() -> None:
    """Serve until the owner ends; a forked process leaves this function as a kernel."""
    arguments = _parse(sys.argv[1:])
    if sys.path and sys.path[0] in ("", str(Path.cwd())):
        del sys.path[0]  # kernels must not find modules in the server's folder
    lock = os.open(os.path.join(arguments.folder, "lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)  # noqa: PTH118
    fcntl.flock(lock, fcntl.LOCK_EX)
    from jupyter_workflows.execution.kernels.server.kernel import PreparedKernel

    prepared = PreparedKernel.make()
    refused = preload.load([name for name in arguments.preload.split(",") if name])
    prepared.rehearse()
    threads = preload.thread_count()
    if threads != 1:
        raise SystemExit(f"The fork server has {threads} threads, so it must not fork kernels.")
    settings = Settings(
        folder=arguments.folder, owner=arguments.owner, pool=arguments.pool, patience=arguments.patience
    )
    try:
        service = Service(settings, _listen(arguments.folder))
    except OwnerGone:
        shutil.rmtree(arguments.folder, ignore_errors=True)
        raise
    memory.settle()
    if service.check():
        # Who is not there any more to read it is the owner, whose end the service sees to.
        with contextlib.suppress(BrokenPipeError):
            os.write(arguments.ready, pack({"pid": os.getpid(), "refused": refused}))
        os.close(arguments.ready)
        service.serve()
    if service.seat is not None:
        prepared.live(service.seat)
    sys.stderr.flush()
    os._exit(0)  # what kernels registered for their end is not for the server's


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="fork server", description="Forks kernels for stages.")
    parser.add_argument("--folder", required=True, help="private folder for sockets")
    parser.add_argument("--owner", type=int, required=True, help="process whose end ends the server")
    parser.add_argument("--ready", type=int, required=True, help="descriptor to report on")
    parser.add_argument("--pool", type=int, default=2, help="kernels to keep ready")
    parser.add_argument("--preload", default="", help="modules to import beforehand, with commas")
    parser.add_argument("--patience", type=float, default=5.0, help="seconds that a kernel may take to end")
    return parser.parse_args(arguments)


def _listen(folder: str) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with reachable(os.path.join(folder, SOCKET_NAME)) as path:  # noqa: PTH118
        listener.bind(path)
    listener.listen(128)
    listener.setblocking(False)
    return listener
