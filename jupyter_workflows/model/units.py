"""Amounts that documents write as text: memory and durations."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dateutil.relativedelta import relativedelta

_MEMORY = re.compile(r"(\d{1,15}(?:\.\d{1,6})?)\s*(?:([KMGT])(?:i?B)?|B)?", re.IGNORECASE | re.ASCII)
_POWERS = {"K": 1, "M": 2, "G": 3, "T": 4}
#: Below it no kernel starts.
_LEAST_MEMORY = 16 * 1024**2

_NUMBER = r"\d{1,9}"
_FRACTION = r"\d{1,9}(?:[.,]\d{1,6})?"
_DURATION = re.compile(
    rf"P(?:({_NUMBER})Y)?(?:({_NUMBER})M)?(?:({_FRACTION})W)?(?:({_FRACTION})D)?"
    rf"(?:T(?=\d)(?:({_FRACTION})H)?(?:({_FRACTION})M)?(?:({_FRACTION})S)?)?",
    re.ASCII,
)
_LONGEST = timedelta(days=36525)


class UnitError(ValueError):
    """A text that is not an amount.

    Parameters
    ----------
    mend
        How to write it.
    """

    def __init__(self, message: str, mend: str) -> None:
        super().__init__(f"{message} {mend}")
        self.message = message
        self.mend = mend


def parse_memory(text: str) -> int:
    """Return the bytes of an amount of memory, such as ``512M`` or ``2G``; a K is 1024 bytes.

    Raises
    ------
    UnitError
        If it is not an amount of memory, or too little for a kernel.
    """
    match = _MEMORY.fullmatch(text.strip())
    if match is None:
        raise UnitError(f"{text!r} is not an amount of memory.", "Write it as 512M or 2G, for example.")
    number, unit = match.groups()
    amount = int(Decimal(number) * 1024 ** _POWERS.get((unit or "").upper(), 0))
    if amount < _LEAST_MEMORY:
        raise UnitError(f"{text!r} is too little memory for a kernel.", "Give it 16M at least.")
    return amount


def parse_duration(text: str) -> timedelta | relativedelta:
    """Return an ISO 8601 duration, such as ``PT4H`` or ``P2D``, as something to add to a time.

    Years and months are those of the calendar, so a duration that has them is a `relativedelta`.

    Raises
    ------
    UnitError
        If it is not a duration, is nothing, or is longer than a century.
    """
    mend = "Write it as PT4H (hours), P2D (days) or P1W (weeks), for example."
    match = _DURATION.fullmatch(text.strip())
    if match is None or not any(match.groups()):
        raise UnitError(f"{text!r} is not an ISO 8601 duration.", mend)
    years, months = (int(part or 0) for part in match.groups()[:2])
    weeks, days, hours, minutes, seconds = (
        float((part or "0").replace(",", ".")) for part in match.groups()[2:]
    )
    try:
        rest = timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
        whole = rest + timedelta(days=365 * years + 30 * months)
    except OverflowError:
        whole = timedelta.max
    if whole > _LONGEST:
        raise UnitError(f"{text!r} is longer than a century.", mend)
    if whole <= timedelta(0):
        raise UnitError(f"{text!r} is no time at all.", mend)
    if years or months:
        from dateutil.relativedelta import relativedelta

        return relativedelta(years=years, months=months, days=rest.days, seconds=rest.seconds)
    return rest
