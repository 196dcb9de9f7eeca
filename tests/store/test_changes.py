"""Changes of states are written down by the database itself, whoever makes them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from support.stores import document, finish, linear, start

from jupyter_workflows.store import RunnerIdentity, Store, changes, open_database, open_store, schema
from jupyter_workflows.store.database import _sqlite_engine, parse_url
from jupyter_workflows.store.deployment_records import NewDeployment

RUNNER = RunnerIdentity.current("runner000000000000a1")


@pytest.fixture(params=["made", "migrated"])
def store(request: pytest.FixtureRequest, database_url: str, tmp_path: Path) -> Iterator[Store]:
    """A store whose schema was made at once, and one whose schema came by all migrations."""
    if request.param == "migrated":
        parsed = parse_url(database_url)
        if parsed.get_backend_name() == "sqlite":
            open_database(database_url).close()
            Path(str(parsed.database)).unlink()
            engine = _sqlite_engine(parsed)
        else:
            engine = create_engine(parsed)
        schema.migrate(engine)
        engine.dispose()
    opened = open_store(database_url, state=tmp_path / "state")
    yield opened
    opened.close()


def test_every_step_of_a_run_is_a_change(store: Store) -> None:
    run = start(store, linear(2))
    (claim,) = store.claim(RUNNER, limit=1)
    finish(store, claim)
    store.cancel_run(run)
    found = store.changes_since(0)
    assert [change.id for change in found] == sorted({change.id for change in found})
    assert [change.state for change in found if change.stage_run_id == claim.id] == [
        "queued",
        "running",
        "completed",
    ]
    assert [change.state for change in found if change.path == "b"] == ["queued", "cancelled"]
    assert [change.state for change in found if change.subject == "run"] == ["running", "cancelled"]
    assert {change.run_id for change in found} == {run}
    last = store.last_change()
    assert last == found[-1].id
    assert store.changes_since(last) == []
    store.retain(test_age=0.0)
    (gone,) = store.changes_since(last)
    assert (gone.run_id, gone.state) == (run, "removed")


def test_a_task_that_is_given_away_has_changed(store: Store) -> None:
    start(store, document({"a": {"type": "form"}}), started_by="ada")
    (task,) = store.list_tasks().tasks
    last = store.last_change()
    store.assign(task.id, "bob")
    (change,) = store.changes_since(last)
    assert (change.stage_run_id, change.state, change.type) == (task.id, "waiting", "form")


def test_what_is_undone_is_no_change(store: Store) -> None:
    run = start(store, linear(1))
    last = store.last_change()
    with pytest.raises(RuntimeError), store.database.write() as connection:
        connection.execute(text("UPDATE runs SET state = 'failed' WHERE id = :run"), {"run": run})
        raise RuntimeError
    assert store.changes_since(last) == []


def test_deployments_are_changes(store: Store) -> None:
    new = NewDeployment("d0000000000000000001", linear(1), "shop", "hash", 0, "/project")
    store.add_deployment(new, lambda version: f"deployments/w1/{version}")
    store.pause("w1")
    states = [change.state for change in store.changes_since(0) if change.subject == "workflow"]
    assert states[-2:] == ["live", "paused"]


def test_only_the_last_ones_are_kept(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "KEPT", 3)
    for _ in range(4):
        start(store, linear(1))
    last = store.last_change()
    store.retain(test_age=None)
    kept = [change.id for change in store.changes_since(0)]
    assert kept == list(range(last - 2, last + 1))
    monkeypatch.setattr(changes, "KEPT", 1)
    store.retain(test_age=None)
    start(store, linear(1))
    assert min(change.id for change in store.changes_since(last)) == last + 1
