"""Importing heavy modules before the fork, as far as they stay single-threaded."""

from __future__ import annotations

import importlib
import os
import traceback


def thread_count() -> int:
    """Return how many threads this process has, those of C libraries included."""
    return len(os.listdir("/proc/self/task"))  # noqa: PTH208


def load(names: list[str]) -> dict[str, str]:
    """Import modules, and return the reasons why some were refused.

    An import cannot be undone. Each candidate is therefore tried in a forked process first, and only what
    leaves that with one thread is imported here.
    """
    refused: dict[str, str] = {}
    for name in names:
        reason = _try(name)
        if reason is None:
            importlib.import_module(name)
        else:
            refused[name] = reason
    return refused


def _try(name: str) -> str | None:
    """Import a module in a process of its own, and return what speaks against it."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.write(writer, _verdict(name).encode()[:4096])
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        verdict = pipe.read().decode(errors="replace")
    _, status = os.waitpid(pid, 0)
    if os.waitstatus_to_exitcode(status) != 0:
        return f"importing it ended the process ({os.waitstatus_to_exitcode(status)})"
    return None if verdict == "good" else verdict or "importing it failed"


def _verdict(name: str) -> str:
    try:
        importlib.import_module(name)
    except BaseException as error:
        return traceback.format_exception_only(error)[-1].strip()
    threads = thread_count()
    return "good" if threads == 1 else f"it starts threads ({threads} after the import)"
