"""Forms without a person: the answers that a run was given, or none, and then the form waits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..errors import FormError, FormParked, closest
from .answers import ACTION, Answers, given_answers
from .fields import Field, InvalidAnswer
from .half_filled import write_half_filled

if TYPE_CHECKING:
    from ..context import Context
    from .presenter import OpenPage


class ContextPresenter:
    """Answers pages from the run's answers, and parks the attempt where they do not suffice.

    Parameters
    ----------
    context
        The attempt's context, which has the answers.
    """

    def __init__(self, context: Context) -> None:
        self._context = context

    def present(self, page: OpenPage) -> Answers:
        """Answer a page from what was given."""
        given = given_answers(self._context, page.position)
        if given is None:
            raise FormParked(f"Waits for a person: {page.name}.")
        if isinstance(self._context.answers, list):
            _check_keys(given, page)
        if page.is_dynamic:
            page.resolve(
                lambda field: (
                    field.start
                    if given.get(field.key) is None or field.disabled
                    else _value(field, given[field.key], page)
                )
            )
        values: dict[str, Any] = {}
        missing: list[str] = []
        for field in page.fields:
            if given.get(field.key) is None:
                values[field.key] = field.start
                if field.required and not field.disabled:
                    missing.append(field.key)
            else:
                values[field.key] = _value(field, given[field.key], page)
        action = _action(given, page)
        if missing or action is None:
            self._keep(page, values, given)
            raise FormParked(_waits_for(missing, given, page))
        answers = Answers(values, action)
        for key, problem in page.problems(answers).items():
            where = f"field {page.label(key)!r}: " if key else ""
            raise FormError(
                f"{page.name}: {where}{_sentence(problem)} Change the answer that was given to the run."
            )
        return answers

    def _keep(self, page: OpenPage, values: dict[str, Any], given: Mapping[str, Any]) -> None:
        # What was given is there when a person opens the form.
        if self._context.folder is not None:
            states = {
                field.key: field.state_of(values[field.key], page.files)
                for field in page.fields
                if given.get(field.key) is not None and not field.secret
            }
            write_half_filled(self._context.folder, page, states, self._context.attempt)


def _value(field: Field, given: Any, page: OpenPage) -> Any:
    if field.disabled:
        raise FormError(f"{page.name}: field {field.label!r} can't be changed. Leave its answer out.")
    try:
        value = field.value_of(given, page.files)
        field.check(value)
    except InvalidAnswer as error:
        text = _sentence(str(error))
        raise FormError(
            f"{page.name}: field {field.label!r}: {text} Change the answer that was given to the run."
        ) from None
    return value


def _sentence(text: str) -> str:
    return text if text.endswith((".", "?", "!")) else f"{text}."


def _action(given: Mapping[str, Any], page: OpenPage) -> str | None:
    named = given.get(ACTION) if ACTION not in [field.key for field in page.fields] else None
    if named is None:
        return page.actions[0] if len(page.actions) == 1 else None
    if named in page.actions:
        return str(named)
    if len(page.actions) == 1:  # it may be meant for another page of the stage
        return page.actions[0]
    offered = ", ".join(map(repr, page.actions))
    raise FormError(f'{page.name} has no button {named!r}. Give "action": one of {offered}.')


def _check_keys(given: Mapping[str, Any], page: OpenPage) -> None:
    keys = [field.key for field in page.fields]
    for key in given:
        if key not in keys and key != ACTION:
            there = ", ".join(map(repr, keys)) or "none"
            raise FormError(f"{page.name} has no field {key!r}; its fields are {there}.{closest(key, keys)}")


def _waits_for(missing: list[str], given: Mapping[str, Any], page: OpenPage) -> str:
    keys = [field.key for field in page.fields]
    parts = [f"an answer to {', '.join(map(repr, missing))}"] if missing else []
    if len(page.actions) > 1 and _action(given, page) is None:
        parts.append(f'the choice of a button ("action": one of {", ".join(map(repr, page.actions))})')
    strange = [str(key) for key in given if key not in keys and key != ACTION]
    near = "".join(
        f" An answer was given for {key!r}.{question}"
        for key in strange
        if (question := closest(key, missing))
    )
    return f"Waits for a person: {page.name} needs {' and '.join(parts)}.{near}"
