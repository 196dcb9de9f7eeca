from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_workflows.model import schedule
from jupyter_workflows.model.schedule import Schedule, ScheduleError


def local_times(cron: str, zone: str, after: str, n: int) -> list[str]:
    """Return the next times by the clock on the wall."""
    there = ZoneInfo(zone)
    start = datetime.fromisoformat(after).replace(tzinfo=there)
    times = Schedule(cron, zone).next(start, n)
    assert all(time.tzinfo is UTC for time in times)
    assert times == sorted(set(times))
    return [f"{time.astimezone(there):%m-%d %H:%M:%S %z}" for time in times]


def test_times_are_after_and_in_the_zone() -> None:
    nine = Schedule("0 9 * * 1", "Europe/Berlin")
    start = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
    assert nine.next(start) == [datetime(2026, 1, 12, 8, 0, tzinfo=UTC)]
    assert nine.next(start - timedelta(microseconds=1)) == [start]
    with pytest.raises(ValueError, match="zone"):
        nine.next(datetime(2026, 1, 1))


@pytest.mark.parametrize(
    ("cron", "zone", "after", "expected"),
    [
        # Berlin: 02:00 -> 03:00 on 29 March, 03:00 -> 02:00 on 25 October.
        ("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00", ["03-29 03:00:00 +0200", "03-30 02:30:00 +0200"]),
        ("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00", ["10-25 02:30:00 +0200", "10-26 02:30:00 +0100"]),
        ("0 3 * * *", "Europe/Berlin", "2026-03-28T12:00", ["03-29 03:00:00 +0200", "03-30 03:00:00 +0200"]),
        (
            "0,30 2 * * *",
            "Europe/Berlin",
            "2026-03-28T12:00",
            ["03-29 03:00:00 +0200", "03-30 02:00:00 +0200"],
        ),
        # Seconds, and a star in the minutes: the simulator alone would leave the day out, or run twice.
        (
            "5 30 2 * * *",
            "Europe/Berlin",
            "2026-03-28T12:00",
            ["03-29 03:00:00 +0200", "03-30 02:30:05 +0200"],
        ),
        (
            "5 30 2 * * *",
            "Europe/Berlin",
            "2026-10-24T12:00",
            ["10-25 02:30:05 +0200", "10-26 02:30:05 +0100"],
        ),
        (
            "*/40 2 * * *",
            "Europe/Berlin",
            "2026-03-28T12:00",
            ["03-29 03:00:00 +0200", "03-30 02:00:00 +0200"],
        ),
        (
            "*/40 2 * * *",
            "Europe/Berlin",
            "2026-10-24T12:00",
            ["10-25 02:00:00 +0200", "10-25 02:40:00 +0200", "10-26 02:00:00 +0100"],
        ),
        # New York: 02:00 -> 03:00 on 8 March, 02:00 -> 01:00 on 1 November.
        (
            "15 2 * * *",
            "America/New_York",
            "2026-03-07T12:00",
            ["03-08 03:00:00 -0400", "03-09 02:15:00 -0400"],
        ),
        (
            "30 1 * * *",
            "America/New_York",
            "2026-10-31T12:00",
            ["11-01 01:30:00 -0400", "11-02 01:30:00 -0500"],
        ),
        # Lord Howe: 02:00 -> 02:30 on 4 October, 02:00 -> 01:30 on 5 April.
        (
            "15 2 * * *",
            "Australia/Lord_Howe",
            "2026-10-03T12:00",
            ["10-04 02:30:00 +1100", "10-05 02:15:00 +1100"],
        ),
        (
            "45 2 * * *",
            "Australia/Lord_Howe",
            "2026-10-03T12:00",
            ["10-04 02:45:00 +1100", "10-05 02:45:00 +1100"],
        ),
        (
            "45 1 * * *",
            "Australia/Lord_Howe",
            "2026-04-04T12:00",
            ["04-05 01:45:00 +1100", "04-06 01:45:00 +1030"],
        ),
        # Every hour goes on by elapsed time; a minute that was jumped over is made up for.
        (
            "0 * * * *",
            "Europe/Berlin",
            "2026-10-25T01:30",
            ["10-25 02:00:00 +0200", "10-25 02:00:00 +0100", "10-25 03:00:00 +0100"],
        ),
        ("0 * * * *", "Europe/Berlin", "2026-03-29T01:30", ["03-29 03:00:00 +0200", "03-29 04:00:00 +0200"]),
        (
            "15 * * * *",
            "Australia/Lord_Howe",
            "2026-10-04T00:30",
            ["10-04 01:15:00 +1030", "10-04 02:30:00 +1100", "10-04 03:15:00 +1100"],
        ),
        (
            "15 * * * *",
            "Australia/Lord_Howe",
            "2026-04-05T00:30",
            ["04-05 01:15:00 +1100", "04-05 02:15:00 +1030", "04-05 03:15:00 +1030"],
        ),
    ],
)
def test_when_the_clock_changes(cron: str, zone: str, after: str, expected: list[str]) -> None:
    assert local_times(cron, zone, after, len(expected)) == expected


