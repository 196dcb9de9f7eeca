"""Fields for text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from .base import Field, InvalidAnswer, check_length, typed

if TYPE_CHECKING:
    from ..files import FileStore

_EMAIL = re.compile(r"[^\s@<>(),;:\"]+@[^\s@<>(),;:\"]+\.[^\s@<>(),;:\".]+")
_PHONE = re.compile(r"\+?[\d\s()./-]+")


@dataclass(eq=False, kw_only=True)
class Text(Field):
    """A line of text.

    Parameters
    ----------
    min_length, max_length
        Limits for the number of characters.
    pattern
        A regular expression that the whole text must match.
    """

    min_length: int | None = None
    max_length: int | None = None
    pattern: str = ""

    kind: ClassVar[str] = "text"
    lines: ClassVar[bool] = False

    @property
    def empty(self) -> str:
        return ""

    def is_empty(self, value: Any) -> bool:
        return not isinstance(value, str) or not value.strip()

    def value_of(self, given: Any, files: FileStore | None) -> str:
        if not isinstance(given, str):
            raise InvalidAnswer(f"{typed(given)} is not text; give a string")
        if not self.lines and len(given.splitlines()) > 1:
            raise InvalidAnswer("it has more than one line; give a single one")
        return given

    def check_limits(self, value: str) -> None:
        check_length(value, self.min_length, self.max_length)
        if self.pattern and not re.fullmatch(self.pattern, value):
            raise InvalidAnswer(f"{value!r} does not have the form that is asked for ({self.pattern})")


@dataclass(eq=False, kw_only=True)
class TextArea(Text):
    """Text of several lines."""

    rows: int = 5

    kind: ClassVar[str] = "textarea"
    lines: ClassVar[bool] = True


@dataclass(eq=False, kw_only=True)
class Code(TextArea):
    """Program text, in a fixed font."""

    rows: int = 10
    language: str = ""

    kind: ClassVar[str] = "code"


@dataclass(eq=False, kw_only=True)
class Email(Text):
    """An e-mail address."""

    kind: ClassVar[str] = "email"

    def value_of(self, given: Any, files: FileStore | None) -> str:
        return super().value_of(given, files).strip()

    def check_limits(self, value: str) -> None:
        if not _EMAIL.fullmatch(value):
            raise InvalidAnswer(f"{value!r} is not an e-mail address such as anna@example.org")
        super().check_limits(value)


@dataclass(eq=False, kw_only=True)
class Phone(Text):
    """A telephone number."""

    kind: ClassVar[str] = "phone"

    def value_of(self, given: Any, files: FileStore | None) -> str:
        return super().value_of(given, files).strip()

    def check_limits(self, value: str) -> None:
        digits = sum(character.isdigit() for character in value)
        if not _PHONE.fullmatch(value) or not 5 <= digits <= 15:
            raise InvalidAnswer(f"{value!r} is not a telephone number such as +49 30 901820")
        super().check_limits(value)


@dataclass(eq=False, kw_only=True)
class Password(Text):
    """A password. It is never written down, so it is asked again when the notebook is executed again."""

    kind: ClassVar[str] = "password"
    secret: ClassVar[bool] = True

    def is_empty(self, value: Any) -> bool:
        return not value

    def value_of(self, given: Any, files: FileStore | None) -> str:
        if not isinstance(given, str):
            raise InvalidAnswer("it is not text; give a string")
        return given

    def check_limits(self, value: str) -> None:
        check_length(value, self.min_length, self.max_length)
        if self.pattern and not re.fullmatch(self.pattern, value):
            raise InvalidAnswer(f"it does not have the form that is asked for ({self.pattern})")

    def state_of(self, value: Any, files: FileStore) -> None:
        return None

    def text_of(self, value: Any) -> str:
        return "•" * 8 if value else ""
