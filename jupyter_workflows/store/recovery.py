"""Runners that vanished, and what becomes of the attempts that they held."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, exists, insert, select

from jupyter_workflows.authoring.wire import Load
from jupyter_workflows.model.graph import Graph
from jupyter_workflows.model.records import Changes, Failure, NextStage, Outcome, StageData, StageRun
from jupyter_workflows.model.routing import RoutingError, route
from jupyter_workflows.model.states import AttemptState, RunState, StageRunState

from .claims import identity_of, running_claims
from .completion import complete
from .errors import StaleClaim
from .graphs import Parsed
from .identity import RunnerIdentity, is_alive
from .records import AttemptReport, Claim
from .tables import runners, runs, stage_runs

LOST = Failure("AttemptLost", "The process that executed this stage vanished.")


@dataclass(frozen=True, slots=True)
class RunnerRecord:
    """A runner that works on the database, wherever it is."""

    id: str
    host: str
    pid: int
    started_at: datetime
    heartbeat_at: datetime


def list_runners(connection: Connection, since: datetime) -> list[RunnerRecord]:
    """Return the runners that gave a sign of life since a time and have not signed off."""
    r = runners.c
    statement = (
        select(r.id, r.host, r.pid, r.started_at, r.heartbeat_at)
        .where(r.stopped_at.is_(None), r.heartbeat_at >= since)
        .order_by(r.started_at, r.id)
    )
    return [RunnerRecord(*row) for row in connection.execute(statement)]


def register(connection: Connection, runner: RunnerIdentity, now: datetime) -> None:
    """Make a runner known."""
    connection.execute(delete(runners).where(runners.c.id == runner.id))
    connection.execute(
        insert(runners),
        {
            "id": runner.id,
            "host": runner.host,
            "boot_id": runner.boot_id,
            "pid_namespace": runner.pid_namespace,
            "pid": runner.pid,
            "start_ticks": runner.start_ticks,
            "started_at": now,
            "heartbeat_at": now,
        },
    )


def lost_claims(
    connection: Connection,
    *,
    now: datetime,
    same_host: bool,
    but: str | None = None,
    held: Collection[str] | None = None,
) -> list[Claim]:
    """Return the claims of runners that are dead or, where that cannot be seen, whose lease ended.

    Parameters
    ----------
    but
        A runner whose claims are left alone; if `held` is given, only those of these stage runs.
    """
    found = []
    for claim, identity, stopped in running_claims(connection, but=but, held=held):
        if claim.stage_run.runner == but:
            found.append(claim)
            continue
        alive = False if stopped else None
        if identity is not None and not stopped:
            alive = is_alive(identity, same_host=same_host)
        if alive is False or (alive is None and claim.lease_until <= now):
            found.append(claim)
    return found


def abandoned_runs(connection: Connection, *, same_host: bool) -> list[str]:
    """Return the runs that only their owner may execute, and whose owner's process was killed meanwhile."""
    held_by_others = exists().where(
        stage_runs.c.run_id == runs.c.id,
        stage_runs.c.state == StageRunState.RUNNING.value,
        stage_runs.c.runner != runs.c.owner,
    )
    statement = (
        select(runs.c.id.label("run_id"), *runners.c)
        .join(runners, runners.c.id == runs.c.owner)
        .where(runs.c.state == RunState.RUNNING.value, runners.c.stopped_at.is_(None), ~held_by_others)
    )
    rows = connection.execute(statement).all()
    return [row.run_id for row in rows if is_alive(identity_of(row), same_host=same_host) is False]


def failed_routes(
    graph: Graph, source: StageRun, data: StageData, load: Load | None
) -> tuple[NextStage, ...]:
    """Return the successors by ``failed`` transitions; none where they cannot be followed."""
    try:
        return route(graph, source.stage, source, data, None, failed=True, load=load)
    except RoutingError:
        return ()


def end_lost(
    connection: Connection,
    parsed: Parsed,
    claim: Claim,
    *,
    output: str | None,
    load: Load | None,
    now: datetime,
    limit: int,
) -> Changes | None:
    """End an attempt as lost; `None` if its runner turned up, or somebody else was faster.

    Parameters
    ----------
    output
        What it left of its executed notebook.
    """
    source = claim.stage_run.to_model()
    outcome = Outcome(
        claim.id, "lost", now, claim.data, failed_routes(parsed.graph, source, claim.data, load), LOST
    )
    error = {"name": LOST.name, "message": LOST.message, "cell": None}
    try:
        return complete(
            connection,
            parsed,
            run_id=claim.run.id,
            stage_run_id=claim.id,
            attempt=claim.attempt,
            outcome=outcome,
            report=AttemptReport(AttemptState.LOST, error, output),
            now=now,
            limit=limit,
            lease_until=claim.lease_until,
        )
    except StaleClaim:
        return None
