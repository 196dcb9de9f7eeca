"""Fields for dates and times."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from .base import Field, InvalidAnswer, check_range, typed

if TYPE_CHECKING:
    from ..files import FileStore


class Period(NamedTuple):
    """From one day to another, both included."""

    start: dt.date
    end: dt.date


def _date(given: Any) -> dt.date:
    if isinstance(given, dt.datetime):
        return given.date()
    if isinstance(given, dt.date):
        return given
    try:
        return dt.date.fromisoformat(given)
    except (ValueError, TypeError):
        raise InvalidAnswer(f"{typed(given)} is not a date; give one such as 2026-03-31") from None


@dataclass(eq=False, kw_only=True)
class Date(Field):
    """A date, as `datetime.date`."""

    min: Any = None
    max: Any = None

    kind: ClassVar[str] = "date"

    def __post_init__(self) -> None:
        self.min = None if self.min is None else _date(self.min)
        self.max = None if self.max is None else _date(self.max)
        super().__post_init__()

    def value_of(self, given: Any, files: FileStore | None) -> dt.date:
        return _date(given)

    def check_limits(self, value: dt.date) -> None:
        check_range(value, self.min, self.max)

    def state_of(self, value: Any, files: FileStore) -> str | None:
        return None if value is None else value.isoformat()


@dataclass(eq=False, kw_only=True)
class Time(Field):
    """A time of day, as `datetime.time`."""

    min: Any = None
    max: Any = None

    kind: ClassVar[str] = "time"

    def __post_init__(self) -> None:
        self.min = None if self.min is None else self.value_of(self.min, None)
        self.max = None if self.max is None else self.value_of(self.max, None)
        super().__post_init__()

    def value_of(self, given: Any, files: FileStore | None) -> dt.time:
        if isinstance(given, dt.time):
            return given
        try:
            time = dt.time.fromisoformat(given)
        except (ValueError, TypeError):
            raise InvalidAnswer(f"{typed(given)} is not a time; give one such as 14:30") from None
        if time.tzinfo is not None:
            raise InvalidAnswer(f"{given} has a time zone; give a time of day such as 14:30")
        return time

    def check_limits(self, value: dt.time) -> None:
        check_range(value, self.min, self.max, self.text_of)

    def state_of(self, value: Any, files: FileStore) -> str | None:
        return None if value is None else value.isoformat()

    def text_of(self, value: Any) -> str:
        if value is None:
            return ""
        exact = value.second or value.microsecond
        return str(value.isoformat() if exact else value.isoformat("minutes"))


@dataclass(eq=False, kw_only=True)
class DateRange(Field):
    """A first and a last day, as a named tuple `Period(start, end)`."""

    min: Any = None
    max: Any = None

    kind: ClassVar[str] = "date range"

    def __post_init__(self) -> None:
        self.min = None if self.min is None else _date(self.min)
        self.max = None if self.max is None else _date(self.max)
        super().__post_init__()

    def value_of(self, given: Any, files: FileStore | None) -> Period:
        if isinstance(given, dict) and set(given) == {"start", "end"}:
            given = [given["start"], given["end"]]
        if not isinstance(given, list | tuple) or len(given) != 2:
            raise InvalidAnswer(f'{typed(given)} is not two dates; give them as ["2026-03-01", "2026-03-31"]')
        return Period(_date(given[0]), _date(given[1]))

    def check_limits(self, value: Period) -> None:
        if value.start > value.end:
            raise InvalidAnswer(f"it ends ({value.end}) before it starts ({value.start})")
        check_range(value.start, self.min, self.max)
        check_range(value.end, self.min, self.max)

    def state_of(self, value: Any, files: FileStore) -> list[str] | None:
        return None if value is None else [value.start.isoformat(), value.end.isoformat()]

    def parse(self, text: str) -> Any:
        return text.replace(",", " ").replace(" to ", " ").split()

    def text_of(self, value: Any) -> str:
        return "" if value is None else f"{value.start} to {value.end}"
