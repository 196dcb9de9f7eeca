"""Previews of schedules over HTTP."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest


async def test_a_schedule_that_is_being_written_shows_its_next_times_in_its_zone(api: Any) -> None:
    found = await api.post("schedules/preview", {"cron": "0 9 * * 1", "timezone": "Europe/Berlin"})
    times = [datetime.fromisoformat(time) for time in found["times"]]
    assert len(times) == 5
    assert {(time.hour, time.minute, time.weekday()) for time in times} == {(9, 0, 0)}
    assert times == sorted(times)
    assert times[0] > datetime.now(UTC)
    assert "09:00" in found["description"]


async def test_changes_of_the_clock_that_touch_a_time_are_told(api: Any) -> None:
    berlin = {"cron": "30 2 * * *", "timezone": "Europe/Berlin", "times": 1}
    found = (await api.post("schedules/preview", berlin))["clock_changes"]
    assert {(change["minutes"], change["effect"]) for change in found} >= {(60, "moved"), (-60, "once")}
    # What neither touches a time nor lies between those that are shown is left out.
    harmless = {**berlin, "cron": "30 12 * * *"}
    changes = (await api.post("schedules/preview", harmless))["clock_changes"]
    assert all(change["effect"] is None for change in changes)
    assert (await api.post("schedules/preview", {**berlin, "timezone": "UTC"}))["clock_changes"] == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"cron": "0 9 * *"}, "cron"),
        ({"cron": ""}, "cron"),
        ({"cron": "0 0 30 2 *"}, "cron"),
        ({"cron": "0 9 * * *", "timezone": "Europe/Berlim"}, "timezone"),
        ({"cron": "0 9 * * *", "times": 0}, "times"),
    ],
)
async def test_what_is_wrong_with_a_schedule_is_told_by_its_field(api: Any, body: Any, field: str) -> None:
    reply = await api("POST", "schedules/preview", body)
    assert reply.status == 422
    assert [error["field"] for error in reply.json["errors"]] == [field]
