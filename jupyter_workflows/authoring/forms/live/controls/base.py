"""What all controls have in common."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator
from typing import Any

import ipywidgets as widgets

from ...fields import Field
from ...files import FileStore

#: Class of the page's outermost widget; the style sheet of the lab extension hangs on it.
PAGE_CLASS = "jp-WorkflowsForm"


def css(part: str) -> str:
    """Return the CSS class of a part of a form."""
    return f"{PAGE_CLASS}-{part}"


def markup(text: str, part: str, *, tag: str = "div", attributes: str = "") -> str:
    """Return text, escaped, in an element of a part's class."""
    return f'<{tag} class="{css(part)}"{attributes}>{html.escape(text)}</{tag}>'


class Control:
    """The widgets of a field.

    Attributes
    ----------
    widget
        What the page shows.
    touched
        Whether the person has changed something; before that nothing is found fault with.
    """

    #: Whether `widget` shows the label by itself.
    labelled = True

    def __init__(self, field: Field) -> None:
        self.field: Any = field
        self.widget: widgets.Widget = self.make()
        self.touched = False

    def make(self) -> widgets.Widget:
        """Return the widget."""
        raise NotImplementedError

    def read(self, files: FileStore) -> Any:
        """Return the value.

        Raises
        ------
        InvalidAnswer
            What is there is not one.
        """
        return self.field.value_of(self.widget.value, files)

    def show(self, value: Any, files: FileStore) -> None:
        """Show a value."""
        self.widget.value = value

    def inputs(self) -> Iterator[tuple[widgets.Widget, tuple[str, ...]]]:
        """Yield the widgets that the person changes, and which of their traits."""
        yield self.widget, ("value",)

    def buttons(self) -> Iterator[widgets.Widget]:
        """Yield the widgets that the person presses."""
        return iter(())

    def customs(self) -> Iterator[widgets.Widget]:
        """Yield the widgets that take messages of their own kind from the person."""
        return iter(())

    def watch(self, changed: Callable[[], None], rebuilt: Callable[[], None]) -> None:
        """Have `changed` called when the person changes something, `rebuilt` when there are other widgets."""

        def note(_: Any) -> None:
            self.touched = True
            changed()

        for widget, traits in self.inputs():
            widget.observe(note, list(traits))

    def freeze(self, frozen: bool = True) -> None:
        """Take no more changes, or take them again."""
        for widget, _ in self.inputs():
            if "disabled" in widget.keys:
                widget.disabled = frozen or self.field.disabled
        for button in self.buttons():
            button.disabled = frozen or self.field.disabled

    def options(self, **more: Any) -> dict[str, Any]:
        """Return what every stock widget is made with."""
        return {
            "description": self.field.label,
            "disabled": self.field.disabled,
            "style": {"description_width": "auto"},
            **more,
        }
