"""Exceptions that a notebook or the engine meets by name."""

from __future__ import annotations


class StageSignal(BaseException):
    """Ends a notebook without being an error; no `Exception`, so that ``except Exception`` lets it pass."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


class StageEnded(StageSignal):
    """The notebook ended here, successfully, by `next_stage` or `end_stage`."""


class FormParked(StageSignal):
    """A form waits for a person; the notebook goes on from its start once somebody answers."""


class RoutingError(Exception):
    """`next_stage` was asked for something that the workflow does not allow."""


class OnceUnresolved(Exception):
    """A `once` call was started by an earlier attempt, and nobody knows whether it happened."""


class FormError(Exception):
    """An answer that was given to a form does not fit its field."""


class MissingKey(KeyError):
    """A key that is not in the stage data; a `KeyError` whose text can be read."""

    def __str__(self) -> str:
        return str(self.args[0])


def closest(word: str, among: list[str]) -> str:
    """Return a question that offers the most similar names, or nothing."""
    from difflib import get_close_matches

    lowered = {name.lower(): name for name in reversed(among)}
    found = get_close_matches(word.lower(), list(lowered), n=2, cutoff=0.6)
    return f" Did you mean {' or '.join(repr(lowered[name]) for name in found)}?" if found else ""
