"""What an attempt leaves: the record that the engine fetches after the last cell."""

from __future__ import annotations

from typing import Any

from .attempt import current


class FinishRecord:
    """The record as an object that a kernel sends as JSON."""

    def __init__(self, content: dict[str, Any]) -> None:
        self.content = content

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        return {"application/json": self.content}

    def __repr__(self) -> str:
        return "<FinishRecord>"


def collect() -> FinishRecord:
    """Collect stage data, route, response and warnings of this execution. It never raises."""
    record: dict[str, Any] = {
        "format": 1,
        "changes": {},
        "deleted": [],
        "route": None,
        "ended": False,
        "response": None,
        "warnings": [],
        "asked": [],
        "error": None,
    }
    try:
        attempt = current()
        stage = attempt.touched_stage
        record.update(route=attempt.route, ended=attempt.ended, asked=list(attempt.asked))
        if stage is not None:
            record["changes"], record["deleted"] = stage.changes()
        record["response"] = _response()
        record["warnings"] = [*attempt.warnings, *_unused_answers()]
    except Exception as error:
        record["error"] = {"name": type(error).__name__, "message": str(error)}
    return FinishRecord(record)


def _response() -> dict[str, Any] | None:
    from .hooks import stored_response

    return stored_response(current())


def _unused_answers() -> list[str]:
    attempt = current()
    if attempt.context.draft or not attempt.context.answers:
        return []
    from .forms.answers import unused

    return unused(attempt.context.answers, attempt.asked)
