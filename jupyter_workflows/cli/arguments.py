"""Reading what is given on the command line: JSON, files with JSON, environment files."""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from .errors import CliError

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_EXAMPLE = """Write an object, in quotes for the shell: {option} '{{"key": "value"}}', or {option} @FILE"""


def expanded(path: str | Path) -> Path:
    """Return a path with ``~`` replaced."""
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise CliError(f"{path}: there is no such home folder", "Write the whole path") from error


def json_object(text: str | None, option: str) -> dict[str, Any] | None:
    """Return the JSON object that an option gives.

    Parameters
    ----------
    text
        JSON; ``@FILE`` reads a file, ``@-`` standard input.

    Raises
    ------
    CliError
        With the position of what is wrong.
    """
    if text is None:
        return None
    source = option
    if text.startswith("@"):
        source, text = _read(text[1:], option)
    value = json_value(text, source, option)
    if not isinstance(value, dict):
        raise CliError(
            f"{source} is {_kind(value)}, not a JSON object",
            _EXAMPLE.format(option=option),
            code="invalid-json",
        )
    return value


def json_value(text: str, source: str, option: str) -> Any:
    """Return the value of a JSON text.

    Parameters
    ----------
    source
        What the text is, for error messages: an option or a file.
    """

    def wrong(reason: str, mend: str) -> NoReturn:
        raise CliError(f"{source} is not JSON: {reason}", mend, code="invalid-json")

    def number(digits: str) -> float:
        value = float(digits)
        if math.isinf(value):
            wrong(f"the number {_short(digits)} is too large", "Write it as text, in quotes")
        return value

    def constant(name: str) -> NoReturn:
        wrong(f"{name} is not a JSON value", "Write null, or a number")

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in pairs:
            if key in found:
                wrong(f"the key {_short(key)!r} is there twice", "Remove or rename one of the two")
            found[key] = value
        return found

    try:
        value = json.loads(text, parse_float=number, parse_constant=constant, object_pairs_hook=members)
        json.dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        wrong(
            f"{error.msg} at line {error.lineno}, column {error.colno}{_excerpt(error)}",
            _EXAMPLE.format(option=option),
        )
    except UnicodeEncodeError:
        wrong("it has half a surrogate pair, which is not text", "Write the whole character")
    except RecursionError:
        wrong("it is nested too deeply", "Give large data as a file that a stage reads")
    except ValueError:
        wrong("it has a number with too many digits", "Write it as text, in quotes")
    return value


def environment_file(path: str | None) -> dict[str, str]:
    """Return the variables of a file with lines ``NAME=VALUE``.

    Empty lines and lines that begin with ``#`` are left out, ``export`` before a name is allowed, and so
    are quotes around a value. Nothing is expanded.
    """
    if path is None:
        return {}
    file = expanded(path)
    found: dict[str, str] = {}
    for number, line in enumerate(read_text(file, "--env-file").splitlines(), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        name, equals, value = line.removeprefix("export ").partition("=")
        name, value = name.strip(), value.strip()
        if not equals or not _NAME.fullmatch(name):
            raise CliError(
                f"{file}, line {number}: not NAME=VALUE",
                "Write one variable a line: NAME=VALUE",
                code="invalid-file",
            )
        if "\0" in value:
            raise CliError(
                f"{file}, line {number}: a value cannot hold a null character", code="invalid-file"
            )
        found[name] = _unquoted(value)
    return found


def _unquoted(value: str) -> str:
    for quote in ("'", '"'):
        if len(value) >= 2 and value[0] == value[-1] == quote:
            return value[1:-1]
    return value.partition(" #")[0].rstrip()


def assignments(pairs: tuple[str, ...], option: str, form: str) -> dict[str, str]:
    """Return repeated ``NAME=VALUE`` options as a mapping.

    Parameters
    ----------
    form
        What one looks like, for the error message.
    """
    found: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.strip():
            raise CliError(f"{option} {pair!r} is not {form}", f"Write {option} {form}")
        found[name.strip()] = value.strip()
    return found


def read_text(path: Path, option: str) -> str:
    """Return the text of a file that an option names."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise CliError(
            f"{option}: there is no file {path}", code="file-not-found", details={"file": str(path)}
        ) from None
    except UnicodeDecodeError as error:
        raise CliError(
            f"{option}: {path} is not text in UTF-8 (byte {error.start})",
            "Save the file with the encoding UTF-8",
            code="invalid-file",
            details={"file": str(path)},
        ) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise CliError(
            f"{option}: {path} cannot be read: {reason}", code="file-error", details={"file": str(path)}
        ) from None


def _read(name: str, option: str) -> tuple[str, str]:
    if name == "-":
        return f"standard input ({option})", sys.stdin.read()
    if not name:
        raise CliError(
            f"{option} @ names no file", f"Write {option} @FILE, or {option} @- for standard input"
        )
    try:
        file = expanded(name)
    except CliError as error:
        raise CliError(f"{option}: {error.message}", error.mend) from error
    return f"{file} ({option})", read_text(file, option)


def _excerpt(error: json.JSONDecodeError) -> str:
    """Return the line with the mistake and a mark below it."""
    lines = error.doc.splitlines()
    if error.lineno > len(lines):
        return ""
    line = lines[error.lineno - 1]
    begin = max(0, error.colno - 1 - 40)
    part = line[begin : begin + 70].replace("\t", " ")
    if not part.isprintable():
        return ""
    return f"\n  {part}\n  {' ' * (error.colno - 1 - begin)}^"


def _kind(value: Any) -> str:
    names: Mapping[type, str] = {
        list: "a list",
        str: "a text",
        int: "a number",
        float: "a number",
        bool: "true or false",
        type(None): "null",
    }
    return names[type(value)]


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:39]}…"
