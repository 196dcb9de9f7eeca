from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_workflows.model.units import UnitError, parse_duration, parse_memory


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("2G", 2 * 1024**3),
        ("512M", 512 * 1024**2),
        ("1.5 GiB", 3 * 1024**3 // 2),
        ("64mb", 64 * 1024**2),
        ("1T", 1024**4),
        ("20000K", 20000 * 1024),
        ("1073741824", 1024**3),
        ("1073741824B", 1024**3),
    ],
)
def test_memory(text: str, amount: int) -> None:
    assert parse_memory(text) == amount


@pytest.mark.parametrize("text", ["", "G", "2X", "-1G", "1e9", "2GG", "1,5G", "٢G", "5M", "0"])
def test_bad_memory(text: str) -> None:
    with pytest.raises(UnitError) as caught:
        parse_memory(text)
    assert caught.value.mend


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("P2D", timedelta(days=2)),
        ("PT4H", timedelta(hours=4)),
        ("P1W", timedelta(weeks=1)),
        ("P1DT12H30M5S", timedelta(days=1, hours=12, minutes=30, seconds=5)),
        ("PT0.5H", timedelta(minutes=30)),
        ("PT1,5S", timedelta(seconds=1.5)),
    ],
)
def test_duration(text: str, duration: timedelta) -> None:
    assert parse_duration(text) == duration


def test_months_are_those_of_the_calendar() -> None:
    start = datetime(2028, 1, 31, 9, tzinfo=UTC)
    assert start + parse_duration("P1M") == datetime(2028, 2, 29, 9, tzinfo=UTC)
    assert start + parse_duration("P1Y1DT1H") == datetime(2029, 2, 1, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    ["", "P", "PT", "P1DT", "2D", "2 days", "P-1D", "p2d", "PT1D", "P1.5M", "PT0S", "P101Y", "P٢D", "P1H"],
)
def test_bad_duration(text: str) -> None:
    with pytest.raises(UnitError) as caught:
        parse_duration(text)
    assert caught.value.mend


@given(st.text("PT0123456789YMWDHS.,GKB ", max_size=20))
def test_any_text_is_read_or_refused(text: str) -> None:
    for parse in (parse_memory, parse_duration):
        try:
            parse(text)
        except UnitError as error:
            assert error.message
