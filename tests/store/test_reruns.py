"""Running again from a stage run."""

from __future__ import annotations

from support.stores import document, start, work

from jupyter_workflows.model.states import RunState
from jupyter_workflows.store import RunnerIdentity, Store

ORDERS = document(
    {"a": {}, "b": {}, "c": {}, "d": {"join": "all", "per": "order"}, "e": {"join": "all"}},
    {
        "t1": {"source": "a", "target": "b", "each": "orders", "as": "order"},
        "t2": {"source": "b", "target": "c", "each": "lines", "as": "line"},
        "t3": {"source": "c", "target": "d"},
        "t4": {"source": "d", "target": "e"},
    },
)


def test_what_is_there_for_an_item_stays_there_for_it(store: Store, runner: RunnerIdentity) -> None:
    first = start(store, ORDERS, values={"orders": [1, 2], "lines": ["x", "y"]})
    work(store, runner)
    before = store.get_run(first)
    assert before.run.state is RunState.COMPLETED
    source = next(found for found in before.stage_runs if found.path == "c")
    assert set(source.scope) == {"order", "line"}

    again = store.get_run(store.rerun(first, source.id))
    (begun,) = again.stage_runs
    assert (begun.path, begun.scope) == ("c", source.scope)
    work(store, runner)
    after = store.get_run(again.run.id)
    assert after.run.state is RunState.COMPLETED
    assert [found.path for found in after.stage_runs] == ["c", "d", "e"]
    joined = after.stage_runs[1]
    assert joined.scope["order"] == source.scope["order"]
