"""Column types: times in UTC, JSON as text, path keys that sort."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import DateTime, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from jupyter_workflows.model.records import Key

_encoder = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)


class UtcTime(TypeDecorator[datetime]):
    """An aware time, kept in UTC whatever the database does with zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive times: nobody knows which hour they mean."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without zone cannot be stored")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give the zone back that SQLite does not keep."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class JsonText(TypeDecorator[Any]):
    """A JSON value in a text column; `None` is SQL's NULL."""

    impl = Text
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any]:
        """Encode compactly."""
        encode = _encoder.encode
        return lambda value: None if value is None else encode(value)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any]:
        """Decode."""
        decode = json.loads
        return lambda value: None if value is None else decode(value)

    def coerce_compared_value(self, op: Any, value: Any) -> Any:
        """Compare the text itself."""
        return Text()


class PathKey(TypeDecorator[Key]):
    """A path key as text of fixed-width places, so that text order is path order."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Key | None, dialect: Dialect) -> str | None:
        """Write each place with seven digits."""
        return None if value is None else ".".join([f"{place:07d}" for place in value])

    def process_result_value(self, value: str | None, dialect: Dialect) -> Key | None:
        """Read the places."""
        if value is None:
            return None
        return tuple([int(place) for place in value.split(".")]) if value else ()
