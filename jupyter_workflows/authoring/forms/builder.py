"""Chains of fields and displays: what a page, or a row of a list, consists of."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, Self, TypeVar

from ..errors import closest
from . import displays
from . import fields as kinds
from .displays import Display
from .dynamic import Dynamic
from .fields import Field

F = TypeVar("F", bound=Callable[..., Any])


def documented_by(kind: type[Field]) -> Callable[[F], F]:
    """Give a function the signature and the options of a kind of field, for help and completion."""

    def decorate(function: F) -> F:
        own = list(inspect.signature(function).parameters.values())
        options = [
            parameter
            for parameter in inspect.signature(kind).parameters.values()
            if parameter.kind is inspect.Parameter.KEYWORD_ONLY
        ]
        kept = [parameter for parameter in own if parameter.kind is not inspect.Parameter.VAR_KEYWORD]
        signature = inspect.Signature([*kept, *options], return_annotation=inspect.Signature.empty)
        function.__signature__ = signature  # type: ignore[attr-defined]
        function.__doc__ = f"{function.__doc__}\n\nOptions: {', '.join(option.name for option in options)}."
        return function

    return decorate


def make_field(kind: type[Field], name: str, *values: Any, **options: Any) -> Field:
    """Make a field; an option that it does not have is an error that offers the nearest."""
    known = list(inspect.signature(kind).parameters)
    for option in options:
        if option not in known:
            near = closest(option, known)
            raise TypeError(f"{name} has no option {option!r}.{near} It takes {', '.join(known)}.")
    return kind(*values, **options)


class Fields:
    """Fields and displays in the order in which a person sees them.

    Each method adds one and returns the object itself.

    Examples
    --------
    >>> line = Fields().read("Item").read_number("Quantity", min=1)
    """

    def __init__(self) -> None:
        self.items: list[Field | Display | Dynamic] = []

    @property
    def fields(self) -> list[Field]:
        """The fields alone."""
        return [item for item in self.items if isinstance(item, Field)]

    def add(self, item: Field | Display) -> Self:
        """Add a field or a display."""
        if isinstance(item, Field):
            for other in self.fields:
                if other.key == item.key:
                    raise ValueError(
                        f"two fields have the key {item.key!r}; give one of them another, with key=..."
                    )
        self.items.append(item)
        return self

    def depends(self, make: Callable[[Mapping[str, Any]], Fields | None]) -> Self:
        """Ask or show something that depends on the answers so far.

        Parameters
        ----------
        make
            Called with the answers so far, by key, whenever one changes; a field without an answer has its
            empty value. It returns `Fields`, or nothing. Fields that stay the same keep what was filled in.

        Examples
        --------
        >>> Page("Trip").read_checkbox("By car").depends(
        ...     lambda so_far: Fields().read_number("Kilometres") if so_far["By car"] else None
        ... )
        """
        if not callable(make):
            raise TypeError(f"depends takes a function, not {type(make).__name__}")
        self.items.append(Dynamic(make))
        return self

    def _ask(self, kind: type[Field], name: str, *values: Any, **options: Any) -> Self:
        return self.add(make_field(kind, name, *values, **options))

    @documented_by(kinds.Text)
    def read(self, label: str, **options: Any) -> Self:
        """Ask for a line of text."""
        return self._ask(kinds.Text, "read", label, **options)

    @documented_by(kinds.TextArea)
    def read_textarea(self, label: str, **options: Any) -> Self:
        """Ask for text of several lines."""
        return self._ask(kinds.TextArea, "read_textarea", label, **options)

    @documented_by(kinds.Code)
    def read_code(self, label: str, **options: Any) -> Self:
        """Ask for program text."""
        return self._ask(kinds.Code, "read_code", label, **options)

    def read_widget(self, label: str, widget: Any, *, trait: str = "value", **options: Any) -> Self:
        """Ask by any ipywidget or anywidget; the answer is one of its traits."""
        return self._ask(kinds.WidgetField, "read_widget", label, widget, trait, **options)

    @documented_by(kinds.Email)
    def read_email(self, label: str, **options: Any) -> Self:
        """Ask for an e-mail address."""
        return self._ask(kinds.Email, "read_email", label, **options)

    @documented_by(kinds.Phone)
    def read_phone(self, label: str, **options: Any) -> Self:
        """Ask for a telephone number."""
        return self._ask(kinds.Phone, "read_phone", label, **options)

    @documented_by(kinds.Password)
    def read_password(self, label: str, **options: Any) -> Self:
        """Ask for a password, which is never written down."""
        return self._ask(kinds.Password, "read_password", label, **options)

    @documented_by(kinds.Number)
    def read_number(self, label: str, **options: Any) -> Self:
        """Ask for a number: `int` or `float`."""
        return self._ask(kinds.Number, "read_number", label, **options)

    @documented_by(kinds.Currency)
    def read_currency(self, label: str, **options: Any) -> Self:
        """Ask for an amount of money: `decimal.Decimal`."""
        return self._ask(kinds.Currency, "read_currency", label, **options)

    @documented_by(kinds.Slider)
    def read_slider(self, label: str, **options: Any) -> Self:
        """Ask for a number on a scale."""
        return self._ask(kinds.Slider, "read_slider", label, **options)

    @documented_by(kinds.Rating)
    def read_rating(self, label: str, **options: Any) -> Self:
        """Ask for a number of stars: `int`."""
        return self._ask(kinds.Rating, "read_rating", label, **options)

    @documented_by(kinds.Date)
    def read_date(self, label: str, **options: Any) -> Self:
        """Ask for a date: `datetime.date`."""
        return self._ask(kinds.Date, "read_date", label, **options)

    @documented_by(kinds.Time)
    def read_time(self, label: str, **options: Any) -> Self:
        """Ask for a time of day: `datetime.time`."""
        return self._ask(kinds.Time, "read_time", label, **options)

    @documented_by(kinds.DateRange)
    def read_date_range(self, label: str, **options: Any) -> Self:
        """Ask for a first and a last day: a named tuple with ``start`` and ``end``."""
        return self._ask(kinds.DateRange, "read_date_range", label, **options)

    @documented_by(kinds.Dropdown)
    def read_dropdown(self, label: str, options: Any, **more: Any) -> Self:
        """Ask for one of the options; with ``multiple=True`` a list of them."""
        return self._ask(kinds.Dropdown, "read_dropdown", label, options, **more)

    @documented_by(kinds.MultipleChoice)
    def read_multiple_choice(self, label: str, options: Any, **more: Any) -> Self:
        """Ask for one of the options, all visible; with ``multiple=True`` a list of them."""
        return self._ask(kinds.MultipleChoice, "read_multiple_choice", label, options, **more)

    @documented_by(kinds.Checklist)
    def read_checklist(self, label: str, options: Any, **more: Any) -> Self:
        """Ask which of the options hold: a list."""
        return self._ask(kinds.Checklist, "read_checklist", label, options, **more)

    @documented_by(kinds.Checkbox)
    def read_checkbox(self, label: str, **options: Any) -> Self:
        """Ask for a tick: `bool`."""
        return self._ask(kinds.Checkbox, "read_checkbox", label, **options)

    @documented_by(kinds.Toggle)
    def read_toggle(self, label: str, **options: Any) -> Self:
        """Ask for one of two states: `bool`."""
        return self._ask(kinds.Toggle, "read_toggle", label, **options)

    @documented_by(kinds.Tags)
    def read_tags(self, label: str, **options: Any) -> Self:
        """Ask for a list of short texts."""
        return self._ask(kinds.Tags, "read_tags", label, **options)

    @documented_by(kinds.File)
    def read_file(self, label: str, **options: Any) -> Self:
        """Ask for a file: `pathlib.Path`."""
        return self._ask(kinds.File, "read_file", label, **options)

    @documented_by(kinds.Image)
    def read_image(self, label: str, **options: Any) -> Self:
        """Ask for an image file: `pathlib.Path`."""
        return self._ask(kinds.Image, "read_image", label, **options)

    @documented_by(kinds.ListOf)
    def read_list(self, label: str, fields: Fields, **options: Any) -> Self:
        """Ask for rows that have the same fields: a list of mappings."""
        return self._ask(kinds.ListOf, "read_list", label, fields, **options)

    def display(self, content: object, *, volatile: bool = False) -> Self:
        """Show something: Markdown (a string), a data frame, an image, a plot, or another object.

        Parameters
        ----------
        volatile
            Say that it may differ when the notebook is executed again, and that answers stand nevertheless.
        """
        return self.add(displays.render(content, volatile=volatile))

    def display_text(self, text: str, *, volatile: bool = False) -> Self:
        """Show plain text."""
        return self.add(displays.render_text(text, volatile=volatile))

    def display_markdown(self, text: str, *, volatile: bool = False) -> Self:
        """Show Markdown."""
        return self.add(displays.render_markdown(text, volatile=volatile))

    def display_html(self, markup: str, *, volatile: bool = False) -> Self:
        """Show HTML; scripts, styles and frames are taken out."""
        return self.add(displays.render_html(markup, volatile=volatile))

    def display_link(self, url: str, text: str = "", *, volatile: bool = False) -> Self:
        """Show a link."""
        return self.add(displays.render_link(url, text, volatile=volatile))

    def display_image(self, image: object, subtitle: str = "", *, volatile: bool = False) -> Self:
        """Show an image: bytes, a path, or an image object."""
        return self.add(displays.render_image(image, subtitle, volatile=volatile))

    def display_plot(self, figure: Any, *, volatile: bool = False) -> Self:
        """Show a matplotlib figure."""
        return self.add(displays.render_plot(figure, volatile=volatile))

    def display_dataframe(
        self, frame: Any, *, index: bool = True, rows: int = displays.ROWS, volatile: bool = False
    ) -> Self:
        """Show a data frame; of a long one the first and last rows."""
        return self.add(displays.render_dataframe(frame, index=index, rows=rows, volatile=volatile))
