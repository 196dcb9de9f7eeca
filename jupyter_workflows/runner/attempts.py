"""One claimed stage run from its specification to its recorded end."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jupyter_workflows.authoring.journal import resolve_once
from jupyter_workflows.authoring.wire import artifacts
from jupyter_workflows.execution.executors.base import Executor
from jupyter_workflows.execution.spec import AttemptError, AttemptOutcome, Progress
from jupyter_workflows.model.graph import Graph
from jupyter_workflows.model.records import Changes, Outcome
from jupyter_workflows.model.states import AttemptState, RunMode
from jupyter_workflows.store import AttemptReport, Claim, NotFound, StaleClaim, Store, StoreError

from .decisions import decide
from .events import Listener, RunEvent
from .forms import FormSessions
from .specs import SpecBuilder, parsed
from .stand_ins import stand_in

log = logging.getLogger(__name__)

#: What the end of an attempt changed, and the claims that take its place.
Ended = tuple[Changes, list[Claim]]

#: How often the end of an attempt is tried to be recorded; with the growing pauses, for ten minutes.
_TRIES = 40


class AttemptRunner:
    """Executes claims and records how they ended.

    Parameters
    ----------
    in_database
        Calls a function on the thread that talks to the database.
    complete
        Records an end, on that thread, and returns with it what can be executed in the freed place.
    answered
        Called when what a caller waits for is recorded.
    forms
        Executes the tasks that people have open.
    """

    def __init__(
        self,
        store: Store,
        executor: Executor,
        in_database: Callable[..., Awaitable[Any]],
        complete: Callable[[Claim, Outcome, AttemptReport, Graph], Ended],
        emit: Listener,
        environment: Mapping[str, str],
        answered: Callable[[Claim], None] = lambda claim: None,
        public_url: str | None = None,
        forms: FormSessions | None = None,
    ) -> None:
        self._forms = forms
        self._store = store
        self._executor = executor
        self._in_database = in_database
        self._complete = complete
        self._emit = emit
        self._specs = SpecBuilder(store, environment, public_url)
        self._answered = answered
        self._responding: set[asyncio.Task[None]] = set()

    async def execute(self, claim: Claim) -> Ended:
        """Execute a claim to its recorded end; return what that changed, and what comes next.

        Raises
        ------
        StaleClaim
            It was cancelled or recovered meanwhile: nothing was recorded.
        """
        started = time.monotonic()
        self._emit(_event("stage-started", claim))
        graph = self._store.graph(claim)
        outcome = await self._stand_in(claim)
        if outcome is not None and self._decide(graph, claim, outcome).kind != "completed":
            outcome = None  # what it named is no successor any more: let the notebook say it again
        if outcome is None:
            outcome = await self._outcome(claim)
        decision = self._decide(graph, claim, outcome)
        error = _error(outcome, decision)
        report = AttemptReport(
            state=AttemptState.FAILED if _was_refused(outcome, decision) else outcome.state,
            error=error.to_json() if error else None,
            output=outcome.output,
            warnings=tuple(outcome.warnings),
            timings=outcome.timings,
            artifacts=_artifact_sizes(outcome),
            response=outcome.response,
            route=outcome.route if claim.run.mode is RunMode.TEST else None,
            stand_in=outcome.stand_in,
        )
        changes, following = await self._record(claim, decision, report, graph)
        if claim.request is not None:
            self._answered(claim)
        self._emit(
            _event(
                "stage-ended",
                claim,
                state=str(report.state),
                error=error,
                seconds=time.monotonic() - started,
                output=outcome.output,
                due_at=changes.due_at,
            )
        )
        return changes, following

    def _decide(self, graph: Graph, claim: Claim, outcome: AttemptOutcome) -> Outcome:
        source = claim.stage_run.to_model()
        return decide(graph, source, claim.data, outcome, now=datetime.now(UTC), load=self._store.load)

    async def _stand_in(self, claim: Claim) -> AttemptOutcome | None:
        """Return the outcome of what need not be executed in a test run."""
        try:
            document = parsed(claim.document_text)
            found = await stand_in(claim, document, self._store, self._in_database)
        except StoreError as error:
            log.warning("stage run %s is executed, whatever it was before: %s", claim.id, error)
            return None
        if found is not None and found.stand_in == {"kind": "pinned"}:
            self._emit(_event("notice", claim, message="pinned data stands in for executing this stage"))
        return found

    async def _record(self, claim: Claim, decision: Outcome, report: AttemptReport, graph: Graph) -> Ended:
        """Record the end; a database that cannot be written for a while does not lose it."""
        delay = 0.5
        for _ in range(_TRIES):
            try:
                ended: Ended = await self._in_database(self._complete, claim, decision, report, graph)
                return ended
            except (StaleClaim, NotFound):
                raise
            except StoreError as error:
                log.warning("the end of stage run %s is kept to be recorded later: %s", claim.id, error)
            await asyncio.sleep(delay)
            delay = min(2 * delay, 15.0)
        last: Ended = await self._in_database(self._complete, claim, decision, report, graph)
        return last

    def _respond(self, claim: Claim, response: Mapping[str, Any]) -> None:
        """Record an answer while the notebook goes on; kept until it is done, as asyncio asks for it."""
        task = asyncio.create_task(self._store_response(claim, response), name=f"answer of {claim.id}")
        self._responding.add(task)
        task.add_done_callback(self._responding.discard)

    async def _store_response(self, claim: Claim, response: Mapping[str, Any]) -> None:
        try:
            await self._in_database(self._store.respond, claim, response)
        except (StaleClaim, NotFound):
            log.info("stage run %s was cancelled or taken before its answer was recorded", claim.id)
        except StoreError as error:
            log.warning("the answer of stage run %s is recorded with its end: %s", claim.id, error)
        else:
            self._answered(claim)

    async def _outcome(self, claim: Claim) -> AttemptOutcome:
        def on_progress(progress: Progress) -> None:
            if progress.event == "cell":
                self._emit(_event("cell", claim, cell=progress.cell, cells=progress.cells))
            elif progress.event == "response" and progress.response is not None:
                self._respond(claim, progress.response)
            elif progress.event == "message":
                self._emit(_event("notice", claim, message=progress.message))

        try:
            spec = self._specs.build(claim)
            if claim.once:
                resolve_once(Path(spec.folder), claim.attempt, claim.once, after=claim.once_after)
            opened = self._forms is not None and self._forms.holds(claim)
            executor = self._forms if self._forms is not None and opened else self._executor
            outcome: AttemptOutcome = await executor.execute(spec, on_progress)
            return outcome
        except Exception as error:
            # What keeps an attempt from being executed at all is its failure, not the runner's.
            log.exception("attempt %d of stage run %s could not be executed", claim.attempt, claim.id)
            return AttemptOutcome(
                AttemptState.FAILED,
                error=AttemptError(type(error).__name__, f"The stage could not be executed: {error}"),
            )


def _event(kind: Any, claim: Claim, **more: Any) -> RunEvent:
    stage_run = claim.stage_run
    return RunEvent(
        kind,
        claim.run.id,
        claim.id,
        stage_run.path,
        stage_run.title,
        claim.attempt,
        workflow_uid=claim.run.workflow_uid,
        **more,
    )


def _was_refused(outcome: AttemptOutcome, decision: Outcome) -> bool:
    """Return whether the notebook went well, but what it asked for could not be followed."""
    return outcome.state is AttemptState.COMPLETED and decision.kind == "failed"


def _error(outcome: AttemptOutcome, decision: Outcome) -> AttemptError | None:
    failure = decision.failure
    if failure is None:
        return outcome.error
    traceback = outcome.error.traceback if outcome.error else None
    return AttemptError(failure.name, failure.message, failure.cell, failure.retriable, traceback)


def _artifact_sizes(outcome: AttemptOutcome) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for value in (outcome.changes, outcome.route or []):
        for artifact in artifacts(value):
            sizes[artifact.hash] = artifact.size
            sizes.update(dict.fromkeys(artifact.references, 0))
    return sizes
