"""Forms for the author who executes the notebook by hand: questions and answers at the prompt."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING, Any

from ..errors import FormParked
from ..mappings import Record
from .answers import Answers
from .fields import Checkbox, Choice, Field, File, InvalidAnswer, ListOf, TextArea
from .in_advance import ContextPresenter
from .rendition import publish_displays

if TYPE_CHECKING:
    from ..context import Context
    from .presenter import OpenPage


class TerminalPresenter:
    """Asks at the prompt, unless the stage's test answers answer the page.

    Parameters
    ----------
    context
        The draft's context, which has the test answers.
    """

    def __init__(self, context: Context) -> None:
        self._context = context

    def present(self, page: OpenPage) -> Answers:
        """Ask until the answers fit."""
        if self._context.answers is not None:
            try:
                return ContextPresenter(self._context).present(page)
            except FormParked:
                pass
        if page.title:
            print(page.title)
        publish_displays(page)
        try:
            return self._ask_all(page)
        except (NotImplementedError, EOFError, OSError) as error:
            # A kernel without a person in front of it refuses to ask.
            raise FormParked(
                f"Draft: {page.name} needs a person, and nobody can type here. "
                "Give the stage test answers, or execute it in a notebook."
            ) from error

    def _ask_all(self, page: OpenPage) -> Answers:
        values: dict[str, Any] = {}
        todo = page.fields
        while True:
            while todo:
                field = todo.pop(0)
                values[field.key] = field.start if field.disabled else self._ask(field, page)
                if page.is_dynamic:
                    page.resolve(lambda field, known=values: known.get(field.key, field.start))  # type: ignore[misc]
                    todo = [one for one in page.fields if one.key not in values or one in todo]
            values = {field.key: values[field.key] for field in page.fields}
            answers = Answers(values, self._choose_action(page))
            problems = page.problems(answers)
            if not problems:
                return answers
            for key, problem in problems.items():
                print(f"{page.label(key)}: {problem}" if key else problem)
            todo = [field for field in page.fields if field.key in problems] or page.fields

    def _ask(self, field: Field, page: OpenPage) -> Any:
        if field.hint:
            print(f"({field.hint})")
        if isinstance(field, Choice):
            for number, option in enumerate(field.options, 1):
                print(f"  {number}. {option.label}")
        while True:
            try:
                value = self._rows(field, page) if isinstance(field, ListOf) else self._value(field, page)
                field.check(value)
                return value
            except InvalidAnswer as error:
                print(f"{field.label}: {error}")

    def _value(self, field: Field, page: OpenPage) -> Any:
        prompt = _prompt(field)
        if field.secret:
            return getpass.getpass(prompt)
        text = _lines(prompt) if isinstance(field, TextArea) else input(prompt)
        if not text.strip():
            return field.start
        return field.value_of(field.parse(text), page.files)

    def _rows(self, field: ListOf, page: OpenPage) -> list[Record]:
        rows: list[Record] = []
        print(f"{field.label}:")
        while field.max is None or len(rows) < field.max:
            if input(f"  {field.add_text} row {len(rows) + 1}? [y/N] ").strip().lower() not in ("y", "yes"):
                break
            rows.append(Record({column.key: self._ask(column, page) for column in field.columns}))
        return rows

    def _choose_action(self, page: OpenPage) -> str:
        if len(page.actions) == 1:
            return page.actions[0]
        for number, action in enumerate(page.actions, 1):
            print(f"  {number}. {action}")
        while True:
            word = input("Which? ").strip()
            if word in page.actions:
                return word
            if word.isdigit() and 1 <= int(word) <= len(page.actions):
                return page.actions[int(word) - 1]
            print(f"Give a number from 1 to {len(page.actions)}.")


def _prompt(field: Field) -> str:
    notes = []
    if isinstance(field, Choice) and field.many:
        notes.append("numbers, separated by commas")
    elif isinstance(field, Checkbox):
        notes.append("y/n")
    elif isinstance(field, File):
        notes.append("path of a file")
    if not field.required:
        notes.append("optional")
    if field.initial is not None:
        notes.append(f"Enter for {field.text_of(field.initial)}")
    extra = f" ({'; '.join(notes)})" if notes else ""
    return f"{field.label}{extra}: "


def _lines(prompt: str) -> str:
    print(f"{prompt}(an empty line ends it)")
    lines = []
    while line := input():
        lines.append(line)
    return "\n".join(lines)
