"""Plain words for what can go wrong while a notebook is executed."""

from __future__ import annotations

import re
import signal
from collections.abc import Sequence

#: Terminal colours and other escape sequences, which tracebacks of IPython are full of.
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")

#: Longest message and traceback that are kept in an error; the executed copy has all of it.
MESSAGE_LIMIT = 4_000
TRACEBACK_LIMIT = 40_000


def plain(text: str) -> str:
    """Return `text` without terminal escape sequences."""
    return _ESCAPES.sub("", text)


def shortened(text: str, limit: int) -> str:
    """Return `text`, its middle left out where it is longer than `limit`."""
    if len(text) <= limit:
        return text
    half = limit // 2
    return f"{text[:half]}\n… {len(text) - 2 * half} characters left out …\n{text[-half:]}"


def traceback_text(lines: Sequence[str] | None) -> str | None:
    """Return a kernel's traceback as plain text."""
    return shortened(plain("\n".join(lines)), TRACEBACK_LIMIT) if lines else None


def place(cell: int | None) -> str:
    """Return where something happened: cells are counted from 1, as people do."""
    return "between its cells" if cell is None else f"in cell {cell + 1}"


def seconds(value: float) -> str:
    """Return a number of seconds without needless decimals."""
    return f"{value:g} s"


def size(count: float) -> str:
    """Return a number of bytes in the largest unit that fits."""
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} GiB"


def exception(name: str, value: str) -> str:
    """Return the message of an exception that a cell raised."""
    if name == "StdinNotImplementedError":
        return (
            "The cell asked for keyboard input, but nobody sits at a stage's keyboard. "
            "Use read() of jupyter_workflows.forms in a form stage instead of input()."
        )
    if name == "SystemExit":
        return f"The cell called sys.exit({plain(value)}), which fails a stage unless the code is 0."
    return shortened(plain(value), MESSAGE_LIMIT) or name


def timed_out(title: str, timeout: float, cell: int | None, *, killed: bool) -> str:
    """Return the message of an attempt that ran out of time."""
    how = "was interrupted"
    if killed:
        how = "was killed, because it did not react to the interrupt,"
    return f"Stage '{title}' ran longer than its timeout of {seconds(timeout)} and {how} {place(cell)}"


FORK_SERVER_DIED = "The kernel ended together with the fork server that it came from."


def _ending(exit_code: int) -> str:
    if exit_code >= 0:
        return f"with exit code {exit_code}"
    try:
        return f"by {signal.Signals(-exit_code).name}"
    except ValueError:
        return f"by signal {-exit_code}"


def kernel_not_ready(exit_code: int | None) -> str:
    """Return the message of a kernel that ended before it took requests."""
    how = "" if exit_code is None else f" ({_ending(exit_code)})"
    return f"The kernel ended before it was ready{how}."


def kernel_died(cell: int | None, exit_code: int | None, memory: int | None) -> str:
    """Return the message of an attempt whose kernel ended by itself."""
    text = f"The kernel died {place(cell)}"
    if exit_code is None:
        return f"{text}."
    text = f"{text}: its process ended {_ending(exit_code)}."
    if exit_code == -9:
        reason = "Something killed it; most often that is the system running out of memory"
        limit = f", or the stage's memory limit of {size(memory)}" if memory else ""
        return f"{text} {reason}{limit}."
    return text


def memory_exceeded(title: str, memory: int, used: int, cell: int | None) -> str:
    """Return the message of an attempt that was ended for its use of memory."""
    return (
        f"Stage '{title}' used {size(used)} of memory, more than its limit of {size(memory)}, "
        f"and was ended {place(cell)}"
    )


def package_missing(executable: str | None) -> str:
    """Return the message for a Python kernel that cannot import this package."""
    python = executable or "python"
    return (
        "The package jupyter_workflows is not installed in the environment of this notebook's kernel, so the "
        f"stage's data could not be collected. Install it there: {python} -m pip install jupyter_workflows"
    )


def exit_called(cell: int, call: str) -> str:
    """Return the notice about a cell that ended the notebook by leaving Python."""
    return (
        f"Cell {cell + 1} called {call}: the cells after it were not run. "
        "end_stage() says the same without leaving Python."
    )


def outputs_lost(cell: int) -> str:
    """Return the notice about outputs that came faster than they could be read."""
    return (
        f"Some output of cell {cell + 1} may be missing from the executed notebook, because it came faster "
        "than it could be read. The stage's data is complete."
    )


def no_record(detail: str) -> str:
    """Return the message for a kernel that did not hand over the stage's data."""
    return f"The stage's data could not be collected from the kernel: {detail}"
