"""Pages of one field: functions that ask, wait, and return the answer."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from ..mappings import Record
from . import displays
from . import fields as kinds
from .builder import Fields, documented_by, make_field
from .fields import Field, Period
from .page import Page


def _ask(kind: type[Field], name: str, *values: Any, **options: Any) -> Any:
    field = make_field(kind, name, *values, **options)
    return Page().add(field).run()[field.key]


@documented_by(kinds.Text)
def read(label: str, **options: Any) -> str:
    """Ask for a line of text."""
    answer: str = _ask(kinds.Text, "read", label, **options)
    return answer


@documented_by(kinds.TextArea)
def read_textarea(label: str, **options: Any) -> str:
    """Ask for text of several lines."""
    answer: str = _ask(kinds.TextArea, "read_textarea", label, **options)
    return answer


@documented_by(kinds.Email)
def read_code(label: str, **options: Any) -> str:
    """Ask for program text."""
    return _ask(kinds.Code, "read_code", label, **options)  # type: ignore[no-any-return]


def read_widget(label: str, widget: Any, *, trait: str = "value", **options: Any) -> Any:
    """Ask by any ipywidget or anywidget; return one of its traits."""
    return _ask(kinds.WidgetField, "read_widget", label, widget, trait, **options)


def submit(*widgets: Any, actions: str | Sequence[str] = "Submit", title: str = "") -> str:
    """Show ipywidgets with a button, wait until it is pressed, and return its text.

    The widgets keep what the person left in them.
    """
    page = Page(title)
    for number, widget in enumerate(widgets, 1):
        label = str(getattr(widget, "description", "") or f"Part {number}")
        page.add(kinds.WidgetField(label, widget, key=f"widget-{number}", required=False))
    return page.run(actions).action


def progress(text: str, fraction: float | None = None) -> None:
    """Say what the notebook does between two pages, to the person who waits for it.

    Parameters
    ----------
    fraction
        How much of it is done, from 0 to 1.
    """
    from ..attempt import current

    if fraction is not None and not 0 <= fraction <= 1:
        raise ValueError(f"fraction must be between 0 and 1, not {fraction}")
    if current().context.live > 0:
        from .live.presenter import tell

        tell("progress", text=text, fraction=fraction)
    else:
        print(text if fraction is None else f"{text} ({fraction:.0%})")


def read_email(label: str, **options: Any) -> str:
    """Ask for an e-mail address."""
    answer: str = _ask(kinds.Email, "read_email", label, **options)
    return answer


@documented_by(kinds.Phone)
def read_phone(label: str, **options: Any) -> str:
    """Ask for a telephone number."""
    answer: str = _ask(kinds.Phone, "read_phone", label, **options)
    return answer


@documented_by(kinds.Password)
def read_password(label: str, **options: Any) -> str:
    """Ask for a password, which is never written down."""
    answer: str = _ask(kinds.Password, "read_password", label, **options)
    return answer


@documented_by(kinds.Number)
def read_number(label: str, **options: Any) -> int | float:
    """Ask for a number; `None` if it is not required and was not given."""
    answer: int | float = _ask(kinds.Number, "read_number", label, **options)
    return answer


@documented_by(kinds.Currency)
def read_currency(label: str, **options: Any) -> Decimal:
    """Ask for an amount of money; `None` if it is not required and was not given."""
    answer: Decimal = _ask(kinds.Currency, "read_currency", label, **options)
    return answer


@documented_by(kinds.Slider)
def read_slider(label: str, **options: Any) -> int | float:
    """Ask for a number on a scale."""
    answer: int | float = _ask(kinds.Slider, "read_slider", label, **options)
    return answer


@documented_by(kinds.Rating)
def read_rating(label: str, **options: Any) -> int:
    """Ask for a number of stars; `None` if it is not required and was not given."""
    answer: int = _ask(kinds.Rating, "read_rating", label, **options)
    return answer


@documented_by(kinds.Date)
def read_date(label: str, **options: Any) -> dt.date:
    """Ask for a date; `None` if it is not required and was not given."""
    answer: dt.date = _ask(kinds.Date, "read_date", label, **options)
    return answer


@documented_by(kinds.Time)
def read_time(label: str, **options: Any) -> dt.time:
    """Ask for a time of day; `None` if it is not required and was not given."""
    answer: dt.time = _ask(kinds.Time, "read_time", label, **options)
    return answer


@documented_by(kinds.DateRange)
def read_date_range(label: str, **options: Any) -> Period:
    """Ask for a first and a last day; `None` if they are not required and were not given."""
    answer: Period = _ask(kinds.DateRange, "read_date_range", label, **options)
    return answer


@documented_by(kinds.Dropdown)
def read_dropdown(label: str, options: Any, **more: Any) -> Any:
    """Ask for one of the options; with ``multiple=True`` a list of them."""
    return _ask(kinds.Dropdown, "read_dropdown", label, options, **more)


@documented_by(kinds.MultipleChoice)
def read_multiple_choice(label: str, options: Any, **more: Any) -> Any:
    """Ask for one of the options, all visible; with ``multiple=True`` a list of them."""
    return _ask(kinds.MultipleChoice, "read_multiple_choice", label, options, **more)


@documented_by(kinds.Checklist)
def read_checklist(label: str, options: Any, **more: Any) -> list[Any]:
    """Ask which of the options hold."""
    answer: list[Any] = _ask(kinds.Checklist, "read_checklist", label, options, **more)
    return answer


@documented_by(kinds.Checkbox)
def read_checkbox(label: str, **options: Any) -> bool:
    """Ask for a tick."""
    answer: bool = _ask(kinds.Checkbox, "read_checkbox", label, **options)
    return answer


@documented_by(kinds.Toggle)
def read_toggle(label: str, **options: Any) -> bool:
    """Ask for one of two states."""
    answer: bool = _ask(kinds.Toggle, "read_toggle", label, **options)
    return answer


@documented_by(kinds.Tags)
def read_tags(label: str, **options: Any) -> list[str]:
    """Ask for a list of short texts."""
    answer: list[str] = _ask(kinds.Tags, "read_tags", label, **options)
    return answer


@documented_by(kinds.File)
def read_file(label: str, **options: Any) -> Path:
    """Ask for a file; with ``multiple=True`` a list, `None` if it is not required and was not given."""
    answer: Path = _ask(kinds.File, "read_file", label, **options)
    return answer


@documented_by(kinds.Image)
def read_image(label: str, **options: Any) -> Path:
    """Ask for an image file; with ``multiple=True`` a list, `None` if not required and not given."""
    answer: Path = _ask(kinds.Image, "read_image", label, **options)
    return answer


@documented_by(kinds.ListOf)
def read_list(label: str, fields: Fields, **options: Any) -> list[Record]:
    """Ask for rows that have the same fields."""
    answer: list[Record] = _ask(kinds.ListOf, "read_list", label, fields, **options)
    return answer


def display(content: object) -> None:
    """Show something in the notebook: Markdown (a string), a data frame, an image, a plot.

    Nobody has to confirm it. `Page.display` shows something beside the questions it belongs to.
    """
    displays.publish(displays.render(content).data)


def display_text(text: str) -> None:
    """Show plain text."""
    displays.publish(displays.render_text(text).data)


def display_markdown(text: str) -> None:
    """Show Markdown."""
    displays.publish(displays.render_markdown(text).data)


def display_html(markup: str) -> None:
    """Show HTML; scripts, styles and frames are taken out."""
    displays.publish(displays.render_html(markup).data)


def display_link(url: str, text: str = "") -> None:
    """Show a link."""
    displays.publish(displays.render_link(url, text).data)


def display_image(image: object, subtitle: str = "") -> None:
    """Show an image: bytes, a path, or an image object."""
    displays.publish(displays.render_image(image, subtitle).data)


def display_plot(figure: Any) -> None:
    """Show a matplotlib figure."""
    displays.publish(displays.render_plot(figure).data)


def display_dataframe(frame: Any, *, index: bool = True, rows: int = displays.ROWS) -> None:
    """Show a data frame; of a long one the first and last rows."""
    displays.publish(displays.render_dataframe(frame, index=index, rows=rows).data)
