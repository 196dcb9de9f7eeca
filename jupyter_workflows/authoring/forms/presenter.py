"""A page that is open, and who puts it before somebody."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from .answers import Answers
from .dynamic import Dynamic, resolve
from .fields import Field, InvalidAnswer
from .fingerprint import fingerprint

if TYPE_CHECKING:
    from .displays import Display
    from .files import FileStore

#: Looks at all answers of a page: nothing, True or "" when they fit; False, a text, a list of texts, or a
#: mapping from field key to text when they do not. A ValueError says the same as its text.
Validator = Callable[[Answers], Any]


@dataclass(eq=False)
class OpenPage:
    """A page at its place in this execution.

    Parameters
    ----------
    position
        How many pages this execution showed before.
    files
        Takes in answers that are files.
    prefill
        States of fields that were filled in before: half a page, or a page that has to be asked again.
    notices
        What the person should be told first.
    displayed
        Whether the displays have been put into the notebook's output already.
    display_id
        Names the output that stands for the page while it is open.
    """

    title: str
    parts: list[Field | Display | Dynamic]
    actions: list[str]
    validators: list[Validator]
    position: int
    files: FileStore
    prefill: dict[str, Any] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)
    displayed: bool = False
    display_id: str | None = None

    def __post_init__(self) -> None:
        #: Of the page whatever its dynamic parts are: what a half-filled page belongs to.
        self.base = fingerprint(self.title, self.parts, self.actions)
        self.items: list[Field | Display] = []
        self.resolve(lambda field: field.start)

    @property
    def fingerprint(self) -> str:
        """Of the page as it is with the values that it was resolved for."""
        return fingerprint(self.title, self.items, self.actions)

    @property
    def is_dynamic(self) -> bool:
        """Whether what it asks depends on the answers."""
        return any(isinstance(part, Dynamic) for part in self.parts)

    def resolve(self, value_of: Callable[[Field], Any]) -> None:
        """Work out which fields and displays there are, given the values of fields."""
        self.items = resolve(self.parts, value_of)

    @property
    def fields(self) -> list[Field]:
        """The fields of the page."""
        return [item for item in self.items if isinstance(item, Field)]

    @property
    def name(self) -> str:
        """How messages call the page."""
        return f"the form {self.title!r}" if self.title else f"the form {', '.join(self._labels()) or '?'}"

    def _labels(self) -> list[str]:
        return [repr(field.label) for field in self.fields]

    def problems(self, answers: Answers) -> dict[str, str]:
        """Return what is wrong with answers by field key; under ``""`` what concerns the whole page."""
        found: dict[str, str] = {}
        for item in self.fields:
            try:
                item.check(answers[item.key])
            except InvalidAnswer as error:
                found[item.key] = str(error)
        if found:
            return found
        for validator in self.validators:
            try:
                found.update(_verdict(validator(Answers(answers, answers.action))))
            except (ValueError, AssertionError) as error:
                found[""] = str(error) or "the answers do not fit together"
        return found

    def label(self, key: str) -> str:
        """Return the label of the field with a key."""
        return next((item.label for item in self.fields if item.key == key), key)


class Presenter(Protocol):
    """Puts a page before whoever answers it."""

    def present(self, page: OpenPage) -> Answers:
        """Return answers without problems, or raise `FormParked` to wait for a person."""


def _verdict(verdict: Any) -> dict[str, str]:
    if verdict is None or verdict is True or (isinstance(verdict, str | list | dict) and not verdict):
        return {}
    if isinstance(verdict, Mapping):
        return {str(key): str(text) for key, text in verdict.items() if text}
    if isinstance(verdict, list | tuple):
        return {"": "; ".join(str(text) for text in verdict)}
    if verdict is False:
        return {"": "the answers do not fit together"}
    if isinstance(verdict, str):
        return {"": verdict}
    raise TypeError(
        f"a validator returned {verdict!r}; it must return nothing or True when the answers fit, else a text "
        "or a mapping from field key to text"
    )
