"""Time that a test lets pass."""

from __future__ import annotations

from datetime import timedelta


class Clock:
    """The database's clock, in the hands of a test."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def pass_(self, **time: float) -> None:
        """Let time pass."""
        self.ahead += timedelta(**time)
