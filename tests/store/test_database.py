from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import inspect, text

from jupyter_workflows.store import database as database_module
from jupyter_workflows.store.database import open_database, parse_url
from jupyter_workflows.store.errors import DatabaseBusy, NewerSchema, StoreError


def sqlite_url(path: Path) -> str:
    return f"sqlite:///{path}"


def test_the_default_lies_in_jupyters_data_folder_and_is_private(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "data"))
    database = open_database()
    path = tmp_path / "data" / "workflows" / "workflows.sqlite3"
    assert database.path == path
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    database.close()


def test_sqlite_is_set_up_to_keep_what_was_promised(tmp_path: Path) -> None:
    database = open_database(sqlite_url(tmp_path / "a.sqlite3"))
    with database.read() as connection:
        pragma = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert pragma == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 15000}
    database.close()


def test_a_network_file_system_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_module, "is_network", lambda path: "nfs4")
    with pytest.raises(StoreError, match=r"network file system \(nfs4\).*PostgreSQL"):
        open_database(sqlite_url(tmp_path / "a.sqlite3"))
    assert not (tmp_path / "a.sqlite3").exists()


@pytest.mark.parametrize(
    ("url", "driver"),
    [
        ("postgresql://host/name", "postgresql+psycopg"),
        ("postgres://host/name", "postgresql+psycopg"),
        ("postgresql+psycopg://host/name", "postgresql+psycopg"),
        ("sqlite:////tmp/x", "sqlite"),
    ],
)
def test_urls(url: str, driver: str) -> None:
    assert parse_url(url).drivername == driver


@pytest.mark.parametrize("url", ["mysql://host/name", "nonsense", "sqlite://", "postgresql+asyncpg://h/n"])
def test_other_urls_are_refused_with_a_mend(url: str) -> None:
    with pytest.raises(StoreError) as caught:
        open_database(url)
    assert caught.value.mend


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite3"
    path.write_text("this is a letter, and not a short one at that. " * 100)
    with pytest.raises(StoreError, match="is not a database"):
        open_database(sqlite_url(path))
    assert path.read_text().startswith("this is a letter")


def test_a_damaged_database(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite3"
    open_database(sqlite_url(path)).close()
    content = bytearray(path.read_bytes())
    content[4096 : 4096 * 20] = os.urandom(4096 * 19)
    path.write_bytes(content)
    with pytest.raises(StoreError, match="damaged"):
        database = open_database(sqlite_url(path))
        with database.write() as connection:
            connection.execute(text("SELECT * FROM runs"))
            connection.execute(text("INSERT INTO runners SELECT * FROM runners"))


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be created"):
        open_database(sqlite_url(tmp_path / "file" / "a.sqlite3"))


def test_a_database_that_cannot_be_written(tmp_path: Path) -> None:
    # In a process of its own, for root may write anything unless it drops that right.
    folder = tmp_path / "state"
    path = folder / "a.sqlite3"
    open_database(sqlite_url(path)).close()
    path.chmod(0o444)
    folder.chmod(0o555)
    program = (
        "import os, sys\n"
        "from jupyter_workflows.store.database import open_database\n"
        "from jupyter_workflows.store.errors import StoreError\n"
        "from sqlalchemy import text\n"
        "if os.geteuid() == 0: os.setuid(65534)\n"
        "try:\n"
        "    database = open_database(sys.argv[1])\n"
        "    with database.write() as connection:\n"
        "        connection.execute(text('DELETE FROM runners'))\n"
        "except StoreError as error:\n"
        "    print(error)\n"
    )
    for parent in [tmp_path, *tmp_path.parents]:
        if parent.owner() != "root" or parent == Path("/"):
            break
        if str(parent).startswith("/tmp/"):
            parent.chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-c", program, sqlite_url(path)], capture_output=True, text=True, cwd=Path.cwd()
    )
    folder.chmod(0o755)
    assert "cannot be written" in done.stdout or "cannot be opened" in done.stdout, done.stderr
    assert "permissions" in done.stdout or "writable" in done.stdout


def test_a_database_that_another_holds(tmp_path: Path) -> None:
    database = open_database(sqlite_url(tmp_path / "a.sqlite3") + "?timeout=0.05")
    other = sqlite3.connect(tmp_path / "a.sqlite3", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(DatabaseBusy, match=r"another process for 0\.05 s"), database.write():
        pass
    with database.read() as connection:  # readers go on
        assert connection.execute(text("SELECT count(*) FROM runs")).scalar() == 0
    other.execute("COMMIT")
    with database.write() as connection:
        connection.execute(text("DELETE FROM runners"))
    other.close()
    database.close()


@pytest.mark.parametrize("timeout", ["soon", "-1", "nan", "1&timeout=2"])
def test_times_to_wait_that_are_none(tmp_path: Path, timeout: str) -> None:
    with pytest.raises(StoreError, match="no number of seconds"):
        open_database(sqlite_url(tmp_path / "a.sqlite3") + f"?timeout={timeout}")


def test_a_newer_schema_is_left_alone(database_url: str) -> None:
    database = open_database(database_url)
    with database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    database.close()
    with pytest.raises(NewerSchema, match=r"9999.*pip install --upgrade"):
        open_database(database_url)


def test_somebody_elses_tables_are_left_alone(database_url: str) -> None:
    from sqlalchemy import create_engine

    engine = create_engine(parse_url(database_url))
    if database_url.startswith("sqlite"):
        Path(engine.url.database or "").parent.mkdir()
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE runs (distance INTEGER)"))
    with pytest.raises(StoreError, match="tables of these names"):
        open_database(database_url)
    assert inspect(engine).get_table_names() == ["runs"]
    engine.dispose()


def test_a_server_that_does_not_answer(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="did not answer") as caught:
        open_database(f"postgresql://ada:secret@/x?host={tmp_path}")
    assert "secret" not in str(caught.value)


def test_a_transaction_that_raises_leaves_nothing(database_url: str) -> None:
    database = open_database(database_url)
    with pytest.raises(ZeroDivisionError), database.write() as connection:
        connection.execute(
            text(
                "INSERT INTO documents (hash, workflow_uid, title, text, created_at)"
                " VALUES ('h', 'w', 't', '', '2026-01-01 00:00:00')"
            )
        )
        1 / 0  # noqa: B018
    with database.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM documents")).scalar() == 0
    database.close()
