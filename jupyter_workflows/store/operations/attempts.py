"""Claims, leases and the ends of attempts; the runners that hold them."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Mapping

from sqlalchemy import update

from jupyter_workflows.model.graph import Graph
from jupyter_workflows.model.records import Changes, Outcome

from .. import claims, completion, queries, recovery, runs
from ..errors import WrongState
from ..identity import RunnerIdentity
from ..records import AttemptRecord, AttemptReport, Claim, StageRunRecord
from ..tables import runners
from .base import StoreBase


class AttemptOperations(StoreBase):
    """What a runner does."""

    def claim(
        self,
        runner: RunnerIdentity,
        *,
        limit: int,
        pools: Mapping[str, int] | None = None,
        run_id: str | None = None,
    ) -> list[Claim]:
        """Take up to `limit` queued stage runs that are due, fairly between workflows.

        Stage runs of a run that has an owner are taken by that one only.

        Parameters
        ----------
        pools
            How many stage runs of each named pool may run at the same time, over all runners. A pool that
            is not named has no limit.
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

    def claim_waiting(self, runner: RunnerIdentity, stage_run_id: str, *, by: str | None = None) -> Claim:
        """Take one waiting stage run: the task that a person opens.

        Parameters
        ----------
        by
            The person; shown to others until the attempt ends.

        Raises
        ------
        WrongState
            It does not wait: somebody else has it open, or it is done.
        """
        with self.database.write() as connection:
            now = self.database.now(connection)
            claim = claims.claim_waiting(connection, runner, stage_run_id, by=by, now=now)
            return self._with_document(connection, claim)

    def find_same(self, claim: Claim) -> tuple[StageRunRecord, AttemptRecord] | None:
        """Return a completed stage run, and its last attempt, that stands in for executing a claim.

        It is one of the run that the claim's test run was told to reuse, at the same stage, and it had
        started with the same.
        """
        reuse = claim.run.reuse
        if reuse is None or claim.stage_run.stage not in reuse["stages"]:
            return None
        with self.database.read() as connection:
            for other in claims.completed(connection, reuse["run"], claim.stage_run.stage):
                if _started_with(other) == _started_with(claim):
                    tried = queries.list_attempts(connection, other.id)
                    if tried and other.stage_run.result is not None:
                        return other.stage_run, tried[-1]
        return None

    def renew(self, runner: RunnerIdentity, held: Collection[Claim]) -> list[Claim]:
        """Extend the leases of what a runner executes, and note that it lives.

        Returns
        -------
        The claims that are not its any more, for they were cancelled or recovered: their attempts end.
        """
        return self.database.transact(
            lambda connection: claims.renew(connection, runner, held, now=self.database.now(connection))
        )

    def complete(
        self, claim: Claim, outcome: Outcome, report: AttemptReport, graph: Graph | None = None
    ) -> Changes:
        """End an attempt: data, successors, joins and the run's state, in one transaction.

        Parameters
        ----------
        graph
            The run's; it is known here anyway.

        Raises
        ------
        StaleClaim
            The stage run was cancelled or recovered meanwhile. Nothing was changed.
        """
        parsed = self._parsed(claim)
        return self.database.transact(
            lambda connection: completion.complete(
                connection,
                parsed,
                run_id=claim.run.id,
                stage_run_id=claim.id,
                attempt=claim.attempt,
                outcome=outcome,
                report=report,
                now=self.database.now(connection),
                limit=self.limit,
            )
        )

    def register_runner(self, runner: RunnerIdentity) -> None:
        """Make a runner known, so that others can see whether it lives."""
        with self.database.write() as connection:
            recovery.register(connection, runner, self.database.now(connection))

    def unregister_runner(self, runner: RunnerIdentity) -> None:
        """Note that a runner has ended: what it still holds is lost at once."""
        with self.database.write() as connection:
            now = self.database.now(connection)
            connection.execute(update(runners).where(runners.c.id == runner.id).values(stopped_at=now))

    def recover(
        self, runner: RunnerIdentity | None = None, *, held: Collection[str] | None = None
    ) -> list[tuple[Claim, Changes]]:
        """Turn the attempts of vanished runners into lost ones.

        On the same host a runner whose process lives keeps its claims whatever their lease says, and one
        that is dead loses them at once; elsewhere the lease decides.

        Parameters
        ----------
        runner
            Who asks; its own claims are left alone.
        held
            The stage runs that it executes, where it knows: then its claims of others are lost as well. A
            server that ended while it committed leaves a claim of which the runner was never told.
        """
        with self.database.read() as connection:
            lost = recovery.lost_claims(
                connection,
                now=self.database.now(connection),
                same_host=self.database.is_sqlite,
                but=runner.id if runner else None,
                held=held,
            )
        ended = []
        for claim in lost:
            with self.database.write() as connection:
                known = self._with_document(connection, claim)
                changes = recovery.end_lost(
                    connection,
                    self._parsed(known),
                    known,
                    output=self._left_by(known),
                    load=self.load,
                    now=self.database.now(connection),
                    limit=self.limit,
                )
            if changes is not None:
                ended.append((known, changes))
        return ended

    def cancel_abandoned(self) -> list[str]:
        """Cancel runs that only their owner may execute where its process was killed; return their ids."""
        with self.database.read() as connection:
            found = recovery.abandoned_runs(connection, same_host=self.database.is_sqlite)
        cancelled = []
        for run_id in found:
            with self.database.write() as connection, contextlib.suppress(WrongState):
                runs.cancel_run(connection, run_id, "the end of its process", self.database.now(connection))
                cancelled.append(run_id)
        return cancelled

    def _left_by(self, claim: Claim) -> str | None:
        """Return the executed notebook that an attempt left, as far as it came."""
        copy = self.executed_copy(claim.run.id, claim.id, claim.attempt)
        return str(copy) if copy.exists() else None


def _started_with(claim: Claim) -> tuple[object, ...]:
    """Return all that decides what executing a stage's notebook comes to, but the notebook."""
    stage_run = claim.stage_run
    inputs = None if stage_run.inputs is None else list(stage_run.inputs)
    failure = dict(stage_run.source_failure) if stage_run.source_failure else None
    return (dict(claim.data.values), inputs, failure, claim.request, claim.answers)