def test_asked_within_the_repeated_hour() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    second = datetime(2026, 10, 25, 2, 10, tzinfo=berlin, fold=1)
    (following,) = Schedule("30 2 * * *", "Europe/Berlin").next(second)
    assert following == datetime(2026, 10, 26, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("cron", "effects"),
    [
        ("30 2 * * *", ["moved", "once"]),
        ("0 3 * * *", [None, None]),
        ("30 12 * * *", [None, None]),
        ("15 * * * *", ["moved", None]),
        ("*/10 1-2 * * *", ["moved", "once"]),
    ],
)
def test_what_changes_of_the_clock_do(cron: str, effects: list[str | None]) -> None:
    start, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    changes = Schedule(cron, "Europe/Berlin").clock_changes(start, end)
    assert [change.effect for change in changes] == effects
    assert [(change.time, change.shift) for change in changes] == [
        (datetime(2026, 3, 29, 1, tzinfo=UTC), timedelta(hours=1)),
        (datetime(2026, 10, 25, 1, tzinfo=UTC), timedelta(hours=-1)),
    ]
    assert Schedule(cron, "UTC").clock_changes(start, end) == []


def test_leap_days() -> None:
    assert [
        t.date().isoformat() for t in Schedule("0 0 29 2 *").next(datetime(2026, 1, 1, tzinfo=UTC), 2)
    ] == [
        "2028-02-29",
        "2032-02-29",
    ]
    assert [
        t.date().isoformat() for t in Schedule("0 0 L 2 *").next(datetime(2027, 1, 1, tzinfo=UTC), 2)
    ] == [
        "2027-02-28",
        "2028-02-29",
    ]


@pytest.mark.parametrize(
    ("cron", "words"),
    [
        ("", "not 0"),
        ("* * * *", "not 4"),
        ("@daily", "not 1"),
        ("60 * * * *", "bad minute"),
        ("* 24 * * *", "bad hour"),
        ("0 0 30 2 *", "bad day-of-month"),
        ("0 0 * * 1#", "bad day-of-week"),
        ("*/0 * * * *", "bad minute"),
        ("1" * 300 + " * * * *", "not a cron expression"),
    ],
)
def test_bad_expression(cron: str, words: str) -> None:
    with pytest.raises(ScheduleError, match=words) as caught:
        Schedule(cron)
    assert caught.value.field == "cron"
    assert caught.value.mend


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text("0159*/-,#LWmon", min_size=1, max_size=6), min_size=5, max_size=6).map(" ".join))
def test_any_expression_is_read_or_refused(cron: str) -> None:
    try:
        Schedule(cron).next(datetime(2026, 1, 1, tzinfo=UTC))
    except ScheduleError as error:
        assert error.field == "cron"


@pytest.mark.parametrize("zone", ["", "Europe", "../etc/passwd", "/etc/passwd", "a\0b", "Mars/Olympus"])
def test_unknown_zone(zone: str) -> None:
    with pytest.raises(ScheduleError) as caught:
        Schedule("0 0 * * *", zone)
    assert caught.value.field == "timezone"
    assert caught.value.mend


def test_unknown_zone_has_a_suggestion() -> None:
    with pytest.raises(ScheduleError, match=r"Did you mean Europe/Berlin\?"):
        Schedule("0 0 * * *", "Europe/Berln")


