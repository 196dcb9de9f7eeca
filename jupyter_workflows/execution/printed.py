"""What an executed notebook printed, as text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

#: Colours, cursor movements and links that programs write for terminals.
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def printed(notebook: Path) -> list[tuple[int, str]]:
    """Return index and text of the cells that printed something.

    A notebook that is not there (yet), or cannot be read, printed nothing.
    """
    try:
        value = json.loads(notebook.read_bytes())
    except (OSError, ValueError):
        return []
    return [(index, text) for index, cell in enumerate(value.get("cells", ())) if (text := _cell_text(cell))]


def _cell_text(cell: Mapping[str, Any]) -> str:
    text = ""
    for part in _outputs(cell):
        if text and not text.endswith("\n"):
            text += "\n"
        text += part
    return plain(text)


def _outputs(cell: Mapping[str, Any]) -> Iterator[str]:
    for output in cell.get("outputs", ()):
        kind = output.get("output_type")
        if kind == "stream":
            yield _joined(output.get("text", ""))
        elif kind == "error":
            traceback = "\n".join(output.get("traceback", ()))
            yield traceback or f"{output.get('ename', 'Error')}: {output.get('evalue', '')}"
        elif "text/plain" in output.get("data", {}):
            yield _joined(output["data"]["text/plain"])


def _joined(text: Any) -> str:
    return "".join(text) if isinstance(text, list) else str(text)


def plain(text: str) -> str:
    """Return a text without what would move a terminal's cursor or change its colours.

    A notebook's output is not ours: it must not be able to do anything to the terminal that shows it.
    """
    lines = _ESCAPES.sub("", text).replace("\r\n", "\n").split("\n")
    # Of a line that was written over, as progress bars do, the last state is kept.
    return "\n".join(_CONTROLS.sub("", line.rstrip("\r").rpartition("\r")[2]) for line in lines)
