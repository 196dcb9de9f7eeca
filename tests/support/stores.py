"""Workflows and a make-believe runner for tests of the store: no notebook is executed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from jupyter_workflows.model.records import Failure, Outcome, StageData
from jupyter_workflows.model.routing import route
from jupyter_workflows.model.states import AttemptState, RunMode
from jupyter_workflows.store import AttemptReport, Claim, NewRun, RunnerIdentity, Store

#: What a stage does: from the claim to the changes of its data, or an exception for a failure.
Behaviour = Callable[[Claim], Mapping[str, Any] | None]


def document(
    stages: Mapping[str, Mapping[str, Any]],
    transitions: Mapping[str, Mapping[str, Any]] | None = None,
    *,
    uid: str = "w1",
    title: str = "A workflow",
) -> str:
    """Return a document's text; stages are scripts unless they say otherwise."""
    complete = {
        key: {"type": "script", "path": key, "title": key.title(), "notebook": f"{key}.ipynb", **stage}
        for key, stage in stages.items()
    }
    return json.dumps(
        {"format": 1, "uid": uid, "title": title, "stages": complete, "transitions": dict(transitions or {})}
    )


def linear(length: int = 3, *, uid: str = "w1", **stage: Any) -> str:
    """Return a workflow of stages ``a``, ``b``, ``c`` … one after the other."""
    names = [chr(ord("a") + place) for place in range(length)]
    return document(
        dict.fromkeys(names, stage),
        {f"t{place}": {"source": names[place], "target": names[place + 1]} for place in range(length - 1)},
        uid=uid,
    )


def fan_out(*, join: str | None = None, uid: str = "w1") -> str:
    """Return ``a``, then one ``b`` for each of its ``items``, then perhaps a join ``c``."""
    stages: dict[str, dict[str, Any]] = {"a": {}, "b": {}}
    transitions: dict[str, dict[str, Any]] = {"t1": {"source": "a", "target": "b", "each": "items"}}
    if join is not None:
        stages["c"] = {"join": join}
        transitions["t2"] = {"source": "b", "target": "c"}
    return document(stages, transitions, uid=uid)


def start(store: Store, text: str, entry: str = "a", **fields: Any) -> str:
    """Start a test run."""
    values = fields.pop("values", {})
    fields.setdefault("mode", RunMode.TEST)
    return store.create_run(
        NewRun(
            document_text=text,
            project="/project",
            entry_stage=entry,
            data=StageData(values, dict.fromkeys(values)),
            **fields,
        )
    )


def finish(store: Store, claim: Claim, changes: Mapping[str, Any] | None = None, **report: Any) -> Any:
    """Complete a claim with changes of its data."""
    graph = store.graph(claim)
    values = {**claim.data.values, **(changes or {})}
    writers = {**claim.data.writers, **dict.fromkeys(changes or {}, claim.id)}
    data = StageData(values, writers)
    following = route(graph, claim.stage_run.stage, claim.stage_run.to_model(), data, None)
    outcome = Outcome(claim.id, "completed", store.now(), data, following)
    return store.complete(claim, outcome, AttemptReport(AttemptState.COMPLETED, **report), graph)


def fail(store: Store, claim: Claim, failure: Failure | None = None) -> Any:
    """Fail a claim."""
    graph = store.graph(claim)
    failure = failure or Failure("ValueError", "no good", 1)
    source = claim.stage_run.to_model()
    following = route(graph, source.stage, source, claim.data, None, failed=True)
    outcome = Outcome(claim.id, "failed", store.now(), claim.data, following, failure)
    error = {"name": failure.name, "message": failure.message, "cell": failure.cell}
    return store.complete(claim, outcome, AttemptReport(AttemptState.FAILED, error), graph)


def park(store: Store, claim: Claim) -> Any:
    """Let a form wait again."""
    outcome = Outcome(claim.id, "parked", store.now(), claim.data)
    return store.complete(claim, outcome, AttemptReport(AttemptState.PARKED), store.graph(claim))


def work(
    store: Store, runner: RunnerIdentity, behaviour: Behaviour = lambda claim: None, *, limit: int = 4
) -> int:
    """Claim and complete until nothing is queued; return how many attempts that took."""
    done = 0
    while claims := store.claim(runner, limit=limit):
        for claim in claims:
            try:
                changes = behaviour(claim)
            except ValueError as error:
                fail(store, claim, Failure("ValueError", str(error)))
            else:
                finish(store, claim, changes)
            done += 1
    return done
