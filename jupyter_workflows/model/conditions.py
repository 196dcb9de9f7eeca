"""Conditions of transitions: expressions over the stage data.

A condition is a Python expression of which little is allowed: names, comparison, membership, boolean and
arithmetic operators without powers, list and tuple literals, attributes and items of mappings, and a few
functions. It cannot call methods and cannot take long.
"""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Callable, Mapping
from typing import Any

from simpleeval import SimpleEval

from . import operations
from .operations import ConditionError

__all__ = ["FUNCTIONS", "Condition", "ConditionError", "ConditionSyntaxError", "parse"]

#: Expressions in a condition, nested ones included.
MAX_NODES = 200
MAX_DEPTH = 60
MAX_LENGTH = 5_000

#: Names of the functions that a condition may call.
FUNCTIONS: frozenset[str] = frozenset(operations.FUNCTIONS)

_ALLOWED = (
    ast.BoolOp,
    ast.BinOp,
    ast.UnaryOp,
    ast.Compare,
    ast.Call,
    ast.Constant,
    ast.Attribute,
    ast.Subscript,
    ast.Name,
    ast.List,
    ast.Tuple,
)

#: What people know the refused kinds of expressions as.
_NAMES = {
    ast.Lambda: "A lambda",
    ast.IfExp: "“… if … else …”",
    ast.Dict: "A dict",
    ast.Set: "A set",
    ast.ListComp: "A comprehension",
    ast.SetComp: "A comprehension",
    ast.DictComp: "A comprehension",
    ast.GeneratorExp: "A comprehension",
    ast.NamedExpr: "The operator :=",
    ast.JoinedStr: "An f-string",
    ast.Starred: "A *",
    ast.Slice: "A slice",
    ast.Await: "await",
    ast.Yield: "yield",
    ast.YieldFrom: "yield",
    ast.Pow: "The operator **",
    ast.MatMult: "The operator @",
    ast.BitOr: "The operator |",
    ast.BitAnd: "The operator &",
    ast.BitXor: "The operator ^",
    ast.Invert: "The operator ~",
    ast.LShift: "The operator <<",
    ast.RShift: "The operator >>",
}


_ASSIGNMENT = re.compile(r"(?<![=!<>:])=(?!=)")


class ConditionSyntaxError(ConditionError):
    """A condition that cannot be read.

    Parameters
    ----------
    line, column
        Where, counted from 1.
    """

    def __init__(self, message: str, line: int = 1, column: int = 1) -> None:
        super().__init__(message)
        self.line = line
        self.column = column


class Condition:
    """A condition that was read and can be evaluated, any number of times. Made by `parse`."""

    def __init__(self, source: str, tree: ast.expr) -> None:
        self.source = source
        self._tree = tree
        called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
        #: Keys of the stage data that it reads.
        self.names = frozenset(
            node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and id(node) not in called
        )

    def __repr__(self) -> str:
        return f"Condition({self.source!r})"

    def evaluate(self, data: Mapping[str, object]) -> bool:
        """Tell whether the condition holds for the stage data.

        Raises
        ------
        ConditionError
            If a name is missing or a value cannot be used like this.
        """
        evaluator = _Evaluator(data)
        try:
            return operations.truth(evaluator.eval(self.source, self._tree), self._tree)
        except ConditionError:
            raise
        except RecursionError:
            raise ConditionError(f"A value in {self.source!r} is nested too deeply.") from None
        except Exception as error:
            raise ConditionError(f"{self.source!r} cannot be evaluated: {error}") from error


def parse(source: str) -> Condition:
    """Read a condition.

    Raises
    ------
    ConditionSyntaxError
        If it is not an expression, or uses more than conditions may.
    """
    text = source.strip()
    if not text:
        raise ConditionSyntaxError("The condition is empty.")
    if len(text) > MAX_LENGTH:
        raise ConditionSyntaxError(f"The condition is longer than {MAX_LENGTH} characters.")
    # Positions are those in what the person wrote.
    before = source[: source.index(text)]
    first_line = before.count("\n") + 1
    indent = len(before) - before.rfind("\n") - 1
    try:
        tree = ast.parse(text, mode="eval").body
    except SyntaxError as error:
        line = error.lineno or 1
        column = (error.offset or 1) + (indent if line == 1 else 0)
        raise ConditionSyntaxError(_explain(error, text), line + first_line - 1, max(column, 1)) from None
    except (ValueError, RecursionError, MemoryError):
        raise ConditionSyntaxError("The condition cannot be read.", first_line, indent + 1) from None
    try:
        _check(tree)
    except _Refused as refused:
        line = getattr(refused.node, "lineno", 1)
        column = getattr(refused.node, "col_offset", 0) + 1 + (indent if line == 1 else 0)
        raise ConditionSyntaxError(refused.message, line + first_line - 1, column) from None
    return Condition(source, tree)


