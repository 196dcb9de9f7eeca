"""The state of this execution: one object per kernel, which all parts of the authoring API share."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from .blobs import Blobs
from .context import Context, context_file, read_context
from .journal import Journal

if TYPE_CHECKING:
    from .stage import Stage


class Attempt:
    """What has happened in this execution so far.

    Parameters
    ----------
    context
        What the execution was told when it started.

    Attributes
    ----------
    route
        The resolved entries of `next_stage`; `None` until it was called.
    ended
        Whether `next_stage` or `end_stage` ended the notebook.
    warnings
        What the person who looks at the attempt should know.
    asked
        Keys of the form fields that were asked, in order.
    position
        How many form pages have been shown.
    once_keys
        The keys that `once` was called with.
    """

    def __init__(self, context: Context) -> None:
        self.context = context
        self.blobs = Blobs(context.folder, context.artifacts, context.attempt)
        self.route: list[dict[str, Any]] | None = None
        self.ended = False
        self.warnings: list[str] = []
        self.asked: list[str] = []
        self.position = 0
        self.once_keys: set[str] = set()
        self._journal: Journal | None = None
        self._stage: Stage | None = None

    @property
    def journal(self) -> Journal:
        """The stage run's journal, read when it is first needed."""
        if self._journal is None:
            self._journal = Journal(self.context.folder, self.context.attempt)
        return self._journal

    @property
    def stage(self) -> Stage:
        """The stage that `get_stage` returns."""
        if self._stage is None:
            from .stage import Stage

            self._stage = Stage(self)
        return self._stage

    @property
    def touched_stage(self) -> Stage | None:
        """The stage, if the notebook ever asked for it."""
        return self._stage

    def warn(self, message: str) -> None:
        """Note a warning for the attempt, and print it where the notebook shows it."""
        self.warnings.append(message)
        print(f"Warning: {message}", file=sys.stderr)


_current: Attempt | None = None


def current() -> Attempt:
    """Return the state of this execution, which begins with the first call."""
    global _current
    if _current is None:
        file = context_file()
        if file is None:
            from .draft import draft_context

            _current = Attempt(draft_context())
        else:
            from .lock import hold_lock

            context = read_context(file)
            hold_lock(context.folder)
            _current = Attempt(context)
    return _current


def begin(attempt: Attempt | None) -> None:
    """Make an attempt the current one; with `None` the next call of `current` looks again."""
    global _current
    _current = attempt
