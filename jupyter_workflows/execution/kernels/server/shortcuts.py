"""What ipykernel does twice, or slowly, for each cell, done once and fast.

A kernel of a small stage lives for a few hundredths of a second: what looks like nothing in a kernel that
lives for hours counts here. None of it changes what a notebook sees.
"""

from __future__ import annotations

import _signal
import os
import signal
import zlib
from collections.abc import Callable
from typing import Any

import ipykernel.ipkernel
from ipykernel.compiler import XCachingCompiler, get_tmp_directory


class StageCompiler(XCachingCompiler):
    """Names cells without hashing their text in Python, character by character."""

    def get_code_name(self, raw_code: str, code: str, number: int) -> str:
        """Return the name of the file that a cell is said to come from."""
        name = os.environ.get("IPYKERNEL_CELL_NAME")
        if name is not None:
            return name
        text = raw_code.encode("utf8", "surrogatepass")
        return f"{get_tmp_directory()}{os.sep}{zlib.crc32(text)}{len(text)}.py"  # type: ignore[no-untyped-call]


class Shortcuts:
    """Mixed into a kernel class: takes the short ways for each request."""

    iopub_thread: Any
    saved_sigint_handler: Any
    _latest: list[Latest]

    def take_shortcuts(self, shell: Any) -> None:
        """Have found out once what a cell's text becomes, and which functions take which arguments."""
        self._latest = [Latest(shell.transform_cell), Latest(shell.should_run_async)]
        shell.transform_cell, shell.should_run_async = self._latest
        inspect: Callable[..., Any] | None = getattr(ipykernel.ipkernel, "_accepts_parameters", None)
        if inspect is not None:
            vars(ipykernel.ipkernel)["_accepts_parameters"] = _remembered(inspect)

    def pre_handler_hook(self) -> None:
        """Let interrupts raise while a request is handled."""
        # Not `signal.signal`: it makes enumerations of numbers.
        self.saved_sigint_handler = _signal.signal(signal.SIGINT, signal.default_int_handler)
        for latest in self._latest:
            latest.forget()

    def post_handler_hook(self) -> None:
        """Ignore interrupts again, and let what forked processes said come before the end of the cell."""
        _signal.signal(signal.SIGINT, self.saved_sigint_handler)
        self.iopub_thread.take_relayed()


class Latest:
    """A function that remembers its latest result; ipykernel asks once, and IPython again."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self._known: tuple[Any, Any] | None = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        question = args, kwargs
        if self._known is None or self._known[0] != question:
            self._known = question, self._function(*args, **kwargs)
        return self._known[1]

    def forget(self) -> None:
        """Forget the latest result."""
        self._known = None


def _remembered(inspect: Callable[..., Any]) -> Callable[..., Any]:
    """Make a function that looks at the signature of a method remember what it saw."""
    seen: dict[Any, Any] = {}

    def remembering(method: Any, names: list[str]) -> Any:
        key = getattr(method, "__func__", method), tuple(names)
        if key not in seen:
            seen[key] = inspect(method, names)
        return seen[key]

    return remembering
