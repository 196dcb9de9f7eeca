"""Schedules of jobs: when they are due.

Times follow the clock on the wall of the schedule's zone. A time that does not exist, because the clock was
put forward over it, is due at the shift; a time that comes twice, because the clock was put back, is due the
first time only. A schedule for every hour of the day says no time of the day: it goes on through a repeated
hour as through any other.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from itertools import islice
from typing import Literal
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSim, CronSimError

Missed = Literal["latest", "all", "skip"]

#: A time that passed no longer ago is on time, not missed.
GRACE = timedelta(minutes=1)

_SECOND = timedelta(seconds=1)
#: No zone changes its clock twice within this time.
_BETWEEN_CHANGES = timedelta(days=7)
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_MAX_LENGTH = 200


class ScheduleError(Exception):
    """A schedule that cannot be understood.

    Parameters
    ----------
    field
        ``cron`` or ``timezone``.
    """

    def __init__(self, field: str, message: str, mend: str) -> None:
        super().__init__(f"{message} {mend}")
        self.field = field
        self.message = message
        self.mend = mend


@dataclass(frozen=True, slots=True)
class ClockChange:
    """The clock of a schedule's zone is put forward or back.

    Parameters
    ----------
    time
        The first moment with the new offset, in UTC.
    shift
        By how much the clock jumps; less than nothing if it is put back.
    effect
        ``moved``: a time that is due does not exist, and is due at the shift. ``once``: a time that is due
        comes twice, and is due the first time only.
    """

    time: datetime
    shift: timedelta
    effect: Literal["moved", "once"] | None


class Schedule:
    """When a job is due.

    Parameters
    ----------
    cron
        Minute, hour, day of the month, month, day of the week; with six fields, seconds first.
    timezone
        IANA name of the zone.

    Raises
    ------
    ScheduleError
        If there is no such zone or the expression is not valid.
    """

    def __init__(self, cron: str, timezone: str = "UTC") -> None:
        self.cron = " ".join(cron.split())
        self.timezone = timezone
        self.zone = _zone(timezone)
        probe = _simulate(self.cron, datetime(2000, 1, 1))
        self._every_hour = probe.hours == set(range(24))
        if next(probe, None) is None:
            raise ScheduleError("cron", "The schedule is never due.", "Choose a day that exists.")

    def __repr__(self) -> str:
        return f"Schedule({self.cron!r}, {self.timezone!r})"

    def describe(self) -> str:
        """Say in words when it is due."""
        return f"{_simulate(self.cron, datetime(2000, 1, 1)).explain()} ({self.timezone})"

    def next(self, after: datetime, n: int = 1) -> list[datetime]:
        """Return the next `n` times after an aware time, in UTC."""
        return list(islice(self.times(after), n))

    def times(self, after: datetime) -> Iterator[datetime]:
        """Yield all times after an aware time, in UTC, in order and each once."""
        if after.tzinfo is None:
            raise ValueError("The time needs a time zone.")
        last = after.astimezone(UTC)
        times = self._by_elapsed_time(last) if self._every_hour else self._by_wall_clock(last)
        for instant in times:
            if instant > last:
                last = instant
                yield instant

    def clock_changes(self, after: datetime, until: datetime) -> list[ClockChange]:
        """Return the changes of the clock in (`after`, `until`], and what they do to times that are due."""
        changes = []
        start, until = after.astimezone(UTC), until.astimezone(UTC)
        while start < until:
            end = min(start + _BETWEEN_CHANGES, until)
            old, new = (instant.astimezone(self.zone).utcoffset() for instant in (start, end))
            if old is not None and new is not None and old != new:
                time = _change(start, end, self.zone)
                changes.append(ClockChange(time, new - old, self._effect(time, new - old)))
            start = end
        return changes

    def _effect(self, time: datetime, shift: timedelta) -> Literal["moved", "once"] | None:
        wall = time.astimezone(self.zone).replace(tzinfo=None)
        forward = shift > timedelta(0)
        start, end = (wall - shift, wall) if forward else (wall, wall - shift)
        due = next(_simulate(self.cron, start - _SECOND), None)
        if due is None or due >= end or (self._every_hour and not forward):
            return None
        return "moved" if forward else "once"

    def due_times(
        self,
        after: datetime,
        until: datetime,
        missed: Missed = "latest",
        *,
        grace: timedelta = GRACE,
        limit: int = 1000,
    ) -> list[datetime]:
        """Return the times in (`after`, `until`] for which a run is to be started now.

        Parameters
        ----------
        after
            Up to when times were already dealt with.
        until
            Now.
        missed
            What to do with times that passed longer than `grace` ago: start for the latest one if nothing is
            on time, for all, or for none.
        limit
            At most so many, the earliest ones.
        """
        if missed == "all":
            return self._between(after, until, limit)
        on_time = self._between(max(after, until - grace), until, limit)
        if on_time or missed == "skip":
            return on_time
        return self._latest(after, until)

    def _between(self, after: datetime, until: datetime, limit: int | None = None) -> list[datetime]:
        found = []
        for instant in islice(self.times(after), limit):
            if instant > until:
                break
            found.append(instant)
        return found

    def _latest(self, after: datetime, until: datetime) -> list[datetime]:
        # Back in growing steps, for there may be a great many times since.
        window = GRACE
        while True:
            start = max(after, until - window)
            found = self._between(start, until)
            if found or start == after:
                return found[-1:]
            window *= 8

    def _by_wall_clock(self, after: datetime) -> Iterator[datetime]:
        wall = after.astimezone(self.zone).replace(tzinfo=None)
        for local in _simulate(self.cron, wall):
            if _exists(local, self.zone):
                yield local.replace(tzinfo=self.zone).astimezone(UTC)
            else:
                yield _shift(local, self.zone)

    def _by_elapsed_time(self, after: datetime) -> Iterator[datetime]:
        previous = after
        for local in _simulate(self.cron, after.astimezone(self.zone)):
            instant = local.astimezone(UTC)
            yield from self._skipped(previous, instant)
            previous = instant
            yield instant

    def _skipped(self, start: datetime, end: datetime) -> Iterator[datetime]:
        """Yield the shift between two instants if the clock jumped over a time that is due."""
        old, new = (instant.astimezone(self.zone).utcoffset() for instant in (start, end))
        if old is None or new is None or new <= old:
            return
        shift = _change(start, end, self.zone)
        wall = shift.astimezone(self.zone).replace(tzinfo=None)
        missing = next(_simulate(self.cron, wall - (new - old) - _SECOND), None)
        if missing is not None and missing < wall:
            yield shift


def hourly(minute: int = 0) -> str:
    """Return the expression for every hour, at a minute."""
    return f"{minute} * * * *"


def daily(at: time) -> str:
    """Return the expression for every day."""
    return f"{at.minute} {at.hour} * * *"


def weekly(days: Iterable[int], at: time) -> str:
    """Return the expression for days of the week, 0 being Sunday."""
    names = ",".join(_DAYS[day] for day in sorted(set(days)))
    return f"{at.minute} {at.hour} * * {names}"


def monthly(day: int | Literal["last"], at: time) -> str:
    """Return the expression for a day of each month; months without that day are left out."""
    return f"{at.minute} {at.hour} {'L' if day == 'last' else day} * *"


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, LookupError):
        close = difflib.get_close_matches(name, available_timezones(), n=1)
        mend = f"Did you mean {close[0]}?" if close else "Use a name such as Europe/Berlin or UTC."
        raise ScheduleError("timezone", f"There is no time zone {name!r}.", mend) from None


def _simulate(cron: str, start: datetime) -> CronSim:
    fields = len(cron.split())
    if fields not in (5, 6):
        raise ScheduleError(
            "cron",
            f"A cron expression has five fields, or six with seconds first, not {fields}.",
            "Write minute, hour, day of the month, month and day of the week, such as 0 9 * * 1.",
        )
    try:
        if len(cron) > _MAX_LENGTH:
            raise ValueError("Too long")
        return CronSim(cron, start)
    # The parser lets slip some of its own assumptions on odd input.
    except (CronSimError, ValueError, TypeError, AssertionError, RecursionError) as error:
        what = f": {str(error).lower()}" if isinstance(error, CronSimError) else ""
        raise ScheduleError(
            "cron",
            f"{cron[:_MAX_LENGTH]!r} is not a cron expression{what}.",
            "Write minute, hour, day of the month, month and day of the week, such as 0 9 * * 1.",
        ) from None


def _exists(local: datetime, zone: tzinfo) -> bool:
    there = local.replace(tzinfo=zone)
    return there.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == local


def _shift(local: datetime, zone: tzinfo) -> datetime:
    """Return the instant at which the clock was put forward over a local time."""
    # For a missing time, fold 1 counts with the offset after the shift: the earlier instant.
    start = local.replace(tzinfo=zone, fold=1).astimezone(UTC)
    return _change(start, local.replace(tzinfo=zone, fold=0).astimezone(UTC), zone)


def _change(start: datetime, end: datetime, zone: tzinfo) -> datetime:
    """Return the first second in (`start`, `end`] that has the offset of `end`."""
    offset = end.astimezone(zone).utcoffset()
    while end - start > _SECOND:
        middle = start + timedelta(seconds=(end - start) // _SECOND // 2)
        if middle.astimezone(zone).utcoffset() == offset:
            end = middle
        else:
            start = middle
    return end