@pytest.mark.parametrize(
    ("cron", "words"),
    [
        (schedule.hourly(15), "At minute 15 of every hour (UTC)"),
        (schedule.daily(time(9, 5)), "At 09:05 every day (UTC)"),
        (schedule.weekly([5, 1, 1], time(9)), "At 09:00 on Monday and Friday (UTC)"),
        (schedule.monthly(1, time(0)), "At 00:00 on the first day of every month (UTC)"),
        (schedule.monthly("last", time(0)), "At 00:00 on the last day of every month (UTC)"),
    ],
)
def test_presets_in_words(cron: str, words: str) -> None:
    assert Schedule(cron).describe() == words


class TestDueTimes:
    hourly = Schedule("0 * * * *")
    after = datetime(2026, 1, 1, 8, 30, tzinfo=UTC)

    @staticmethod
    def at(hour: int, minute: int = 0, second: int = 0) -> datetime:
        return datetime(2026, 1, 1, hour, minute, second, tzinfo=UTC)

    def test_nothing_is_due(self) -> None:
        for missed in ("latest", "all", "skip"):
            assert self.hourly.due_times(self.after, self.at(8, 59), missed) == []

    def test_on_time_whatever_the_setting(self) -> None:
        for missed in ("latest", "all", "skip"):
            due = self.hourly.due_times(self.after, self.at(9, 0, 2), missed)
            assert due == [self.at(9)]

    def test_the_end_belongs_to_the_interval_the_start_does_not(self) -> None:
        assert self.hourly.due_times(self.at(9), self.at(10)) == [self.at(10)]

    def test_missed(self) -> None:
        until = self.at(11, 30)
        assert self.hourly.due_times(self.after, until, "latest") == [self.at(11)]
        assert self.hourly.due_times(self.after, until, "all") == [self.at(9), self.at(10), self.at(11)]
        assert self.hourly.due_times(self.after, until, "skip") == []

    def test_missed_and_one_on_time(self) -> None:
        until = self.at(11, 0, 30)
        assert self.hourly.due_times(self.after, until, "latest") == [self.at(11)]
        assert self.hourly.due_times(self.after, until, "skip") == [self.at(11)]

    def test_several_on_time_are_not_missed(self) -> None:
        due = Schedule("*/10 * * * * *").due_times(self.at(9), self.at(9, 0, 30))
        assert due == [self.at(9, 0, 10), self.at(9, 0, 20), self.at(9, 0, 30)]

    def test_long_ago(self) -> None:
        year = timedelta(days=365)
        every_minute = Schedule("* * * * *")
        assert every_minute.due_times(self.after - year, self.after, "all", limit=3) == [
            self.after - year + timedelta(minutes=number) for number in (1, 2, 3)
        ]
        yearly = Schedule("0 0 29 2 *")
        due = yearly.due_times(datetime(2020, 1, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC))
        assert due == [datetime(2024, 2, 29, tzinfo=UTC)]


@settings(max_examples=40, deadline=None)
@given(
    zone=st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo", "UTC"]),
    start=st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31)),
    minute=st.sampled_from(["0", "30", "*/20", "5,45"]),
    hour=st.sampled_from(["0", "1", "2", "*/2", "1-3"]),
)
def test_each_wall_clock_time_is_due_once(zone: str, start: datetime, minute: str, hour: str) -> None:
    """Every local time of the schedule is due once: itself the first time, or at the shift over it."""
    there = ZoneInfo(zone)
    job = Schedule(f"{minute} {hour} * * *", zone)
    begin = start.replace(tzinfo=there).astimezone(UTC)
    due = [instant for instant in job.next(begin, 200) if instant <= begin + timedelta(days=2)]
    plain = Schedule(f"{minute} {hour} * * *", "UTC")
    expected = set()
    for wall in plain.next(start.replace(tzinfo=UTC) - timedelta(hours=4), 200):
        local = wall.replace(tzinfo=None)
        instant = local.replace(tzinfo=there).astimezone(UTC)
        if instant.astimezone(there).replace(tzinfo=None) != local:
            # Look for the first second after the gap.
            instant = local.replace(tzinfo=there, fold=1).astimezone(UTC)
            before = instant.astimezone(there).utcoffset()
            while instant.astimezone(there).utcoffset() == before:
                instant += timedelta(minutes=1)
            instant = instant.replace(second=0, microsecond=0)
        if begin < instant <= begin + timedelta(days=2):
            expected.add(instant)
    assert due == sorted(expected)
