"""A field that is a widget of the author's."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from .base import Field, InvalidAnswer, typed

if TYPE_CHECKING:
    from ..files import FileStore


@dataclass(eq=False)
class WidgetField(Field):
    """Any ipywidget or anywidget; the value is one of its traits.

    Parameters
    ----------
    widget
        The widget. What people change in it, and in the widgets within it, is kept as they leave it.
    trait
        The trait that is the answer.
    """

    widget: Any
    trait: str = "value"

    kind: ClassVar[str] = "widget"

    def __post_init__(self) -> None:
        if not hasattr(self.widget, "get_state") or not hasattr(self.widget, "set_state"):
            raise TypeError(f"{self.label!r} needs a widget, not {type(self.widget).__name__}")
        super().__post_init__()

    @property
    def start(self) -> Any:
        return self.current()

    def current(self) -> Any:
        """Return the value that the widget has."""
        return getattr(self.widget, self.trait, None)

    def value_of(self, given: Any, files: FileStore | None) -> Any:
        try:
            setattr(self.widget, self.trait, given)
        except Exception as error:  # whatever the widget finds wrong with it
            raise InvalidAnswer(f"{typed(given)} does not fit: {error}") from None
        return self.current()

    def state_of(self, value: Any, files: FileStore) -> Any:
        from ..live.controls.widgets import inputs_of

        states = []
        for widget, traits in inputs_of(self.widget):
            state = {name: part for name, part in widget.get_state(traits).items() if _is_json(part)}
            states.append(state)
        return states

    def restore(self, state: Any, files: FileStore) -> Any:
        from ..live.controls.widgets import inputs_of

        found = list(inputs_of(self.widget))
        if not isinstance(state, list) or len(state) != len(found):
            raise InvalidAnswer("the widget is another one now")
        for (widget, traits), kept in zip(found, state, strict=True):
            wanted = {name: part for name, part in kept.items() if name in traits}
            widget.set_state(wanted)
            widget.send_state(list(wanted))
        return self.current()

    def shown(self) -> dict[str, Any]:
        return {**super().shown(), "widget": type(self.widget).__name__}

    def __repr__(self) -> str:
        return f"WidgetField({self.key!r}, {self.widget.model_id})"


def _is_json(part: Any) -> bool:
    try:
        json.dumps(part)
    except (TypeError, ValueError):
        return False
    return True
