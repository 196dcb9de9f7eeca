"""The process in which attempts are executed, alone."""

from __future__ import annotations

import io
import os
import threading

import pytest

from jupyter_workflows.execution.executors import worker


def test_a_worker_whose_executor_is_gone_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    left: list[bool] = []
    monkeypatch.setattr(worker, "leave", lambda: left.append(True))
    reader, writer = os.pipe()
    os.close(reader)
    made = worker.Worker(io.BytesIO(), os.fdopen(writer, "wb", buffering=0))
    thread = threading.Thread(target=lambda: made._send({"type": "progress"}))
    thread.start()
    thread.join()
    assert left == [True]
    made._outgoing.close()
