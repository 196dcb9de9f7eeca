"""Data frames and arrays as artifacts: Parquet and ``.npy``, never pickle.

The libraries are imported only for a value that needs them.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .wire import make_artifact, refusal

if TYPE_CHECKING:
    from .wire import Artifact, Save


def encode(value: Any, path: str, save: Save | None, again: Callable[[object], Any]) -> Any:
    """Return the wire form of a value that comes from numpy, pandas, polars or pyarrow.

    Parameters
    ----------
    path
        The name by which an error message calls the value.
    again
        Encodes the Python value that a scalar of such a library stands for.
    """
    library = type(value).__module__.partition(".")[0]
    name = type(value).__name__
    if library == "numpy":
        return _encode_numpy(value, path, save, again)
    if library == "pandas":
        return _encode_pandas(value, path, save, again)
    if library == "polars" and name == "DataFrame":
        return _encode_frame(value, path, save, library, value.shape, value.columns)
    if library == "pyarrow" and name == "Table":
        return _encode_frame(value, path, save, library, value.shape, value.column_names)
    if library == "pyarrow" and hasattr(value, "as_py") and not hasattr(value, "__len__"):
        return again(value.as_py())
    raise refusal(value, path)


def decode(artifact: Artifact, file: Path) -> Any:
    """Return the data frame or array that a file holds."""
    if artifact.type == "array":
        import numpy

        return numpy.load(file, allow_pickle=False)
    if artifact.library == "polars":
        import polars

        return polars.read_parquet(file)
    table = _parquet(f"a data frame of {artifact.library}").read_table(file)
    return table if artifact.library == "pyarrow" else table.to_pandas()


def _encode_numpy(value: Any, path: str, save: Save | None, again: Callable[[object], Any]) -> Any:
    import numpy

    if isinstance(value, numpy.ndarray):
        if value.dtype.hasobject:
            raise TypeError(
                f"{path} is a NumPy array of Python objects (dtype {value.dtype}), "
                "which stage data can't hold. Use a list, or an array with a numeric, text or datetime dtype."
            )
        if isinstance(value, numpy.ma.MaskedArray):
            raise TypeError(f"{path} is a masked NumPy array, whose mask would get lost. Use .filled(...).")
        length = len(value) if value.ndim else None
        return make_artifact(
            _npy(value) if save else b"", save, type="array", format="npy", shape=value.shape, length=length
        )
    if isinstance(value, numpy.generic):
        if isinstance(value, numpy.datetime64 | numpy.timedelta64):
            if numpy.isnat(value):
                return None
            plain = value.item()
            if isinstance(plain, int):  # what NumPy says for nanoseconds, and for times beyond the year 9999
                kind = "datetime64" if isinstance(value, numpy.datetime64) else "timedelta64"
                plain = value.astype(f"{kind}[us]").item()
            if isinstance(plain, int):
                raise refusal(value, path)
            return again(plain)
        plain = value.item()
        if type(plain).__module__ == "builtins":
            return again(plain)
    raise refusal(value, path)


def _npy(value: Any) -> bytes:
    import numpy

    buffer = io.BytesIO()
    numpy.save(buffer, numpy.asarray(value), allow_pickle=False)
    return buffer.getvalue()


def _encode_pandas(value: Any, path: str, save: Save | None, again: Callable[[object], Any]) -> Any:
    import pandas

    if value is pandas.NaT or value is pandas.NA:
        return None
    if isinstance(value, pandas.Timestamp):
        return again(value.to_pydatetime(warn=False))
    if isinstance(value, pandas.Timedelta):
        return again(value.to_pytimedelta())
    if isinstance(value, pandas.DataFrame):
        columns = [str(column) for column in value.columns]
        return _encode_frame(value, path, save, "pandas", value.shape, columns)
    raise refusal(value, path)


def _encode_frame(
    value: Any,
    path: str,
    save: Save | None,
    library: str,
    shape: tuple[int, ...],
    columns: list[str],
) -> Any:
    description = {
        "type": "dataframe",
        "format": "parquet",
        "library": library,
        "shape": tuple(shape),
        "columns": tuple(columns),
        "length": shape[0],
    }
    try:
        if save is None:  # converting finds what Parquet can't hold, and costs little beside writing
            if library == "pandas":
                _to_table(value, path)
            return make_artifact(b"", None, **description)
        # Through a file: the bytes of a large frame need not be in memory beside the frame.
        with tempfile.TemporaryDirectory(prefix="jupyter-workflows-") as folder:
            file = Path(folder) / "frame.parquet"
            if library == "polars":
                value.write_parquet(file)
            else:
                table = _to_table(value, path) if library == "pandas" else value
                _parquet("a pyarrow Table").write_table(table, file)
            return make_artifact(file, save, temporary=True, **description)
    except (TypeError, ModuleNotFoundError):
        raise
    except Exception as error:
        raise TypeError(f"{path} can't be written as Parquet: {error}") from error


def _to_table(frame: Any, path: str) -> Any:
    _parquet("a pandas DataFrame")
    import pyarrow

    try:
        return pyarrow.Table.from_pandas(frame)
    except (pyarrow.ArrowException, TypeError, ValueError) as error:
        detail = "; ".join(str(part) for part in error.args)
        raise TypeError(
            f"{path} is a pandas DataFrame that can't be written as Parquet: {detail}. "
            "Give the column one type, for example with .astype(str)."
        ) from error


def _parquet(what: str) -> Any:
    try:
        import pyarrow.parquet
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"stage data needs pyarrow to hold {what}: pip install pyarrow", name="pyarrow"
        ) from error
    return pyarrow.parquet
