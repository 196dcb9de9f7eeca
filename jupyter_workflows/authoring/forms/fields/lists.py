"""A field that is a list of small forms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from ...errors import closest
from ...mappings import Record
from .base import Field, InvalidAnswer, check_count, typed

if TYPE_CHECKING:
    from ..builder import Fields
    from ..files import FileStore


@dataclass(eq=False)
class ListOf(Field):
    """A list of rows, each with the same fields; the value is a list of mappings.

    Parameters
    ----------
    fields
        The fields of a row, such as ``Fields().read("Item").read_number("Quantity")``.
    min, max
        How many rows there can be.
    add_text
        The text of the button that adds a row.
    """

    fields: Fields
    _: KW_ONLY
    required: bool = False
    min: int | None = None
    max: int | None = None
    add_text: str = "Add"

    kind: ClassVar[str] = "list"

    def __post_init__(self) -> None:
        if not getattr(self.fields, "fields", None):
            raise TypeError(f"{self.label!r} needs the fields of a row, such as Fields().read('Item')")
        secrets = [field.label for field in self.columns if field.secret]
        if secrets:
            raise TypeError(f"{self.label!r} can't have passwords in its rows ({', '.join(secrets)})")
        if self.min:
            self.required = True
        super().__post_init__()

    @property
    def columns(self) -> list[Field]:
        """The fields of a row."""
        return self.fields.fields

    @property
    def empty(self) -> list[Any]:
        return []

    def value_of(self, given: Any, files: FileStore | None) -> list[Record]:
        if not isinstance(given, list | tuple):
            raise InvalidAnswer(f"{typed(given)} is not a list of rows")
        return [self._row(row, f"row {number}", files) for number, row in enumerate(given, 1)]

    def _row(self, given: Any, name: str, files: FileStore | None) -> Record:
        if not isinstance(given, Mapping):
            raise InvalidAnswer(f"{name}: {typed(given)} is not a mapping with {self._names()}")
        keys = [field.key for field in self.columns]
        for key in given:
            if key not in keys:
                raise InvalidAnswer(f"{name} has no field {key!r}, but {self._names()}.{closest(key, keys)}")
        row = Record()
        for field in self.columns:
            try:
                answer = given.get(field.key)
                row[field.key] = field.start if answer is None else field.value_of(answer, files)
            except InvalidAnswer as error:
                raise InvalidAnswer(f"{name}, {field.label}: {error}") from None
        return row

    def check_limits(self, value: list[Record]) -> None:
        check_count(len(value), self.min, self.max, "rows")
        for number, row in enumerate(value, 1):
            for field in self.columns:
                try:
                    field.check(row[field.key])
                except InvalidAnswer as error:
                    raise InvalidAnswer(f"row {number}, {field.label}: {error}") from None

    def state_of(self, value: Any, files: FileStore) -> Any:
        return [{field.key: field.state_of(row[field.key], files) for field in self.columns} for row in value]

    def restore(self, state: Any, files: FileStore) -> Any:
        return [
            Record({field.key: field.restore(row.get(field.key), files) for field in self.columns})
            for row in state or ()
        ]

    def text_of(self, value: Any) -> str:
        return "\n".join(
            "; ".join(f"{field.label}: {field.text_of(row[field.key]) or '—'}" for field in self.columns)
            for row in value
        )

    def shown(self) -> dict[str, Any]:
        return {**super().shown(), "fields": [field.shown() for field in self.columns]}

    def _names(self) -> str:
        return ", ".join(repr(field.key) for field in self.columns)
