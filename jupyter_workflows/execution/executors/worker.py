"""A worker process of the local executor: executes one attempt after the other."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import logging
import os
import queue
import signal
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import IO, Any

from jupyter_workflows.execution.executors import frames, imports

imports.import_papermill()

from jupyter_workflows.execution.attempt import execute_attempt  # noqa: E402
from jupyter_workflows.execution.limits import CancelToken, Limits  # noqa: E402
from jupyter_workflows.execution.running import kill_kernels  # noqa: E402
from jupyter_workflows.execution.spec import AttemptSpec, Progress  # noqa: E402

_PR_SET_PDEATHSIG = 1


class Worker:
    """Takes attempts from the executor and tells it their outcomes."""

    def __init__(self, incoming: IO[bytes], outgoing: IO[bytes]) -> None:
        self._incoming = incoming
        self._outgoing = outgoing
        self._sending = threading.Lock()
        self._attempts: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._cancel: CancelToken | None = None

    def run(self) -> None:
        """Work until the executor says stop."""
        threading.Thread(target=self._listen, name="executor", daemon=True).start()
        self._send({"type": "ready"})
        while (message := self._attempts.get()) is not None:
            self._execute(message)

    def _execute(self, message: dict[str, Any]) -> None:
        self._send({"type": "taken"})  # who hears nothing may give the attempt to another worker
        outcome = execute_attempt(
            AttemptSpec.from_json(message["spec"]),
            fork_server=message["fork_server"],
            on_progress=self._report,
            cancel=message["cancel"],
            limits=Limits(**message["limits"]),
        )
        self._send({"type": "outcome", "outcome": outcome.to_json()})

    def _report(self, progress: Progress) -> None:
        self._send(
            {
                "type": "progress",
                "event": progress.event,
                "cell": progress.cell,
                "cells": progress.cells,
                "message": progress.message,
                "response": progress.response,
            }
        )

    def _send(self, message: dict[str, Any]) -> None:
        try:
            with self._sending:
                self._outgoing.write(frames.pack(message))
                self._outgoing.flush()
        except BrokenPipeError:
            leave()  # the executor is gone

    def _listen(self) -> None:
        """Take in what the executor says, also while an attempt is being executed."""
        while (message := frames.receive(self._incoming)) is not None:
            if message["type"] == "execute":
                # Made here, so that a cancellation right behind it finds it.
                self._cancel = message["cancel"] = CancelToken()
                self._attempts.put(message)
            elif message["type"] == "cancel" and self._cancel is not None:
                self._cancel.cancel()
            elif message["type"] == "stop":
                self._attempts.put(None)
                return
        leave()  # the executor is gone


def leave(number: int = signal.SIGTERM, frame: FrameType | None = None) -> None:
    """End this process and its kernels at once."""
    kill_kernels()
    os._exit(128 + number)


def end_with_parent(parent: int) -> None:
    """Have the system end this process when its parent ends, where it can."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        leave()


def main() -> None:
    """Run a worker: ``worker PARENT``. The executor talks over standard input and output."""
    signal.signal(signal.SIGTERM, leave)
    end_with_parent(int(sys.argv[1]))
    incoming, outgoing = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    with Path(os.devnull).open("rb") as null:
        os.dup2(null.fileno(), 0)
    os.dup2(2, 1)  # what anything prints is not for the executor
    os.chdir(Path(os.sep))  # the folder of the moment may be removed
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("papermill").setLevel(logging.WARNING)
    logging.getLogger("traitlets").setLevel(logging.CRITICAL)  # what nbformat finds at fault, in many lines
    gc.freeze()  # what was imported stays: no need to go through it again and again
    Worker(incoming, outgoing).run()


if __name__ == "__main__":
    main()
