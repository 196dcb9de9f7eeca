"""Answers from the journal: a page that is the same as before is not asked again."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from .answers import Answers
from .fields import Field, InvalidAnswer

if TYPE_CHECKING:
    from ..attempt import Attempt
    from .presenter import OpenPage


def recall(page: OpenPage, attempt: Attempt) -> Answers | None:
    """Return the answers that the journal has for a page, if they still hold.

    If they do not, they and all later ones are discarded, and the page gets a notice that says so. A page
    with a password is asked again, filled in otherwise.
    """
    entry = attempt.journal.answer(page.position)
    if entry is None:
        return None
    if page.is_dynamic:
        _resolve_as_answered(page, entry.get("state"))
    if entry.get("fingerprint") != page.fingerprint:
        _discard(_difference(entry, page), page, attempt)
        return None
    states = entry["state"]
    if any(field.secret for field in page.fields):
        page.prefill = dict(states)
        return None
    try:
        values = {
            field.key: field.start if field.disabled else field.restore(states.get(field.key), page.files)
            for field in page.fields
        }
        answers = Answers(values, str(entry["action"]))
        problems = page.problems(answers)
    except InvalidAnswer as error:
        problems = {"": str(error)}
    except (KeyError, TypeError, ValueError, AttributeError):
        problems = {"": "it can't be read any more"}
    if problems:
        reasons = "; ".join(
            f"{page.label(key)}: {problem}" if key else problem for key, problem in problems.items()
        )
        _discard(f"the earlier answer to {page.name} does not fit any more ({reasons})", page, attempt)
        return None
    return answers


def _resolve_as_answered(page: OpenPage, states: Any) -> None:
    """Have a page as it was with the answers that the journal has for it."""

    def value_of(field: Field) -> Any:
        if isinstance(states, dict) and field.key in states and not field.disabled:
            try:
                return field.restore(states[field.key], page.files)
            except (InvalidAnswer, ValueError, TypeError, KeyError, AttributeError):
                pass
        return field.start

    page.resolve(value_of)


def remember(page: OpenPage, answers: Answers, attempt: Attempt) -> None:
    """Write the answers to a page into the journal; passwords are left out."""
    states: dict[str, Any] = {
        field.key: field.state_of(answers[field.key], page.files) for field in page.fields if not field.secret
    }
    earlier = attempt.journal.answer(page.position)
    # Answered again only for its password: the answers to later pages then stand.
    same = (
        earlier is not None
        and earlier.get("fingerprint") == page.fingerprint
        and earlier.get("state") == states
        and earlier.get("action") == answers.action
    )
    attempt.journal.append(
        {
            "type": "answer",
            "attempt": attempt.context.attempt,
            "position": page.position,
            "fingerprint": page.fingerprint,
            "title": page.title,
            "labels": [field.label for field in page.fields],
            "state": states,
            "action": answers.action,
            "time": dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds"),
            **({"keep": True} if same else {}),
        }
    )


def _discard(reason: str, page: OpenPage, attempt: Attempt) -> None:
    count = attempt.journal.answers_from(page.position)
    attempt.journal.append(
        {
            "type": "discard",
            "attempt": attempt.context.attempt,
            "position": page.position,
            "reason": reason,
            "count": count,
        }
    )
    dropped = "1 earlier answer was" if count == 1 else f"The earlier answers to {count} pages were"
    notice = f"{reason[:1].upper()}{reason[1:]}. {dropped} dropped; please answer again."
    page.notices.append(notice)
    attempt.warnings.append(notice)


def _difference(entry: dict[str, Any], page: OpenPage) -> str:
    before, after = entry.get("title"), page.title
    if before != after:
        return f"page {page.position + 1} was {before!r} and is {after!r} now"
    labels = [field.label for field in page.fields]
    if entry.get("labels") != labels:
        return f"page {page.position + 1} ({page.name}) asks something else now"
    return f"page {page.position + 1} ({page.name}) shows something else now"
