"""Rows of data frames as JSON, a page at a time and without the whole file in memory."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..problems import Problem
from .models import TableColumn, TableRows

_PARQUET = b"PAR1"
_NPY = b"\x93NUMPY"
#: What a page has at most: columns, and characters of a value's text.
_COLUMNS = 200
_TEXT = 500
_BATCH = 4096
#: JSON's numbers are doubles: integers beyond this are not exact.
_EXACT = 2**53
_INDEX = "__index_level_"


def read_rows(file: Path, offset: int, limit: int) -> TableRows:
    """Return rows of a Parquet file.

    Raises
    ------
    Problem
        It is no data frame, or pyarrow is not installed.
    """
    with file.open("rb") as stream:
        start = stream.read(len(_NPY))
    if not start.startswith(_PARQUET):
        what = "a NumPy array" if start == _NPY else "no data frame"
        raise Problem(422, "no-table", f"this value is {what}: it has no rows to page through", "Download it")
    try:
        import pyarrow.parquet as parquet
    except ImportError:
        raise Problem(
            501,
            "no-pyarrow",
            "data frames can be shown only where pyarrow is installed",
            "Install it beside the server: pip install pyarrow",
        ) from None
    try:
        table = parquet.ParquetFile(file)
    except (OSError, ValueError):
        raise Problem(422, "no-table", "this value is no data frame that can be read") from None
    with table:
        fields = list(table.schema_arrow)
        shown = fields[:_COLUMNS]
        indices = _indices(table.schema_arrow.metadata)
        names = [field.name for field in shown]
        return TableRows(
            columns=[
                TableColumn(
                    name="" if field.name.startswith(_INDEX) else field.name,
                    type=str(field.type)[:100],
                    index=field.name in indices,
                )
                for field in shown
            ],
            column_count=len(fields),
            rows=_rows(table, names, offset, limit),
            offset=offset,
            total=table.metadata.num_rows,
        )


def _rows(table: Any, names: list[str], offset: int, limit: int) -> list[list[Any]]:
    groups: list[int] = []
    skip, before = offset, 0
    for place in range(table.num_row_groups):
        size = table.metadata.row_group(place).num_rows
        if before + size > offset and before < offset + limit:
            if not groups:
                skip = offset - before
            groups.append(place)
        before += size
    rows: list[list[Any]] = []
    if not groups:
        return rows
    for batch in table.iter_batches(batch_size=_BATCH, row_groups=groups, columns=names):
        if skip >= batch.num_rows:
            skip -= batch.num_rows
            continue
        part = batch.slice(skip, limit - len(rows))
        skip = 0
        columns = [_column(part, name) for name in names]
        rows += [list(row) for row in zip(*columns, strict=True)]
        if len(rows) >= limit:
            break
    return rows


def _column(batch: Any, name: str) -> list[Any]:
    column = batch.column(batch.schema.get_field_index(name))
    return [_plain(value) for value in column]


def _plain(scalar: Any) -> Any:
    try:
        value = scalar.as_py()
    except (ValueError, OverflowError, ImportError):  # a moment that Python cannot hold
        value = str(scalar)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) <= _EXACT else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    if isinstance(value, list | dict):
        return _cut(json.dumps(value, default=str, ensure_ascii=False))
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return _cut(str(value))


def _cut(text: str) -> str:
    return text if len(text) <= _TEXT else f"{text[:_TEXT]}…"


def _indices(metadata: Mapping[bytes, bytes] | None) -> set[str]:
    """Return the columns that were the index of a pandas frame."""
    try:
        columns = json.loads((metadata or {})[b"pandas"])["index_columns"]
    except (KeyError, ValueError):
        return set()
    return {name for name in columns if isinstance(name, str)}
