"""Fields that offer a choice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from ...errors import closest
from .base import Field, InvalidAnswer, check_count, typed

if TYPE_CHECKING:
    from ..files import FileStore


@dataclass(frozen=True, slots=True)
class Option:
    """What can be chosen: the label that a person sees, and the value that the notebook gets."""

    label: str
    value: Any


def _options(given: Any) -> list[Option]:
    if isinstance(given, Mapping):
        return [Option(str(label), value) for label, value in given.items()]
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise TypeError(f"options must be a list, or a mapping from label to value, not {given!r}")
    options = []
    for item in given:
        if isinstance(item, Mapping) and "label" in item:
            options.append(Option(str(item["label"]), item.get("value", item["label"])))
        elif isinstance(item, tuple) and len(item) == 2:
            options.append(Option(str(item[0]), item[1]))
        else:
            options.append(Option(str(item), item))
    return options


@dataclass(eq=False)
class Choice(Field):
    """A field with options.

    Parameters
    ----------
    options
        A list of values; of ``(label, value)`` pairs or ``{"label", "value"}`` mappings; or a mapping from
        label to value. Labels must differ.
    """

    options: Any

    #: Whether the value is a list of what was chosen.
    several: ClassVar[bool] = False

    def __post_init__(self) -> None:
        self.options = _options(self.options)
        labels = [option.label for option in self.options]
        if not labels:
            raise ValueError(f"{self.label!r} has no options to choose from")
        for label in labels:
            if labels.count(label) > 1:
                raise ValueError(f"{self.label!r} has two options with the label {label!r}")
        super().__post_init__()

    @property
    def many(self) -> bool:
        """Whether the value is a list of what was chosen."""
        return self.several

    @property
    def empty(self) -> Any:
        return [] if self.many else None

    def is_empty(self, value: Any) -> bool:
        # The value of an option may be anything, also an empty string.
        return not value if self.many else value is None

    def value_of(self, given: Any, files: FileStore | None) -> Any:
        if not self.many:
            return self._option(given).value
        if not isinstance(given, list | tuple):
            raise InvalidAnswer(f"{typed(given)} is not a list; give a list of options")
        chosen = [self._option(item) for item in given]
        # In the order of the options, each once, as ticking them would give it.
        return [option.value for option in self.options if option in chosen]

    def _option(self, given: Any) -> Option:
        offered: list[Option] = self.options
        for option in offered:
            if type(option.value) is type(given) and option.value == given:
                return option
        # JSON that people write may say 2026 for an option "2026".
        word = str(given) if isinstance(given, int) and not isinstance(given, bool) else given
        for option in offered:
            if option.label == word:
                return option
        labels = [option.label for option in self.options]
        near = closest(given, labels) if isinstance(given, str) else ""
        raise InvalidAnswer(f"{typed(given)} is none of the options {', '.join(map(repr, labels))}.{near}")

    def _label(self, value: Any) -> str:
        for option in self.options:
            if option.value is value or (type(option.value) is type(value) and option.value == value):
                return str(option.label)
        return str(value)

    def state_of(self, value: Any, files: FileStore) -> Any:
        if self.is_empty(value):
            return None
        return [self._label(item) for item in value] if self.many else self._label(value)

    def restore(self, state: Any, files: FileStore) -> Any:
        if state is None:
            return self.empty
        known = {option.label: option.value for option in self.options}
        labels = state if isinstance(state, list) else [state]
        if self.many != isinstance(state, list) or any(label not in known for label in labels):
            raise InvalidAnswer("the options have changed")
        return [known[label] for label in labels] if self.many else known[labels[0]]

    def parse(self, text: str) -> Any:
        words = [word.strip() for word in text.split(",")] if self.many else [text.strip()]
        labels = [self._typed_label(word) for word in words if word]
        return labels if self.many else "".join(labels[:1])

    def _typed_label(self, word: str) -> str:
        if word in [option.label for option in self.options]:
            return word
        if word.isdigit() and 1 <= int(word) <= len(self.options):
            return str(self.options[int(word) - 1].label)
        return word

    def text_of(self, value: Any) -> str:
        if self.is_empty(value):
            return ""
        return ", ".join(self._label(item) for item in value) if self.many else self._label(value)

    def shown(self) -> dict[str, Any]:
        return {
            **super().shown(),
            "options": [option.label for option in self.options],
            "several": self.many,
        }


@dataclass(eq=False, kw_only=True)
class Dropdown(Choice):
    """One of the options, or with `multiple` a list of them."""

    multiple: bool = False
    min: int | None = None
    max: int | None = None

    kind: ClassVar[str] = "dropdown"

    @property
    def many(self) -> bool:
        return self.multiple

    def check_limits(self, value: Any) -> None:
        if self.many:
            check_count(len(value), self.min, self.max, "chosen")


@dataclass(eq=False, kw_only=True)
class MultipleChoice(Dropdown):
    """One of the options, or with `multiple` a list of them; all are visible."""

    kind: ClassVar[str] = "multiple choice"


@dataclass(eq=False, kw_only=True)
class Checklist(Choice):
    """A list of those options that are ticked."""

    min: int | None = None
    max: int | None = None

    kind: ClassVar[str] = "checklist"
    several: ClassVar[bool] = True

    def check_limits(self, value: Any) -> None:
        check_count(len(value), self.min, self.max, "ticked")


@dataclass(eq=False, kw_only=True)
class Checkbox(Field):
    """Yes or no, as `bool`. A required one must be ticked."""

    required: bool = False

    kind: ClassVar[str] = "checkbox"

    @property
    def empty(self) -> bool:
        return False

    def is_empty(self, value: Any) -> bool:
        return value is not True

    def value_of(self, given: Any, files: FileStore | None) -> bool:
        if not isinstance(given, bool):
            raise InvalidAnswer(f"{typed(given)} is neither true nor false")
        return given

    def check(self, value: Any) -> None:
        if self.required and value is not True:
            raise InvalidAnswer(self.message or "it must be ticked (true)")

    def parse(self, text: str) -> Any:
        word = text.strip().lower()
        return {"y": True, "yes": True, "true": True, "n": False, "no": False, "false": False}.get(word, text)

    def text_of(self, value: Any) -> str:
        return "Yes" if value else "No"


@dataclass(eq=False, kw_only=True)
class Toggle(Checkbox):
    """A switch, as `bool`."""

    on_text: str = "Yes"
    off_text: str = "No"

    kind: ClassVar[str] = "toggle"

    def text_of(self, value: Any) -> str:
        return self.on_text if value else self.off_text

    def shown(self) -> dict[str, Any]:
        return {**super().shown(), "options": [self.off_text, self.on_text]}


@dataclass(eq=False, kw_only=True)
class Tags(Field):
    """A list of short texts.

    Parameters
    ----------
    suggestions
        Texts that are offered; others can be typed.
    """

    required: bool = False
    suggestions: Any = ()
    min: int | None = None
    max: int | None = None

    kind: ClassVar[str] = "tags"

    @property
    def empty(self) -> list[str]:
        return []

    def value_of(self, given: Any, files: FileStore | None) -> list[str]:
        if not isinstance(given, list | tuple) or not all(isinstance(item, str) for item in given):
            raise InvalidAnswer(f'{typed(given)} is not a list of texts such as ["new", "urgent"]')
        return list(dict.fromkeys(item.strip() for item in given if item.strip()))

    def check_limits(self, value: list[str]) -> None:
        check_count(len(value), self.min, self.max, "tags")

    def parse(self, text: str) -> Any:
        return text.split(",")

    def text_of(self, value: Any) -> str:
        return ", ".join(value)

    def shown(self) -> dict[str, Any]:
        return {**super().shown(), "options": [str(item) for item in self.suggestions]}
