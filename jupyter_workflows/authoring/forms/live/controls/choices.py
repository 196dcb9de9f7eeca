"""Controls that offer a choice. What they hold is an option's label."""

from __future__ import annotations

from typing import Any

import ipywidgets as widgets

from ...files import FileStore
from .base import Control, css


class ChoiceControl(Control):
    """A choice of labels."""

    def read(self, files: FileStore) -> Any:
        return self.field.restore(self.chosen(), files)

    def show(self, value: Any, files: FileStore) -> None:
        self.choose(self.field.state_of(value, files))

    def chosen(self) -> Any:
        """Return the label that is chosen, or the labels."""
        raise NotImplementedError

    def choose(self, chosen: Any) -> None:
        """Choose a label, or labels; `None` is nothing."""
        raise NotImplementedError

    @property
    def labels(self) -> list[str]:
        """The labels of the options."""
        return [option.label for option in self.field.options]


class DropdownControl(ChoiceControl):
    """A list that opens; for several, a list that is open."""

    def make(self) -> widgets.Widget:
        if self.field.many:
            return widgets.SelectMultiple(
                options=self.labels, rows=min(8, len(self.labels)), **self.options()
            )
        first = self.field.placeholder or "Choose…"
        return widgets.Dropdown(options=[(first, -1), *_numbered(self.labels)], value=-1, **self.options())

    def chosen(self) -> Any:
        if self.field.many:
            return list(self.widget.value) or None
        return self.labels[self.widget.value] if self.widget.value >= 0 else None

    def choose(self, chosen: Any) -> None:
        if self.field.many:
            self.widget.value = tuple(chosen or ())
        else:
            self.widget.value = self.labels.index(chosen) if chosen is not None else -1

    def inputs(self) -> Any:
        yield self.widget, ("index",)


class _Ticks(ChoiceControl):
    labelled = False

    def make(self) -> widgets.Widget:
        self._ticks = [
            widgets.Checkbox(description=label, indent=False, disabled=self.field.disabled)
            for label in self.labels
        ]
        box = widgets.VBox(self._ticks)
        box.add_class(css("options"))
        return box

    def chosen(self) -> Any:
        return [label for label, tick in zip(self.labels, self._ticks, strict=True) if tick.value] or None

    def choose(self, chosen: Any) -> None:
        for label, tick in zip(self.labels, self._ticks, strict=True):
            tick.value = label in (chosen or ())

    def inputs(self) -> Any:
        for tick in self._ticks:
            yield tick, ("value",)


class ChecklistControl(_Ticks):
    """Options that are ticked."""


class RadioControl(_Ticks):
    """Options that are all visible: of one kind if one is to be chosen, else ticks."""

    def make(self) -> widgets.Widget:
        if self.field.many:
            return super().make()
        self.labelled = True
        return widgets.RadioButtons(options=_numbered(self.labels), value=None, **self.options())

    def chosen(self) -> Any:
        if self.field.many:
            return super().chosen()
        return None if self.widget.value is None else self.labels[self.widget.value]

    def choose(self, chosen: Any) -> None:
        if self.field.many:
            super().choose(chosen)
        else:
            self.widget.value = None if chosen is None else self.labels.index(chosen)

    def inputs(self) -> Any:
        if self.field.many:
            yield from super().inputs()
        else:
            yield self.widget, ("index",)


class CheckboxControl(Control):
    """A tick."""

    def make(self) -> widgets.Widget:
        return widgets.Checkbox(indent=False, **self.options())

    def show(self, value: Any, files: FileStore) -> None:
        self.widget.value = bool(value)


class ToggleControl(Control):
    """Two states side by side."""

    def make(self) -> widgets.Widget:
        options = [(self.field.off_text, False), (self.field.on_text, True)]
        return widgets.ToggleButtons(options=options, value=False, **self.options())

    def show(self, value: Any, files: FileStore) -> None:
        self.widget.value = bool(value)

    def inputs(self) -> Any:
        yield self.widget, ("index",)


class TagsControl(Control):
    """Short texts, each with a cross; those that are suggested can be pressed."""

    labelled = False

    def make(self) -> widgets.Widget:
        self._tags = widgets.TagsInput(value=[], allow_duplicates=False)
        self._suggested = []
        for text in map(str, self.field.suggestions):
            button = widgets.Button(description=f"+ {text}", disabled=self.field.disabled)
            button.on_click(lambda _, text=text: self._add(text))
            self._suggested.append(button)
        if not self._suggested:
            return self._tags
        row = widgets.HBox(self._suggested)
        row.add_class(css("suggestions"))
        return widgets.VBox([self._tags, row])

    def _add(self, text: str) -> None:
        if text not in self._tags.value:
            self._tags.value = [*self._tags.value, text]

    def read(self, files: FileStore) -> Any:
        return self.field.value_of(list(self._tags.value), files)

    def show(self, value: Any, files: FileStore) -> None:
        self._tags.value = list(value or ())

    def inputs(self) -> Any:
        yield self._tags, ("value",)

    def buttons(self) -> Any:
        return iter(self._suggested)


def _numbered(labels: list[str]) -> list[tuple[str, int]]:
    return [(label, number) for number, label in enumerate(labels)]
