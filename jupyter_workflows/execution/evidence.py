"""Keeping the outputs of a cell within bounds.

Of each cell the executed copy holds the first and the last part of its output. What lies between goes
to a side file next to the copy, up to a quota for the whole attempt.
"""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from jupyter_workflows.execution.messages import size
from jupyter_workflows.execution.nodes import node

MIB = 1024 * 1024

#: Stands where an output was that went to the side file, so that the indices of the others keep their
#: meaning for as long as nbclient remembers them.
_REMOVED = node(output_type="removed")


@dataclass(frozen=True, slots=True)
class EvidenceLimits:
    """How much output an attempt keeps.

    Parameters
    ----------
    head, tail
        Bytes of each cell's first and last output in the executed copy.
    quota
        Bytes of all side files of an attempt.
    """

    head: int = MIB
    tail: int = MIB
    quota: int = 256 * MIB


class Evidence:
    """The outputs of one attempt.

    Parameters
    ----------
    output
        Path of the executed copy. `None`: what is too much is dropped.
    """

    def __init__(self, output: str | None, limits: EvidenceLimits | None = None) -> None:
        self._output = Path(output) if output else None
        self._limits = limits or EvidenceLimits()
        self._left = self._limits.quota
        self._cells: dict[int, CellOutputs] = {}

    def cell(self, index: int, outputs: list[NotebookNode]) -> CellOutputs:
        """Return the keeper of a cell's outputs."""
        keeper = self._cells.get(index)
        if keeper is None or keeper.outputs is not outputs:
            keeper = self._cells[index] = CellOutputs(self, index, outputs)
        return keeper

    @property
    def limits(self) -> EvidenceLimits:
        """How much is kept."""
        return self._limits

    def append(self, cell_index: int, output: NotebookNode) -> bool:
        """Write an output to the cell's side file; return whether it was kept."""
        if self._output is None:
            return False
        if output["output_type"] == "stream":
            suffix, text = ".txt", output["text"]
        else:
            suffix, text = ".jsonl", json.dumps(output) + "\n"
        content = text.encode(errors="backslashreplace")
        if len(content) > self._left:
            return False
        self._left -= len(content)
        with self.side_file(cell_index, suffix).open("ab") as file:
            file.write(content)
        return True

    def side_file(self, cell_index: int, suffix: str) -> Path:
        """Return the path of a cell's side file."""
        assert self._output is not None
        return self._output.with_name(f"{self._output.stem}.cell-{cell_index + 1}{suffix}")


