"""A list of small forms."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import ipywidgets as widgets

from ....mappings import Record
from ...fields import InvalidAnswer
from ...files import FileStore
from .base import Control, css


class ListControl(Control):
    """Rows that can be added and removed."""

    labelled = False

    def make(self) -> widgets.Widget:
        self._rows: list[_Row] = []
        self._changed: Callable[[], None] = lambda: None
        self._rebuilt: Callable[[], None] = lambda: None
        self._body = widgets.VBox([])
        self._add = widgets.Button(description=self.field.add_text, icon="plus", disabled=self.field.disabled)
        self._add.add_class(css("add"))
        self._add.on_click(lambda _: self._append())
        for _ in range(self.field.min or 0):
            self._rows.append(self._row())
        self._lay_out()
        box = widgets.VBox([self._body, self._add])
        box.add_class(css("list"))
        return box

    def _row(self) -> _Row:
        return _Row(self)

    def _append(self) -> None:
        if self.field.max is not None and len(self._rows) >= self.field.max:
            return
        row = self._row()
        self._rows.append(row)
        row.watch(self._note, self._rebuilt)
        self._lay_out()
        self._note()
        self._rebuilt()

    def remove(self, row: _Row) -> None:
        """Remove a row."""
        if row in self._rows:
            self._rows.remove(row)
            self._lay_out()
            self._note()
            self._rebuilt()

    def _note(self) -> None:
        self.touched = True
        self._changed()

    def _lay_out(self) -> None:
        for number, row in enumerate(self._rows, 1):
            row.number(number)
        self._body.children = [row.widget for row in self._rows]
        self._add.disabled = self.field.disabled or (
            self.field.max is not None and len(self._rows) >= self.field.max
        )

    def watch(self, changed: Callable[[], None], rebuilt: Callable[[], None]) -> None:
        self._changed, self._rebuilt = changed, rebuilt
        for row in self._rows:
            row.watch(self._note, rebuilt)

    def read(self, files: FileStore) -> Any:
        return [row.read(files, number) for number, row in enumerate(self._rows, 1)]

    def show(self, value: Any, files: FileStore) -> None:
        self._rows = [self._row() for _ in value or ()]
        for row, values in zip(self._rows, value or (), strict=True):
            row.show(values, files)
            row.watch(self._note, self._rebuilt)
        while len(self._rows) < (self.field.min or 0):
            row = self._row()
            row.watch(self._note, self._rebuilt)
            self._rows.append(row)
        self._lay_out()

    def inputs(self) -> Iterator[Any]:
        for row in self._rows:
            for box in row.boxes:
                yield from box.control.inputs()

    def buttons(self) -> Iterator[Any]:
        yield self._add
        for row in self._rows:
            yield row.cross
            for box in row.boxes:
                yield from box.control.buttons()

    def mark(self, files: FileStore, *, untouched: bool) -> None:
        """Show at each row's fields what is wrong with them."""
        for row in self._rows:
            for box in row.boxes:
                box.check(files, untouched=untouched)


class _Row:
    """One row."""

    def __init__(self, control: ListControl) -> None:
        from ..boxes import FieldBox

        self.boxes = [FieldBox(field) for field in control.field.columns]
        self.cross = widgets.Button(icon="trash", disabled=control.field.disabled)
        self.cross.add_class(css("remove"))
        self.cross.on_click(lambda _: control.remove(self))
        fields = widgets.Box([box.widget for box in self.boxes])
        fields.add_class(css("columns"))
        self.widget = widgets.HBox([fields, self.cross])
        self.widget.add_class(css("listRow"))

    def number(self, number: int) -> None:
        """Say which row it is."""
        self.cross.tooltip = f"Remove row {number}"

    def watch(self, changed: Callable[[], None], rebuilt: Callable[[], None]) -> None:
        for box in self.boxes:
            box.control.watch(changed, rebuilt)

    def show(self, values: Any, files: FileStore) -> None:
        for box in self.boxes:
            box.control.show(values[box.field.key], files)

    def read(self, files: FileStore, number: int) -> Record:
        row = Record()
        for box in self.boxes:
            try:
                row[box.field.key] = box.control.read(files)
            except InvalidAnswer as error:
                raise InvalidAnswer(f"row {number}, {box.field.label}: {error}") from None
        return row
