"""The runner against an executor of the tests' own: what it claims, when, and what it records."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from support.projects import write_project
from support.scripted import ScriptedExecutor, begin, run_while, state_of, until

from jupyter_workflows.execution.spec import AttemptError, AttemptOutcome, AttemptSpec
from jupyter_workflows.model.states import AttemptState, RunState, StageRunState
from jupyter_workflows.runner.events import RunEvent
from jupyter_workflows.runner.runner import Runner
from jupyter_workflows.runner.settings import RunnerSettings
from jupyter_workflows.runner.wakeup import wake
from jupyter_workflows.store import DatabaseBusy, Store, StoreError, open_store

DONE = AttemptOutcome(AttemptState.COMPLETED)


@pytest.fixture
def store(tmp_path: Path) -> Any:
    opened = open_store(f"sqlite:///{tmp_path / 'state' / 'test.sqlite3'}")
    yield opened
    opened.close()


async def done(spec: AttemptSpec) -> AttemptOutcome:
    return DONE


def test_executes_stage_after_stage(tmp_path: Path, store: Store) -> None:
    file = write_project(tmp_path, {"a": {}, "b": {}}, [{"source": "a", "target": "b"}])
    run_id = begin(store, file, "a")
    events: list[RunEvent] = []
    executor = ScriptedExecutor(done)
    runner = Runner(store, executor, RunnerSettings(), listener=events.append)
    run_while(runner, lambda: until(lambda: state_of(store, run_id) is RunState.COMPLETED))
    assert executor.executed == ["a", "b"]
    assert [(event.kind, event.path) for event in events] == [
        ("stage-started", "a"),
        ("stage-ended", "a"),
        ("stage-started", "b"),
        ("stage-ended", "b"),
    ]


def test_a_wake_up_is_heard_long_before_the_next_look(tmp_path: Path, store: Store) -> None:
    file = write_project(tmp_path, {"a": {}})
    runner = Runner(store, ScriptedExecutor(done), RunnerSettings(poll_interval=3600))

    async def body() -> None:
        folder = store.state_folder / "wake"
        await until(lambda: wake(folder) == 1)
        run_id = begin(store, file, "a")
        assert wake(folder) == 1
        await until(lambda: state_of(store, run_id) is RunState.COMPLETED)

    run_while(runner, body)
    assert wake(store.state_folder / "wake") == 0, "the socket goes with the runner"


def test_no_more_attempts_at_a_time_than_allowed(tmp_path: Path, store: Store) -> None:
    file = write_project(tmp_path, {"a": {}})
    runs = [begin(store, file, "a") for _ in range(7)]
    gate = asyncio.Event()

    async def wait(spec: AttemptSpec) -> AttemptOutcome:
        await gate.wait()
        return DONE

    executor = ScriptedExecutor(wait)

    async def body() -> None:
        await until(lambda: len(executor.active) == 3)
        gate.set()
        await until(lambda: all(state_of(store, run) is RunState.COMPLETED for run in runs))

    run_while(Runner(store, executor, RunnerSettings(concurrency=3)), body)
    assert executor.most_active == 3


def test_a_pool_limits_its_stages_only(tmp_path: Path, store: Store) -> None:
    file = write_project(
        tmp_path,
        {"start": {}, "slow": {"pool": "warehouse"}, "free": {}},
        [{"source": "start", "target": "slow"}, {"source": "start", "target": "free"}],
    )
    runs = [begin(store, file, "start") for _ in range(4)]
    slow_now, slow_most = 0, 0

    async def behave(spec: AttemptSpec) -> AttemptOutcome:
        nonlocal slow_now, slow_most
        if spec.stage_path == "slow":
            slow_now += 1
            slow_most = max(slow_most, slow_now)
            await asyncio.sleep(0)
            slow_now -= 1
        return DONE

    executor = ScriptedExecutor(behave)
    runner = Runner(store, executor, RunnerSettings(concurrency=8, pools={"warehouse": 1}))
    run_while(runner, lambda: until(lambda: all(state_of(store, run) is RunState.COMPLETED for run in runs)))
    assert slow_most == 1
    assert sorted(executor.executed) == ["free"] * 4 + ["slow"] * 4 + ["start"] * 4


def test_a_workflow_with_a_long_queue_does_not_hold_others_up(tmp_path: Path, store: Store) -> None:
    busy = write_project(tmp_path / "busy", {"busy": {}})
    other = write_project(tmp_path / "other", {"other": {}})
    runs = [begin(store, busy, "busy") for _ in range(40)] + [begin(store, other, "other")]
    executor = ScriptedExecutor(done)
    runner = Runner(store, executor, RunnerSettings(concurrency=2))
    run_while(runner, lambda: until(lambda: all(state_of(store, run) is RunState.COMPLETED for run in runs)))
    assert executor.executed.index("other") < 4


def test_retries_after_a_delay_that_grows(tmp_path: Path, store: Store) -> None:
    file = write_project(tmp_path, {"a": {"retries": {"max": 2, "delay": 0.01, "backoff": 2}}})
    run_id = begin(store, file, "a")
    events: list[RunEvent] = []

    async def fail(spec: AttemptSpec) -> AttemptOutcome:
        return AttemptOutcome(AttemptState.FAILED, error=AttemptError("OSError", f"try {spec.attempt}"))

    settings = RunnerSettings(poll_interval=3600)
    runner = Runner(store, ScriptedExecutor(fail), settings, listener=events.append)
    run_while(runner, lambda: until(lambda: state_of(store, run_id) is RunState.FAILED))
    ends = [event for event in events if event.kind == "stage-ended"]
    assert [event.due_at is not None for event in ends] == [True, True, False]
    stage_run = store.get_run(run_id).stage_runs[0]
    assert stage_run.attempt == 3 and stage_run.failure is not None
    assert stage_run.failure["message"] == "try 3"


def test_cancelling_a_run_interrupts_what_executes(tmp_path: Path, store: Store) -> None:
    file = write_project(tmp_path, {"a": {}, "b": {}}, [{"source": "a", "target": "b"}])
    run_id = begin(store, file, "a")

    async def for_ever(spec: AttemptSpec) -> AttemptOutcome:
        await asyncio.Event().wait()
        return DONE

    executor = ScriptedExecutor(for_ever)

    async def body() -> None:
        await until(lambda: bool(executor.active))
        store.cancel_run(run_id, by="ann")
        wake(store.state_folder / "wake")
        await until(lambda: not executor.active)

    run_while(Runner(store, executor, RunnerSettings(poll_interval=3600, renew_interval=3600)), body)
    details = store.get_run(run_id)
    assert details.run.state is RunState.CANCELLED
    assert [stage_run.state for stage_run in details.stage_runs] == [StageRunState.CANCELLED]
    assert executor.executed == ["a"]


def test_cancelling_interrupts_an_attempt_that_followed_a_failure_at_once(
    tmp_path: Path, store: Store
) -> None:
    file = write_project(tmp_path, {"a": {"retries": {"max": 1}}})
    run_id = begin(store, file, "a")

    async def fail_then_wait(spec: AttemptSpec) -> AttemptOutcome:
        if spec.attempt == 1:
            return AttemptOutcome(AttemptState.FAILED, error=AttemptError("OSError", "busy"))
        await asyncio.Event().wait()
        return DONE

    executor = ScriptedExecutor(fail_then_wait)

    async def body() -> None:
        await until(lambda: executor.executed == ["a", "a"] and bool(executor.active))
        store.cancel_run(run_id, by="ann")
        wake(store.state_folder / "wake")
        await until(lambda: not executor.active)

    run_while(Runner(store, executor, RunnerSettings(poll_interval=3600, renew_interval=3600)), body)
    assert state_of(store, run_id) is RunState.CANCELLED


def test_stopping_lets_what_executes_come_to_its_end(tmp_path: Path, store: Store) -> None:
    file = write_project(tmp_path, {"a": {}, "b": {}}, [{"source": "a", "target": "b"}])
    run_id = begin(store, file, "a")
    gate = asyncio.Event()

    async def wait(spec: AttemptSpec) -> AttemptOutcome:
        await gate.wait()
        return DONE

    executor = ScriptedExecutor(wait)
    runner = Runner(store, executor, RunnerSettings())

    async def both() -> None:
        running = asyncio.create_task(runner.run())
        await until(lambda: bool(executor.active))
        runner.stop()
        gate.set()
        await running

    asyncio.run(both())
    states = {stage_run.path: stage_run.state for stage_run in store.get_run(run_id).stage_runs}
    assert states == {"a": StageRunState.COMPLETED, "b": StageRunState.QUEUED}


def test_an_end_that_cannot_be_recorded_is_kept(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write_project(tmp_path, {"a": {}})
    run_id = begin(store, file, "a")
    complete, refusals = store.complete, iter([True, True])

    def locked(*arguments: Any, **keywords: Any) -> Any:
        if next(refusals, False):
            raise DatabaseBusy("the database is locked")
        return complete(*arguments, **keywords)

    monkeypatch.setattr(store, "complete", locked)
    executor = ScriptedExecutor(done)
    run_while(
        Runner(store, executor, RunnerSettings()),
        lambda: until(lambda: state_of(store, run_id) is RunState.COMPLETED),
    )
    assert executor.executed == ["a"], "the notebook was not executed again"


def test_an_end_that_cannot_be_recorded_for_ever_is_lost_and_tried_again(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write_project(tmp_path, {"a": {}})
    run_id = begin(store, file, "a")
    complete, refusals = store.complete, iter([True, True])

    def locked(*arguments: Any, **keywords: Any) -> Any:
        if next(refusals, False):
            raise DatabaseBusy("the database is locked")
        return complete(*arguments, **keywords)

    monkeypatch.setattr("jupyter_workflows.runner.attempts._TRIES", 1)
    monkeypatch.setattr(store, "complete", locked)
    executor = ScriptedExecutor(done)
    run_while(
        Runner(store, executor, RunnerSettings()),
        lambda: until(lambda: state_of(store, run_id) is RunState.COMPLETED),
    )
    assert executor.executed == ["a", "a"]


def test_a_claim_whose_confirmation_was_lost_is_taken_up_again(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write_project(tmp_path, {"a": {}})
    run_id = begin(store, file, "a")
    claim, losses = store.claim, iter([True])

    def claim_and_vanish(*arguments: Any, **keywords: Any) -> Any:
        claimed = claim(*arguments, **keywords)
        if claimed and next(losses, False):
            raise StoreError("the server closed the connection")
        return claimed

    monkeypatch.setattr(store, "claim", claim_and_vanish)
    run_while(
        Runner(store, ScriptedExecutor(done), RunnerSettings(poll_interval=0.02)),
        lambda: until(lambda: state_of(store, run_id) is RunState.COMPLETED),
    )
    (attempts,) = store.get_run(run_id).attempts.values()
    assert [attempt.state for attempt in attempts] == [AttemptState.LOST, AttemptState.COMPLETED]


def test_a_locked_file_does_not_end_what_executes(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write_project(tmp_path, {"a": {}})
    run_id = begin(store, file, "a")
    refused: list[bool] = []

    def locked(*arguments: Any, **keywords: Any) -> Any:
        refused.append(True)
        raise DatabaseBusy("the database is locked")

    async def until_refused(spec: AttemptSpec) -> AttemptOutcome:
        before = len(refused)
        await until(lambda: len(refused) > before + 10)
        return DONE

    monkeypatch.setattr(store, "renew", locked)
    settings = RunnerSettings(renew_interval=0.01, abandon_after=0.02)
    executor = ScriptedExecutor(until_refused)
    run_while(
        Runner(store, executor, settings),
        lambda: until(lambda: state_of(store, run_id) is RunState.COMPLETED),
    )
    assert executor.cancelled == []


def test_an_attempt_that_cannot_even_be_specified_fails(tmp_path: Path, store: Store) -> None:
    file = write_project(tmp_path, {"a": {"memory": "2 bananas"}})
    run_id = begin(store, file, "a")
    run_while(
        Runner(store, ScriptedExecutor(done), RunnerSettings()),
        lambda: until(lambda: state_of(store, run_id) is RunState.FAILED),
    )
    failure = store.get_run(run_id).stage_runs[0].failure
    assert failure is not None and "2 bananas" in failure["message"]


def test_a_listener_that_fails_does_not_disturb(tmp_path: Path, store: Store) -> None:
    file = write_project(tmp_path, {"a": {}})
    run_id = begin(store, file, "a")

    def listener(event: RunEvent) -> None:
        raise RuntimeError("a broken terminal")

    runner = Runner(store, ScriptedExecutor(done), RunnerSettings(), listener=listener)
    run_while(runner, lambda: until(lambda: state_of(store, run_id) is RunState.COMPLETED))


def test_settings_say_what_is_wrong() -> None:
    with pytest.raises(ValueError, match="concurrency must be at least 1, not 0"):
        RunnerSettings(concurrency=0)
    with pytest.raises(ValueError, match="'gpu' must be at least 1"):
        RunnerSettings(pools={"gpu": 0})
