"""Slugs: the paths of stages in code and URLs."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

#: What a stage's path looks like.
SLUG = re.compile(r"[a-z0-9-]+")

#: Letters that do not decompose into a base letter and marks.
_LETTERS = str.maketrans(
    {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "ł": "l", "ı": "i", "ħ": "h"}
)


def slug(title: str, default: str = "stage") -> str:
    """Return `title` as path: lower-case ASCII letters, digits and single hyphens.

    Parameters
    ----------
    default
        What to return when nothing of the title is left.
    """
    folded = unicodedata.normalize("NFKD", title).casefold().translate(_LETTERS)
    ascii_only = "".join(char for char in folded if not unicodedata.combining(char))
    return re.sub(r"[^a-z0-9]+", "-", ascii_only).strip("-") or default


def unique_path(title: str, taken: Iterable[str]) -> str:
    """Return the slug of `title`, with a number at its end if it is taken."""
    taken = set(taken)
    base = path = slug(title)
    number = 2
    while path in taken:
        path = f"{base}-{number}"
        number += 1
    return path