class _Refused(Exception):
    def __init__(self, node: ast.AST, message: str) -> None:
        super().__init__(message)
        self.node = node
        self.message = message


def _check(tree: ast.expr) -> None:
    """Refuse whatever is not allowed, before anything is evaluated."""
    count = 0
    # Without recursion, so that the depth is counted before it can hurt.
    pending: list[tuple[ast.expr, int]] = [(tree, 1)]
    while pending:
        node, depth = pending.pop()
        count += 1
        if count > MAX_NODES:
            raise _Refused(tree, f"The condition has more than {MAX_NODES} parts.")
        if depth > MAX_DEPTH:
            raise _Refused(node, f"The condition is nested more than {MAX_DEPTH} levels deep.")
        if not isinstance(node, _ALLOWED):
            raise _Refused(node, f"{_name(node)} cannot be used in a condition.")
        _check_node(node)
        children = node.args if isinstance(node, ast.Call) else ast.iter_child_nodes(node)
        pending += [(child, depth + 1) for child in children if isinstance(child, ast.expr)]


def _check_node(node: ast.expr) -> None:
    if isinstance(node, ast.BinOp) and type(node.op) not in operations.ARITHMETIC:
        raise _Refused(node, f"{_name(node.op)} cannot be used in a condition.")
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Invert):
        raise _Refused(node, f"{_name(node.op)} cannot be used in a condition.")
    if isinstance(node, ast.Constant):
        _check_constant(node)
    elif isinstance(node, ast.Compare):
        sides = [node.left, *node.comparators]
        for index, op in enumerate(node.ops):
            if isinstance(op, ast.Is | ast.IsNot) and not _is_singleton(sides[index + 1]):
                raise _Refused(node, "“is” compares with None, True or False only; use == instead.")
    elif isinstance(node, ast.Call):
        _check_call(node)


def _check_constant(node: ast.Constant) -> None:
    value = node.value
    if value is not None and not isinstance(value, str | bool | int | float):
        raise _Refused(node, f"{ast.unparse(node)[:40]} cannot be used in a condition.")
    if isinstance(value, int) and value.bit_length() > operations.MAX_BITS:
        raise _Refused(node, "The number is too large.")


def _check_call(node: ast.Call) -> None:
    allowed = ", ".join(sorted(FUNCTIONS))
    if isinstance(node.func, ast.Attribute):
        raise _Refused(node, f"Methods cannot be called in a condition; there are only {allowed}.")
    if not isinstance(node.func, ast.Name) or node.func.id not in FUNCTIONS:
        name = ast.unparse(node.func)[:40]
        raise _Refused(node, f"{name}() cannot be called in a condition; there are only {allowed}.")
    if node.keywords:
        raise _Refused(node, f"{node.func.id}() takes no named arguments in a condition.")
    least, most = operations.ARGUMENTS[node.func.id]
    if not least <= len(node.args) <= (most or len(node.args)):
        wanted = f"{least}" if most == least else f"at least {least}"
        raise _Refused(node, f"{node.func.id}() takes {wanted} argument{'s' if least > 1 else ''}.")


