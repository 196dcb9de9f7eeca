"""What all fields of a form have in common."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from ..files import FileStore


class InvalidAnswer(ValueError):
    """An answer that does not fit its field; the text says what is wrong and what would fit."""


@dataclass(eq=False)
class Field(ABC):
    """One question of a form.

    An answer has three shapes: as people write it in JSON (`value_of` reads it), the Python value that
    the notebook gets, and the state that the journal keeps (`state_of` and `restore`).

    Parameters
    ----------
    label
        The question.
    key
        The name of the answer; the label unless given.
    hint
        A line of help under the field.
    required
        Whether the form can only be submitted with an answer.
    initial
        What the field holds when the form is opened.
    disabled
        Shows `initial`, and can't be changed.
    placeholder
        Shown in the empty field.
    message
        Said instead of the usual words when an answer does not fit.
    """

    label: str
    _: KW_ONLY
    key: str = ""
    hint: str = ""
    required: bool = True
    initial: Any = None
    disabled: bool = False
    placeholder: str = ""
    message: str = ""

    #: The word for this kind of field, also in fingerprints.
    kind: ClassVar[str]
    #: Whether the answer is never written down.
    secret: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if not isinstance(self.label, str) or not self.label.strip():
            raise ValueError(f"a field needs a label (a string that is not empty), not {self.label!r}")
        self.key = self.key or self.label
        if self.initial is not None:
            try:
                self.initial = self.value_of(self.initial, None)
            except InvalidAnswer as error:
                raise ValueError(f"the initial value of {self.label!r} does not fit: {error}") from None

    @property
    def empty(self) -> Any:
        """The value without an answer."""
        return None

    @property
    def start(self) -> Any:
        """The value when the form is opened."""
        return self.empty if self.initial is None else self.initial

    def is_empty(self, value: Any) -> bool:
        """Return whether a value counts as no answer."""
        return value is None or (isinstance(value, str | list | tuple | dict) and len(value) == 0)

    @abstractmethod
    def value_of(self, given: Any, files: FileStore | None) -> Any:
        """Return the value of an answer as people write it.

        Raises
        ------
        InvalidAnswer
            It is not of the kind that this field takes.
        """

    def state_of(self, value: Any, files: FileStore) -> Any:
        """Return the JSON that the journal keeps of a value."""
        return value

    def restore(self, state: Any, files: FileStore) -> Any:
        """Return the value of what the journal kept.

        Raises
        ------
        InvalidAnswer
            It can't be had any more.
        """
        return self.empty if state is None else self.value_of(state, files)

    def parse(self, text: str) -> Any:
        """Return what was typed as an answer in JSON, for `value_of`."""
        return text

    def check(self, value: Any) -> None:
        """Check a value against what the field demands.

        Raises
        ------
        InvalidAnswer
            It does not fit.
        """
        if self.is_empty(value):
            if self.required:
                raise InvalidAnswer(self.message or "an answer is required")
            return
        try:
            self.check_limits(value)
        except InvalidAnswer:
            if self.message:
                raise InvalidAnswer(self.message) from None
            raise

    def check_limits(self, value: Any) -> None:  # noqa: B027 - most fields have none
        """Check a value that is not empty against the field's limits."""

    def text_of(self, value: Any) -> str:
        """Return a value in words for people."""
        return "" if self.is_empty(value) else str(value)

    def shown(self) -> dict[str, Any]:
        """Return what a person sees of the field: an answer counts only for the same question."""
        shown = {"kind": self.kind, "key": self.key, "label": self.label, "hint": self.hint}
        if self.disabled:
            shown["value"] = self.text_of(self.start)
        return shown


def typed(given: object) -> str:
    """Return an answer and its type for an error message."""
    names = {str: "text", bool: "true or false", int: "a number", float: "a number", list: "a list"}
    text = repr(given)
    text = text if len(text) <= 60 else f"{text[:59]}…"
    return f"{text} ({names.get(type(given), type(given).__name__)})"


def check_range(value: Any, low: Any, high: Any, text_of: Any = str) -> None:
    """Check that a value lies between two limits, of which either may be `None`."""
    if low is not None and value < low:
        raise InvalidAnswer(f"{text_of(value)} is too low; the lowest allowed is {text_of(low)}")
    if high is not None and value > high:
        raise InvalidAnswer(f"{text_of(value)} is too high; the highest allowed is {text_of(high)}")


def check_count(count: int, low: int | None, high: int | None, what: str) -> None:
    """Check how many there are."""
    if low is not None and count < low:
        raise InvalidAnswer(f"there must be at least {low} {what}, not {count}")
    if high is not None and count > high:
        raise InvalidAnswer(f"there can be at most {high} {what}, not {count}")


def check_length(text: str, low: int | None, high: int | None) -> None:
    """Check how long a text is."""
    if low is not None and len(text) < low:
        raise InvalidAnswer(f"it must have at least {low} characters, not {len(text)}")
    if high is not None and len(text) > high:
        raise InvalidAnswer(f"it can have at most {high} characters, not {len(text)}")


def is_number(given: object) -> bool:
    """Return whether an answer is a finite number (true and false are none)."""
    return isinstance(given, int | float) and not isinstance(given, bool) and math.isfinite(given)
