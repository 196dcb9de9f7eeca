"""When jobs are due, and that each due time has one run at most."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import pairwise

import pytest
from support.schedules import SetClock, at, deploy_job, scheduled, start_all_due
from support.stores import document, fail, finish

from jupyter_workflows.model.states import RunMode, RunState
from jupyter_workflows.store import NotFound, RunnerIdentity, Store, WrongState
from jupyter_workflows.store.schedules import BATCH, QUEUE


@pytest.fixture
def clock(store: Store, monkeypatch: pytest.MonkeyPatch) -> SetClock:
    clock = SetClock("2026-03-02 08:00:00")
    clock.rule(store, monkeypatch)
    return clock


def complete_one(store: Store, runner: RunnerIdentity) -> str:
    (claim,) = store.claim(runner, limit=1)
    finish(store, claim)
    return claim.run.id


# -- due times --------------------------------------------------------------------------------------------


def test_a_due_time_has_one_run(store: Store, clock: SetClock) -> None:
    uid = deploy_job(store, "0 9 * * *", timezone="Europe/Berlin")
    assert store.start_due().next_due == at("2026-03-03 08:00")
    clock.set("2026-03-03 08:00:00")
    (run,) = store.start_due().started
    assert not store.start_due().started
    record = store.get_run_record(run.run_id)
    assert record.scheduled_time == at("2026-03-03 08:00")
    assert record.mode is RunMode.LIVE
    assert record.deployment is not None and record.project.endswith("/project")
    (job,) = store.list_schedules(uid)
    assert (job.last_due, job.next_due) == (at("2026-03-03 08:00"), at("2026-03-04 08:00"))


def test_the_moment_of_activation_is_not_due(store: Store, clock: SetClock) -> None:
    uid = deploy_job(store, "0 8 * * *", missed="all")
    start_all_due(store)
    clock.pass_(minutes=1)
    start_all_due(store)
    assert scheduled(store, uid) == []


def test_a_run_can_be_claimed_at_once(store: Store, clock: SetClock, runner: RunnerIdentity) -> None:
    deploy_job(store)
    clock.pass_(hours=1)
    (run,) = store.start_due().started
    assert complete_one(store, runner) == run.run_id


def test_runners_that_look_at_the_same_moment_start_one(store: Store, clock: SetClock) -> None:
    uids = [deploy_job(store, "0 * * * *", overlap="allow") for _ in range(5)]
    for _ in range(3):
        clock.pass_(hours=1)
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: start_all_due(store), range(4)))
    for uid in uids:
        assert scheduled(store, uid) == [
            at("2026-03-02 09:00"),
            at("2026-03-02 10:00"),
            at("2026-03-02 11:00"),
        ]


def test_a_job_that_cannot_be_started_does_not_hold_up_others(store: Store, clock: SetClock) -> None:
    broken, sound = deploy_job(store), deploy_job(store)
    from sqlalchemy import update

    from jupyter_workflows.store.tables import schedules

    with store.database.write() as connection:
        connection.execute(
            update(schedules).where(schedules.c.workflow_uid == broken).values(cron="nonsense")
        )
    clock.pass_(hours=1)
    work = store.start_due()
    assert [(uid, stage) for uid, stage, _ in work.failed] == [(broken, "job")]
    assert not work.more and work.next_due == at("2026-03-02 10:00")
    assert scheduled(store, sound) == [at("2026-03-02 09:00")]


# -- the year's odd days ----------------------------------------------------------------------------------


def walk(store: Store, clock: SetClock, until: str, **step: float) -> None:
    while clock.time < at(until):
        clock.pass_(**step)
        start_all_due(store)


def test_a_time_that_does_not_exist_runs_at_the_shift(store: Store, clock: SetClock) -> None:
    clock.set("2026-03-28 00:00")
    uid = deploy_job(store, "30 2 * * *", timezone="Europe/Berlin", overlap="allow")
    walk(store, clock, "2026-03-31 00:00", minutes=15)
    assert scheduled(store, uid) == [at("2026-03-28 01:30"), at("2026-03-29 01:00"), at("2026-03-30 00:30")]


def test_a_time_that_comes_twice_runs_once(store: Store, clock: SetClock) -> None:
    clock.set("2026-10-24 00:00")
    uid = deploy_job(store, "30 2 * * *", timezone="Europe/Berlin", overlap="allow")
    walk(store, clock, "2026-10-27 00:00", minutes=15)
    assert scheduled(store, uid) == [at("2026-10-24 00:30"), at("2026-10-25 00:30"), at("2026-10-26 01:30")]


def test_an_hourly_job_runs_in_each_hour_over_both_shifts(store: Store, clock: SetClock) -> None:
    clock.set("2026-03-28 22:30")
    uid = deploy_job(store, "0 * * * *", timezone="Europe/Berlin", overlap="allow")
    walk(store, clock, "2026-03-29 06:00", minutes=30)
    clock.set("2026-10-24 22:00")
    start_all_due(store)
    before = len(scheduled(store, uid))
    walk(store, clock, "2026-10-25 06:00", minutes=30)
    found = scheduled(store, uid)
    hour = timedelta(hours=1)
    assert all(b - a == hour for a, b in pairwise(found[: before - 1]))
    assert all(b - a == hour for a, b in pairwise(found[before - 1 :]))
    assert found[-1] == at("2026-10-25 06:00") and len(found) - before == 8


def test_the_29th_of_february_comes_in_leap_years(store: Store, clock: SetClock) -> None:
    clock.set("2026-06-01 00:00")
    uid = deploy_job(store, "0 12 29 2 *", overlap="allow")
    (job,) = store.list_schedules(uid)
    assert job.next_times(clock.time, 2) == [at("2028-02-29 12:00"), at("2032-02-29 12:00")]
    walk(store, clock, "2028-03-02 00:00", days=5)
    clock.set("2028-03-05 00:00")
    start_all_due(store)
    assert scheduled(store, uid) == [at("2028-02-29 12:00")]


# -- what was missed --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("missed", "expected"),
    [("latest", ["2026-03-09 08:00"]), ("skip", []), ("all", None)],
)
def test_a_machine_that_slept_for_a_week(
    store: Store, clock: SetClock, missed: str, expected: list[str] | None
) -> None:
    uid = deploy_job(store, missed=missed, overlap="allow")
    clock.pass_(days=7, minutes=20)
    start_all_due(store)
    found = scheduled(store, uid)
    if expected is None:
        assert len(found) == len(set(found)) == 7 * 24
    else:
        assert found == [at(time) for time in expected]
    clock.pass_(minutes=40)
    assert start_all_due(store) == [at("2026-03-09 09:00")]


def test_catching_up_goes_in_steps(store: Store, clock: SetClock) -> None:
    deploy_job(store, "* * * * *", missed="all", overlap="allow")
    clock.pass_(minutes=2 * BATCH + 1)
    counts = []
    while True:
        work = store.start_due()
        counts.append(len(work.started))
        if not work.more:
            break
    assert counts == [BATCH, BATCH, 1]


def test_a_time_within_the_last_minute_was_not_missed(store: Store, clock: SetClock) -> None:
    uid = deploy_job(store, missed="skip")
    clock.set("2026-03-02 09:00:45")
    start_all_due(store)
    assert scheduled(store, uid) == [at("2026-03-02 09:00")]


# -- overlap ----------------------------------------------------------------------------------------------


def test_skip_leaves_a_time_out_while_a_run_goes_on(
    store: Store, clock: SetClock, runner: RunnerIdentity
) -> None:
    uid = deploy_job(store)
    clock.pass_(hours=1)
    store.start_due()
    clock.pass_(hours=1)
    (due,) = store.start_due().due
    assert due.skipped == (at("2026-03-02 10:00"),) and not due.started
    complete_one(store, runner)
    clock.pass_(hours=1)
    store.start_due()
    assert scheduled(store, uid) == [at("2026-03-02 09:00"), at("2026-03-02 11:00")]


def test_a_run_that_waits_for_a_person_goes_on(store: Store, clock: SetClock, runner: RunnerIdentity) -> None:
    uid = "waiting"
    text = document(
        {
            "job": {"type": "job", "schedule": {"cron": "0 * * * *"}},
            "ask": {"type": "form", "assignee": "ada"},
        },
        {"t": {"source": "job", "target": "ask"}},
        uid=uid,
    )
    deploy_job(store, uid=uid, document_text=text)
    clock.pass_(hours=1)
    (run,) = store.start_due().started
    complete_one(store, runner)
    assert store.get_run_record(run.run_id).state is RunState.WAITING
    clock.pass_(hours=1)
    assert not store.start_due().started


def test_queue_runs_one_after_the_other(store: Store, clock: SetClock, runner: RunnerIdentity) -> None:
    deploy_job(store, overlap="queue")
    runs = []
    for _ in range(3):
        clock.pass_(hours=1)
        runs += [run.run_id for run in store.start_due().started]
    assert len(runs) == 3
    for place, run_id in enumerate(runs):
        (claim,) = store.claim(runner, limit=5)
        assert claim.run.id == run_id
        assert store.start_due().released == ()
        # A run that failed is over, too.
        (fail if place == 0 else finish)(store, claim)
        assert store.start_due().released == tuple(runs[place + 1 : place + 2])


def test_a_queued_run_begins_when_the_one_before_is_cancelled(
    store: Store, clock: SetClock, runner: RunnerIdentity
) -> None:
    deploy_job(store, overlap="queue")
    runs = []
    for _ in range(3):
        clock.pass_(hours=1)
        runs += [run.run_id for run in store.start_due().started]
    store.cancel_run(runs[1])
    store.cancel_run(runs[0])
    assert store.start_due().released == (runs[2],)
    assert [claim.run.id for claim in store.claim(runner, limit=5)] == [runs[2]]


def test_allow_runs_at_the_same_time(store: Store, clock: SetClock, runner: RunnerIdentity) -> None:
    deploy_job(store, overlap="allow")
    for _ in range(3):
        clock.pass_(hours=1)
        store.start_due()
    assert len(store.claim(runner, limit=5)) == 3


def test_all_that_was_missed_runs_one_after_the_other_where_runs_must_not_overlap(
    store: Store, clock: SetClock, runner: RunnerIdentity
) -> None:
    uid = deploy_job(store, missed="all", overlap="skip")
    clock.pass_(hours=5, minutes=10)
    start_all_due(store)
    order = []
    while claims := store.claim(runner, limit=5):
        (claim,) = claims
        order.append(claim.run.scheduled_time)
        finish(store, claim)
        store.start_due()
    assert order == scheduled(store, uid) == [at(f"2026-03-02 {hour:02}:00") for hour in range(9, 14)]


def test_a_queue_has_an_end(store: Store, clock: SetClock, runner: RunnerIdentity) -> None:
    uid = deploy_job(store, "* * * * *", missed="all", overlap="queue")
    clock.pass_(minutes=QUEUE + 31)
    start_all_due(store)
    assert len(scheduled(store, uid)) == QUEUE + 1
    for _ in range(10):
        complete_one(store, runner)
        store.start_due()
    clock.pass_(minutes=1)
    start_all_due(store)
    # As many as there is room for again, and none was left out.
    found = scheduled(store, uid)
    assert len(found) == QUEUE + 11
    assert all(b - a == timedelta(minutes=1) for a, b in pairwise(found))


# -- a clock that is set ----------------------------------------------------------------------------------


def test_a_clock_that_goes_back_repeats_nothing(store: Store, clock: SetClock) -> None:
    uid = deploy_job(store, overlap="allow")
    walk(store, clock, "2026-03-02 12:00", minutes=30)
    clock.set("2026-03-02 09:30")
    walk(store, clock, "2026-03-02 13:00", minutes=30)
    assert scheduled(store, uid) == [at(f"2026-03-02 {hour:02}:00") for hour in range(9, 14)]


def test_nor_does_it_when_the_runs_are_gone(store: Store, clock: SetClock, runner: RunnerIdentity) -> None:
    uid = deploy_job(store)
    for _ in range(3):
        clock.pass_(hours=1)
        store.start_due()
        complete_one(store, runner)
    clock.pass_(minutes=1)
    assert len(store.retain(age=0).runs) == 3
    clock.set("2026-03-02 08:30")
    walk(store, clock, "2026-03-02 11:30", minutes=30)
    assert scheduled(store, uid) == []


def test_a_clock_that_was_ahead_does_not_silence_a_job(store: Store, clock: SetClock) -> None:
    uid = deploy_job(store, overlap="allow")
    clock.set("2031-01-01 00:10")
    start_all_due(store)
    clock.set("2026-03-02 08:50")
    walk(store, clock, "2026-03-02 10:00", minutes=5)
    assert scheduled(store, uid) == [
        at("2026-03-02 09:00"),
        at("2026-03-02 10:00"),
        at("2031-01-01 00:00"),
    ]


# -- pausing, and new versions ----------------------------------------------------------------------------


def test_a_paused_workflow_starts_nothing_and_makes_nothing_up(store: Store, clock: SetClock) -> None:
    uid = deploy_job(store, missed="all", overlap="allow")
    store.pause(uid)
    clock.pass_(hours=3)
    start_all_due(store)
    clock.pass_(hours=2, minutes=30)
    store.resume(uid)
    start_all_due(store)
    assert scheduled(store, uid) == []
    clock.pass_(minutes=30)
    start_all_due(store)
    assert scheduled(store, uid) == [at("2026-03-02 14:00")]


def test_a_new_version_takes_the_schedule_over(store: Store, clock: SetClock) -> None:
    uid = deploy_job(store, overlap="allow")
    clock.pass_(minutes=59)
    deploy_job(store, uid=uid, overlap="allow")
    clock.pass_(minutes=1, seconds=1)
    (run,) = store.start_due().started
    assert store.get_run_record(run.run_id).deployment == store.list_schedules(uid)[0].deployment
    assert store.list_schedules(uid)[0].version == 2
    deploy_job(store, "30 * * * *", uid=uid, overlap="allow")
    assert not store.start_due().started
    assert store.list_schedules(uid)[0].next_due == at("2026-03-02 09:30")


# -- by hand ----------------------------------------------------------------------------------------------


def test_run_now(store: Store, clock: SetClock) -> None:
    uid = deploy_job(store)
    clock.set("2026-03-02 08:20:05")
    run_id = store.run_job_now(uid, "job", by="ada")
    record = store.get_run_record(run_id)
    assert (record.started_by, record.scheduled_time) == ("ada", at("2026-03-02 08:20:05"))
    (entry,) = store.audit(run_id=run_id)
    assert (entry.who, entry.what) == ("ada", "ran-now")
    assert store.run_job_now(uid, "job") != run_id
    with pytest.raises(NotFound):
        store.run_job_now(uid, "elsewhere")
    store.pause(uid)
    with pytest.raises(WrongState, match="paused"):
        store.run_job_now(uid, "job")


def test_backfill_takes_each_time_once(store: Store, clock: SetClock, runner: RunnerIdentity) -> None:
    uid = deploy_job(store, "0 6 * * *")
    start, end = at("2026-02-26 06:00"), at("2026-03-02 06:00")
    done = store.backfill(uid, "job", start, end, by="ada")
    times = [start + timedelta(days=day) for day in range(5)]
    assert [run.scheduled_time for run in done.started] == times and not done.known
    assert [run.held for run in done.started] == [False, True, True, True, True]
    again = store.backfill(uid, "job", start - timedelta(days=1), end, by="ada")
    assert [run.scheduled_time for run in again.started] == [at("2026-02-25 06:00")]
    assert list(again.known) == [(run.scheduled_time, run.run_id) for run in done.started]
    entries = store.audit(limit=6)
    assert {entry.what for entry in entries} == {"backfilled"}
    more = store.backfill(uid, "job", end, end, by="ada", again=True)
    assert len(more.started) == 1 and scheduled(store, uid).count(end) == 2
    order = []
    while claims := store.claim(runner, limit=5):
        (claim,) = claims
        order.append(claim.run.scheduled_time)
        finish(store, claim)
        store.start_due()
    assert order == [times[0], at("2026-02-25 06:00"), *times[1:], end]


def test_a_time_that_was_due_is_not_filled_in_again(store: Store, clock: SetClock) -> None:
    uid = deploy_job(store, overlap="allow")
    walk(store, clock, "2026-03-02 10:00", minutes=30)
    done = store.backfill(uid, "job", at("2026-03-02 07:00"), clock.time)
    assert [run.scheduled_time for run in done.started] == [at("2026-03-02 07:00"), at("2026-03-02 08:00")]
    assert [time for time, _ in done.known] == [at("2026-03-02 09:00"), at("2026-03-02 10:00")]


def test_backfills_that_cannot_be(store: Store, clock: SetClock) -> None:
    uid = deploy_job(store, "* * * * *")
    now = clock.time
    for start, end, words in [
        (now, now + timedelta(hours=1), "have passed"),
        (now, now - timedelta(hours=1), "before it begins"),
        (now - timedelta(days=3), now, "more than 1000"),
    ]:
        with pytest.raises(WrongState, match=words):
            store.backfill(uid, "job", start, end)
    assert scheduled(store, uid) == []


def test_backfills_at_the_same_moment_share_the_times(store: Store, clock: SetClock) -> None:
    uid = deploy_job(store, "0 * * * *", overlap="allow")
    with ThreadPoolExecutor(4) as pool:
        list(
            pool.map(
                lambda _: store.backfill(uid, "job", clock.time - timedelta(hours=60), clock.time), range(4)
            )
        )
    found = scheduled(store, uid)
    assert len(found) == len(set(found)) == 61
