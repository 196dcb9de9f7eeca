"""Mail in the outbox."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from .. import deployments, mailbox, outbox
from ..mailbox import Mail
from ..outbox import OutboxEntry
from .base import StoreBase


class MailOperations(StoreBase):
    """What sending mail needs beside `take_outbox`, `outbox_sent` and `outbox_failed`."""

    def take_mail(self, kinds: Collection[str], *, hold: float) -> OutboxEntry | None:
        """Return an entry that is due to be sent, if there is one; nobody else gets it for `hold` seconds."""
        with self.database.write() as connection:
            now = self.database.now(connection)
            taken = outbox.take(connection, limit=1, now=now, kinds=kinds, hold=timedelta(seconds=hold))
        return taken[0] if taken else None

    def count_due_mail(self, kinds: Collection[str]) -> int:
        """Return how many entries are due to be sent."""
        with self.database.read() as connection:
            return outbox.count_due(connection, kinds, self.database.now(connection))

    def give_up_mail(self, entry: OutboxEntry, error: str) -> None:
        """Note that an entry cannot be sent, ever; it stays, with the reason."""
        with self.database.write() as connection:
            outbox.give_up(connection, entry, error)

    def owner_address(self, workflow_uid: str) -> str | None:
        """Return where mail about a workflow's failures goes.

        Raises
        ------
        NotFound
            The workflow was never deployed.
        """
        with self.database.read() as connection:
            return deployments.get_workflow(connection, workflow_uid).owner_address

    def list_mail(self, *, run_id: str | None = None, limit: int = 50) -> list[Mail]:
        """Return letters, the newest first: those that were written, and those that test runs would write."""
        with self.database.read() as connection:
            return mailbox.newest(connection, run_id=run_id, limit=limit)
