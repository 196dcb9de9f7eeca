"""The wire form: how a stage-data value is written as JSON.

JSON values stand for themselves. Every other value is an object with the key ``$kind``; large or
binary ones are artifacts, of which only a description with a content hash is in the JSON. Nothing
here needs more than the standard library; data frames and arrays are seen to by `codecs`, which is
imported only when such a value turns up.
"""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from decimal import Decimal
from enum import Enum
from pathlib import Path, PurePath
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

#: The key that marks a value which is not plain JSON.
KIND = "$kind"

#: JSON text of one stage-data value longer than this is kept as an artifact.
SPILL = 64 * 1024

#: Python refuses to read longer integers (more than 4300 digits) back from text.
_MOST_BITS = 14_000

ALLOWED = (
    "JSON values, datetime, date, time, timedelta, Decimal, UUID, bytes, Path (a file), "
    "DataFrames (pandas, polars), pyarrow Tables and NumPy arrays"
)

#: Keeps the bytes (or the file) that it is given and returns their SHA-256 in hex. The second argument
#: describes them: the fields of `Artifact` known so far, and ``temporary`` for a file that may be moved.
Save = Callable[[bytes | Path, dict[str, Any]], str]

#: Returns the local file that holds an artifact's bytes; one of type ``file`` under its own name.
Load = Callable[["Artifact"], Path]


@dataclass(frozen=True, slots=True)
class Artifact:
    """A stage-data value that lies outside the JSON, by content hash.

    Parameters
    ----------
    type
        ``dataframe``, ``array``, ``bytes``, ``file`` or ``json`` (JSON that was too long).
    hash
        SHA-256 of the bytes, in hex.
    size
        Number of bytes.
    format
        ``parquet``, ``npy``, ``raw`` or ``json``.
    library
        For a data frame: ``pandas``, ``polars`` or ``pyarrow``.
    name
        For a file: its name, without a folder.
    length
        What `len` of the value is, where it has one.
    references
        For ``json``: hashes of the artifacts that are named inside it.
    """

    type: str
    hash: str
    size: int
    format: str = "raw"
    library: str | None = None
    shape: tuple[int, ...] | None = None
    columns: tuple[str, ...] | None = None
    name: str | None = None
    length: int | None = None
    references: tuple[str, ...] = ()

    def __len__(self) -> int:
        if self.length is None:
            raise TypeError(f"a value of the kind {self.type!r} has no length")
        return self.length

    def __bool__(self) -> bool:
        return True

    def to_wire(self) -> dict[str, Any]:
        """Return the wire form."""
        wire: dict[str, Any] = {KIND: "artifact"}
        for name, value in asdict(self).items():
            if name == "references" and not value:
                continue
            wire[name] = list(value) if isinstance(value, tuple) else value
        return wire

    @classmethod
    def from_wire(cls, wire: Mapping[str, Any]) -> Artifact:
        """Build an artifact from its wire form."""
        values = {name: wire[name] for name in _ARTIFACT_FIELDS if name in wire}
        for name in ("shape", "columns", "references"):
            if values.get(name) is not None:
                values[name] = tuple(values[name])
        return cls(**values)

    def describe(self) -> str:
        """Return a few words for people, such as ``pandas DataFrame, 3 × 2``."""
        if self.type == "dataframe":
            what = "pyarrow Table" if self.library == "pyarrow" else f"{self.library} DataFrame"
        else:
            what = {"array": "NumPy array", "file": f"file {self.name}", "json": "long JSON value"}.get(
                self.type, self.type
            )
        if self.shape is not None:
            return f"{what}, {' × '.join(map(str, self.shape)) or 'scalar'}"
        return f"{what}, {self.size:,} bytes"


_ARTIFACT_FIELDS = tuple(field.name for field in fields(Artifact))


def encode(value: object, *, key: str, save: Save | None) -> Any:
    """Return the wire form of a stage-data value.

    Parameters
    ----------
    key
        The name by which an error message calls the value.
    save
        Keeps what does not belong into JSON. `None` only checks that the value can be encoded: the
        artifacts in the result then have no hash.

    Raises
    ------
    TypeError
        The value, or one inside it, is of a type that stage data can't hold.
    FileNotFoundError, IsADirectoryError
        A `Path` does not lead to a file.
    """
    try:
        wire = _encode(value, key, save, set())
        if not isinstance(wire, str | list | dict) or _is_artifact(wire):
            return wire
        text = json.dumps(wire, separators=(",", ":"), allow_nan=False).encode()
    except RecursionError:
        raise TypeError(f"{key} is nested too deeply for stage data") from None
    if len(text) <= SPILL:
        return wire
    length = len(value) if hasattr(value, "__len__") else None
    return make_artifact(
        text,
        save,
        type="json",
        format="json",
        length=length,
        references=tuple(sorted(hashes(wire))),
    )


