"""Opening a database: SQLite in the user's data folder by default, PostgreSQL by URL."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from jupyter_core.paths import jupyter_data_dir
from sqlalchemy import Connection, Engine, create_engine, event, exc, func, select
from sqlalchemy.engine import URL, make_url

from . import schema
from .errors import Conflict, DatabaseBusy, StoreError
from .filesystems import is_network

BUSY_TIMEOUT_MS = 15_000
_TRIES = 4
#: PostgreSQL's codes for a deadlock, a serialisation failure, and a row that went while it was referred to.
_CONFLICTS = frozenset({"40P01", "40001", "23503"})
T = TypeVar("T")
_DIALECTS = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}


def state_folder() -> Path:
    """Return the folder where this program keeps what it must remember, in Jupyter's data folder."""
    return Path(jupyter_data_dir()) / "workflows"


def default_url() -> str:
    """Return the URL of the embedded database."""
    return f"sqlite:///{state_folder() / 'workflows.sqlite3'}"


class Database:
    """An engine, with transactions that read or write and errors that say what is wrong.

    Parameters
    ----------
    engine
        Made by `open_database`.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._reader = engine.execution_options(read_only=True)
        self.is_sqlite = engine.dialect.name == "sqlite"

    @property
    def path(self) -> Path | None:
        """The file of an SQLite database."""
        name = self.engine.url.database
        return Path(name) if self.is_sqlite and name else None

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Open a transaction that may write; it is rolled back if the block raises."""
        with self._explained(), self.engine.begin() as connection:
            yield connection

    def transact(self, function: Callable[[Connection], T]) -> T:
        """Call a function in a transaction that may write; again, if another one was in its way."""
        for _ in range(_TRIES - 1):
            try:
                with self.write() as connection:
                    return function(connection)
            except Conflict:
                continue
        with self.write() as connection:
            return function(connection)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a transaction that only reads."""
        with self._explained(), self._reader.connect() as connection:
            yield connection

    def now(self, connection: Connection | None) -> datetime:
        """Return the time by the database's clock.

        SQLite has none of its own, and all its users are on this host: no connection is needed.
        """
        if self.is_sqlite or connection is None:
            return datetime.now(UTC)
        now: datetime = connection.execute(_NOW).scalar_one()
        return now.astimezone(UTC)

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except exc.DBAPIError as error:
            raise explain(error, self.engine.url) from error
        except exc.StatementError as error:  # a value that does not go into its column
            raise StoreError(str(error.orig)) from error


_NOW = select(func.clock_timestamp())


def open_database(url: str | None = None, *, upgrade: bool | None = None) -> Database:
    """Open the database at `url`, and make or upgrade its schema where that is allowed.

    Parameters
    ----------
    url
        ``sqlite:///FILE`` or ``postgresql://…``; the embedded database by default. With
        ``sqlite:///FILE?timeout=SECONDS`` it is waited so long for other writers, by default for 15 s.
    upgrade
        Whether an older schema is upgraded. By default SQLite's is, and PostgreSQL's only if the database
        is empty: several programs may be using it.

    Raises
    ------
    StoreError
        The database cannot be used; `mend` says what to do.
    """
    parsed = parse_url(url or default_url())
    engine = _sqlite_engine(parsed) if parsed.get_backend_name() == "sqlite" else _server_engine(parsed)
    database = Database(engine)
    try:
        with database._explained():
            schema.prepare(engine, upgrade=database.is_sqlite if upgrade is None else upgrade)
    except BaseException:
        database.close()
        raise
    return database


def parse_url(url: str) -> URL:
    """Return the URL with the driver that is used here."""
    try:
        parsed = make_url(url)
    except exc.ArgumentError as error:
        raise StoreError(
            f"{url!r} is not the URL of a database", "Write sqlite:///FILE or postgresql://HOST/NAME"
        ) from error
    name, _, driver = parsed.drivername.partition("+")
    if name not in _DIALECTS or driver not in ("", "psycopg"):
        raise StoreError(
            f"databases of the kind {parsed.drivername!r} are not supported",
            "Use SQLite (sqlite:///FILE) or PostgreSQL (postgresql://HOST/NAME)",
        )
    return parsed.set(drivername=_DIALECTS[name])


def _sqlite_engine(url: URL) -> Engine:
    if not url.database or url.database == ":memory:":
        raise StoreError("a database in memory is lost with its process", "Name a file: sqlite:///FILE")
    path = Path(url.database).expanduser().absolute()
    _prepare_folder(path)
    timeout = busy_timeout(url)
    engine = create_engine(url.set(database=str(path)), connect_args={"timeout": timeout}, pool_size=8)
    event.listen(
        engine, "connect", lambda connection, _record: _configure_sqlite(connection, round(timeout * 1000))
    )
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_folder(path: Path) -> None:
    network = is_network(path.parent)
    if network:
        raise StoreError(
            f"{path} lies on a network file system ({network}), where SQLite's locks do not hold",
            "Name a file on a local disk, or use PostgreSQL",
        )
    try:
        if not path.parent.exists():
            path.parent.mkdir(parents=True, mode=0o700)
        if not path.exists():
            # Created by us, so that nobody else can read it whatever the umask.
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise StoreError(
            f"{path} cannot be created: {error.strerror or error}",
            "Name a file in a folder that you may write",
        ) from error
    if not stat.S_ISREG(path.stat().st_mode):
        raise StoreError(f"{path} is not a file", "Name a file for the database")


def busy_timeout(url: URL) -> float:
    """Return for how many seconds SQLite waits for other writers."""
    given = url.query.get("timeout", BUSY_TIMEOUT_MS / 1000)
    try:
        seconds = float(given)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        seconds = -1
    if not 0 <= seconds < 86_400:
        raise StoreError(f"{given!r} is no number of seconds to wait", "Write sqlite:///FILE?timeout=15")
    return seconds


def _configure_sqlite(connection: sqlite3.Connection, timeout: int) -> None:
    # The driver must not open transactions of its own: `_begin_sqlite` does.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        f"busy_timeout = {timeout}",
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        "temp_store = MEMORY",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads first and wants to write later can fail at once, whatever the timeout.
    read_only = connection.get_execution_options().get("read_only", False)
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


def _server_engine(url: URL) -> Engine:
    try:
        return create_engine(url, pool_pre_ping=True, pool_size=8, isolation_level="READ COMMITTED")
    except ImportError as error:
        raise StoreError(
            "the driver for PostgreSQL is not installed",
            "pip install 'jupyter_workflows[postgresql]'",
        ) from error


def explain(error: exc.DBAPIError, url: URL) -> StoreError:
    """Return a driver's error in words that say what can be done."""
    where = url.database if url.get_backend_name() == "sqlite" else url.render_as_string(hide_password=True)
    reason = str(error.orig).strip()
    if getattr(error.orig, "sqlstate", None) in _CONFLICTS:
        return Conflict(f"{where}: another transaction was in the way: {reason}", "Try again")
    text = reason.lower()
    if "database is locked" in text or "table is locked" in text:
        return DatabaseBusy(
            f"{where} stayed locked by another process for {busy_timeout(url):g} s",
            "End the process that holds it (fuser shows which), then try again",
        )
    for sign, message, mend in (
        ("readonly", "cannot be written", "Make the file and its folder writable"),
        ("unable to open", "cannot be opened", "Look at the permissions of the file and its folder"),
        ("not a database", "is not a database", "Move the file away, or restore it from a backup"),
        ("malformed", "is damaged", "Restore it from a backup, or recover it with: sqlite3 FILE .recover"),
        ("disk is full", "has no room to grow: the disk is full", "Make room on the disk"),
        ("disk i/o error", "could not be read or written (disk I/O error)", "Look at the disk"),
    ):
        if sign in text:
            return StoreError(f"{where} {message}", mend)
    if isinstance(error, exc.OperationalError) and url.get_backend_name() != "sqlite":
        return StoreError(f"{where} did not answer: {reason}", "See whether the server runs and lets you in")
    return StoreError(f"{where}: {reason}")
