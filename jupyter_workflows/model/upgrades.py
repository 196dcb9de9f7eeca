"""Steps that bring documents of older formats up to the current one.

Format 0 is that of the first drafts: ``stages`` is a list of stages, each with its key as ``id``, and
``transitions`` a list of ``{"from", "to", "on", "condition"}`` without keys. A document of it may lack
``format`` and ``uid``.

A step takes the parsed JSON of one version, may change it, and returns that of the next version.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from . import canonical

#: The format that this version of the package reads and writes.
CURRENT_FORMAT = 1

Json = dict[str, Any]
Step = Callable[[Json], Json]


class UpgradeError(Exception):
    """A document of an older format is not well formed.

    Parameters
    ----------
    field
        Path of the field that is to blame.
    """

    def __init__(self, field: str, message: str, mend: str) -> None:
        super().__init__(message)
        self.field = field
        self.message = message
        self.mend = mend


def upgrade(
    value: Json, version: int, *, steps: Mapping[int, Step] | None = None, to: int = CURRENT_FORMAT
) -> Json:
    """Bring a document's JSON from `version` up to `to`, step by step."""
    steps = STEPS if steps is None else steps
    while version < to:
        if version not in steps:
            raise UpgradeError(
                "format", f"Format {version} is not known.", f"Write the document in format {to}."
            )
        value = steps[version](value)
        version += 1
        value["format"] = version
    return value


def _from_0(value: Json) -> Json:
    stages: Json = {}
    for index, stage in enumerate(_objects(value, "stages")):
        key = stage.pop("id", None)
        if not isinstance(key, str) or not key:
            raise UpgradeError(
                f"stages[{index}].id", "The stage has no id.", "Give each stage an id of its own."
            )
        if key in stages:
            raise UpgradeError(
                f"stages[{index}].id", f"The id {key!r} appears twice.", "Give each stage an id of its own."
            )
        stages[key] = stage
    transitions: Json = {}
    for index, transition in enumerate(_objects(value, "transitions")):
        for old, new in (("from", "source"), ("to", "target")):
            if old in transition:
                transition[new] = transition.pop(old)
        if transition.get("condition") in (None, ""):
            transition.pop("condition", None)
        # The list's order was the branch order.
        transition.setdefault("order", index)
        transitions[f"t{index + 1}"] = transition
    value["stages"] = stages
    value["transitions"] = transitions
    value.setdefault("title", "")
    # Every reader, also one in a browser, must find the same identity, so it follows from the content.
    seed = canonical.write(
        [value["title"], sorted(stages, key=lambda key: key.encode("utf-16-be", "surrogatepass"))]
    )
    digest = hashlib.sha256(seed.encode("utf-8")).digest()
    value.setdefault("uid", str(uuid.UUID(bytes=digest[:16], version=5)))
    return value


def _objects(value: Json, field: str) -> list[Json]:
    items = value.get(field, [])
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise UpgradeError(
            field, "It must be a list of objects in format 0.", 'If it is a newer document, say "format": 1.'
        )
    return items


#: Steps by the version that they start from.
STEPS: Mapping[int, Step] = {0: _from_0}
