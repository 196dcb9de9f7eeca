"""What a front end, and the filter before it, are told of a page that is open."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import ipywidgets as widgets

#: Type of the message that describes the form of the moment.
FORM_MIME = "application/vnd.jupyter-workflows.form+json"
#: Type of what a page shows; front ends render it as content that nobody vouches for.
DISPLAY_MIME = "application/vnd.jupyter-workflows.display+json"
#: File in the stage run's folder with the latest description, for who connects later.
FORM_FILE = "form.json"


def all_widgets(root: widgets.Widget) -> Iterator[widgets.Widget]:
    """Yield a widget and all that its synchronised state refers to, each once."""
    seen: set[str] = set()
    waiting = [root]
    while waiting:
        widget = waiting.pop(0)
        if widget.model_id in seen:
            continue
        seen.add(widget.model_id)
        yield widget
        for name in widget.keys:
            waiting.extend(_widgets_in(getattr(widget, name, None)))


def _widgets_in(value: Any) -> Iterable[widgets.Widget]:
    if isinstance(value, widgets.Widget):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _widgets_in(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _widgets_in(item)


def write_description(folder: Path | None, description: dict[str, Any]) -> None:
    """Leave the description where the server finds it."""
    if folder is None:
        return
    # Not durable: it means nothing once this kernel has gone.
    descriptor, name = tempfile.mkstemp(dir=folder, prefix=f".{FORM_FILE}-")
    with os.fdopen(descriptor, "w") as stream:
        json.dump(description, stream)
    Path(name).replace(folder / FORM_FILE)
