"""The outbox, and removing what is not needed any more."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from jupyter_workflows.model.states import RunMode

from .. import artifact_refs, changes, outbox, retention, runs
from ..editors import EditorServer
from ..errors import NotFound, WrongState
from ..outbox import OutboxEntry
from ..retention import Removed
from .base import StoreBase

_BATCH = 100
_DAY = 86_400.0


class UpkeepOperations(StoreBase):
    """What a runner does from time to time."""

    def take_outbox(self, *, limit: int = 20) -> list[OutboxEntry]:
        """Return entries that are due to be sent; nobody else gets them for two minutes."""
        with self.database.write() as connection:
            return outbox.take(connection, limit=limit, now=self.database.now(connection))

    def outbox_sent(self, entry: OutboxEntry) -> None:
        """Note that an entry was sent."""
        with self.database.write() as connection:
            outbox.sent(connection, entry, self.database.now(connection))

    def outbox_failed(self, entry: OutboxEntry, error: str) -> datetime:
        """Note that an entry could not be sent, and return when it is tried again."""
        with self.database.write() as connection:
            return outbox.failed(connection, entry, error, self.database.now(connection))

    def add_to_outbox(
        self,
        kind: str,
        payload: Mapping[str, Any],
        *,
        run_id: str | None = None,
        dedupe_key: str | None = None,
        due_at: datetime | None = None,
    ) -> None:
        """Put something into the outbox, once for each `dedupe_key`."""
        with self.database.write() as connection:
            outbox.add(
                connection,
                kind,
                payload,
                now=self.database.now(connection),
                run_id=run_id,
                dedupe_key=dedupe_key,
                due_at=due_at,
            )

    def retain(
        self,
        *,
        age: float | None = None,
        count: int | None = None,
        test_age: float | None = 7 * _DAY,
        grace: float = _DAY,
        limit: int = 500,
    ) -> Removed:
        """Remove ended runs that are too old or too many, their evidence, and what only they used.

        Parameters
        ----------
        age, test_age
            For how many seconds live runs and test runs are kept after they ended; `None`: for ever.
        count
            How many ended live runs of each workflow are kept; `None`: all.
        grace
            For how many seconds an artifact is kept that no run refers to: an attempt may be about to.
        limit
            How many runs are removed by one call, so that it does not hold others up.
        """
        with self.database.read() as connection:
            now = self.database.now(connection)
            found: dict[str, None] = {}
            for mode, kept in ((RunMode.LIVE, age), (RunMode.TEST, test_age)):
                if kept is not None:
                    before = now - timedelta(seconds=kept)
                    found.update(dict.fromkeys(retention.too_old(connection, mode, before, limit + 1)))
            if count is not None:
                found.update(dict.fromkeys(retention.too_many(connection, count, limit + 1)))
        chosen = list(found)[:limit]
        self._delete_runs(chosen)
        with self.database.write() as connection:
            retention.delete_expired_keys(connection, now)
            changes.trim(connection)
            unused = artifact_refs.forget_unused(connection, now - timedelta(seconds=grace))
        return Removed(tuple(chosen), self._delete_artifacts(unused, grace), len(found) > limit)

    def erase_runs(self, owner: str) -> Removed:
        """Remove all runs of an owner, whatever their state: those that an editor's server tested."""
        with self.database.read() as connection:
            found = retention.owned(connection, owner, 10_000)
        return self._erase(found, by=owner)

    def erase_tests(self, server: EditorServer) -> Removed:
        """Remove the test runs of editors whose server was one of this place, and has ended.

        Another server that serves the same folder and lives keeps its own.
        """
        with self.database.read() as connection:
            found = [
                run_id
                for text in retention.editors(connection, server.prefix)
                if EditorServer.parse(text).has_ended
                for run_id in retention.started_in(connection, text, 10_000)
            ]
        return self._erase(found, by="the start of the server")

    def _erase(self, found: list[str], *, by: str) -> Removed:
        for run_id in found:
            with self.database.write() as connection:
                try:
                    # What executes of it is fenced off, and its runner sees that.
                    runs.cancel_run(connection, run_id, by, self.database.now(connection))
                except (WrongState, NotFound):  # it has ended, or somebody else erases it
                    continue
        self._delete_runs(found)
        return Removed(tuple(found))

    def sweep_files(self, *, grace: float = _DAY) -> Removed:
        """Remove folders of runs and artifacts that the database does not know: what a crash left.

        It goes through all files, so it is for seldom.
        """
        folders = self.state_folder / "runs"
        before = time.time() - grace
        stray = [
            path.name
            for path in (folders.iterdir() if folders.exists() else ())
            if path.is_dir() and path.stat().st_mtime < before
        ]
        swept: list[str] = []
        for names in _batches(stray):
            with self.database.read() as connection:
                known = retention.existing(connection, names)
            swept += [name for name in names if name not in known]
        for name in swept:
            shutil.rmtree(folders / name, ignore_errors=True)
        old = [found.hash for found in self.artifacts.list() if found.modified.timestamp() < before]
        removed: list[str] = []
        for names in _batches(old):
            with self.database.read() as connection:
                used = artifact_refs.used(connection, names)
            removed += self._delete_artifacts([name for name in names if name not in used], grace)
        return Removed(tuple(swept), tuple(removed))

    def _delete_runs(self, ids: list[str]) -> None:
        for batch in _batches(ids):
            with self.database.write() as connection:
                retention.delete_runs(connection, batch)
            for run_id in batch:
                shutil.rmtree(self.run_folder(run_id), ignore_errors=True)

    def _delete_artifacts(self, hashes: list[str], grace: float) -> tuple[str, ...]:
        removed = []
        for hashed in hashes:
            # Put again meanwhile: an attempt is about to refer to it.
            modified = self.artifacts.modified(hashed)
            if modified is not None and modified.timestamp() < time.time() - grace:
                self.artifacts.delete(hashed)
                removed.append(hashed)
        return tuple(removed)


def _batches(names: list[str]) -> list[list[str]]:
    rest = iter(names)
    return list(iter(lambda: list(islice(rest, _BATCH)), []))
