"""Whatever the clock does and however many runners look: each due time has one run at most."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import accumulate

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from sqlalchemy import event
from support.schedules import at, deploy_job, scheduled, start_all_due
from support.stores import finish

from jupyter_workflows.model.schedule import GRACE, Schedule
from jupyter_workflows.store import RunnerIdentity, Store, open_store

ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"]
#: Shortly before clocks are put forward in Europe, before they are put back, before a leap day, and between.
STARTS = ["2026-03-28 20:30:30", "2026-10-24 20:30:30", "2028-02-28 20:30:30", "2026-06-15 11:59:59.5"]
CRONS = [
    "0 * * * *",
    "*/20 * * * *",
    "30 2 * * *",
    "0 0 * * *",
    "15 1,2,3 * * *",
    "0 12 29 2 *",
    "0 0 */5 * * *",
]

times = st.tuples(st.sampled_from(["forward", "forward", "forward", "back"]), st.integers(1, 4 * 86_400))
# Mostly small steps, as of a runner that looks every now and then.
steps = st.lists(
    st.one_of(st.tuples(st.just("forward"), st.integers(1, 7200)), times), min_size=1, max_size=8
)


#: Due times in an example: more than are started in one go, and more than may wait in a queue.
MOST = 250


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    store = open_store(f"sqlite:///{tmp_path_factory.mktemp('state') / 'test.sqlite3'}")
    # A great many small transactions, of which none must outlive the machine.
    event.listen(store.database.engine, "connect", lambda c, _: c.execute("PRAGMA synchronous = OFF"))
    store.database.engine.dispose()
    yield store
    store.close()


class Time:
    """The database's clock, with a patch that a fixture of a function could not undo between examples."""

    def __init__(self, store: Store, start: str) -> None:
        self.now: datetime = at(start)
        self.store = store

    def __enter__(self) -> Time:
        self.real = self.store.database.now
        self.store.database.now = lambda connection: self.now  # type: ignore[method-assign]
        return self

    def __exit__(self, *error: object) -> None:
        self.store.database.now = self.real  # type: ignore[method-assign]

    def move(self, step: tuple[str, int]) -> None:
        self.now += _length(step)


def _length(step: tuple[str, int]) -> timedelta:
    way, seconds = step
    return timedelta(seconds=seconds if way == "forward" else -seconds)


@contextlib.contextmanager
def _job(store: Store, cron: str, **settings: str) -> Iterator[str]:
    """A job that rests after its example: those that follow have nothing to do with it."""
    uid = deploy_job(store, cron, **settings)
    try:
        yield uid
    finally:
        store.pause(uid)


def _is_small(cron: str, zone: str, start: str, steps: list[tuple[str, int]]) -> bool:
    """Return whether an example can be gone through in a moment."""
    moments = accumulate((_length(step) for step in steps), initial=at(start))
    return len(_between(cron, zone, at(start), max(moments))) <= MOST


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    cron=st.sampled_from(CRONS),
    zone=st.sampled_from(ZONES),
    start=st.sampled_from(STARTS),
    missed=st.sampled_from(["latest", "all", "skip"]),
    overlap=st.sampled_from(["allow", "queue", "skip"]),
    steps=steps,
    together=st.integers(1, 3),
    busy=st.booleans(),
)
def test_each_due_time_has_at_most_one_run_and_none_is_before_the_activation(
    store: Store,
    cron: str,
    zone: str,
    start: str,
    missed: str,
    overlap: str,
    steps: list[tuple[str, int]],
    together: int,
    busy: bool,
) -> None:
    assume(_is_small(cron, zone, start, steps))
    worker = RunnerIdentity.current()
    job = _job(store, cron, timezone=zone, missed=missed, overlap=overlap)
    with Time(store, start) as time, ThreadPoolExecutor(together) as pool, job as uid:
        latest = time.now
        for step in steps:
            time.move(step)
            latest = max(latest, time.now)
            list(pool.map(lambda _: start_all_due(store), range(together)))
            if not busy:
                while claims := store.claim(worker, limit=50):
                    for claim in claims:
                        finish(store, claim)
                    store.start_due()
        started = scheduled(store, uid)
    assert len(started) == len(set(started))
    wanted = _between(cron, zone, at(start), latest)
    assert set(started) <= set(wanted)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    cron=st.sampled_from(CRONS),
    zone=st.sampled_from(ZONES),
    start=st.sampled_from(STARTS),
    overlap=st.sampled_from(["allow", "queue"]),
    steps=steps,
    together=st.integers(1, 3),
)
def test_all_loses_none(
    store: Store,
    cron: str,
    zone: str,
    start: str,
    overlap: str,
    steps: list[tuple[str, int]],
    together: int,
) -> None:
    assume(_is_small(cron, zone, start, steps))
    worker = RunnerIdentity.current()
    job = _job(store, cron, timezone=zone, missed="all", overlap=overlap)
    with Time(store, start) as time, ThreadPoolExecutor(together) as pool, job as uid:
        latest = time.now
        for step in steps:
            time.move(step)
            latest = max(latest, time.now)
            list(pool.map(lambda _: start_all_due(store), range(together)))
        # What waits in the queue begins when there is room, with the clock where it had been furthest.
        time.now = latest
        order = []
        for _ in range(10_000):
            start_all_due(store)
            claims = [claim for claim in store.claim(worker, limit=50) if claim.run.workflow_uid == uid]
            if not claims:
                break
            assert overlap == "allow" or len(claims) == 1
            for claim in claims:
                order.append(claim.run.scheduled_time)
                finish(store, claim)
        started = scheduled(store, uid)
    wanted = _between(cron, zone, at(start), latest)
    assert started == wanted
    assert sorted(moment for moment in order if moment is not None) == wanted


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    cron=st.sampled_from(CRONS),
    zone=st.sampled_from(ZONES),
    start=st.sampled_from(STARTS),
    sleep=st.integers(1, 30 * 86_400),
)
def test_after_a_sleep_the_latest_one_runs_or_those_on_time(
    store: Store, cron: str, zone: str, start: str, sleep: int
) -> None:
    with Time(store, start) as time:
        latest = deploy_job(store, cron, timezone=zone, missed="latest", overlap="allow")
        skip = deploy_job(store, cron, timezone=zone, missed="skip", overlap="allow")
        time.move(("forward", sleep))
        start_all_due(store)
        start_all_due(store)
        found = {uid: scheduled(store, uid) for uid in (latest, skip)}
        store.pause(latest)
        store.pause(skip)
    wanted = _between(cron, zone, at(start), time.now)
    assert found[latest] == wanted[-1:]
    assert found[skip] == [moment for moment in wanted if moment > time.now - GRACE]


def _between(cron: str, zone: str, start: datetime, end: datetime) -> list[datetime]:
    found = []
    for moment in Schedule(cron, zone).times(start):
        if moment > end:
            return found
        found.append(moment)
    return found