def decode(wire: Any, *, load: Load | None) -> Any:
    """Return the value of a wire form.

    Parameters
    ----------
    load
        Finds the bytes of artifacts. With `None` they are returned as `Artifact`.
    """
    if isinstance(wire, list):
        return [decode(item, load=load) for item in wire]
    if not isinstance(wire, dict):
        return wire
    if KIND not in wire:
        return {key: decode(item, load=load) for key, item in wire.items()}
    kind = wire[KIND]
    if kind == "object":
        return {key: decode(item, load=load) for key, item in wire["value"].items()}
    if kind == "artifact":
        artifact = Artifact.from_wire(wire)
        return artifact if load is None else _load(artifact, load)
    if kind not in _DECODERS:
        raise ValueError(f"unknown kind of stage-data value: {kind!r}")
    value = _DECODERS[kind](wire["value"])
    return _in_zone(value, wire["zone"]) if "zone" in wire else value


def public(wire: Any) -> Any:
    """Return a wire form as JSON for people and programs that do not know the wire form.

    ``$kind`` becomes ``kind``, and an escaped object is itself again.
    """
    if isinstance(wire, list):
        return [public(item) for item in wire]
    if not isinstance(wire, dict):
        return wire
    if wire.get(KIND) == "object":
        return {key: public(item) for key, item in wire["value"].items()}
    if KIND in wire:
        return {"kind" if key == KIND else key: item for key, item in wire.items()}
    return {key: public(item) for key, item in wire.items()}


def artifacts(wire: Any) -> Iterator[Artifact]:
    """Yield the artifacts that a wire form (or a mapping of them) names itself."""
    if isinstance(wire, list):
        for item in wire:
            yield from artifacts(item)
    elif isinstance(wire, dict):
        if _is_artifact(wire):
            yield Artifact.from_wire(wire)
        else:
            for item in wire.values():
                yield from artifacts(item)


def hashes(wire: Any) -> set[str]:
    """Return the hashes of all artifacts that a wire form needs, those inside long JSON included."""
    found: set[str] = set()
    for artifact in artifacts(wire):
        found.add(artifact.hash)
        found.update(artifact.references)
    return found


def make_artifact(content: bytes | Path, save: Save | None, **description: Any) -> dict[str, Any]:
    """Keep bytes or a file and return the wire form that names them."""
    temporary = description.pop("temporary", False)
    size = len(content) if isinstance(content, bytes) else content.stat().st_size
    digest = save(content, {**description, "size": size, "temporary": temporary}) if save else ""
    return Artifact(hash=digest, size=size, **description).to_wire()


def _is_artifact(wire: Any) -> bool:
    return isinstance(wire, dict) and wire.get(KIND) == "artifact"


def _encode(value: object, path: str, save: Save | None, above: set[int]) -> Any:
    # The order matters: bool is an int, datetime is a date, and pandas and NumPy have subclasses of most.
    kind = type(value)
    if value is None or kind is bool:
        return value
    if kind is str:
        return _encode_text(value, path)  # type: ignore[arg-type]
    if kind is int:
        return _encode_integer(value, path)  # type: ignore[arg-type]
    if kind is float:
        return _encode_float(value)  # type: ignore[arg-type]
    if kind.__module__.partition(".")[0] in ("numpy", "pandas", "polars", "pyarrow"):
        from . import codecs

        return codecs.encode(value, path, save, lambda plain: _encode(plain, path, save, above))
    if isinstance(value, str):
        return _encode_text(str.__str__(value), path)
    if isinstance(value, int):
        return _encode_integer(int(value), path)
    if isinstance(value, float):
        return _encode_float(float(value))
    if isinstance(value, Mapping | list | tuple):
        if id(value) in above:
            raise TypeError(f"{path} contains itself, which stage data can't hold")
        above.add(id(value))
        try:
            return _encode_container(value, path, save, above)
        finally:
            above.discard(id(value))
    if isinstance(value, bytes | bytearray | memoryview):
        content = bytes(value)
        return make_artifact(content, save, type="bytes", length=len(content))
    if isinstance(value, Path):
        return _encode_file(value, path, save)
    for types, encoder in _ENCODERS:
        if isinstance(value, types):
            return encoder(value)
    raise refusal(value, path)


