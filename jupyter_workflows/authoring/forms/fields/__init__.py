"""The vocabulary of forms: one class for each kind of field."""

from __future__ import annotations

from .base import Field, InvalidAnswer
from .choices import Checkbox, Checklist, Choice, Dropdown, MultipleChoice, Option, Tags, Toggle
from .dates import Date, DateRange, Period, Time
from .lists import ListOf
from .numbers import Currency, Number, Rating, Slider
from .text import Code, Email, Password, Phone, Text, TextArea
from .uploads import File, Image
from .widgets import WidgetField

__all__ = [
    "Checkbox",
    "Checklist",
    "Choice",
    "Code",
    "Currency",
    "Date",
    "DateRange",
    "Dropdown",
    "Email",
    "Field",
    "File",
    "Image",
    "InvalidAnswer",
    "ListOf",
    "MultipleChoice",
    "Number",
    "Option",
    "Password",
    "Period",
    "Phone",
    "Rating",
    "Slider",
    "Tags",
    "Text",
    "TextArea",
    "Time",
    "Toggle",
    "WidgetField",
]
