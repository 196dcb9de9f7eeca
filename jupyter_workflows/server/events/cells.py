"""How far the stages have come that the embedded runner executes: which cell, of how many."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

#: Stage runs that are remembered; those that ended are forgotten before.
_MOST = 1000


class Cell(NamedTuple):
    """The cell that an attempt executes, counted from 1, and how many there are."""

    attempt: int
    cell: int
    cells: int


class CellBoard:
    """What the runner said last, by stage run. It is kept in memory alone: it says nothing of what ended."""

    def __init__(self) -> None:
        self._cells: dict[str, Cell] = {}

    def note(self, told: Mapping[str, Any]) -> None:
        """Take in what the runner says of a stage run."""
        if len(self._cells) >= _MOST:
            del self._cells[next(iter(self._cells))]
        self._cells[told["stage_run"]] = Cell(told["attempt"], told["cell"], told["cells"])

    def forget(self, stage_run: str) -> None:
        """Forget a stage run: it is not being executed."""
        self._cells.pop(stage_run, None)

    def of(self, stage_run: str, attempt: int) -> Cell | None:
        """Return where an attempt is, if it is known."""
        found = self._cells.get(stage_run)
        return found if found is not None and found.attempt == attempt else None
