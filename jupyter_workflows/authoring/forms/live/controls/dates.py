"""Controls for dates and times."""

from __future__ import annotations

from typing import Any

import ipywidgets as widgets

from ...fields import InvalidAnswer, Period
from ...files import FileStore
from .base import Control, css


class DateControl(Control):
    """A day of the calendar."""

    def make(self) -> widgets.Widget:
        return widgets.DatePicker(**self.options())

    def read(self, files: FileStore) -> Any:
        return None if self.widget.value is None else self.field.value_of(self.widget.value, files)


class TimeControl(DateControl):
    """A time of day."""

    def make(self) -> widgets.Widget:
        return widgets.TimePicker(**self.options(step=60))


class PeriodControl(Control):
    """Two days."""

    labelled = False

    def make(self) -> widgets.Widget:
        made = [widgets.DatePicker(**self.options(description=description)) for description in ("From", "To")]
        self._days = made
        box = widgets.HBox(made)
        box.add_class(css("row"))
        return box

    def read(self, files: FileStore) -> Any:
        start, end = (day.value for day in self._days)
        if start is None and end is None:
            return None
        if start is None or end is None:
            raise InvalidAnswer(self.field.message or "both days are needed")
        return Period(start, end)

    def show(self, value: Any, files: FileStore) -> None:
        for day, part in zip(self._days, value or (None, None), strict=True):
            day.value = part

    def inputs(self) -> Any:
        for day in self._days:
            yield day, ("value",)
