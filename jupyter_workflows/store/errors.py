"""What can go wrong in the store, in words for the person who reads it."""

from __future__ import annotations


class StoreError(Exception):
    """The store could not do what was asked.

    Parameters
    ----------
    message
        What is wrong.
    mend
        What can be done about it; may be empty.
    """

    def __init__(self, message: str, mend: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.mend = mend

    def __str__(self) -> str:
        return f"{self.message}. {self.mend}" if self.mend else self.message


class StaleClaim(StoreError):
    """The attempt no longer owns its stage run: it was cancelled, or recovered by another runner."""

    def __init__(self, stage_run: str, attempt: int) -> None:
        super().__init__(f"attempt {attempt} of stage run {stage_run} is not the current one any more")
        self.stage_run = stage_run
        self.attempt = attempt


class NotFound(StoreError):
    """There is no such object."""


class InvalidCursor(StoreError):
    """A cursor that no list has given."""


class WrongState(StoreError):
    """The object is not in a state in which this can be done."""


class SlugTaken(StoreError):
    """Another workflow has the name in URLs that this one would get.

    Parameters
    ----------
    slug
        The name.
    title, uid
        Of the other workflow.
    """

    def __init__(self, slug: str, title: str, uid: str) -> None:
        super().__init__(
            f"the name {slug!r} in URLs belongs to another workflow already: {title or uid!r}",
            "Give this one a name of its own with --slug NAME (once, for it never changes), or another title."
            f" If both are the same workflow, its uid must be {uid}",
        )
        self.slug = slug
        self.uid = uid


class IdempotencyConflict(StoreError):
    """An idempotency key was used again for another request."""


class DatabaseBusy(StoreError):
    """The database stayed locked for longer than the busy timeout."""


class NeedsUpgrade(StoreError):
    """The database's schema is older than this program's."""


class NewerSchema(StoreError):
    """The database's schema is newer than this program's."""


class Conflict(StoreError):
    """Another transaction was in the way; the same again may succeed."""
