"""Making, checking and upgrading the database's schema."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, inspect, text

from .errors import NeedsUpgrade, NewerSchema, StoreError
from .tables import metadata

if TYPE_CHECKING:
    from alembic.config import Config

#: The revision that `tables.metadata` is; a test holds both together.
HEAD = "0006"

MIGRATIONS = Path(__file__).parent / "migrations"
_VERSION_TABLE = "alembic_version"
_LOCK = 0x6A757077  # of PostgreSQL's advisory locks, ours for schema changes


def current(connection: Connection) -> str | None:
    """Return the revision of the database's schema; `None` for a database without our tables."""
    names = inspect(connection).get_table_names()
    if _VERSION_TABLE not in names:
        if set(metadata.tables) & set(names):
            raise StoreError(
                "the database has tables of these names that this program did not make",
                "Use a database of its own for Jupyter Workflows",
            )
        return None
    return connection.execute(text(f"SELECT version_num FROM {_VERSION_TABLE}")).scalar()


def prepare(engine: Engine, *, upgrade: bool) -> None:
    """Make the schema in an empty database; check an existing one, and upgrade it if `upgrade`."""
    with engine.execution_options(read_only=True).connect() as connection:
        revision = current(connection)
    if revision == HEAD:
        return
    if revision is None:
        _create(engine)
        return
    if revision not in revisions():
        raise NewerSchema(
            f"the database's schema ({revision}) is newer than this program's ({HEAD})",
            "Upgrade this program: pip install --upgrade jupyter_workflows",
        )
    if not upgrade:
        raise NeedsUpgrade(
            f"the database's schema ({revision}) is older than this program's ({HEAD})",
            "Stop the runners, then: jupyter workflows database upgrade",
        )
    migrate(engine)


def _create(engine: Engine) -> None:
    """Make the newest schema at once, without walking through the migrations."""
    with engine.begin() as connection:
        _lock(connection)
        if current(connection) is not None:  # another process was faster
            return
        metadata.create_all(connection)
        connection.execute(
            text(f"CREATE TABLE {_VERSION_TABLE} (version_num VARCHAR(32) NOT NULL PRIMARY KEY)")
        )
        connection.execute(text(f"INSERT INTO {_VERSION_TABLE} VALUES (:head)"), {"head": HEAD})


def _lock(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})


def configuration(connection: Connection | None = None) -> Config:
    """Return Alembic's configuration for our packaged migrations."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def revisions() -> tuple[str, ...]:
    """Return all revisions that this program knows, the newest first."""
    from alembic.script import ScriptDirectory

    return tuple(script.revision for script in ScriptDirectory.from_config(configuration()).walk_revisions())


def migrate(engine: Engine, revision: str = "head") -> None:
    """Bring the schema to `revision`, in one transaction: all of it or nothing."""
    from alembic import command

    with engine.connect() as connection:
        sqlite = connection.dialect.name == "sqlite"
        driver = connection.connection.driver_connection
        if sqlite and driver is not None:
            # Where a table has to be made anew, dropping the old one would delete what refers to it. This
            # cannot be switched within a transaction.
            driver.execute("PRAGMA foreign_keys = OFF")
        try:
            with connection.begin():
                _lock(connection)
                command.upgrade(configuration(connection), revision)
                if sqlite and connection.execute(text("PRAGMA foreign_key_check")).first() is not None:
                    raise StoreError("the upgrade would have left references to rows that do not exist")
        finally:
            if sqlite and driver is not None:
                driver.execute("PRAGMA foreign_keys = ON")
