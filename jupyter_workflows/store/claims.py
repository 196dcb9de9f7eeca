"""The one door into running: claims with a lease and a fence."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import (
    ARRAY,
    Connection,
    Select,
    Text,
    bindparam,
    func,
    insert,
    literal_column,
    or_,
    select,
    text,
    update,
)

from jupyter_workflows.model.states import AttemptState, RunState, StageRunState

from .errors import NotFound, WrongState
from .fairness import Candidate, fair_order
from .identity import RunnerIdentity
from .records import Claim
from .rows import RUN_COLUMNS, STAGE_RUN_COLUMNS, run_record, stage_run_record
from .tables import attempts, runners, runs, stage_runs

LEASE = timedelta(seconds=30)

#: Candidates that one look takes into account before it asks workflow by workflow.
_WINDOW = 64
#: Further ones that are tried on PostgreSQL, for another runner may be taking the same at this moment.
_SPARE = 32
_POOL_LOCK = 0x6A757078  # of PostgreSQL's advisory locks, ours for counting pools

_s = stage_runs.c
# Written out rather than bound: only then do the databases see that the partial indexes apply.
_QUEUED = literal_column("stage_runs.state") == literal_column("'queued'")
_RUNNING = literal_column("stage_runs.state") == literal_column("'running'")


def _candidates(*, of_workflow: bool, of_run: bool, without_pools: bool) -> Select[Any]:
    statement = select(_s.id, _s.workflow_uid, _s.pool).where(
        _QUEUED,
        _s.due_at <= bindparam("now"),
        or_(_s.owner.is_(None), _s.owner == bindparam("runner")),
    )
    if of_workflow:
        statement = statement.where(_s.workflow_uid == bindparam("workflow"))
    if of_run:
        statement = statement.where(_s.run_id == bindparam("run"))
    if without_pools:
        statement = statement.where(or_(_s.pool.is_(None), _s.pool.not_in(bindparam("full", expanding=True))))
    return statement.order_by(_s.due_at, _s.id).limit(bindparam("window"))


_CANDIDATES = {
    (of_workflow, of_run, without_pools): _candidates(
        of_workflow=of_workflow, of_run=of_run, without_pools=without_pools
    )
    for of_workflow in (False, True)
    for of_run in (False, True)
    for without_pools in (False, True)
}

#: The workflows that have queued stage runs, one index look-up each.
_QUEUED_WORKFLOWS = text(
    """
    WITH RECURSIVE queued(uid) AS (
        SELECT (SELECT min(workflow_uid) FROM stage_runs WHERE state = 'queued')
        UNION ALL
        SELECT (SELECT min(workflow_uid) FROM stage_runs WHERE state = 'queued' AND workflow_uid > queued.uid)
        FROM queued WHERE queued.uid IS NOT NULL
    )
    SELECT uid FROM queued WHERE uid IS NOT NULL
    """
)

_RUNNING_COUNTS = (
    select(_s.workflow_uid, _s.pool, func.count()).where(_RUNNING).group_by(_s.workflow_uid, _s.pool)
)

_LOADED = [
    *STAGE_RUN_COLUMNS,
    *RUN_COLUMNS,
    runs.c.requests.label("run_requests"),
    runs.c.answers.label("run_answers"),
]
_LOAD_ALL = select(*_LOADED).join_from(stage_runs, runs)
_LOAD = _LOAD_ALL.where(_s.id.in_(bindparam("ids", expanding=True)))
_IDS = bindparam("ids", type_=cast("Any", ARRAY(Text)))
_LOCK = (
    _LOAD_ALL.where(_s.id == func.any(_IDS), _QUEUED)
    .order_by(func.array_position(_IDS, _s.id))
    .limit(bindparam("limit"))
    .with_for_update(of=stage_runs, skip_locked=True, key_share=True)
)

_TAKE = (
    update(stage_runs)
    .where(_s.id == bindparam("id_"))
    .values(
        state=StageRunState.RUNNING.value,
        attempt=bindparam("attempt_"),
        runner=bindparam("runner_"),
        lease_until=bindparam("lease_until_"),
        started_at=func.coalesce(_s.started_at, bindparam("now_", type_=_s.started_at.type)),
        due_at=None,
    )
)

_NEW_ATTEMPT = insert(attempts)


def queued(
    connection: Connection,
    runner: str,
    *,
    now: datetime,
    limit: int,
    pools: Mapping[str, int],
    run: str | None = None,
) -> list[str]:
    """Return the ids of the stage runs whose turn it is, in order.

    On PostgreSQL others may be looking at the same time, so more than `limit` are returned there, for the
    case that some of them are taken.
    """
    running: dict[str, int] = {}
    room: dict[str, int] = {}
    counted = False

    def count() -> None:
        nonlocal counted
        room.update(pools)
        for workflow, pool, number in connection.execute(_RUNNING_COUNTS):
            running[workflow] = running.get(workflow, 0) + number
            if pool in room:
                room[pool] -= number
        counted = True

    if pools:
        count()
    full = [pool for pool, left in room.items() if left <= 0]
    window = max(_WINDOW, 2 * limit)
    parameters: dict[str, Any] = {"now": now, "runner": runner, "window": window + 1}
    if full:
        parameters["full"] = full
    if run is not None:
        parameters["run"] = run
    found = _find(connection, False, run is not None, bool(full), parameters)
    if len(found) > window and run is None:
        # A long queue: the oldest alone would let the workflow that filled it keep the others waiting.
        workflows = connection.execute(_QUEUED_WORKFLOWS).scalars().all()
        if len(workflows) > 1:
            parameters["window"] = max(limit, 16)
            found = [
                row
                for workflow in workflows
                for row in _find(connection, True, False, bool(full), {**parameters, "workflow": workflow})
            ]
    spare = _SPARE if connection.dialect.name == "postgresql" and not pools else 0
    if len(found) <= limit and not room:
        return [candidate.id for candidate in found]
    if not counted:
        count()
    return fair_order(found, running, limit=limit + spare, room=room)


def _find(
    connection: Connection,
    of_workflow: bool,
    of_run: bool,
    without_pools: bool,
    parameters: Mapping[str, Any],
) -> list[Candidate]:
    statement = _CANDIDATES[of_workflow, of_run, without_pools]
    return [Candidate(*row) for row in connection.execute(statement, parameters)]


def claim(
    connection: Connection,
    runner: RunnerIdentity,
    *,
    now: datetime,
    limit: int,
    pools: Mapping[str, int],
    run: str | None = None,
    lease: timedelta = LEASE,
) -> list[Claim]:
    """Take up to `limit` queued stage runs; see `Store.claim`."""
    if pools and connection.dialect.name == "postgresql":
        # Two runners that counted at the same time would both see the last place in a pool.
        connection.execute(select(func.pg_advisory_xact_lock(_POOL_LOCK)))
    ids = queued(connection, runner.id, now=now, limit=limit, pools=pools, run=run)
    if not ids:
        return []
    rows = _lock(connection, ids, limit)
    return _take(connection, runner, rows, now=now, lease=lease)


def claim_waiting(
    connection: Connection,
    runner: RunnerIdentity,
    stage_run: str,
    *,
    by: str | None,
    now: datetime,
    lease: timedelta = LEASE,
) -> Claim:
    """Take one waiting (or queued) stage run; see `Store.claim_waiting`."""
    run = connection.execute(select(_s.run_id).where(_s.id == stage_run)).scalar()
    if run is None:
        raise NotFound(f"there is no stage run {stage_run}")
    # As everywhere the run is locked first, then its stage run.
    connection.execute(select(runs.c.id).where(runs.c.id == run).with_for_update(key_share=True))
    row = connection.execute(
        _LOAD_ALL.where(_s.id == stage_run).with_for_update(of=stage_runs, key_share=True)
    ).one()
    if row.state not in (StageRunState.WAITING, StageRunState.QUEUED):
        holder = f", opened by {row.opened_by}" if row.opened_by else ""
        raise WrongState(f"stage run {stage_run} is {row.state}{holder}", "Only a waiting one can be opened")
    connection.execute(update(stage_runs).where(_s.id == stage_run).values(opened_by=by))
    # The run does not merely wait any more.
    connection.execute(
        update(runs)
        .where(runs.c.id == row.run_id, runs.c.state == RunState.WAITING.value)
        .values(state=RunState.RUNNING.value)
    )
    return _take(connection, runner, [row], now=now, lease=lease)[0]


def _lock(connection: Connection, ids: Sequence[str], limit: int) -> Sequence[Any]:
    """Load the stage runs in the order of `ids`, without those that another runner is just taking."""
    if connection.dialect.name != "postgresql":
        found = {row.id: row for row in connection.execute(_LOAD, {"ids": ids})}
        return [found[name] for name in ids if name in found]
    return connection.execute(_LOCK, {"ids": list(ids), "limit": limit}).all()


def _take(
    connection: Connection, runner: RunnerIdentity, rows: Sequence[Any], *, now: datetime, lease: timedelta
) -> list[Claim]:
    if not rows:
        return []
    lease_until = now + lease
    connection.execute(
        _TAKE,
        [
            {
                "id_": row.id,
                "attempt_": row.attempt + 1,
                "runner_": runner.id,
                "lease_until_": lease_until,
                "now_": now,
            }
            for row in rows
        ],
    )
    connection.execute(
        _NEW_ATTEMPT,
        [
            {
                "stage_run_id": row.id,
                "number": row.attempt + 1,
                "run_id": row.run_id,
                "state": AttemptState.RUNNING.value,
                "runner": runner.id,
                "started_at": now,
            }
            for row in rows
        ],
    )
    return [_claim_of(row, runner.id, row.attempt + 1, lease_until) for row in rows]


def _claim_of(row: Any, runner: str | None, attempt: int, lease_until: datetime) -> Claim:
    """Return the claim; its document's text is filled in by the store, which keeps it by hash."""
    stage_run = replace(
        stage_run_record(row), state=StageRunState.RUNNING, attempt=attempt, runner=runner, due_at=None
    )
    return Claim(
        run=run_record(row, len(STAGE_RUN_COLUMNS)),
        stage_run=stage_run,
        attempt=attempt,
        lease_until=lease_until,
        document_text="",
        request=row.request if row.request is not None else (row.run_requests or {}).get(row.path),
        answers=row.answers if row.answers is not None else (row.run_answers or {}).get(row.path),
        once=(row.once or {}).get("how", {}),
        once_after=(row.once or {}).get("after", 0),
    )


