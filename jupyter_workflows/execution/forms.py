"""What the engine sees of a form that a person has open."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jupyter_workflows.execution.limits import Guard

#: Type of the messages in which a kernel describes its form, as in `authoring.forms.live.description`.
FORM_MIME = "application/vnd.jupyter-workflows.form+json"


def tell_guard(message: Mapping[str, Any], guard: Guard) -> None:
    """Let the clock stand still while a form waits for its person."""
    if message["header"]["msg_type"] not in ("display_data", "update_display_data"):
        return
    form = message["content"].get("data", {}).get(FORM_MIME)
    if not isinstance(form, Mapping):
        return
    if form.get("state") == "open":
        guard.hold()
    elif form.get("state") in ("submitted", "closed"):
        guard.go_on()
