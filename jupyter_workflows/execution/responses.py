"""The answer to a hook's request, which a kernel leaves in the stage run's folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

#: Type of the message by which a kernel says that it has stored an answer: `authoring.hooks.RESPONDED`.
RESPONDED = "application/vnd.jupyter-workflows.responded+json"


def stored_response(folder: str) -> dict[str, Any] | None:
    """Return the answer to a hook's request that this or an earlier attempt stored."""
    files = {}
    for file in Path(folder).glob("response-*.json"):
        digits = file.stem.rpartition("-")[2]
        if digits.isdigit():
            files[int(digits)] = file
    for number in sorted(files):
        try:
            response = json.loads(files[number].read_bytes())
        except (OSError, ValueError):  # the machine failed before it was written out
            continue
        if isinstance(response, dict):
            return response
    return None


def tells_response(message: dict[str, Any]) -> bool:
    """Return whether a message from IOPub says that there is an answer, and nothing for people."""
    return message["msg_type"] == "display_data" and RESPONDED in message["content"].get("data", ())
