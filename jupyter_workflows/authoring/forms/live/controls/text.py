"""Controls for text."""

from __future__ import annotations

from typing import Any

import ipywidgets as widgets

from ...fields import Password, TextArea
from ...files import FileStore
from .base import Control, css


class TextControl(Control):
    """A line of text, or several."""

    def make(self) -> widgets.Widget:
        options = self.options(placeholder=self.field.placeholder)
        if isinstance(self.field, TextArea):
            return widgets.Textarea(rows=self.field.rows, **options)
        if isinstance(self.field, Password):
            return widgets.Password(**options)
        made = widgets.Text(**options)
        made.add_class(css(self.field.kind))
        return made

    def show(self, value: Any, files: FileStore) -> None:
        self.widget.value = value or ""
