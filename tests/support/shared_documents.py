"""Strategies for documents, also such as nobody would write."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

#: Any JSON; text as it can be written into a file.
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
_keys = st.sampled_from(["a", "b", "c", "10", "9", "ü", "\U0001f600", "\ufb33"])
_fields = st.dictionaries(st.sampled_from(["title", "path", "position", "x", "timeout"]), values, max_size=4)


def _with(fields: st.SearchStrategy[dict[str, Any]], **others: Any) -> st.SearchStrategy[dict[str, Any]]:
    return st.builds(lambda one, other: one | other, fields, st.fixed_dictionaries(others))


_stages = _with(_fields, type=st.sampled_from(["form", "hook", "job", "script"]))
_transitions = _with(_fields, source=_keys, target=_keys)

#: Texts of documents that are graphs.
texts = st.builds(
    lambda value, indent: json.dumps(value, indent=indent, ensure_ascii=indent is None),
    _with(
        st.dictionaries(st.sampled_from(["uid", "title", "description", "board", "y"]), values, max_size=3),
        format=st.just(1),
        stages=st.dictionaries(_keys, _stages, max_size=4),
        transitions=st.dictionaries(_keys, _transitions, max_size=4),
        notes=st.dictionaries(_keys, _fields, max_size=2),
    ),
    st.sampled_from([None, 1, 4]),
)
