"""Parts of a page that depend on the answers so far."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import FormError

if TYPE_CHECKING:
    from .builder import Fields
    from .displays import Display
    from .fields import Field

#: How often parts that depend on each other are worked out, before that counts as going round in circles.
_ROUNDS = 20


@dataclass(frozen=True, slots=True)
class Dynamic:
    """A part that a function of the answers so far makes.

    Parameters
    ----------
    make
        Called with the values of the fields that are there, by key. It returns `Fields`, or nothing.
    """

    make: Callable[[Mapping[str, Any]], Fields | None]

    def shown(self) -> Any:
        """Return what stands for it in a fingerprint of the whole page."""
        return {"kind": "dynamic"}

    def items(self, values: Mapping[str, Any]) -> list[Field | Display]:
        """Return the fields and displays for these values."""
        made = self.make(values)
        if made is None:
            return []
        items = getattr(made, "items", None)
        if not isinstance(items, list):
            raise FormError(
                f"a function given to depends must return Fields() or nothing, not {type(made).__name__}"
            )
        found: list[Field | Display] = []
        for item in items:
            found += item.items(values) if isinstance(item, Dynamic) else [item]
        return found


def resolve(
    parts: Iterable[Field | Display | Dynamic], value_of: Callable[[Field], Any]
) -> list[Field | Display]:
    """Return the items of a page.

    Parameters
    ----------
    value_of
        Returns the value that a field has at the moment.
    """
    from .fields import Field

    parts = list(parts)
    items = [part for part in parts if not isinstance(part, Dynamic)]
    if len(items) == len(parts):
        return items
    before: list[str] = []
    for _ in range(_ROUNDS):
        values = {item.key: value_of(item) for item in items if isinstance(item, Field)}
        items = []
        for part in parts:
            items += part.items(values) if isinstance(part, Dynamic) else [part]
        keys = [item.key for item in items if isinstance(item, Field)]
        for key in keys:
            if keys.count(key) > 1:
                raise FormError(f"two fields have the key {key!r}; give one of them another, with key=...")
        now = [repr(item) for item in items]
        if now == before:
            return items
        before = now
    raise FormError("the parts of this page depend on each other in a circle")