_COMPLETED = _LOAD_ALL.where(
    _s.run_id == bindparam("run"), _s.stage == bindparam("stage"), _s.state == StageRunState.COMPLETED.value
).order_by(_s.key, _s.sequence)


def completed(connection: Connection, run_id: str, stage: str) -> list[Claim]:
    """Return the stage runs at a stage that a run has completed, in the form in which they were claimed."""
    found = []
    for row in connection.execute(_COMPLETED, {"run": run_id, "stage": stage}):
        claimed = _claim_of(row, row.runner, row.attempt, row.created_at)
        found.append(replace(claimed, stage_run=stage_run_record(row)))
    return found


_RENEW = (
    update(stage_runs)
    .where(_s.id.in_(bindparam("ids", expanding=True)))
    .values(lease_until=bindparam("lease_until_"))
)
# Locked in one order, as cancelling does it too: else each could wait for the other.
_HELD = (
    select(_s.id, _s.attempt)
    .where(_s.id.in_(bindparam("ids", expanding=True)), _s.runner == bindparam("runner_"), _RUNNING)
    .order_by(_s.id)
    .with_for_update(key_share=True)
)


def renew(
    connection: Connection,
    runner: RunnerIdentity,
    claims: Collection[Claim],
    *,
    now: datetime,
    lease: timedelta = LEASE,
) -> list[Claim]:
    """Extend the leases and return the claims that are not the runner's any more."""
    connection.execute(
        update(runners).where(runners.c.id == runner.id).values(heartbeat_at=now, stopped_at=None)
    )
    if not claims:
        return []
    parameters = {"ids": [claim.id for claim in claims], "runner_": runner.id}
    held = {row.id: row.attempt for row in connection.execute(_HELD, parameters)}
    if held:
        connection.execute(_RENEW, {"ids": list(held), "lease_until_": now + lease})
    return [claim for claim in claims if held.get(claim.id) != claim.attempt]


