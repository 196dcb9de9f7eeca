"""A field on a page: the control, the hint, and what is wrong."""

from __future__ import annotations

from typing import Any

import ipywidgets as widgets

from ..fields import Field, InvalidAnswer
from ..files import FileStore
from .controls import control_for
from .controls.base import css, markup


class FieldBox:
    """A field with everything around it.

    Attributes
    ----------
    widget
        What the page shows.
    """

    def __init__(self, field: Field) -> None:
        self.field = field
        self.control = control_for(field)
        self._error = widgets.HTML()
        self._error.add_class(css("errorBox"))
        parts: list[widgets.Widget] = []
        if not self.control.labelled:
            parts.append(widgets.HTML(markup(field.label, "legend")))
        parts.append(self.control.widget)
        if field.hint:
            parts.append(widgets.HTML(markup(field.hint, "hint")))
        self.widget = widgets.VBox([*parts, self._error])
        self.widget.add_class(css("field"))
        self.widget.add_class(css(f"kind-{field.kind.replace(' ', '-')}"))
        if field.required and not field.disabled:
            self.widget.add_class("jp-mod-required")

    def read(self, files: FileStore) -> Any:
        """Return the value; the start value of a field that cannot be changed.

        Raises
        ------
        InvalidAnswer
            What is there is none.
        """
        return self.field.start if self.field.disabled else self.control.read(files)

    def check(self, files: FileStore, *, untouched: bool) -> bool:
        """Show what is wrong with the field, and return whether it is in order.

        Parameters
        ----------
        untouched
            Find fault also with what nobody has changed yet.
        """
        mark = getattr(self.control, "mark", None)
        if mark is not None:
            mark(files, untouched=untouched)
        try:
            self.field.check(self.read(files))
        except InvalidAnswer as error:
            told = str(error) if untouched or self.control.touched else ""
            if mark is not None and told.startswith("row "):
                told = ""  # the row says it where it is
            self.complain(told)
            return False
        self.complain("")
        return True

    def complain(self, problem: str) -> None:
        """Show what is wrong; nothing, if it is empty."""
        text = markup(_sentence(problem), "error", attributes=' role="alert"') if problem else ""
        if self._error.value != text:
            self._error.value = text
            (self.widget.add_class if problem else self.widget.remove_class)("jp-mod-invalid")


def _sentence(problem: str) -> str:
    return problem[:1].upper() + problem[1:]
