"""Canonical JSON text: one text for one value, the same from Python and from JavaScript.

Keys are sorted by UTF-16 code units, numbers are written as ECMAScript writes them (so 280.0 is ``280``),
nesting is indented by two spaces, text is not escaped more than JSON asks for.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

#: Deeper nesting is refused: no document needs it, and parsers of other languages may not survive it.
MAX_DEPTH = 100

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
#: Above it a float no longer tells neighbouring integers apart.
_MAX_SAFE_INTEGER = 2**53


def parse(text: str) -> Any:
    """Parse JSON strictly.

    Raises
    ------
    json.JSONDecodeError
        If the text is not JSON.
    ValueError
        If it has duplicate keys, numbers that are not finite, or is nested too deeply.
    """
    try:
        value = json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_not_finite,
            parse_float=_float,
            parse_int=_int,
        )
        return normalise(value)
    except RecursionError:
        raise ValueError(f"It is nested more than {MAX_DEPTH} levels deep.") from None


def normalise(value: Any, depth: int = 0) -> Any:
    """Return the value with integral floats as integers, as plain dicts and lists."""
    if depth > MAX_DEPTH:
        raise ValueError(f"It is nested more than {MAX_DEPTH} levels deep.")
    if isinstance(value, float) and value.is_integer() and abs(value) < _MAX_SAFE_INTEGER:
        return int(value)
    if isinstance(value, Mapping):
        return {key: normalise(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [normalise(item, depth + 1) for item in value]
    return value


def write(value: Any) -> str:
    """Return the canonical text of a JSON value, with a newline at its end."""
    parts: list[str] = []
    _write(value, "\n", parts)
    parts.append("\n")
    return "".join(parts)


def _write(value: Any, newline: str, parts: list[str]) -> None:
    if isinstance(value, Mapping):
        if not value:
            parts.append("{}")
            return
        inner = newline + "  "
        separator = "{" + inner
        for key in sorted(value, key=_utf16):
            parts += [separator, _string(key), ": "]
            _write(value[key], inner, parts)
            separator = "," + inner
        parts += [newline, "}"]
    elif isinstance(value, list | tuple):
        if not value:
            parts.append("[]")
            return
        inner = newline + "  "
        separator = "[" + inner
        for item in value:
            parts.append(separator)
            _write(item, inner, parts)
            separator = "," + inner
        parts += [newline, "]"]
    elif isinstance(value, str):
        parts.append(_string(value))
    elif value is None or isinstance(value, bool):
        parts.append({None: "null", True: "true", False: "false"}[value])
    elif isinstance(value, int):
        parts.append(str(int(value)))
    elif isinstance(value, float):
        parts.append(_number(value))
    else:
        raise TypeError(f"A {type(value).__name__} cannot be written as JSON.")


def _utf16(key: Any) -> bytes:
    if not isinstance(key, str):
        raise TypeError(f"Keys must be text, not {type(key).__name__}.")
    return key.encode("utf-16-be", "surrogatepass")


def _string(text: str) -> str:
    encoded = json.dumps(text, ensure_ascii=False)
    return _LONE_SURROGATE.sub(lambda match: f"\\u{ord(match[0]):04x}", encoded)


def _number(value: float) -> str:
    """Write a float as ECMAScript's Number::toString does."""
    if not math.isfinite(value):
        raise ValueError(f"{value} cannot be written as JSON.")
    if value == 0:
        return "0"
    # repr gives the shortest digits that read back the same, as ECMAScript asks for.
    mantissa, _, exponent = f"{abs(value)!r}".partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    point = len(whole) + int(exponent or 0)
    if whole == "0":
        point -= len(fraction) - len(fraction.lstrip("0")) + 1
    digits = digits.rstrip("0")
    sign = "-" if value < 0 else ""
    if len(digits) <= point <= 21:
        return sign + digits + "0" * (point - len(digits))
    if 0 < point <= 21:
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    tail = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{tail}e{'+' if point > 0 else '-'}{abs(point - 1)}"


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise DuplicateKey(key)
            seen.add(key)
    return result


class DuplicateKey(ValueError):
    """A JSON object has the same key twice."""

    def __init__(self, key: str) -> None:
        super().__init__(f"The key {key!r} appears twice in one object.")
        self.key = key


def _not_finite(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number.")


def _float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"The number {text[:40]} is too large.")
    return value


def _int(text: str) -> int:
    if len(text) > 40:
        raise ValueError(f"The number {text[:20]}… is too large.")
    return int(text)