def running_claims(
    connection: Connection, *, but: str | None = None, held: Collection[str] | None = None
) -> Iterable[tuple[Claim, RunnerIdentity | None, bool]]:
    """Return every claim that some runner holds, with who it is and whether it has stopped.

    Parameters
    ----------
    but
        A runner whose claims are left out, as reading them with their data takes time; if `held` is given,
        only those of these stage runs.
    """
    wanted = [_RUNNING]
    if but is not None:
        others = _s.runner.is_distinct_from(but)
        wanted.append(others if held is None else or_(others, _s.id.not_in(held)))
    statement = (
        select(*_LOADED, *[column.label(f"runner_{column.name}") for column in runners.c])
        .select_from(stage_runs.join(runs).outerjoin(runners, runners.c.id == _s.runner))
        .where(*wanted)
    )
    found = []
    for row in connection.execute(statement):
        identity = None if row.runner_id is None else identity_of(row, "runner_")
        claim = _claim_of(row, row.runner, row.attempt, row.lease_until)
        found.append((claim, identity, row.runner_stopped_at is not None))
    return found


def identity_of(row: Any, prefix: str = "") -> RunnerIdentity:
    """Return the runner that a row of `runners` is about."""
    fields = ("id", "host", "boot_id", "pid_namespace", "pid", "start_ticks")
    return RunnerIdentity(*(getattr(row, f"{prefix}{name}") for name in fields))
