"""What need not be executed in a test run, by a runner with an executor of the tests' own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support.projects import write_project
from support.scripted import ScriptedExecutor, begin, run_while, state_of, until

from jupyter_workflows.execution.spec import AttemptOutcome, AttemptSpec
from jupyter_workflows.model.states import AttemptState, RunMode, RunState
from jupyter_workflows.runner.events import RunEvent
from jupyter_workflows.runner.runner import Runner
from jupyter_workflows.runner.settings import RunnerSettings
from jupyter_workflows.store import Store, open_store

CHAIN = [{"source": "a", "target": "b"}, {"source": "b", "target": "c"}]


@pytest.fixture
def store(tmp_path: Path) -> Any:
    opened = open_store(f"sqlite:///{tmp_path / 'state' / 'test.sqlite3'}")
    yield opened
    opened.close()


async def behave(spec: AttemptSpec) -> AttemptOutcome:
    route = [{"stage": "b", "data": {"more": True}}] if spec.stage_path == "a" else None
    return AttemptOutcome(
        AttemptState.COMPLETED, changes={spec.stage_path: 1}, deleted=["gone"], route=route, output="/x.ipynb"
    )


def run(store: Store, file: Path, **fields: Any) -> tuple[str, list[str], list[RunEvent]]:
    """Run a workflow to its end; return what was executed, and what was told."""
    fields.setdefault("mode", RunMode.TEST)
    run_id = begin(store, file, "a", **fields)
    executor = ScriptedExecutor(behave)
    events: list[RunEvent] = []
    runner = Runner(store, executor, RunnerSettings(), listener=events.append)
    run_while(runner, lambda: until(lambda: state_of(store, run_id) is RunState.COMPLETED))
    return run_id, executor.executed, events


def results(store: Store, run_id: str) -> list[Any]:
    return [one.result.values for one in store.get_run(run_id).stage_runs if one.result]


def test_pinned_data_stands_in_for_a_stage_in_a_test(tmp_path: Path, store: Store) -> None:
    file = write_project(tmp_path, {"a": {}, "b": {"pinned": {"n": 7}}, "c": {}}, CHAIN)
    run_id, executed, events = run(store, file)
    assert executed == ["a", "c"]
    assert results(store, run_id)[1] == {"a": 1, "more": True, "n": 7}
    assert [event.path for event in events if event.kind == "notice"] == ["b"]
    (attempt,) = store.list_attempts(store.get_run(run_id).stage_runs[1].id)
    assert (attempt.stand_in, attempt.output) == ({"kind": "pinned"}, None)
    assert run(store, file, mode=RunMode.LIVE)[1] == ["a", "b", "c"]


def test_what_is_unchanged_is_not_executed_again(tmp_path: Path, store: Store) -> None:
    file = write_project(tmp_path, {"a": {}, "b": {}, "c": {}}, CHAIN)
    first, executed, _ = run(store, file)
    assert executed == ["a", "b", "c"]
    reuse = {"run": first, "stages": ["a", "b"]}
    second, executed, _ = run(store, file, reuse=reuse)
    assert executed == ["c"]
    assert results(store, second) == results(store, first)
    source = store.get_run(first).stage_runs[0]
    (attempt,) = store.list_attempts(store.get_run(second).stage_runs[0].id)
    assert attempt.stand_in == {"kind": "reused", "run": first, "stage_run": source.id, "attempt": 1}
    assert attempt.output == "/x.ipynb"
    # Also of what was reused itself; it goes by where it comes from.
    third, executed, _ = run(store, file, reuse={**reuse, "run": second})
    assert executed == ["c"]
    (again,) = store.list_attempts(store.get_run(third).stage_runs[0].id)
    assert again.stand_in == attempt.stand_in


def test_what_named_another_successor_is_executed_again(tmp_path: Path, store: Store) -> None:
    file = write_project(tmp_path, {"a": {}, "b": {}, "c": {}}, CHAIN)
    first, _, _ = run(store, file)
    value = json.loads(file.read_text())
    value["stages"]["b"]["path"] = "other"
    file.write_text(json.dumps(value))
    run_id = begin(store, file, "a", mode=RunMode.TEST, reuse={"run": first, "stages": ["a"]})
    executor = ScriptedExecutor(behave)
    runner = Runner(store, executor, RunnerSettings())
    run_while(runner, lambda: until(lambda: state_of(store, run_id) is RunState.FAILED))
    assert executor.executed == ["a"]


def test_a_source_that_is_gone_is_executed_again(tmp_path: Path, store: Store) -> None:
    file = write_project(tmp_path, {"a": {}, "b": {}, "c": {}}, CHAIN)
    _, executed, _ = run(store, file, reuse={"run": "0" * 20, "stages": ["a", "b"]})
    assert executed == ["a", "b", "c"]
