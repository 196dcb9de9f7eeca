"""What an outcome changes in a run: one pure decision, applied by the store in one transaction."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from .graph import Graph, GraphStage
from .joins import gather, initial_state, settle_joins
from .records import (
    Arrival,
    Cancelled,
    Changes,
    Failure,
    Gathered,
    NewStageRun,
    NextStage,
    Outcome,
    RunView,
    Settled,
    StageData,
    StageRun,
)
from .states import ACTIVE, RunState, StageRunState

__all__ = ["LOST_LIMIT", "advance", "cancel", "retry", "run_state", "settle", "start"]

#: So many attempts lost in a row are a crash loop.
LOST_LIMIT = 3

#: No automatic retry is put off for longer.
_LONGEST_DELAY = timedelta(days=30)


def advance(
    graph: Graph,
    view: RunView,
    outcome: Outcome,
    *,
    answered: Set[str] = frozenset(),
    new_id: Callable[[], str] = lambda: uuid.uuid4().hex,
    limit: int = 10_000,
) -> Changes:
    """Decide what the end of an attempt changes.

    The result does not depend on the order in which independent outcomes are recorded, except for ids. A
    call costs as much as the view has entries: see `RunView` for what may be counted instead of listed.

    Parameters
    ----------
    view
        The run before the outcome.
    answered
        Paths of the stages for which the run carries answers or a request: they do not wait.
    new_id
        Makes the ids of new stage runs.
    limit
        A run that would have more stage runs fails here, as one that goes round for ever.

    Raises
    ------
    ValueError
        If the stage run is not in the view.
    """
    source = _find(view, outcome.stage_run)
    decision = _decide(graph.stages[source.stage], source, outcome)
    if view.cancelled:
        decision = _at_the_end(decision)
    growth = _Growth(graph, view, source, outcome, decision.failure, answered, new_id)
    growth.add(decision.next)
    if view.total + len(growth.created) > limit:
        decision = _too_many(decision, limit)
        growth = _Growth(graph, view, source, outcome, decision.failure, answered, new_id)
    after = growth.after(
        replace(
            source,
            state=decision.state,
            handled=decision.handled,
            failures=decision.failures,
            lost=decision.lost,
        )
    )
    started, after = settle_joins(graph, after, answered)
    return Changes(
        stage_run=source.id,
        state=decision.state,
        run_state=run_state(after),
        handled=decision.handled,
        failures=decision.failures,
        lost=decision.lost,
        due_at=decision.due_at,
        failure=decision.failure,
        created=tuple(growth.created.values()),
        arrived=growth.arrived,
        gathered=growth.gathered,
        started=tuple(started),
    )


def start(
    graph: Graph,
    stage: str,
    data: StageData,
    *,
    answered: Set[str] = frozenset(),
    new_id: Callable[[], str] = lambda: uuid.uuid4().hex,
    assignee: str | None = None,
) -> NewStageRun:
    """Make the first stage run of a run.

    A hook or a job is started by what it waits for; a form waits for its person unless it is answered.

    Raises
    ------
    ValueError
        If the stage is disabled.
    """
    at = graph.stages[stage]
    if at.disabled:
        raise ValueError(f"the stage {at.path!r} is disabled, a run cannot start with it")
    state = initial_state(graph, stage, answered) if at.type == "form" else StageRunState.QUEUED
    writers = {**dict.fromkeys(data.values), **data.writers}
    return NewStageRun(
        StageRun(new_id(), stage, state, (), 0), StageData(data.values, writers), assignee=assignee
    )


def settle(graph: Graph, view: RunView, *, answered: Set[str] = frozenset()) -> Settled:
    """Find the joins that may start now, and the state of the run after it.

    `advance` does this itself; it is for whatever else ends or changes a stage run.
    """
    started, after = settle_joins(graph, view, answered)
    return Settled(tuple(started), run_state(after))


def cancel(view: RunView) -> Cancelled:
    """Cancel a run that has not ended: all that is active ends, joining ones too."""
    return Cancelled(
        tuple(run.id for run in view.stage_runs if run.state in ACTIVE),
    )


def retry(view: RunView, stage_run: str) -> Changes:
    """Queue a failed stage run again, with its automatic retries anew.

    Joins that its failure blocked go on when it succeeds.

    Raises
    ------
    ValueError
        If it did not fail, is not in the view (add it if its failure was handled), or the run was cancelled.
    """
    source = _find(view, stage_run)
    if source.state is not StageRunState.FAILED:
        raise ValueError(f"only a failed stage run can be tried again, this one is {source.state}")
    if view.cancelled:
        raise ValueError("the run was cancelled; start a new one from this stage")
    return Changes(
        stage_run=source.id, state=StageRunState.QUEUED, run_state=RunState.RUNNING, handled=source.handled
    )


def run_state(view: RunView) -> RunState:
    """Return the state of a run whose joins are settled.

    A joining stage run with nothing active beside it is one that a failure blocks.
    """
    if view.cancelled:
        return RunState.CANCELLED
    found = {run.state for run in view.stage_runs if run.state in ACTIVE or run.is_unhandled}
    found.update(group.state for group in view.counts)
    if StageRunState.QUEUED in found or StageRunState.RUNNING in found:
        return RunState.RUNNING
    if StageRunState.WAITING in found:
        return RunState.WAITING
    if StageRunState.FAILED in found or StageRunState.JOINING in found:
        return RunState.FAILED
    return RunState.COMPLETED


@dataclass(frozen=True, slots=True)
class _Decision:
    """What becomes of the stage run itself."""

    state: StageRunState
    failures: int
    lost: int = 0
    handled: bool = False
    due_at: datetime | None = None
    failure: Failure | None = None
    next: tuple[NextStage, ...] = ()


def _decide(stage: GraphStage, source: StageRun, outcome: Outcome) -> _Decision:
    failures = source.failures
    match outcome.kind:
        case "completed":
            return _Decision(StageRunState.COMPLETED, failures, next=outcome.next)
        case "parked":
            return _Decision(StageRunState.WAITING, failures)
        case "cancelled":
            return _Decision(StageRunState.CANCELLED, failures)
        case "expired":
            expired = Failure("Expired", "Nobody answered in time.", retriable=False)
            return _failed(outcome, outcome.failure or expired, failures)
        case "failed":
            failure = outcome.failure or Failure("Failed", "The stage failed without saying why.")
            failures += 1
            if not failure.retriable or failures > stage.retries:
                return _failed(outcome, failure, failures)
            due_at = outcome.now + _delay(stage, failures)
            return _Decision(StageRunState.QUEUED, failures, due_at=due_at, failure=failure)
        case "lost":
            lost = source.lost + 1
            failure = outcome.failure or Failure(
                "AttemptLost", "The process that executed the stage vanished."
            )
            if stage.after_crash == "fail":
                return _failed(outcome, failure, failures, lost)
            if lost < LOST_LIMIT:
                return _Decision(StageRunState.QUEUED, failures, lost, failure=failure)
            message = (
                f"The process that executed the stage vanished {lost} times in a row. "
                "It may need more memory, or end the process itself."
            )
            return _failed(outcome, Failure("CrashLoop", message, retriable=False), failures, lost)
    raise ValueError(f"unknown outcome {outcome.kind!r}")


def _failed(outcome: Outcome, failure: Failure, failures: int, lost: int = 0) -> _Decision:
    # An `each` over an empty list takes the failure over as well: it had nothing to do for it.
    return _Decision(
        StageRunState.FAILED,
        failures,
        lost,
        handled=bool(outcome.next),
        failure=failure,
        next=outcome.next,
    )


def _at_the_end(decision: _Decision) -> _Decision:
    """Return the decision in a run that was cancelled: nothing follows, nothing is tried again."""
    ended = decision.state in (StageRunState.COMPLETED, StageRunState.FAILED)
    state = decision.state if ended else StageRunState.CANCELLED
    return replace(decision, state=state, handled=False, due_at=None, next=())


def _too_many(decision: _Decision, limit: int) -> _Decision:
    message = f"The run would have more than {limit} stage runs. Does a loop never end?"
    if decision.failure is not None:
        message += f" (The stage had failed: {decision.failure.name}: {decision.failure.message})"
    return replace(
        decision,
        state=StageRunState.FAILED,
        handled=False,
        due_at=None,
        failure=Failure("TooManyStageRuns", message, retriable=False),
        next=(),
    )


def _delay(stage: GraphStage, failures: int) -> timedelta:
    try:
        seconds = stage.delay * stage.backoff ** (failures - 1)
    except OverflowError:
        return _LONGEST_DELAY
    return timedelta(seconds=min(seconds, _LONGEST_DELAY.total_seconds()))


class _Growth:
    """The stage runs and arrivals that an outcome adds to a run."""

    def __init__(
        self,
        graph: Graph,
        view: RunView,
        source: StageRun,
        outcome: Outcome,
        failure: Failure | None,
        answered: Set[str],
        new_id: Callable[[], str],
    ) -> None:
        self._graph = graph
        self._view = view
        self._source = source
        self._data = outcome.data
        self._failure = failure
        self._answered = answered
        self._new_id = new_id
        self.created: dict[str, NewStageRun] = {}
        self.arrived: dict[str, tuple[Arrival, ...]] = {}
        self.gathered: dict[str, Gathered] = {}

    def add(self, following: tuple[NextStage, ...]) -> None:
        """Make the successors."""
        forks = sum(not successor.empty for successor in following) > 1
        arriving: dict[tuple[str, str | None], list[Arrival]] = {}
        for successor in following:
            source = self._source
            key = (*source.key, successor.place) if forks and not successor.empty else source.key
            scope = {**source.scope, **successor.scope}
            data = _handed_on(self._data, successor.values, source.id)
            rule = self._graph.joins.get(successor.stage)
            if rule is None:
                self._create(successor, key, scope, data)
                continue
            arrival = Arrival(
                source.id,
                successor.transition,
                key,
                source.sequence,
                data,
                successor.empty,
                scope,
                successor.assignee,
            )
            arriving.setdefault((successor.stage, rule.item(scope)), []).append(arrival)
        if arriving:
            self._arrive(arriving)

    def after(self, source: StageRun) -> RunView:
        """Return the view after the outcome, before joins are started."""
        runs = []
        for run in self._view.stage_runs:
            if run.id == source.id:
                runs.append(source)
            elif run.id in self.arrived:
                runs.append(_with(run, self.gathered[run.id], self.arrived[run.id]))
            else:
                runs.append(run)
        runs += [new.stage_run for new in self.created.values()]
        return replace(self._view, stage_runs=tuple(runs), total=self._view.total + len(self.created))

    def _create(
        self, successor: NextStage, key: tuple[int, ...], scope: Mapping[str, str], data: StageData
    ) -> None:
        source = self._source
        run = StageRun(
            id=self._new_id(),
            stage=successor.stage,
            state=initial_state(self._graph, successor.stage, self._answered),
            key=key,
            sequence=source.sequence + 1,
            scope=scope,
            parents=(source.id,),
        )
        self.created[run.id] = NewStageRun(
            run,
            data,
            successor.transition,
            successor.assignee,
            self._failure,
            self._graph.stages[source.stage].path if self._failure else None,
        )

    def _arrive(self, arriving: Mapping[tuple[str, str | None], list[Arrival]]) -> None:
        joining = {
            (run.stage, self._graph.joins[run.stage].item(run.scope)): run
            for run in self._view.stage_runs
            if run.state is StageRunState.JOINING and run.stage in self._graph.joins
        }
        for (stage, item), arrivals in arriving.items():
            run = joining.get((stage, item))
            gathered = gather(run, arrivals)
            if run is not None:
                self.arrived[run.id] = tuple(arrivals)
                self.gathered[run.id] = gathered
                continue
            new = StageRun(self._new_id(), stage, StageRunState.JOINING, (), 0)
            new = _with(new, gathered, arrivals)
            self.created[new.id] = NewStageRun(new, StageData(), arrivals[0].transition)


def _with(run: StageRun, gathered: Gathered, arrivals: Iterable[Arrival]) -> StageRun:
    return replace(
        run,
        key=gathered.key,
        sequence=gathered.sequence,
        scope=gathered.scope,
        arrivals=(*run.arrivals, *arrivals),
    )


def _handed_on(data: StageData, values: Mapping[str, Any] | None, writer: str) -> StageData:
    if not values:
        return data
    return StageData({**data.values, **values}, {**data.writers, **dict.fromkeys(values, writer)})


def _find(view: RunView, stage_run: str) -> StageRun:
    for run in view.stage_runs:
        if run.id == stage_run:
            return run
    raise ValueError(f"the stage run {stage_run!r} is not in the view")
