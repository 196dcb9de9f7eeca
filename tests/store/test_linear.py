"""A run from its start to its end."""

from __future__ import annotations

import pytest
from support.stores import document, fail, fan_out, finish, linear, park, start, work

from jupyter_workflows.model.states import AttemptState, RunState, StageRunState
from jupyter_workflows.store import NotFound, RunnerIdentity, Store


def test_data_flows_from_stage_to_stage(store: Store, runner: RunnerIdentity) -> None:
    run_id = start(store, linear(3), values={"amount": 1})
    work(store, runner, lambda claim: {"amount": claim.data.values["amount"] + 1, claim.stage_run.path: True})
    details = store.get_run(run_id)
    assert details.run.state is RunState.COMPLETED
    assert details.run.ended_at is not None
    assert [stage_run.path for stage_run in details.stage_runs] == ["a", "b", "c"]
    assert [stage_run.state for stage_run in details.stage_runs] == [StageRunState.COMPLETED] * 3
    last = details.stage_runs[-1]
    assert last.data.values == {"amount": 3, "a": True, "b": True}
    assert last.result is not None
    assert last.result.values == {"amount": 4, "a": True, "b": True, "c": True}
    assert last.result.writers["amount"] == last.id
    assert last.result.writers["a"] == details.stage_runs[0].id
    assert [len(details.attempts[one.id]) for one in details.stage_runs] == [1, 1, 1]


def test_a_claim_carries_what_its_attempt_depends_on(store: Store, runner: RunnerIdentity) -> None:
    text = linear(2)
    run_id = start(store, text, values={"x": [1, {"y": None}]}, started_by="ada", answers={"a": {"f": 1}})
    (claim,) = store.claim(runner, limit=5)
    assert claim.run.id == run_id
    assert claim.run.started_by == "ada"
    assert claim.run.project == "/project"
    assert claim.document_text == text
    assert claim.data.values == {"x": [1, {"y": None}]}
    assert claim.attempt == 1
    assert claim.answers == {"f": 1}
    assert claim.stage_run.state is StageRunState.RUNNING
    assert store.get_run(run_id).stage_runs[0].runner == runner.id


def test_an_attempt_keeps_what_its_report_says(store: Store, runner: RunnerIdentity) -> None:
    run_id = start(store, linear(1))
    (claim,) = store.claim(runner, limit=1)
    finish(store, claim, output="/out.ipynb", warnings=("odd",), timings={"cells": 0.5})
    ((attempt,),) = store.get_run(run_id).attempts.values()
    assert attempt.state is AttemptState.COMPLETED
    assert (attempt.output, attempt.warnings, attempt.timings) == ("/out.ipynb", ["odd"], {"cells": 0.5})
    assert attempt.runner == runner.id
    assert attempt.ended_at is not None


def test_a_failure_ends_the_run(store: Store, runner: RunnerIdentity) -> None:
    run_id = start(store, linear(2))
    (claim,) = store.claim(runner, limit=1)
    fail(store, claim)
    details = store.get_run(run_id)
    assert details.run.state is RunState.FAILED
    (failed,) = details.stage_runs
    assert failed.failure is not None
    assert (failed.failure["name"], failed.failure["cell"]) == ("ValueError", 1)
    assert details.attempts[failed.id][0].state is AttemptState.FAILED
    assert details.attempts[failed.id][0].error == {"name": "ValueError", "message": "no good", "cell": 1}


def test_a_failed_transition_tells_its_target_what_happened(store: Store, runner: RunnerIdentity) -> None:
    text = document({"a": {}, "b": {}}, {"t": {"source": "a", "target": "b", "on": "failed"}})
    run_id = start(store, text, values={"x": 1})
    (claim,) = store.claim(runner, limit=1)
    fail(store, claim)
    (claim,) = store.claim(runner, limit=1)
    assert claim.stage_run.source_failure == {
        "stage": "a",
        "name": "ValueError",
        "message": "no good",
        "cell": 1,
    }
    assert claim.data.values == {"x": 1}
    finish(store, claim)
    assert store.get_run(run_id).run.state is RunState.COMPLETED


def test_a_form_waits_and_is_opened(store: Store, runner: RunnerIdentity) -> None:
    run_id = start(store, document({"a": {"type": "form", "assignee": "team:finance"}}))
    assert store.get_run(run_id).run.state is RunState.WAITING
    assert store.claim(runner, limit=1) == []
    (waiting,) = store.get_run(run_id).stage_runs
    assert waiting.assignee == "team:finance"
    claim = store.claim_waiting(runner, waiting.id)
    park(store, claim)
    details = store.get_run(run_id)
    assert details.run.state is RunState.WAITING
    assert details.attempts[waiting.id][0].state is AttemptState.PARKED
    claim = store.claim_waiting(runner, waiting.id)
    assert claim.attempt == 2
    finish(store, claim)
    assert store.get_run(run_id).run.state is RunState.COMPLETED


def test_a_form_with_answers_does_not_wait(store: Store, runner: RunnerIdentity) -> None:
    text = document({"a": {}, "b": {"type": "form"}}, {"t": {"source": "a", "target": "b"}})
    run_id = start(store, text, answers={"b": {"Amount": 12}})
    seen = []
    work(store, runner, lambda claim: seen.append(claim.answers))
    assert seen == [None, {"Amount": 12}]
    assert store.get_run(run_id).run.state is RunState.COMPLETED


def test_fan_out_of_a_thousand(store: Store, runner: RunnerIdentity) -> None:
    run_id = start(store, fan_out(), values={"items": list(range(1000))})
    (claim,) = store.claim(runner, limit=10)
    finish(store, claim)
    details = store.get_run(run_id)
    assert details.run.total == 1001
    assert [stage_run.data.values["item"] for stage_run in details.stage_runs[1:]] == list(range(1000))
    claims = store.claim(runner, limit=1000)
    assert len({claim.id for claim in claims}) == 1000
    for claim in claims:
        finish(store, claim)
    details = store.get_run(run_id)
    assert details.run.state is RunState.COMPLETED
    assert {stage_run.state for stage_run in details.stage_runs} == {StageRunState.COMPLETED}


def test_a_run_without_its_data(store: Store, runner: RunnerIdentity) -> None:
    run_id = start(store, linear(2), values={"x": 1})
    work(store, runner)
    details = store.get_run(run_id, data=False)
    assert [one.state for one in details.stage_runs] == [StageRunState.COMPLETED] * 2
    assert [(one.data.values, one.result) for one in details.stage_runs] == [({}, None)] * 2


def test_an_unknown_run(store: Store) -> None:
    with pytest.raises(NotFound):
        store.get_run("nothing")
