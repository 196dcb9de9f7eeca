"""An event loop that is made before the fork and used after it."""

from __future__ import annotations

import selectors
import signal
from typing import Any

from tornado.ioloop import IOLoop


class ForkableLoop:
    """The main thread's event loop, as tornado and asyncio know it.

    Its descriptors must not be shared with other processes. They are closed before the fork, and made anew
    after it; all else, what is to be called when included, stays.
    """

    def __init__(self) -> None:
        self.tornado: Any = IOLoop.current()
        self.asyncio: Any = self.tornado.asyncio_loop  # type: ignore[attr-defined]

    def fold(self) -> None:
        """Close the descriptors."""
        self.asyncio._close_self_pipe()
        self.asyncio._selector.close()
        self.asyncio._selector = None

    def unfold(self) -> None:
        """Make descriptors of this process's own."""
        self.asyncio._selector = selectors.DefaultSelector()
        self.asyncio._make_self_pipe()
        # What a signal's handler schedules is to happen at once, also while the loop waits for something.
        signal.set_wakeup_fd(self.asyncio._csock.fileno(), warn_on_full_buffer=False)
