"""What conditions may do with values: guarded so that nothing runs code or takes long."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from jupyter_workflows.authoring.wire import Artifact

#: Larger integers are not calculated with.
MAX_BITS = 1024
#: Longer texts and lists are not made.
MAX_SIZE = 100_000

#: Number of arguments of each function, from and to (`None`: no limit).
ARGUMENTS: Mapping[str, tuple[int, int | None]] = {
    "len": (1, 1),
    "min": (1, None),
    "max": (1, None),
    "abs": (1, 1),
    "lower": (1, 1),
    "upper": (1, 1),
    "startswith": (2, 2),
}

ARITHMETIC: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}

_ORDER: Mapping[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}

_ARTIFACTS = {"dataframe": "a table", "array": "an array", "bytes": "bytes", "file": "a file"}
_NUMBERS = (int, float, Decimal)
_SCALARS = (str, bool, int, float, Decimal, datetime, date, time, timedelta, UUID, bytes)


class ConditionError(Exception):
    """A condition that cannot be evaluated over the stage data at hand.

    Parameters
    ----------
    name
        The name that is missing or cannot be used, if one is to blame.
    """

    def __init__(self, message: str, *, name: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.name = name


def kind(value: object) -> str:
    """Return what a value is, in words."""
    words: list[tuple[type | tuple[type, ...], str]] = [
        (bool, "a truth value"),
        (_NUMBERS, "a number"),
        (str, "a text"),
        (datetime, "a date with a time"),
        (date, "a date"),
        (time, "a time"),
        (timedelta, "a duration"),
        (bytes, "bytes"),
        (Mapping, "a mapping"),
        (list | tuple, "a list"),  # type: ignore[list-item]
    ]
    if value is None:
        return "nothing (None)"
    for types, word in words:
        if isinstance(value, types):
            return word
    if isinstance(value, Artifact):
        return _ARTIFACTS.get(value.type, "a large value")
    name = type(value).__name__
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"


def plain(value: object, node: ast.expr, *, deep: bool = False) -> object:
    """Return the value if it is plain data, which an artifact or frame is not.

    Parameters
    ----------
    deep
        Look into lists and mappings too.
    """
    opaque = _opaque(value, deep)
    if opaque is None:
        return value
    name = ast.unparse(node)
    if opaque is value:
        message = f"{name} is {kind(value)}: a condition can only use len({name})."
    else:
        message = f"{name} contains {kind(opaque)}, which a condition cannot look at."
    raise ConditionError(message, name=name)


def _opaque(value: object, deep: bool) -> object:
    """Return what is not plain data: the value or something in it; `None` if there is nothing."""
    if value is None or isinstance(value, _SCALARS):
        return None
    if not isinstance(value, list | tuple | Mapping):
        return value
    if deep:
        for item in value.values() if isinstance(value, Mapping) else value:
            found = _opaque(item, deep)
            if found is not None:
                return found
    return None


def truth(value: object, node: ast.expr) -> bool:
    """Return the truth of a value."""
    return bool(plain(value, node))


def compare(op: ast.cmpop, left: object, left_node: ast.expr, right: object, right_node: ast.expr) -> bool:
    """Compare two values, or tell whether one is in the other."""
    if isinstance(op, ast.Is | ast.IsNot):
        # Harmless for artifacts too: only None, True and False stand on the right.
        return (left is right) is isinstance(op, ast.Is)
    plain(left, left_node, deep=True)
    if isinstance(op, ast.In | ast.NotIn):
        # Of a mapping only the keys matter.
        plain(right, right_node, deep=not isinstance(right, Mapping))
        return _contains(left, left_node, right, right_node) is isinstance(op, ast.In)
    plain(right, right_node, deep=True)
    if isinstance(op, ast.Eq | ast.NotEq):
        return bool(left == right) is isinstance(op, ast.Eq)
    try:
        return bool(_ORDER[type(op)](left, right))
    except TypeError:
        raise ConditionError(
            f"{ast.unparse(left_node)} and {ast.unparse(right_node)} cannot be compared: "
            f"one is {kind(left)}, the other {kind(right)}{_why(left, right)}."
        ) from None


def arithmetic(left: object, right: object, node: ast.BinOp) -> object:
    """Calculate with two values."""
    plain(left, node.left)
    plain(right, node.right)
    text = ast.unparse(node)
    for value in (left, right):
        if isinstance(value, int) and value.bit_length() > MAX_BITS:
            raise ConditionError(f"{text} cannot be calculated: a number is too large.")
    both_sized = all(isinstance(value, str | list | tuple) for value in (left, right))
    any_sized = any(isinstance(value, str | bytes | list | tuple) for value in (left, right))
    # Repeating and formatting texts are not arithmetic, and can make huge ones.
    if any_sized and not (both_sized and isinstance(node.op, ast.Add)):
        raise _cannot(text, left, right)
    if both_sized and len(left) + len(right) > MAX_SIZE:  # type: ignore[arg-type]
        raise ConditionError(f"{text} cannot be calculated: the result is too long.")
    try:
        return ARITHMETIC[type(node.op)](left, right)
    except ZeroDivisionError:
        raise ConditionError(f"{text} cannot be calculated: division by zero.") from None
    except TypeError:
        raise _cannot(text, left, right) from None
    except ArithmeticError:
        raise ConditionError(f"{text} cannot be calculated: the result is too large.") from None


def negate(value: object, node: ast.UnaryOp) -> object:
    """Return the value with the sign of a unary operator."""
    plain(value, node.operand)
    if not isinstance(value, int | float | Decimal | timedelta):
        raise ConditionError(f"{ast.unparse(node)} cannot be calculated with {kind(value)}.")
    return -value if isinstance(node.op, ast.USub) else value


def call(name: str, arguments: list[object], node: ast.Call) -> object:
    """Call one of the functions that conditions may call."""
    if name != "len":
        for argument, argument_node in zip(arguments, node.args, strict=True):
            plain(argument, argument_node, deep=name in ("min", "max"))
    try:
        return FUNCTIONS[name](*arguments)
    except TypeError:
        given = " and ".join(kind(argument) for argument in arguments[:3])
        raise ConditionError(f"{ast.unparse(node)} does not work with {given}.") from None


def _len(value: Any) -> int:
    return len(value)


def _smallest(*values: Any) -> object:
    return min(_items("min", values))


def _largest(*values: Any) -> object:
    return max(_items("max", values))


def _items(name: str, values: tuple[Any, ...]) -> list[Any] | tuple[Any, ...]:
    if len(values) > 1:
        return values
    if not isinstance(values[0], list | tuple):
        raise TypeError
    if not values[0]:
        raise ConditionError(f"{name}() of an empty list has no value.")
    return values[0]


def _abs(value: Any) -> object:
    if not isinstance(value, int | float | Decimal | timedelta):
        raise TypeError
    return abs(value)


def _lower(text: Any) -> str:
    return _text(text).lower()


def _upper(text: Any) -> str:
    return _text(text).upper()


def _startswith(text: Any, prefix: Any) -> bool:
    return _text(text).startswith(_text(prefix))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


FUNCTIONS: Mapping[str, Callable[..., object]] = {
    "len": _len,
    "min": _smallest,
    "max": _largest,
    "abs": _abs,
    "lower": _lower,
    "upper": _upper,
    "startswith": _startswith,
}


def _contains(left: object, left_node: ast.expr, right: object, right_node: ast.expr) -> bool:
    try:
        return left in right  # type: ignore[operator]
    except TypeError:
        raise ConditionError(
            f"{ast.unparse(left_node)} cannot be looked for in {ast.unparse(right_node)}: "
            f"one is {kind(left)}, the other {kind(right)}."
        ) from None


def _cannot(text: str, left: object, right: object) -> ConditionError:
    return ConditionError(f"{text} cannot be calculated with {kind(left)} and {kind(right)}.")


def _why(left: object, right: object) -> str:
    both = any(isinstance(left, kind) and isinstance(right, kind) for kind in (datetime, time))
    return " (only one of them has a time zone)" if both else ""