def _is_singleton(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and (node.value is None or isinstance(node.value, bool))


def _name(node: ast.AST) -> str:
    return _NAMES.get(type(node), f"“{type(node).__name__}”")


def _explain(error: SyntaxError, text: str) -> str:
    for wrong, right in (("&&", "and"), ("||", "or"), ("===", "==")):
        if wrong in text:
            return f"Not an expression; write “{right}” instead of “{wrong}”."
    if _ASSIGNMENT.search(text):
        return "Not an expression; use == to compare."
    return f"Not an expression: {error.msg}."


class _Evaluator(SimpleEval):  # type: ignore[misc]
    """The library's evaluator with handlers for allowed nodes only, each of them guarded."""

    def __init__(self, data: Mapping[str, object]) -> None:
        super().__init__(operators={}, functions={}, names={})
        self._data = data
        self.nodes: dict[type[ast.AST], Callable[[Any], Any]] = {
            ast.BoolOp: self._eval_boolop,
            ast.BinOp: self._eval_binop,
            ast.UnaryOp: self._eval_unaryop,
            ast.Compare: self._eval_compare,
            ast.Call: self._eval_call,
            ast.Constant: self._eval_constant,
            ast.Attribute: self._eval_attribute,
            ast.Subscript: self._eval_subscript,
            ast.Name: self._eval_name,
            ast.List: self._eval_list,
            ast.Tuple: self._eval_tuple,
        }

    def _check_disallowed_items(self, item: object) -> None:
        # The library walks whole containers after each node. Here the operations refuse whatever
        # is not plain data, and there is nothing to call.
        return

    def _eval_name(self, node: ast.Name) -> object:
        if node.id in self._data:
            return self._data[node.id]
        raise ConditionError(
            f"There is no {node.id!r} in the stage data{_alternatives(node.id, self._data)}", name=node.id
        )

    def _eval_attribute(self, node: ast.Attribute) -> object:
        return self._item(node.value, node.attr, ast.unparse(node))

    def _eval_subscript(self, node: ast.Subscript) -> object:
        key = operations.plain(self._eval(node.slice), node.slice)
        return self._item(node.value, key, ast.unparse(node))

    def _item(self, node: ast.expr, key: object, text: str) -> object:
        mapping = operations.plain(self._eval(node), node)
        if not isinstance(mapping, Mapping):
            raise ConditionError(
                f"{text} cannot be read: {ast.unparse(node)} is {operations.kind(mapping)}, not a mapping."
            )
        if not isinstance(key, str | int | float | bool | None):
            raise ConditionError(f"{text} cannot be read: {operations.kind(key)} cannot be a key.")
        if key not in mapping:
            hint = _alternatives(key, mapping)
            raise ConditionError(f"There is no {key!r} in {ast.unparse(node)}{hint}", name=text)
        value: object = mapping[key]
        return value

    def _eval_boolop(self, node: ast.BoolOp) -> object:
        stop = isinstance(node.op, ast.Or)
        value: object = None
        for operand in node.values:
            value = self._eval(operand)
            if operations.truth(value, operand) is stop:
                break
        return value

    def _eval_unaryop(self, node: ast.UnaryOp) -> object:
        value = self._eval(node.operand)
        if isinstance(node.op, ast.Not):
            return not operations.truth(value, node.operand)
        return operations.negate(value, node)

    def _eval_binop(self, node: ast.BinOp) -> object:
        return operations.arithmetic(self._eval(node.left), self._eval(node.right), node)

    def _eval_compare(self, node: ast.Compare) -> bool:
        left_node = node.left
        left = self._eval(left_node)
        for op, right_node in zip(node.ops, node.comparators, strict=True):
            right = self._eval(right_node)
            if not operations.compare(op, left, left_node, right, right_node):
                return False
            left, left_node = right, right_node
        return True

    def _eval_call(self, node: ast.Call) -> object:
        assert isinstance(node.func, ast.Name)
        return operations.call(node.func.id, [self._eval(argument) for argument in node.args], node)

    def _eval_list(self, node: ast.List) -> list[object]:
        return [self._eval(item) for item in node.elts]

    def _eval_tuple(self, node: ast.Tuple) -> tuple[object, ...]:
        return tuple(self._eval(item) for item in node.elts)


def _alternatives(wanted: object, mapping: Mapping[Any, object]) -> str:
    names = sorted(key for key in mapping if isinstance(key, str))
    if not names:
        return ", which is empty."
    close = difflib.get_close_matches(wanted, names[:1000], n=1) if isinstance(wanted, str) else []
    shown = ", ".join(names[:20]) + (", …" if len(names) > 20 else "")
    hint = f" Did you mean {close[0]!r}?" if close else ""
    return f"; there is {shown}.{hint}"
