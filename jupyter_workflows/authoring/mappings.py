"""Dictionaries whose values can also be read as attributes."""

from __future__ import annotations

import re
from typing import Any


class Record(dict[str, Any]):
    """A dictionary whose values can also be read as attributes.

    A key that is no Python name is found by the name that it would have as one:
    ``record.full_name`` reads ``record["Full name"]``.
    """

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name in self:
            return self[name]
        matches = [key for key in self if _as_name(key) == name.lower()]
        if len(matches) == 1:
            return self[matches[0]]
        raise AttributeError(f"no value {name!r}; there are {', '.join(map(repr, self)) or 'none'}")

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *(name for key in self if (name := _as_name(key)).isidentifier())]


def _as_name(key: str) -> str:
    return re.sub(r"\W+", "_", key).strip("_").lower()
