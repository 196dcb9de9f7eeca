"""Starting, cancelling, retrying and reading runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from .. import artifact_refs, auditing, queries, reruns, runs
from ..auditing import AuditEntry
from ..completion import lock_run
from ..records import (
    AttemptRecord,
    Idempotency,
    NewRun,
    RunDetails,
    RunFilter,
    RunPage,
    RunRecord,
    StageRunRecord,
)
from ..tasks import run_of
from .base import StoreBase


class RunOperations(StoreBase):
    """What is done with runs as a whole."""

    def create_run(self, new: NewRun) -> str:
        """Start a run and return its id; for an idempotency key that is known, the run that has it.

        Raises
        ------
        IdempotencyConflict
            The key was used for another request.
        """
        parsed = self._graphs.add(runs.document_hash(new.document_text), new.document_text)
        return self.database.transact(
            lambda connection: runs.create_run(connection, new, parsed, self.database.now(connection))
        )

    def cancel_run(self, run_id: str, *, by: str | None = None) -> bool:
        """Cancel a run and fence off its running attempts.

        Returns
        -------
        Whether it was this call that cancelled it.

        Raises
        ------
        WrongState
            The run has ended otherwise.
        """
        return self.database.transact(
            lambda connection: runs.cancel_run(connection, run_id, by, self.database.now(connection))
        )

    def retry_stage_run(
        self, stage_run_id: str, *, once: Mapping[str, str] | None = None, by: str | None = None
    ) -> None:
        """Queue a failed stage run again; its run goes on from there.

        Parameters
        ----------
        once
            How `once` calls that had no end are resolved: key to ``"again"`` or ``"done:JSON"``.

        Raises
        ------
        WrongState
            It did not fail, or the run was cancelled.
        """
        with self.database.write() as connection:
            run = lock_run(connection, run_of(connection, stage_run_id))
            runs.retry_stage_run(
                connection,
                self._parsed_of(connection, run.id),
                run,
                stage_run_id,
                once=once,
                by=by,
                now=self.database.now(connection),
            )

    def rerun(
        self,
        run_id: str,
        stage_run_id: str | None = None,
        *,
        by: str | None = None,
        idempotency: Idempotency | None = None,
    ) -> str:
        """Start a new run with what a stage run of another one had started with, and return its id.

        Parameters
        ----------
        stage_run_id
            Where it begins; by default where the other one began.

        Raises
        ------
        WrongState
            The stage is disabled.
        """

        def start(connection: Connection) -> str:
            parsed = self._parsed_of(connection, run_id)
            now = self.database.now(connection)
            return reruns.rerun(
                connection, parsed, run_id, stage_run_id, by=by, idempotency=idempotency, now=now
            )

        return self.database.transact(start)

    def get_run(self, run_id: str, *, data: bool = True) -> RunDetails:
        """Return a run with its stage runs, sorted by key and sequence, and their attempts.

        Parameters
        ----------
        data
            Whether the stage runs come with their data; a run page that shows states alone needs none.
        """
        with self.database.read() as connection:
            return queries.get_run(connection, run_id, data=data)

    def get_run_record(self, run_id: str) -> RunRecord:
        """Return a run without its stage runs."""
        with self.database.read() as connection:
            return queries.get_run_record(connection, run_id)

    def get_stage_run(self, stage_run_id: str) -> StageRunRecord:
        """Return a stage run."""
        with self.database.read() as connection:
            return queries.get_stage_run(connection, stage_run_id)

    def get_request(self, stage_run_id: str) -> dict[str, Any] | None:
        """Return the request that a stage run was given, if there is one."""
        with self.database.read() as connection:
            return queries.get_request(connection, stage_run_id)

    def list_attempts(self, stage_run_id: str) -> tuple[AttemptRecord, ...]:
        """Return the attempts of a stage run, in order."""
        with self.database.read() as connection:
            return queries.list_attempts(connection, stage_run_id)

    def list_artifacts(self, run_id: str) -> dict[str, int]:
        """Return hash and size of the artifacts that a run refers to."""
        with self.database.read() as connection:
            return artifact_refs.of_run(connection, run_id)

    def get_document(self, run_id: str) -> str:
        """Return the text of the document that a run follows."""
        with self.database.read() as connection:
            return self._parsed_of(connection, run_id).text

    def find_run(self, scope: str, key: str) -> str | None:
        """Return the run that was started under an idempotency key, if it is remembered."""
        with self.database.read() as connection:
            return queries.find_run(connection, scope, key, self.database.now(connection))

    def list_runs(
        self, wanted: RunFilter | None = None, *, cursor: str | None = None, limit: int = 50
    ) -> RunPage:
        """Return a page of runs, the newest first."""
        with self.database.read() as connection:
            return queries.list_runs(connection, wanted or RunFilter(), cursor, limit)

    def count_runs(self, wanted: RunFilter | None = None) -> queries.RunCounts:
        """Return how many runs are in each state."""
        with self.database.read() as connection:
            return queries.count_runs(connection, wanted or RunFilter())

    def audit(
        self, *, run_id: str | None = None, before: int | None = None, limit: int = 100
    ) -> list[AuditEntry]:
        """Return who did what, the newest first."""
        with self.database.read() as connection:
            return auditing.entries(connection, run_id=run_id, before=before, limit=limit)

    def note(
        self,
        who: str | None,
        what: str,
        object_: str,
        *,
        run_id: str | None = None,
        detail: Mapping[str, object] | None = None,
    ) -> None:
        """Write an audit entry for something that is done elsewhere."""
        with self.database.write() as connection:
            now = self.database.now(connection)
            auditing.note(connection, who, what, object_, now, run_id=run_id, detail=detail)
