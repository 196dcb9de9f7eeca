"""The store: every operation is one transaction."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, update

from jupyter_workflows.model.graph import Graph
from jupyter_workflows.model.records import Changes, Outcome

from . import claims, completion, queries, recovery, runs
from .database import Database, state_folder
from .graphs import GraphCache
from .identity import RunnerIdentity
from .records import AttemptReport, Claim, NewRun, RunDetails
from .tables import runners


class Store:
    """What is known about runs, kept in a database.

    Methods may be called from any thread. With SQLite a caller keeps to one thread for writes, so that
    they do not wait for each other; nothing breaks if it does not.

    Parameters
    ----------
    database
        From `open_database`.
    state
        Folder for evidence and artifacts; by default the one in which an SQLite database lies, or the one
        in Jupyter's data folder.
    limit
        How many stage runs a run may have, against endless loops.
    """

    def __init__(
        self, database: Database, *, state: Path | None = None, limit: int = completion.LIMIT
    ) -> None:
        self.database = database
        self.limit = limit
        path = database.path
        self.state_folder = state or (path.parent if path is not None else state_folder())
        self._graphs = GraphCache()

    def close(self) -> None:
        """Close the connections to the database."""
        self.database.close()

    def now(self) -> datetime:
        """Return the time by the database's clock."""
        with self.database.read() as connection:
            return self.database.now(connection)

    def folder(self, run_id: str, stage_run_id: str) -> Path:
        """Return where a stage run's evidence lies."""
        return self.state_folder / "runs" / run_id / stage_run_id

    # -- runs ---------------------------------------------------------------------------------------------

    def create_run(self, new: NewRun) -> str:
        """Start a run and return its id; for an idempotency key that is known, the run that has it."""
        parsed = self._graphs.add(runs.document_hash(new.document_text), new.document_text)
        with self.database.write() as connection:
            return runs.create_run(
                connection, new, parsed.document, parsed.graph, self.database.now(connection)
            )

    def cancel_run(self, run_id: str, *, by: str | None = None) -> bool:
        """Cancel a run and fence off its running attempts.

        Returns
        -------
        Whether it was this call that cancelled it.
        """
        with self.database.write() as connection:
            return runs.cancel_run(connection, run_id, by, self.database.now(connection))

    def get_run(self, run_id: str) -> RunDetails:
        """Return a run with its stage runs, sorted by key and sequence, and their attempts."""
        with self.database.read() as connection:
            return queries.get_run(connection, run_id)

    # -- claims -------------------------------------------------------------------------------------------

    def claim(
        self,
        runner: RunnerIdentity,
        *,
        limit: int,
        pools: Mapping[str, int] | None = None,
        run_id: str | None = None,
    ) -> list[Claim]:
        """Take up to `limit` queued stage runs that are due, fairly between workflows.

        Parameters
        ----------
        pools
            How many stage runs of each named pool may run at the same time, over all runners.
        run_id
            Take stage runs of this run alone.
        """
        with self.database.write() as connection:
            taken = claims.claim(
                connection,
                runner,
                now=self.database.now(connection),
                limit=limit,
                pools=pools or {},
                run=run_id,
            )
            return [self._with_document(connection, claim) for claim in taken]

    def claim_waiting(self, runner: RunnerIdentity, stage_run_id: str) -> Claim:
        """Take one waiting stage run: the task that a person opens."""
        with self.database.write() as connection:
            now = self.database.now(connection)
            return self._with_document(
                connection, claims.claim_waiting(connection, runner, stage_run_id, now=now)
            )

    def renew(self, runner: RunnerIdentity, held: Collection[Claim]) -> list[Claim]:
        """Extend the leases of what a runner executes, and note that it lives.

        Returns
        -------
        The claims that are not its any more, for they were cancelled or recovered: their attempts end.
        """
        with self.database.write() as connection:
            return claims.renew(connection, runner, held, now=self.database.now(connection))

    def complete(self, claim: Claim, outcome: Outcome, report: AttemptReport, graph: Graph) -> Changes:
        """End an attempt: data, successors, joins and the run's state, in one transaction.

        Raises
        ------
        StaleClaim
            The stage run was cancelled or recovered meanwhile. Nothing was changed.
        """
        with self.database.write() as connection:
            return completion.complete(
                connection,
                graph,
                run_id=claim.run.id,
                stage_run_id=claim.id,
                attempt=claim.attempt,
                outcome=outcome,
                report=report,
                now=self.database.now(connection),
                limit=self.limit,
            )

    def graph(self, claim: Claim) -> Graph:
        """Return the graph that a claim's run follows."""
        return self._graphs.add(claim.run.document_hash, claim.document_text).graph

    def _with_document(self, connection: Connection, claim: Claim) -> Claim:
        return replace(claim, document_text=self._graphs.get(connection, claim.run.document_hash).text)

    # -- runners ------------------------------------------------------------------------------------------

    def register_runner(self, runner: RunnerIdentity) -> None:
        """Make a runner known, so that others can see whether it lives."""
        with self.database.write() as connection:
            recovery.register(connection, runner, self.database.now(connection))

    def unregister_runner(self, runner: RunnerIdentity) -> None:
        """Note that a runner has ended: what it still holds is lost at once."""
        with self.database.write() as connection:
            connection.execute(
                update(runners)
                .where(runners.c.id == runner.id)
                .values(stopped_at=self.database.now(connection))
            )

    def recover(self, runner: RunnerIdentity | None = None) -> list[tuple[Claim, Changes]]:
        """Turn the attempts of vanished runners into lost ones.

        Parameters
        ----------
        runner
            Who asks; its own claims are left alone.
        """
        with self.database.read() as connection:
            lost = recovery.lost_claims(
                connection,
                now=self.database.now(connection),
                same_host=self.database.is_sqlite,
                but=runner.id if runner else None,
            )
        ended = []
        for claim in lost:
            with self.database.write() as connection:
                claim = self._with_document(connection, claim)
                changes = recovery.end_lost(
                    connection, self.graph(claim), claim, self.database.now(connection), self.limit
                )
            if changes is not None:
                ended.append((claim, changes))
        return ended