class CellOutputs:
    """The outputs of one cell while it is executed.

    `outputs` is the list in the notebook itself. While the cell runs nothing in it changes its place,
    since nbclient finds displays that are updated by their place.
    """

    def __init__(self, evidence: Evidence, index: int, outputs: list[NotebookNode]) -> None:
        self.outputs = outputs
        self._evidence = evidence
        self._index = index
        self.reset()

    def reset(self) -> None:
        """Begin anew, after the cell cleared its output."""
        self._head = 0
        self._head_count: int | None = None
        self._tail: deque[tuple[int, int]] = deque()
        self._tail_size = 0
        self._moved = 0
        self._dropped = 0
        self._suffixes: set[str] = set()

    def added(self) -> None:
        """Account for the output that was appended last."""
        place = len(self.outputs) - 1
        length = _length(self.outputs[place])
        if self._head_count is None:
            if self._head + length <= self._evidence.limits.head:
                self._head += length
                self._merge(place)
                return
            place = self._begin_tail(place)
            length = _length(self.outputs[place])
        if length > self._evidence.limits.tail:
            length = self._cut(place)
        if not length:
            return
        self._tail.append((place, length))
        self._tail_size += length
        # What is moved is whole outputs; `close` cuts exactly.
        while self._tail_size - self._tail[0][1] >= self._evidence.limits.tail:
            self._move_first()

    def has(self, place: int) -> bool:
        """Whether the output at a place is still there."""
        return place < len(self.outputs) and self.outputs[place] is not _REMOVED

    def view(self) -> list[NotebookNode]:
        """Return the outputs as they are saved: the head, a notice, the tail."""
        return self._arranged()[0]

    def close(self) -> dict[int, int]:
        """Give the list its final form; return the new place for the old one of each output."""
        while (excess := self._tail_size - self._evidence.limits.tail) > 0:
            place, length = self._tail[0]
            if self.outputs[place]["output_type"] == "stream":
                self._cut_off(place, excess)
                self._tail[0] = (place, length - excess)
                self._tail_size -= excess
            else:
                self._move_first()
        arranged, places = self._arranged()
        self.outputs[:] = arranged
        return places

    def _arranged(self) -> tuple[list[NotebookNode], dict[int, int]]:
        arranged: list[NotebookNode] = []
        places: dict[int, int] = {}
        parts: list[str] = []
        notice = self._notice()
        for place, output in enumerate(self.outputs):
            if notice is not None and place == self._head_count:
                _join(arranged, parts)
                parts = []
                arranged.append(notice)
            if output is _REMOVED:
                continue
            before = arranged[-1] if arranged else None
            if before is not None and before is not notice and _same_stream(before, output):
                parts.append(output["text"])
            else:
                _join(arranged, parts)
                parts = [output["text"]] if output["output_type"] == "stream" else []
                arranged.append(node(output) if parts else output)
            places[place] = len(arranged) - 1
        _join(arranged, parts)
        return arranged, places

    def _notice(self) -> NotebookNode | None:
        """Say how much is not in the notebook, and where it is."""
        text = ""
        if self._moved:
            names = " and ".join(
                self._evidence.side_file(self._index, suffix).name for suffix in sorted(self._suffixes)
            )
            text = f"\n… {size(self._moved)} of output left out here; it is in {names} …\n"
        if self._dropped:
            text += f"\n… {size(self._dropped)} of output were not kept …\n"
        return node(output_type="stream", name="stderr", text=text) if text else None

    def _merge(self, place: int) -> None:
        """Join a piece of a stream with the piece before it."""
        if place == 0:
            return
        before, output = self.outputs[place - 1], self.outputs[place]
        # Joining is quadratic, so a new piece is begun now and then; `_arranged` joins those.
        if _same_stream(before, output) and len(before["text"]) < 65536:
            before["text"] += output["text"]
            self.outputs.pop()

    def _begin_tail(self, place: int) -> int:
        """Split the output that crosses the border; return the place of what belongs to the tail."""
        output = self.outputs[place]
        room = self._evidence.limits.head - self._head
        if output["output_type"] == "stream" and room:
            self.outputs[place] = node(output, text=output["text"][:room])
            self.outputs.append(node(output, text=output["text"][room:]))
            place += 1
        self._head_count = place
        return place

    def _cut(self, place: int) -> int:
        """Make a single output that is larger than the tail fit, or take it out; return what is left."""
        while self._tail:
            self._move_first()
        output = self.outputs[place]
        if output["output_type"] != "stream":
            self._move(output)
            self.outputs[place] = _REMOVED
            return 0
        self._cut_off(place, len(output["text"]) - self._evidence.limits.tail)
        return self._evidence.limits.tail

    def _cut_off(self, place: int, length: int) -> None:
        """Move the beginning of a stream to the side file."""
        output = self.outputs[place]
        self._move(node(output, text=output["text"][:length]))
        self.outputs[place] = node(output, text=output["text"][length:])

    def _move_first(self) -> None:
        """Move the oldest output of the tail to the side file."""
        place, length = self._tail.popleft()
        self._tail_size -= length
        self._move(self.outputs[place])
        self.outputs[place] = _REMOVED

    def _move(self, output: NotebookNode) -> None:
        length = _length(output)
        if self._evidence.append(self._index, output):
            self._moved += length
            self._suffixes.add(".txt" if output["output_type"] == "stream" else ".jsonl")
        else:
            self._dropped += length


def _same_stream(before: NotebookNode, output: NotebookNode) -> bool:
    return bool(
        before["output_type"] == output["output_type"] == "stream" and before["name"] == output["name"]
    )


def _join(arranged: list[NotebookNode], parts: list[str]) -> None:
    if len(parts) > 1:
        arranged[-1]["text"] = "".join(parts)


def _length(output: NotebookNode) -> int:
    kind = output["output_type"]
    if kind == "stream":
        return len(output["text"])
    if kind == "error":
        return len(output["evalue"]) + sum(map(len, output["traceback"]))
    return sum(_value_length(value) for value in output.get("data", {}).values())


def _value_length(value: Any) -> int:
    return len(value) if isinstance(value, str) else len(json.dumps(value))
