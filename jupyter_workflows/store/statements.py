"""Statements that the two databases spell differently."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import Insert

_INSERTS: dict[tuple[str, str], Insert] = {}


def insert_new(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    """Insert rows, leaving alone those whose key exists already."""
    name = connection.dialect.name
    statement = _INSERTS.get((name, table.name))
    if statement is None:
        dialect = postgresql if name == "postgresql" else sqlite
        statement = _INSERTS[name, table.name] = dialect.insert(table).on_conflict_do_nothing()
    if rows:
        connection.execute(statement, rows)
