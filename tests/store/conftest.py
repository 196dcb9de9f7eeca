"""A store on each kind of database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, event
from support.clock import Clock

from jupyter_workflows.store import RunnerIdentity, Store, open_database


@pytest.fixture
def store(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store on an empty database."""
    store = Store(open_database(database_url), state=tmp_path_factory.mktemp("state"))
    if store.database.is_sqlite:
        event.listen(store.database.engine, "before_cursor_execute", _refuse_new_syntax)
    yield store
    store.close()


@pytest.fixture
def runner(store: Store) -> RunnerIdentity:
    """This process as a runner that the store knows."""
    identity = RunnerIdentity.current()
    store.register_runner(identity)
    return identity


def _refuse_new_syntax(connection: Connection, cursor: object, statement: str, *rest: object) -> None:
    # SQLite before 3.35, which some systems have, knows no RETURNING.
    assert "RETURNING" not in statement.upper(), statement


@pytest.fixture
def clock(store: Store, monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Makes time pass for the store."""
    clock = Clock()
    real = store.database.now
    monkeypatch.setattr(store.database, "now", lambda connection: real(connection) + clock.ahead)
    return clock
