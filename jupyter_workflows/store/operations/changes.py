"""What changed, and who works."""

from __future__ import annotations

from datetime import timedelta

from .. import changes, recovery
from ..changes import Change
from ..recovery import RunnerRecord
from .base import StoreBase


class ChangeOperations(StoreBase):
    """What servers look at to say how things stand."""

    def changes_since(self, after: int, *, limit: int = 1000) -> list[Change]:
        """Return what changed after a change, in order."""
        with self.database.read() as connection:
            return changes.since(connection, after, limit)

    def last_change(self) -> int:
        """Return the number of the last change."""
        with self.database.read() as connection:
            return changes.last(connection)

    def list_runners(self, *, since: timedelta) -> list[RunnerRecord]:
        """Return the runners that gave a sign of life in this time and have not signed off."""
        with self.database.read() as connection:
            return recovery.list_runners(connection, self.database.now(connection) - since)
