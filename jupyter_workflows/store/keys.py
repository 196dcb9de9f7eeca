"""Keys of the installation's own: made when they are first asked for, and never changed."""

from __future__ import annotations

import secrets
from datetime import datetime

from sqlalchemy import Connection, select

from .statements import insert_new
from .tables import keys


def get(connection: Connection, name: str, now: datetime) -> str:
    """Return the key of a name."""
    statement = select(keys.c.value).where(keys.c.name == name)
    known = connection.execute(statement).scalar()
    if known is None:
        insert_new(connection, keys, [{"name": name, "value": secrets.token_hex(32), "created_at": now}])
        known = connection.execute(statement).scalar_one()
    return str(known)
