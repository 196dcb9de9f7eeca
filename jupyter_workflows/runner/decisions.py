"""From how an attempt ended to what the state machine is told.

Conditions and routes are evaluated here, before the transaction that records the outcome.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from jupyter_workflows.authoring.wire import Load
from jupyter_workflows.execution.spec import AttemptOutcome
from jupyter_workflows.model.graph import Graph
from jupyter_workflows.model.records import Failure, NextStage, Outcome, StageData, StageRun
from jupyter_workflows.model.routing import RoutingError, route
from jupyter_workflows.model.states import AttemptState

_KINDS: dict[AttemptState, Literal["completed", "failed", "lost", "parked", "cancelled"]] = {
    AttemptState.COMPLETED: "completed",
    AttemptState.FAILED: "failed",
    AttemptState.TIMED_OUT: "failed",
    AttemptState.LOST: "lost",
    AttemptState.PARKED: "parked",
    AttemptState.CANCELLED: "cancelled",
}


def apply_changes(stage_run_id: str, before: StageData, outcome: AttemptOutcome) -> StageData:
    """Return the stage data after an attempt, with the stage run as writer of what it changed."""
    values = dict(before.values)
    writers = dict(before.writers)
    for key, value in outcome.changes.items():
        values[key] = value
        writers[key] = stage_run_id
    for key in outcome.deleted:
        values.pop(key, None)
        writers[key] = stage_run_id
    return StageData(values, writers)


def failed_routes(
    graph: Graph, stage_run: StageRun, before: StageData, load: Load
) -> tuple[tuple[NextStage, ...], str | None]:
    """Return the successors by ``failed`` transitions, and why they could not be found, if so."""
    try:
        return route(graph, stage_run.stage, stage_run, before, None, failed=True, load=load), None
    except RoutingError as error:
        return (), str(error)


def decide(
    graph: Graph,
    stage_run: StageRun,
    before: StageData,
    outcome: AttemptOutcome,
    *,
    now: datetime,
    load: Load,
) -> Outcome:
    """Return the outcome that the state machine is told.

    A completed attempt whose route or conditions cannot be followed has failed, without another
    automatic try: the same notebook on the same data would end there again.
    """
    kind = _KINDS[outcome.state]
    failure = None
    if outcome.error is not None:
        failure = Failure(
            outcome.error.name, outcome.error.message, outcome.error.cell, outcome.error.retriable
        )
    if kind == "completed":
        after = apply_changes(stage_run.id, before, outcome)
        try:
            following = route(graph, stage_run.stage, stage_run, after, outcome.route, load=load)
        except RoutingError as error:
            kind, failure = "failed", Failure("RoutingError", str(error), None, retriable=False)
        else:
            return Outcome(stage_run.id, "completed", now, after, following)
    if kind in ("failed", "lost"):
        following, problem = failed_routes(graph, stage_run, before, load)
        if failure is None:
            failure = Failure("AttemptLost", "the process that executed this stage vanished")
        if problem is not None:
            failure = Failure(
                failure.name,
                f"{failure.message} (and no failed transition could be followed: {problem})",
                failure.cell,
                failure.retriable,
            )
        return Outcome(stage_run.id, kind, now, before, following, failure)
    return Outcome(stage_run.id, kind, now, before, (), failure)
