from __future__ import annotations

import datetime as dt
import enum
import hashlib
import json
import math
import sys
from collections import OrderedDict
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_workflows.authoring import wire
from jupyter_workflows.authoring.wire import Artifact


class Shelf:
    """Keeps bytes in memory and gives them back as files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.saved: list[dict[str, Any]] = []

    def save(self, content: bytes | Path, description: dict[str, Any]) -> str:
        data = content if isinstance(content, bytes) else content.read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        (self.folder / digest).write_bytes(data)
        self.saved.append(description)
        return digest

    def load(self, artifact: Artifact) -> Path:
        return self.folder / artifact.hash


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    (tmp_path / "shelf").mkdir()
    return Shelf(tmp_path / "shelf")


def there_and_back(value: Any, shelf: Shelf) -> Any:
    encoded = json.loads(json.dumps(wire.encode(value, key="x", save=shelf.save), allow_nan=False))
    return wire.decode(encoded, load=shelf.load)


class Colour(enum.StrEnum):
    RED = "red"


class Plain(enum.Enum):
    RED = "red"


@dataclass
class Point:
    x: int


PLAIN = [
    None,
    True,
    3,
    2.5,
    "text",
    "",
    [1, [2, {"a": None}]],
    {"a": {"b": []}},
    dt.datetime(2026, 3, 29, 2, 30, 0, 5),
    dt.datetime(2026, 3, 29, 12, 0, tzinfo=dt.UTC),
    dt.date(2026, 2, 28),
    dt.time(23, 59, 59, 1),
    dt.timedelta(days=-1, microseconds=3),
    Decimal("12.50"),
    Decimal("1E+3"),
    UUID(int=5),
    math.inf,
    -math.inf,
    {"$kind": "decimal", "value": "no"},
    {"a": {"$kind": {"$kind": 1}}},
]


@pytest.mark.parametrize("value", PLAIN, ids=repr)
def test_values_come_back_equal_and_of_the_same_type(value: Any, shelf: Shelf) -> None:
    back = there_and_back(value, shelf)
    assert back == value
    assert type(back) is type(value)
    assert shelf.saved == []


def test_nan_comes_back(shelf: Shelf) -> None:
    assert math.isnan(there_and_back([math.nan], shelf)[0])


def test_a_zone_keeps_its_name_and_the_repeated_hour(shelf: Shelf) -> None:
    zone = ZoneInfo("Europe/Berlin")
    second = dt.datetime(2026, 10, 25, 2, 30, tzinfo=zone, fold=1)
    back = there_and_back(second, shelf)
    assert back.tzinfo is zone
    assert back.utcoffset() == dt.timedelta(hours=1)


@pytest.mark.parametrize(
    ("given_value", "expected"),
    [
        ((1, (2,)), [1, [2]]),
        (OrderedDict(a=1), {"a": 1}),
        (Colour.RED, "red"),
        (np.float64(1.5), 1.5),
        (np.int8(-3), -3),
        (np.bool_(True), True),
        (np.str_("s"), "s"),
        (np.datetime64("2026-01-02"), dt.date(2026, 1, 2)),
        (np.datetime64("2026-01-02T03:04:05", "ns"), dt.datetime(2026, 1, 2, 3, 4, 5)),
        (np.timedelta64(90, "s"), dt.timedelta(seconds=90)),
        (pd.Timestamp("2026-01-02T03:04"), dt.datetime(2026, 1, 2, 3, 4)),
        (pd.Timedelta("1h"), dt.timedelta(hours=1)),
        (pd.NaT, None),
        (pd.NA, None),
        (np.datetime64("NaT"), None),
    ],
    ids=repr,
)
def test_relatives_become_plain_values(given_value: Any, expected: Any, shelf: Shelf) -> None:
    back = there_and_back({"v": given_value}, shelf)["v"]
    assert back == expected
    assert type(back) is type(expected)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"a": [1, {2}]}, ['x["a"][1]', "set", "list(...)", "Decimal"]),
        ({1: 2}, ["x", "1 (int)", "strings"]),
        ({"a": {None: 2}}, ['x["a"]', "NoneType"]),
        (object(), ["x", "object"]),
        (1j, ["complex"]),
        (Plain.RED, [".value"]),
        (Point(1), ["asdict"]),
        (pd.Series([1]), ["pandas", "Series", "to_frame"]),
        (np.array([object()]), ["Python objects", "object"]),
        (np.array([1, "a"], dtype=object), ["Python objects"]),
        (np.complex64(1), ["complex"]),
        (pd.DataFrame({"col": [1, "x"]}), ["Parquet", "col", "astype"]),
        (lambda: None, ["function"]),
        (10**5000, ["JSON"]),
        (["\udcff"], ["x[0]", "surrogate"]),
        ({"\ud800": 1}, ["a key in x", "surrogate"]),
    ],
    ids=lambda value: type(value).__name__,
)
@pytest.mark.parametrize("check_only", [True, False])
def test_other_values_are_refused_with_key_and_type(
    value: Any, words: list[str], check_only: bool, shelf: Shelf
) -> None:
    with pytest.raises(TypeError) as error:
        wire.encode(value, key="x", save=None if check_only else shelf.save)
    for word in words:
        assert word in str(error.value)


def test_a_value_that_contains_itself_is_refused(shelf: Shelf) -> None:
    value: list[Any] = []
    value.append(value)
    with pytest.raises(TypeError, match=r"x\[0\] contains itself"):
        wire.encode(value, key="x", save=shelf.save)
    shared = [1]
    assert there_and_back([shared, shared], shelf) == [[1], [1]]


def test_too_deep_a_value_is_refused(shelf: Shelf) -> None:
    value: list[Any] = []
    for _ in range(100_000):
        value = [value]
    with pytest.raises(TypeError, match="nested too deeply"):
        wire.encode(value, key="x", save=shelf.save)


def test_pandas_frames_keep_index_and_types(shelf: Shelf) -> None:
    frame = pd.DataFrame(
        {"n": [1, 2], "t": pd.to_datetime(["2026-01-01", None]), "s": ["a", None]},
        index=pd.MultiIndex.from_tuples([("a", 1), ("b", 2)], names=["letter", "number"]),
    )
    encoded = wire.encode(frame, key="x", save=shelf.save)
    artifact = Artifact.from_wire(encoded)
    assert (artifact.type, artifact.library, artifact.format) == ("dataframe", "pandas", "parquet")
    assert artifact.shape == (2, 3)
    assert artifact.columns == ("n", "t", "s")
    assert len(artifact) == 2
    pd.testing.assert_frame_equal(wire.decode(encoded, load=shelf.load), frame)


def test_polars_frames_and_arrow_tables_come_back_as_such(shelf: Shelf) -> None:
    frame = pl.DataFrame({"a": [1, None], "b": [[1], []]})
    assert there_and_back({"f": frame}, shelf)["f"].equals(frame)
    table = pa.table({"a": [1, 2]})
    assert there_and_back(table, shelf).equals(table)


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6).reshape(2, 3),
        np.array(5.0),
        np.array(["a", "bc"]),
        np.array(["2026-01-01"], dtype="datetime64[ns]"),
        np.zeros(2, dtype=[("a", "i4"), ("b", "f8")]),
        np.asfortranarray(np.arange(4).reshape(2, 2)),
    ],
    ids=lambda array: str(array.dtype),
)
def test_arrays_come_back(array: np.ndarray[Any, Any], shelf: Shelf) -> None:
    back = there_and_back([array], shelf)[0]
    assert back.dtype == array.dtype
    np.testing.assert_array_equal(back, array)


def test_bytes_are_artifacts_even_when_small(shelf: Shelf) -> None:
    encoded = wire.encode(b"ab", key="x", save=shelf.save)
    assert encoded["$kind"] == "artifact"
    assert len(Artifact.from_wire(encoded)) == 2
    assert wire.decode(encoded, load=shelf.load) == b"ab"
    assert there_and_back(bytearray(b"x"), shelf) == b"x"


def test_files_carry_name_and_content(shelf: Shelf, tmp_path: Path) -> None:
    file = tmp_path / "Größe 1.pdf"
    file.write_bytes(b"content")
    encoded = wire.encode(file, key="x", save=shelf.save)
    artifact = Artifact.from_wire(encoded)
    assert (artifact.type, artifact.name, artifact.size) == ("file", "Größe 1.pdf", 7)
    assert wire.decode(encoded, load=shelf.load).read_bytes() == b"content"


def test_missing_files_and_folders_are_refused_with_key_and_path(shelf: Shelf, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r'x\["f"\].*nowhere'):
        wire.encode({"f": tmp_path / "nowhere"}, key="x", save=shelf.save)
    with pytest.raises(IsADirectoryError, match=r"x: .* is a folder"):
        wire.encode(tmp_path, key="x", save=None)


def test_long_json_is_spilled_and_reads_the_same(shelf: Shelf) -> None:
    value = {"rows": list(range(20_000)), "when": dt.date(2026, 1, 1), "blob": b"inside"}
    encoded = wire.encode(value, key="x", save=shelf.save)
    artifact = Artifact.from_wire(encoded)
    assert artifact.type == "json"
    assert len(artifact) == 3
    assert artifact.references == (hashlib.sha256(b"inside").hexdigest(),)
    assert wire.hashes(encoded) == {artifact.hash, *artifact.references}
    assert wire.decode(encoded, load=shelf.load) == value


def test_json_of_exactly_the_limit_stays(shelf: Shelf) -> None:
    assert wire.encode("a" * (wire.SPILL - 2), key="x", save=shelf.save) == "a" * (wire.SPILL - 2)
    assert wire.encode("a" * (wire.SPILL - 1), key="x", save=shelf.save)["$kind"] == "artifact"


def test_without_a_loader_artifacts_are_descriptions(shelf: Shelf) -> None:
    encoded = wire.encode([np.arange(3), b"abc"], key="x", save=shelf.save)
    array, content = wire.decode(encoded, load=None)
    assert array.shape == (3,)
    assert array.to_wire() == encoded[0]
    assert len(content) == 3
    assert bool(wire.decode(wire.encode(b"", key="x", save=shelf.save), load=None))
    with pytest.raises(TypeError, match="length"):
        len(Artifact("file", "0" * 64, 3))


def test_an_unknown_kind_is_an_error() -> None:
    with pytest.raises(ValueError, match="'colour'"):
        wire.decode({"$kind": "colour", "value": "red"}, load=None)


def test_public_form_names_kinds_plainly(shelf: Shelf) -> None:
    encoded = wire.encode(
        {"d": Decimal("1.5"), "o": {"$kind": 1}, "a": np.arange(2)}, key="x", save=shelf.save
    )
    public = wire.public(encoded)
    assert public["d"] == {"kind": "decimal", "value": "1.5"}
    assert public["o"] == {"$kind": 1}
    assert public["a"]["kind"] == "artifact"
    assert public["a"]["shape"] == [2]
    assert len(public["a"]["hash"]) == 64


def test_frames_without_pyarrow_say_what_to_install(monkeypatch: pytest.MonkeyPatch, shelf: Shelf) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    for save in (None, shelf.save):
        with pytest.raises(ModuleNotFoundError, match="pip install pyarrow"):
            wire.encode(pd.DataFrame({"a": [1]}), key="x", save=save)


def test_nothing_is_ever_unpickled(shelf: Shelf) -> None:
    array = np.array([{}], dtype=object)
    np.save(shelf.folder / "evil.npy", array, allow_pickle=True)
    (shelf.folder / "evil.npy").rename(shelf.folder / ("e" * 64))
    evil = Artifact("array", "e" * 64, 1, format="npy").to_wire()
    with pytest.raises(ValueError, match="allow_pickle"):
        wire.decode(evil, load=shelf.load)


_leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.datetimes()
    | st.dates()
    | st.times()
    | st.decimals(allow_nan=False)
    | st.uuids()
    | st.timedeltas(min_value=dt.timedelta(days=-40_000), max_value=dt.timedelta(days=40_000))
)
_values = st.recursive(
    _leaves,
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(["$kind", "value", "kind"]), inner)
    ),
)


@given(_values)
def test_any_mixture_comes_back(value: Any) -> None:
    encoded = wire.encode(value, key="x", save=lambda content, description: "0" * 64)
    if isinstance(encoded, dict) and encoded.get("$kind") == "artifact":
        return  # spilled; the bytes were not kept
    assert wire.decode(json.loads(json.dumps(encoded, allow_nan=False)), load=None) == value
