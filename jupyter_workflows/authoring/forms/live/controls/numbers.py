"""Controls for numbers."""

from __future__ import annotations

from typing import Any

import ipywidgets as widgets

from ...fields import Currency
from ...files import FileStore
from .base import Control, css


class NumberControl(Control):
    """A number that is typed. The stock widgets for numbers know no empty field."""

    def make(self) -> widgets.Widget:
        options = self.options(placeholder=self.field.placeholder)
        if isinstance(self.field, Currency):
            options["description"] = f"{self.field.label} ({self.field.currency})"
        made = widgets.Text(**options)
        made.add_class(css("number"))
        return made

    def read(self, files: FileStore) -> Any:
        text = self.widget.value.strip()
        return self.field.value_of(self.field.parse(text), files) if text else self.field.empty

    def show(self, value: Any, files: FileStore) -> None:
        self.widget.value = "" if value is None else str(value)


class SliderControl(Control):
    """A number on a scale."""

    def make(self) -> widgets.Widget:
        field = self.field
        whole = all(float(number).is_integer() for number in (field.min, field.max, field.step))
        kind = widgets.IntSlider if whole else widgets.FloatSlider
        number = int if whole else float
        options = self.options(min=number(field.min), max=number(field.max), step=number(field.step))
        return kind(value=number(field.start), **options)

    def read(self, files: FileStore) -> Any:
        value = self.widget.value
        if isinstance(value, float):
            # 0.1 + 0.2 on the way: what is meant has as many decimals as a step.
            value = round(value, 10)
        return self.field.value_of(value, files)

    def show(self, value: Any, files: FileStore) -> None:
        self.widget.value = self.field.min if value is None else value


class RatingControl(Control):
    """Stars."""

    def make(self) -> widgets.Widget:
        field = self.field
        numbers = range(int(field.min), int(field.max) + 1)
        made = widgets.ToggleButtons(
            options=[(field.character * number, number) for number in numbers],
            value=None,
            **self.options(tooltips=[f"{number} of {int(field.max)}" for number in numbers]),
        )
        made.add_class(css("rating"))
        return made

    def read(self, files: FileStore) -> Any:
        return None if self.widget.value is None else self.field.value_of(self.widget.value, files)

    def show(self, value: Any, files: FileStore) -> None:
        self.widget.value = value

    def inputs(self) -> Any:
        yield self.widget, ("index",)
