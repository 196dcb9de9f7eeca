"""A widget of the author's as a field."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import ipywidgets as widgets

from ...files import FileStore
from ..description import all_widgets
from .base import Control

#: Widgets that show and take nothing.
_OUTPUTS = (
    widgets.HTML,
    widgets.HTMLMath,
    widgets.Label,
    widgets.Image,
    widgets.Video,
    widgets.Audio,
    widgets.IntProgress,
    widgets.FloatProgress,
    widgets.Valid,
    widgets.Output,
    widgets.Button,
)
#: Traits of ipywidgets' own widgets that people change.
_CHANGED = frozenset({"value", "index", "selected_index", "error"})
_FIXED = frozenset({"layout", "tabbable", "tooltip", "style", "comm", "keys"})


def inputs_of(root: widgets.Widget) -> Iterator[tuple[widgets.Widget, tuple[str, ...]]]:
    """Yield the widgets that a person changes, and which of their traits."""
    for widget in all_widgets(root):
        if isinstance(widget, _OUTPUTS) or not isinstance(widget, widgets.DOMWidget):
            continue
        own = not widget._model_module.startswith("@jupyter-widgets/")
        traits = tuple(
            name
            for name in widget.keys
            if (name in _CHANGED if not own else not name.startswith("_") and name not in _FIXED)
        )
        if traits:
            yield widget, traits


class WidgetControl(Control):
    """The widget itself."""

    labelled = False

    def make(self) -> widgets.Widget:
        made: widgets.Widget = self.field.widget
        return made

    def read(self, files: FileStore) -> Any:
        return self.field.current()

    def show(self, value: Any, files: FileStore) -> None:
        """Leave it: restoring the field has put the widget into its state."""

    def inputs(self) -> Iterator[tuple[widgets.Widget, tuple[str, ...]]]:
        yield from inputs_of(self.widget)

    def buttons(self) -> Iterator[widgets.Widget]:
        yield from (one for one in all_widgets(self.widget) if isinstance(one, widgets.Button))

    def customs(self) -> Iterator[widgets.Widget]:
        """Yield the widgets that take messages of their own kind: those that are not of ipywidgets."""
        for widget in all_widgets(self.widget):
            if not widget._model_module.startswith("@jupyter-widgets/"):
                yield widget
