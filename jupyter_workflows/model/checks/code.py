"""Reading the code of a notebook without running it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

#: Cell magics whose body is Python all the same.
_PYTHON_MAGICS = frozenset({"%%time", "%%timeit", "%%capture", "%%prun"})


@dataclass(frozen=True, slots=True)
class Cell:
    """A code cell that could be parsed: its index in the notebook and its syntax tree."""

    index: int
    tree: ast.Module


@dataclass(frozen=True, slots=True)
class Named:
    """A name that a notebook's code mentions, and the cell it is in."""

    name: str
    cell: int


def python_cells(notebook: Mapping[str, Any]) -> list[Cell]:
    """Return the code cells of a Python notebook; none of a notebook in another language."""
    if language(notebook) != "python":
        return []
    cells = []
    for index, cell in enumerate(notebook.get("cells", [])):
        if cell.get("cell_type") != "code":
            continue
        source = cell.get("source", "")
        tree = _parse("".join(source) if isinstance(source, list) else str(source))
        if tree is not None:
            cells.append(Cell(index, tree))
    return cells


def language(notebook: Mapping[str, Any]) -> str:
    """Return the language of a notebook; one that does not say is Python."""
    metadata = notebook.get("metadata")
    for section, field in (("language_info", "name"), ("kernelspec", "language")):
        found = metadata.get(section) if isinstance(metadata, Mapping) else None
        if isinstance(found, Mapping) and isinstance(found.get(field), str):
            return str(found[field]).lower()
    return "python"


def imports(cells: list[Cell]) -> list[Named]:
    """Return the top-level modules that cells import, each once; not those that may be missing."""
    found: dict[str, Named] = {}
    for cell in cells:
        for node in _walk_required(cell.tree):
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                modules = [node.module]
            else:
                continue
            for module in modules:
                name = module.partition(".")[0]
                found.setdefault(name, Named(name, cell.index))
    return list(found.values())


def next_stages(cells: list[Cell]) -> list[Named]:
    """Return the stages that calls of `next_stage` name literally."""
    names = {"next_stage"}
    found = []
    for cell in cells:
        for node in ast.walk(cell.tree):
            if isinstance(node, ast.ImportFrom) and node.module == "jupyter_workflows":
                names |= {alias.asname for alias in node.names if alias.name == "next_stage" and alias.asname}
    for cell in cells:
        for node in ast.walk(cell.tree):
            if isinstance(node, ast.Call) and _called(node.func) in names:
                found += [Named(name, cell.index) for name in _stages_of(node)]
    return found


def _called(function: ast.expr) -> str | None:
    if isinstance(function, ast.Attribute):
        return function.attr if function.attr == "next_stage" else None
    return function.id if isinstance(function, ast.Name) else None


def _stages_of(call: ast.Call) -> Iterator[str]:
    for keyword in call.keywords:
        if keyword.arg == "stage":
            yield from _texts(keyword.value)
        elif keyword.arg is not None:
            yield from _entries(keyword.value)
    for argument in call.args:
        yield from _entries(argument)


def _entries(node: ast.expr) -> Iterator[str]:
    """Yield the stages of an entry, or of a list of entries."""
    if isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant) and key.value == "stage":
                yield from _texts(value)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "dict":
        for keyword in node.keywords:
            if keyword.arg == "stage":
                yield from _texts(keyword.value)
    elif isinstance(node, ast.List | ast.Tuple):
        for item in node.elts:
            yield from _entries(item)
    elif isinstance(node, ast.ListComp | ast.GeneratorExp):
        yield from _entries(node.elt)
    elif isinstance(node, ast.IfExp):
        yield from _entries(node.body)
        yield from _entries(node.orelse)


def _texts(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from _texts(node.body)
        yield from _texts(node.orelse)


def _walk_required(tree: ast.AST) -> Iterator[ast.AST]:
    """Walk a tree, without what is tried and may fail with an `ImportError`."""
    pending: list[ast.AST] = [tree]
    while pending:
        node = pending.pop(0)
        yield node
        if isinstance(node, ast.Try) and any(_catches_import_error(handler) for handler in node.handlers):
            pending += [*node.orelse, *node.finalbody]
        elif not _type_checking(node):
            pending += ast.iter_child_nodes(node)


def _catches_import_error(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    known = {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}
    return any(isinstance(name, ast.Name) and name.id in known for name in caught)


def _type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")


def _parse(source: str) -> ast.Module | None:
    if source.startswith("%%"):
        first, _, source = source.partition("\n")
        if first.split()[0] not in _PYTHON_MAGICS:
            return None
    tree = _try_parse(source)
    return tree if tree is not None else _try_parse(_without_magics(source))


def _try_parse(source: str) -> ast.Module | None:
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _without_magics(source: str) -> str:
    """Turn IPython's syntax into Python's."""
    try:
        from IPython.core.inputtransformer2 import TransformerManager
    except ImportError:
        lines = source.splitlines()
        # Blank lines of the same depth would not do as the body of a block.
        return "\n".join(
            f"{line[: len(line) - len(line.lstrip())]}pass" if line.lstrip()[:1] in ("%", "!", "?") else line
            for line in lines
        )
    try:
        return str(TransformerManager().transform_cell(source))  # type: ignore[no-untyped-call]
    except SyntaxError:
        return ""
