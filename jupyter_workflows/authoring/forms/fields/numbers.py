"""Fields for numbers."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, ClassVar

from .base import Field, InvalidAnswer, check_range, is_number, typed

if TYPE_CHECKING:
    from ..files import FileStore


@dataclass(eq=False, kw_only=True)
class Number(Field):
    """A number: `int` or `float`.

    Parameters
    ----------
    min, max
        Limits, themselves allowed.
    integer
        Whether only whole numbers are taken.
    """

    min: float | None = None
    max: float | None = None
    integer: bool = False

    kind: ClassVar[str] = "number"

    def value_of(self, given: Any, files: FileStore | None) -> int | float:
        if hasattr(given, "item") and not isinstance(given, float):  # NumPy scalars, from authors
            given = given.item()
        if not is_number(given):
            raise InvalidAnswer(
                f"{typed(given)} is not a number; give one such as 12 or 12.5, without quotes"
            )
        if self.integer and int(given) != given:
            raise InvalidAnswer(f"{given} is not a whole number")
        return int(given) if self.integer or isinstance(given, int) else float(given)

    def check_limits(self, value: float) -> None:
        check_range(value, self.min, self.max)

    def parse(self, text: str) -> Any:
        try:
            return int(text)
        except ValueError:
            pass
        try:
            return float(text)
        except ValueError:
            return text


@dataclass(eq=False, kw_only=True)
class Slider(Number):
    """A number chosen on a scale."""

    min: float = 0
    max: float = 100
    step: float = 1

    kind: ClassVar[str] = "slider"

    @property
    def empty(self) -> Any:
        return self.min

    def check_limits(self, value: float) -> None:
        super().check_limits(value)
        # In decimals, as 0.3 is no whole multiple of 0.1 in binary.
        steps = (Decimal(str(value)) - Decimal(str(self.min))) / Decimal(str(self.step))
        if abs(steps - round(steps)) > Decimal("1e-6"):
            raise InvalidAnswer(f"{value} is between two steps of {self.step} from {self.min}")

    def shown(self) -> dict[str, Any]:
        return {**super().shown(), "scale": [self.min, self.max, self.step]}


@dataclass(eq=False, kw_only=True)
class Rating(Number):
    """A number of stars, from 1 to `max`."""

    min: float = 1
    max: float = 5
    integer: bool = True
    character: str = "★"

    kind: ClassVar[str] = "rating"

    def text_of(self, value: Any) -> str:
        return f"{self.character * value} ({value} of {self.max})" if value else ""

    def shown(self) -> dict[str, Any]:
        return {**super().shown(), "scale": [self.min, self.max]}


@dataclass(eq=False, kw_only=True)
class Currency(Field):
    """An amount of money, as `decimal.Decimal`.

    Parameters
    ----------
    currency
        The code that is shown beside the amount.
    decimals
        How many decimals an amount can have.
    """

    currency: str = "USD"
    decimals: int = 2
    min: Any = None
    max: Any = None

    kind: ClassVar[str] = "currency"

    def __post_init__(self) -> None:
        for name in ("min", "max"):
            limit = getattr(self, name)
            if limit is not None:
                setattr(self, name, Decimal(str(limit)))
        super().__post_init__()

    def value_of(self, given: Any, files: FileStore | None) -> Decimal:
        try:
            if isinstance(given, bool) or not isinstance(given, int | float | str | Decimal):
                raise InvalidOperation
            amount = Decimal(str(given).strip())
            if not amount.is_finite():
                raise InvalidOperation
            rounded = amount.quantize(Decimal(1).scaleb(-self.decimals))
        except InvalidOperation:
            raise InvalidAnswer(f"{typed(given)} is not an amount; give one such as 12.50") from None
        if rounded != amount:
            raise InvalidAnswer(f"{amount} has more than {self.decimals} decimals")
        return rounded

    def check_limits(self, value: Decimal) -> None:
        check_range(value, self.min, self.max, self.text_of)

    def state_of(self, value: Any, files: FileStore) -> str | None:
        return None if value is None else str(value)

    def text_of(self, value: Any) -> str:
        return "" if value is None else f"{value:,} {self.currency}"

    def shown(self) -> dict[str, Any]:
        return {**super().shown(), "currency": self.currency}