def _encode_container(
    value: Mapping[Any, Any] | list[Any] | tuple[Any, ...], path: str, save: Save | None, above: set[int]
) -> Any:
    if not isinstance(value, Mapping):
        return [_encode(item, f"{path}[{place}]", save, above) for place, item in enumerate(value)]
    wire = {}
    for name, item in value.items():
        if not isinstance(name, str):
            raise TypeError(
                f"{path} has the key {name!r} ({_type_name(name)}): keys in stage data must be strings"
            )
        text = _encode_text(str.__str__(name), f"a key in {path}")
        wire[text] = _encode(item, f"{path}[{json.dumps(name)}]", save, above)
    return {KIND: "object", "value": wire} if KIND in wire else wire


def _encode_text(value: str, path: str) -> str:
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise TypeError(
                f"{path} has half a surrogate pair at position {error.start}, which is not text. Such text "
                "often comes from a file's name: use os.fsencode(...) or .encode(errors='replace').decode()."
            ) from None
    return value


def _encode_integer(value: int, path: str) -> int:
    if value.bit_length() > _MOST_BITS:
        raise TypeError(f"{path} is an integer with thousands of digits, which JSON text can't hold")
    return value


def _encode_float(value: float) -> Any:
    if math.isfinite(value):
        return value
    return {KIND: "float", "value": "nan" if math.isnan(value) else ("inf" if value > 0 else "-inf")}


def _encode_file(file: Path, path: str, save: Save | None) -> Any:
    if file.is_dir():
        raise IsADirectoryError(f"{path}: {file} is a folder; stage data can hold files: pack it")
    if not file.is_file():
        raise FileNotFoundError(f"{path}: there is no file {file}")
    return make_artifact(file, save, type="file", name=file.name)


def _encode_moment(value: dt.datetime | dt.time) -> dict[str, Any]:
    kind = "datetime" if isinstance(value, dt.datetime) else "time"
    wire: dict[str, Any] = {KIND: kind, "value": value.isoformat()}
    # The zone's name is kept beside the offset: adding a day to a local time needs it.
    if isinstance(value.tzinfo, ZoneInfo) and value.tzinfo.key:
        wire["zone"] = value.tzinfo.key
    return wire


def _in_zone(value: dt.datetime | dt.time, name: str) -> dt.datetime | dt.time:
    try:
        zone = ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # no such zone here: the offset says the same moment
        return value
    return value.astimezone(zone) if isinstance(value, dt.datetime) else value.replace(tzinfo=zone)


def _encode_duration(value: dt.timedelta) -> dict[str, Any]:
    seconds = value.total_seconds()
    return {KIND: "timedelta", "value": int(seconds) if seconds.is_integer() else seconds}


_ENCODERS: list[tuple[type | tuple[type, ...], Callable[[Any], Any]]] = [
    ((dt.datetime, dt.time), _encode_moment),
    (dt.date, lambda value: {KIND: "date", "value": value.isoformat()}),
    (dt.timedelta, _encode_duration),
    (Decimal, lambda value: {KIND: "decimal", "value": str(value)}),
    (UUID, lambda value: {KIND: "uuid", "value": str(value)}),
]

_DECODERS: dict[str, Callable[[Any], Any]] = {
    "datetime": dt.datetime.fromisoformat,
    "date": dt.date.fromisoformat,
    "time": dt.time.fromisoformat,
    "timedelta": lambda value: dt.timedelta(seconds=value),
    "decimal": Decimal,
    "uuid": UUID,
    "float": float,
}


def _load(artifact: Artifact, load: Load) -> Any:
    file = load(artifact)
    if artifact.type == "file":
        return file
    if artifact.type == "bytes":
        return file.read_bytes()
    if artifact.type == "json":
        return decode(json.loads(file.read_bytes()), load=load)
    from . import codecs

    return codecs.decode(artifact, file)


def refusal(value: object, path: str) -> TypeError:
    """Return the error that says why a value can't be stage data, and what can."""
    if isinstance(value, set | frozenset):
        mend = " Use a list: list(...) or sorted(...)."
    elif isinstance(value, Enum):
        mend = " Use its .value."
    elif isinstance(value, PurePath):
        mend = " Use pathlib.Path for a file, str for a name."
    elif hasattr(value, "__dataclass_fields__"):
        mend = " Use dataclasses.asdict(...)."
    elif hasattr(value, "to_frame"):
        mend = " Use .to_frame() or .to_list()."
    else:
        mend = ""
    return TypeError(
        f"{path} is of type {_type_name(value)}, which stage data can't hold.{mend} Allowed are {ALLOWED}."
    )


def _type_name(value: object) -> str:
    kind = type(value)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
