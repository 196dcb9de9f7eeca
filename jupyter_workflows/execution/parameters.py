"""Stage data as papermill parameters."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import papermill  # noqa: F401  (its modules import each other; the package goes first)
from papermill.exceptions import PapermillException
from papermill.translators import PythonTranslator, papermill_translators

from jupyter_workflows.execution.source import Source

#: Name under which papermill finds the translator below. It is not the name of a language, so that
#: papermill's own translator for Python stays as it is for everybody else in this process.
STAGE_PYTHON = "jupyter-workflows-python"

#: A longer value is read from the stage data instead of being written into the notebook.
_LITERAL_LIMIT = 4096


class StageRead(str):
    """A parameter whose value papermill cannot write: the expression that reads it from the stage data."""

    __slots__ = ()

    @classmethod
    def of(cls, key: str) -> StageRead:
        """Return the expression that reads `key`."""
        return cls(f"get_stage()[{json.dumps(key)}]")


class StageTranslator(PythonTranslator):  # type: ignore[misc]
    """Writes parameters for Python kernels.

    Other than papermill's own it writes reads from the stage data, and leaves out the pass through a
    code formatter, which takes longer than executing a small notebook.
    """

    @classmethod
    def translate(cls, val: Any) -> str:
        """Return `val` as Python source."""
        if isinstance(val, StageRead):
            return str(val)
        return str(super().translate(val))

    @classmethod
    def codify(cls, parameters: Mapping[str, Any], comment: str = "Parameters") -> str:
        """Return the source of the injected cell."""
        lines = [cls.comment(comment)]
        if any(isinstance(value, StageRead) for value in parameters.values()):
            lines.append("from jupyter_workflows import get_stage\n")
        lines += [cls.assign(name, cls.translate(value)) for name, value in parameters.items()]
        return "\n".join(lines) + "\n"


papermill_translators.register(STAGE_PYTHON, StageTranslator)


@dataclass(frozen=True, slots=True)
class Parameters:
    """What papermill is asked to inject.

    Parameters
    ----------
    language
        The language's name for papermill.
    """

    values: dict[str, Any]
    language: str
    warnings: list[str] = field(default_factory=list)


def stage_parameters(
    source: Source, data: Mapping[str, Any], *, kernel_name: str, language: str
) -> Parameters:
    """Return the stage-data values that the notebook's ``parameters`` cell declares.

    Parameters
    ----------
    data
        Stage data in wire form.
    language
        Language of the kernel.
    """
    is_python = language.lower() == "python"
    name = STAGE_PYTHON if is_python else language
    cell = source.tagged("parameters")
    if cell is None or not data:
        return Parameters({}, name)
    if is_python:
        declared = {parameter.name for parameter in StageTranslator.inspect(cell)}
        values = {
            key: value if _is_literal(value) else StageRead.of(key)
            for key, value in data.items()
            if key in declared
        }
        return Parameters(values, name)
    return _foreign_parameters(cell, data, kernel_name, language)


def _foreign_parameters(
    cell: dict[str, Any], data: Mapping[str, Any], kernel_name: str, language: str
) -> Parameters:
    try:
        translator = papermill_translators.find_translator(kernel_name, language)
    except PapermillException:
        return Parameters({}, language, [f"papermill cannot write parameters for {language}: none were set."])
    try:
        declared = {parameter.name for parameter in translator.inspect(cell)}
    except NotImplementedError:
        declared = {key for key in data if _assigns(cell["source"], key)}
    values: dict[str, Any] = {}
    warnings = []
    for key in sorted(declared & data.keys()):
        try:
            if not _is_literal(data[key]):
                raise NotImplementedError
            translator.translate(data[key])
        except NotImplementedError:
            warnings.append(f"The value of {key!r} cannot be written in {language}: it was not set.")
        else:
            values[key] = data[key]
    return Parameters(values, language, warnings)


def _assigns(code: str, name: str) -> bool:
    """Whether `code` looks as if it assigned `name`, in a language whose grammar is not known here."""
    pattern = rf"^\s*(?:\w+\s+)?{re.escape(name)}\s*(?::[^=\n]*)?(?:=|<-)"
    return re.search(pattern, code, re.MULTILINE) is not None


def _is_literal(value: Any) -> bool:
    """Whether papermill can write a value in wire form, and it is short enough to be read in a cell."""
    if value is None or isinstance(value, bool | int | float):
        return True
    if isinstance(value, str):
        return len(value) <= _LITERAL_LIMIT
    return _is_plain(value) and len(json.dumps(value)) <= _LITERAL_LIMIT


def _is_plain(value: Any) -> bool:
    if isinstance(value, dict):
        return "$kind" not in value and all(map(_is_plain, value.values()))
    if isinstance(value, list):
        return all(map(_is_plain, value))
    return True
