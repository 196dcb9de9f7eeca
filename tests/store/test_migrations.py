"""The schema by migrations is that of the tables, and an old database comes along with its data."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, create_engine, inspect, text
from support.stores import linear, start, work

from jupyter_workflows.model.states import RunState
from jupyter_workflows.store import NeedsUpgrade, RunnerIdentity, Store, open_database, schema
from jupyter_workflows.store.database import _sqlite_engine, parse_url
from jupyter_workflows.store.tables import metadata


def engine_of(url: str) -> Engine:
    parsed = parse_url(url)
    return _sqlite_engine(parsed) if parsed.get_backend_name() == "sqlite" else create_engine(parsed)


def shape(engine: Engine) -> dict[str, object]:
    """Return all that the database knows of its schema."""
    inspector = inspect(engine)
    found: dict[str, object] = {}
    for table in sorted(inspector.get_table_names()):
        if table == "alembic_version":
            continue
        found[table] = {
            "columns": {
                column["name"]: (str(column["type"]), column["nullable"], column["default"])
                for column in inspector.get_columns(table)
            },
            "indexes": sorted(
                (
                    str(index["name"]),
                    tuple(map(str, index["column_names"])),
                    index["unique"],
                    str({**index.get("dialect_options", {})}.get(f"{engine.dialect.name}_where", "")),
                )
                for index in inspector.get_indexes(table)
            ),
            "primary key": inspector.get_pk_constraint(table),
            "foreign keys": sorted(inspector.get_foreign_keys(table), key=str),
            "unique": sorted(inspector.get_unique_constraints(table), key=str),
        }
    return found


def test_the_newest_migration_is_the_one_that_the_program_knows() -> None:
    assert schema.revisions()[0] == schema.HEAD


def test_migrations_give_the_schema_of_the_tables(
    database_url: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    migrated = engine_of(database_url)
    schema.migrate(migrated)
    with migrated.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    if database_url.startswith("sqlite"):
        other_url = f"sqlite:///{tmp_path / 'other.sqlite3'}"
    else:
        other_url = request.getfixturevalue("postgres").create_database()
    made = open_database(other_url)
    assert shape(made.engine) == shape(migrated)
    made.close()
    migrated.dispose()


def old_database(url: str, revision: str = "0001") -> None:
    """Make a database of an old revision with a run in it."""
    engine = engine_of(url)
    schema.migrate(engine, revision)
    moment = "2026-01-01 00:00:00.000000"
    with engine.begin() as connection:
        for statement in (
            "INSERT INTO documents (hash, workflow_uid, title, text, created_at)"
            " VALUES ('h', 'w1', 'Old', :text, :moment)",
            "INSERT INTO runs (id, workflow_uid, title, document_hash, project, mode, state, entry_stage,"
            " created_at, cancelled, total) VALUES ('r', 'w1', 'Old', 'h', '/p', 'live', 'running', 'a',"
            " :moment, :no, 1)",
            "INSERT INTO stage_runs (id, run_id, workflow_uid, stage, path, title, type, state, key,"
            " sequence, handled, attempt, failures, lost, due_at, created_at, data)"
            " VALUES ('s', 'r', 'w1', 'a', 'a', 'A', 'script', 'queued', '', 0, :no, 0, 0, 0, :moment,"
            " :moment, :data)",
        ):
            values = {"text": linear(2), "moment": moment, "no": False, "data": '{"x":1}'}
            used = {name: value for name, value in values.items() if f":{name}" in statement}
            connection.execute(text(statement), used)
    engine.dispose()


REVISIONS = schema.revisions()[:0:-1]


@pytest.mark.parametrize("revision", REVISIONS)
def test_an_old_sqlite_database_is_upgraded_when_it_is_opened(tmp_path: Path, revision: str) -> None:
    url = f"sqlite:///{tmp_path / 'old.sqlite3'}"
    old_database(url, revision)
    goes_on(url)


@pytest.mark.parametrize("revision", REVISIONS)
def test_an_old_postgresql_database_is_upgraded_when_somebody_says_so(
    postgres_url: str, revision: str
) -> None:
    old_database(postgres_url, revision)
    with pytest.raises(NeedsUpgrade, match="jupyter workflows database upgrade"):
        open_database(postgres_url)
    open_database(postgres_url, upgrade=True).close()
    goes_on(postgres_url)


def goes_on(url: str) -> None:
    store = Store(open_database(url))
    runner = RunnerIdentity.current()
    store.register_runner(runner)
    assert work(store, runner) == 2
    details = store.get_run("r")
    assert details.run.state is RunState.COMPLETED
    assert details.run.deployment is None
    assert details.stage_runs[-1].data.values == {"x": 1}
    assert store.list_runs().runs == (details.run,)
    start(store, linear(1))
    store.close()


def test_an_upgrade_that_fails_changes_nothing(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    old_database(database_url)
    engine = engine_of(database_url)
    before = shape(engine)
    from alembic import op

    def fail(*arguments: object, **keywords: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(op, "add_column", fail)  # the last step but one
    with pytest.raises(ZeroDivisionError):
        schema.migrate(engine)
    monkeypatch.undo()
    engine.dispose()
    assert shape(engine) == before
    engine.dispose()
    open_database(database_url, upgrade=True).close()
