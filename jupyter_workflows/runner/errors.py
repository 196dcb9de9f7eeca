"""What can keep a run from starting, in words for the person who asked for it."""

from __future__ import annotations

from collections.abc import Sequence


class RunnerError(Exception):
    """A run could not be started as asked.

    Parameters
    ----------
    message
        What is wrong.
    mend
        What can be done about it.
    choices
        The values that would have been right, where that is a choice.
    """

    def __init__(self, message: str, mend: str = "", *, choices: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.mend = mend
        self.choices = tuple(choices)

    def __str__(self) -> str:
        return f"{self.message}. {self.mend}" if self.mend else self.message
