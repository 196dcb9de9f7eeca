"""Jobs and mail as a runner's work: when it looks, and what it then does."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Coroutine, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message
from support.schedules import SetClock, at, deploy_job, scheduled

from jupyter_workflows.execution.executors.base import OnProgress
from jupyter_workflows.execution.spec import AttemptError, AttemptOutcome, AttemptSpec
from jupyter_workflows.model.states import AttemptState, RunState
from jupyter_workflows.runner.runner import Runner
from jupyter_workflows.runner.scheduler import Scheduler
from jupyter_workflows.runner.settings import RunnerSettings
from jupyter_workflows.runner.smtp import SmtpSettings
from jupyter_workflows.runner.wakeup import wake
from jupyter_workflows.store import DatabaseBusy, RunFilter, Store, open_store

DONE = AttemptOutcome(AttemptState.COMPLETED)
FAILED = AttemptOutcome(AttemptState.FAILED, error=AttemptError("ValueError", "no good", 0))

#: So long that nothing in a test can wait for it: what happens was not found by chance.
NEVER = 3600.0


class Executor:
    """Ends attempts as the test says."""

    def __init__(self) -> None:
        self.outcome = DONE
        self.gate = asyncio.Event()
        self.gate.set()
        self.executing: list[str | None] = []

    async def start(self) -> None:
        pass

    async def stop(self, *, wait: bool = True) -> None:
        self.gate.set()

    async def execute(self, spec: AttemptSpec, on_progress: OnProgress | None = None) -> AttemptOutcome:
        self.executing.append(spec.scheduled_time)
        await self.gate.wait()
        return self.outcome

    def cancel(self, stage_run_id: str) -> None:
        pass

    def kill(self, stage_run_id: str) -> None:
        pass


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path / 'state' / 'test.sqlite3'}")
    yield opened
    opened.close()


async def until(condition: Callable[[], bool], *, seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


def run_while(
    store: Store, body: Callable[[Runner, Executor], Coroutine[Any, Any, None]], **settings: Any
) -> None:
    """Work with a runner that looks by itself only seldom."""
    settings = {"schedule_interval": NEVER, "poll_interval": NEVER, "mail_interval": 0.0, **settings}

    async def both() -> None:
        executor = Executor()
        runner = Runner(store, executor, RunnerSettings(**settings))
        running = asyncio.create_task(runner.run())
        try:
            await body(runner, executor)
        finally:
            runner.stop()
            await running

    asyncio.run(both())


def ended(store: Store, uid: str) -> list[datetime | None]:
    page = store.list_runs(RunFilter(workflow_uid=uid))
    return [run.scheduled_time for run in page.runs if run.state is not RunState.RUNNING]


def soon(**time: float) -> str:
    """Return an expression for one moment of this year."""
    moment = (datetime.now(UTC) + timedelta(**time)).replace(microsecond=0)
    return f"{moment.second} {moment.minute} {moment.hour} {moment.day} {moment.month} *"


def test_a_job_runs_at_its_time_without_anybody_looking(store: Store) -> None:
    uid = deploy_job(store, "* * * * * *", overlap="allow")

    async def body(runner: Runner, executor: Executor) -> None:
        await until(lambda: len(ended(store, uid)) >= 2)

    run_while(store, body)
    times = scheduled(store, uid)
    assert len(times) == len(set(times))
    assert times[0] > store.list_schedules(uid)[0].activated_at


def test_what_is_deployed_meanwhile_is_seen(store: Store) -> None:
    async def body(runner: Runner, executor: Executor) -> None:
        await until(lambda: wake(store.state_folder / "wake") == 1)
        uid = deploy_job(store, "* * * * * *", overlap="allow")
        wake(store.state_folder / "wake")
        await until(lambda: bool(ended(store, uid)))

    run_while(store, body)


def test_a_queued_run_begins_as_soon_as_the_one_before_has_ended(store: Store) -> None:
    uid = deploy_job(store, soon(days=-2), overlap="queue")
    end = datetime.now(UTC)
    first = store.run_job_now(uid, "job")
    store.backfill(uid, "job", end - timedelta(days=3), end)

    async def body(runner: Runner, executor: Executor) -> None:
        executor.gate.clear()
        await until(lambda: len(executor.executing) == 1)
        assert len(store.list_runs(RunFilter(workflow_uid=uid)).runs) == 2
        executor.gate.set()
        await until(lambda: len(ended(store, uid)) == 2)
        assert executor.executing[0] == store.get_run_record(first).scheduled_time.isoformat()  # type: ignore[union-attr]

    run_while(store, body)


def test_a_paused_runner_starts_nothing(store: Store) -> None:
    uid = deploy_job(store, "* * * * * *", overlap="allow")

    async def body(runner: Runner, executor: Executor) -> None:
        await until(lambda: wake(store.state_folder / "wake") == 1)
        await until(lambda: len(scheduled(store, uid)) > 0)
        runner.pause()
        before = scheduled(store, uid)
        activated = store.list_schedules(uid)[0].activated_at
        await until(lambda: store.now() > activated + timedelta(seconds=4))
        # One may have been on its way.
        assert len(scheduled(store, uid)) <= len(before) + 1
        runner.resume()
        await until(lambda: len(scheduled(store, uid)) > len(before) + 1)

    run_while(store, body)


def test_a_runner_for_one_run_alone_starts_no_jobs(store: Store) -> None:
    uid = deploy_job(store, "0 0 1 1 *", overlap="allow")
    due = deploy_job(store, "* * * * * *", overlap="allow")
    run_id = store.run_job_now(uid, "job")

    async def body() -> None:
        executor = Executor()
        executor.gate.clear()
        runner = Runner(store, executor, RunnerSettings(), only_run=run_id)
        running = asyncio.create_task(runner.run())
        next_due = store.list_schedules(due)[0].next_due
        assert next_due is not None
        await until(lambda: bool(executor.executing) and store.now() > next_due)
        executor.gate.set()
        await running

    asyncio.run(body())
    assert scheduled(store, due) == []


def test_the_owner_is_told_by_the_runner(store: Store) -> None:
    uid = deploy_job(store, "* * * * * *", address="ada@example.org", overlap="allow")
    received: list[Any] = []

    class Handler(Message):
        def handle_message(self, message: Any) -> None:
            received.append(message)

    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    controller = Controller(Handler(), hostname="127.0.0.1", port=port)
    controller.start()

    async def body(runner: Runner, executor: Executor) -> None:
        executor.outcome = FAILED
        await until(lambda: bool(received))

    try:
        smtp = SmtpSettings.from_url(f"smtp://localhost:{port}?from=w@example.org")
        run_while(store, body, mail_interval=0.05, smtp=smtp)
    finally:
        controller.stop()
    assert received[0]["To"] == "ada@example.org"
    assert ended(store, uid)


def test_stopping_is_heard_also_at_the_moment_of_a_nudge(store: Store) -> None:
    async def body() -> None:
        for _ in range(20):
            scheduler = Scheduler(store, asyncio.to_thread, interval=NEVER, started=lambda: None)
            looks: list[None] = []
            look = scheduler.look

            async def counted(look: Any = look, looks: list[None] = looks) -> float:
                delay: float = await look()
                looks.append(None)
                return delay

            scheduler.look = counted  # type: ignore[method-assign]
            scheduler.start()
            await until(lambda looks=looks: bool(looks))  # type: ignore[misc]
            await asyncio.sleep(0)
            scheduler.nudge()
            async with asyncio.timeout(20):
                await scheduler.stop()

    asyncio.run(body())


# -- how long it sleeps -----------------------------------------------------------------------------------


@pytest.fixture
def clock(store: Store, monkeypatch: pytest.MonkeyPatch) -> SetClock:
    clock = SetClock("2026-03-02 08:00:00")
    clock.rule(store, monkeypatch)
    return clock


def look(store: Store, clock: SetClock, *, interval: float = 5.0) -> tuple[float, list[str]]:
    told: list[str] = []

    async def once() -> float:
        scheduler = Scheduler(
            store, asyncio.to_thread, interval=interval, started=lambda: told.append("started"), clock=clock
        )
        return await scheduler.look()

    return asyncio.run(once()), told


def test_it_sleeps_until_the_next_job_but_not_longer_than_its_interval(store: Store, clock: SetClock) -> None:
    assert look(store, clock) == (5.0, [])
    deploy_job(store, "0 * * * *")
    assert look(store, clock) == (5.0, [])
    clock.set("2026-03-02 08:59:58")
    delay, told = look(store, clock)
    assert delay == pytest.approx(2, abs=0.1) and not told
    clock.set("2026-03-02 09:00:00")
    assert look(store, clock) == (5.0, ["started"])
    assert look(store, clock, interval=7200)[0] == pytest.approx(3600, abs=0.1)


def test_it_does_not_sleep_while_there_is_more_to_catch_up(store: Store, clock: SetClock) -> None:
    deploy_job(store, "* * * * *", missed="all", overlap="allow")
    clock.pass_(minutes=70)
    assert look(store, clock) == (0.0, ["started"])
    assert look(store, clock) == (5.0, ["started"])
    assert look(store, clock) == (5.0, [])


def test_it_goes_by_the_clock_that_it_was_given(store: Store) -> None:
    # The database's own clock is years behind.
    ahead = SetClock(datetime.now(UTC) + timedelta(days=1000))
    uid = deploy_job(store, "0 0 * * *")
    assert look(store, ahead)[1] == ["started"]
    assert scheduled(store, uid) == [ahead.time.replace(hour=0, minute=0, second=0, microsecond=0)]
    assert at("2026-01-01") < ahead.time


def test_a_job_that_cannot_be_started_is_told_of_once_and_does_not_spin(
    store: Store, clock: SetClock, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    deploy_job(store)

    def refuse(*arguments: Any, **keywords: Any) -> Any:
        raise DatabaseBusy("locked")

    monkeypatch.setattr("jupyter_workflows.store.jobs.create_run", refuse)
    clock.pass_(hours=1)

    async def several() -> None:
        scheduler = Scheduler(store, asyncio.to_thread, interval=5.0, started=lambda: None, clock=clock)
        for _ in range(3):
            assert await scheduler.look() == 5.0

    asyncio.run(several())
    assert caplog.text.count("cannot be started") == 1
