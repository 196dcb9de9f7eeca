"""What a person sees of a field: stock ipywidgets, chosen by the kind of field."""

from __future__ import annotations

from ...fields import Field
from .base import Control
from .choices import (
    CheckboxControl,
    ChecklistControl,
    DropdownControl,
    RadioControl,
    TagsControl,
    ToggleControl,
)
from .dates import DateControl, PeriodControl, TimeControl
from .lists import ListControl
from .numbers import NumberControl, RatingControl, SliderControl
from .text import TextControl
from .uploads import FileControl
from .widgets import WidgetControl

#: By the word for the kind of field.
_CONTROLS: dict[str, type[Control]] = {
    "text": TextControl,
    "textarea": TextControl,
    "email": TextControl,
    "phone": TextControl,
    "password": TextControl,
    "number": NumberControl,
    "currency": NumberControl,
    "slider": SliderControl,
    "rating": RatingControl,
    "date": DateControl,
    "time": TimeControl,
    "date range": PeriodControl,
    "dropdown": DropdownControl,
    "multiple choice": RadioControl,
    "checklist": ChecklistControl,
    "checkbox": CheckboxControl,
    "toggle": ToggleControl,
    "tags": TagsControl,
    "file": FileControl,
    "image": FileControl,
    "list": ListControl,
    "code": TextControl,
    "widget": WidgetControl,
}


def control_for(field: Field) -> Control:
    """Return a control for a field; a field may bring its own."""
    own = getattr(field, "control", None)
    if own is not None:
        made: Control = own()
        return made
    return _CONTROLS[field.kind](field)


__all__ = ["Control", "control_for"]
