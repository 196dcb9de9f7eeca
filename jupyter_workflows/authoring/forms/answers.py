"""The answers to a page, and those that a run was given in advance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..errors import FormError, closest
from ..mappings import Record

if TYPE_CHECKING:
    from ..context import Context

#: Names the button in answers given in advance, unless a field of the page has this key.
ACTION = "action"


class Answers(Record):
    """The answers to a page by the keys of its fields, also as attributes.

    Parameters
    ----------
    action
        The text of the button that was pressed.
    """

    def __init__(self, values: Mapping[str, Any], action: str) -> None:
        super().__init__(values)
        self.__dict__["_action"] = action

    @property
    def action(self) -> str:
        """The text of the button that was pressed."""
        return str(self.__dict__["_action"])

    def __repr__(self) -> str:
        return f"Answers({super().__repr__()}, action={self.action!r})"


def given_answers(context: Context, position: int) -> Mapping[str, Any] | None:
    """Return the answers that the run was given for a page; `None` if it was given none.

    Raises
    ------
    FormError
        What was given is neither a mapping nor a list of mappings.
    """
    answers = context.answers
    if answers is None:
        return None
    if isinstance(answers, list):
        if position >= len(answers):
            return {}
        answers = answers[position]
    if not isinstance(answers, Mapping):
        raise FormError(
            f"the answers given for the stage {context.stage_path!r} are {type(answers).__name__}; give a "
            'mapping from field key to answer such as {"Amount": 12}, or a list of them, one for each page'
        )
    return answers


def unused(answers: Any, asked: list[str]) -> list[str]:
    """Return a warning for each answer that was given in advance and that no page asked for."""
    pages = answers if isinstance(answers, list) else [answers]
    keys = dict.fromkeys(key for page in pages if isinstance(page, Mapping) for key in page)
    return [
        f"an answer was given for {key!r}, which the form did not ask.{closest(str(key), asked)}"
        for key in keys
        if key not in asked and key != ACTION
    ]
