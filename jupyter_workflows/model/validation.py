"""Pydantic's validation errors in plain words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from .findings import Finding

#: Member of the stage union that each type is validated as.
_MEMBERS = {"form": "FormStage", "hook": "HookStage", "job": "JobStage", "script": "ScriptStage"}

_EXPECTED = {
    "string_type": "a text",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "list_type": "a list",
    "dict_type": "an object",
    "model_type": "an object",
    "model_attributes_type": "an object",
}


def findings_of(error: ValidationError, value: Mapping[str, Any]) -> list[Finding]:
    """Turn a validation error of a document into findings.

    Parameters
    ----------
    value
        The JSON value that was validated.
    """
    findings = _stages_without_type(value)
    untyped = {finding.stage for finding in findings}
    expectations: dict[tuple[str | int, ...], list[tuple[str, str, str]]] = {}
    for detail in error.errors(include_url=False, include_context=True, include_input=True):
        location = _location(detail["loc"], value, missing=detail["type"] == "missing")
        if location is None or (len(location) > 1 and location[0] == "stages" and location[1] in untyped):
            continue
        expectations.setdefault(location, []).append(_in_words(detail))
    for location, words in expectations.items():
        if any(len(other) > len(location) and other[: len(location)] == location for other in expectations):
            # Another member of the union fits better; what is wrong lies in it.
            continue
        code = words[0][0]
        expected = " or ".join(dict.fromkeys(word for _, word, _ in words))
        if code == "missing-field":
            message, mend = "It is missing.", f'Add "{location[-1]}".'
        else:
            message, mend = f"It must be {expected}, not {words[0][2]}.", f"Write {expected}."
        findings.append(_finding(code, location, message, mend))
    return findings


def _stages_without_type(value: Mapping[str, Any]) -> list[Finding]:
    stages = value.get("stages")
    if not isinstance(stages, Mapping):
        return []
    types = ", ".join(_MEMBERS)
    findings = []
    for key, stage in stages.items():
        if isinstance(stage, Mapping) and str(stage.get("type")) not in _MEMBERS:
            code, message = "missing-field", "It is missing."
            if "type" in stage:
                code, message = "bad-value", f"{_short(stage['type'])} is not a type of stage."
            findings.append(
                Finding(code, "error", message, f"Choose one of: {types}.", stage=key, field="type")
            )
    return findings


def _location(loc: tuple[str | int, ...], value: Any, *, missing: bool) -> tuple[str | int, ...] | None:
    """Return the path of an error in the JSON value, without the unions' members.

    Returns
    -------
    The path, or `None` if the error is about a member that the stage does not claim to be.
    """
    path: list[str | int] = []
    if len(loc) > 2 and loc[0] == "stages":
        stage = value["stages"][loc[1]]
        kind = stage.get("type") if isinstance(stage, Mapping) else None
        if isinstance(stage, Mapping) and _MEMBERS.get(str(kind)) != loc[2]:
            return None
        path, value, loc = ["stages", loc[1]], stage, loc[3:]
    for index, part in enumerate(loc):
        inside = part in value if isinstance(value, Mapping) else isinstance(value, list)
        if inside and (isinstance(value, Mapping) or isinstance(part, int)):
            value = value[part]
        elif not (missing and index == len(loc) - 1):
            # The member of a union that pydantic tried.
            continue
        path.append(part)
    return tuple(path)


def _in_words(detail: Any) -> tuple[str, str, str]:
    """Return code, what was expected, and what was found."""
    kind, context, found = detail["type"], detail.get("ctx", {}), _short(detail["input"])
    if kind == "missing":
        return "missing-field", "", found
    if kind in _EXPECTED:
        return "wrong-type", _EXPECTED[kind], found
    if kind == "literal_error":
        return "bad-value", str(context["expected"]), found
    if kind == "greater_than":
        return "bad-value", f"more than {context['gt']:g}", found
    if kind == "greater_than_equal":
        return "bad-value", f"at least {context['ge']:g}", found
    if kind in ("too_short", "too_long"):
        few = kind == "too_short"
        limit = context["min_length"] if few else context["max_length"]
        return "bad-value", f"a list of at {'least' if few else 'most'} {limit}", found
    if kind == "string_pattern_mismatch":
        return "bad-value", "an identifier of letters, digits, - and _", found
    return "bad-value", str(detail["msg"]), found


def _finding(code: str, location: tuple[str | int, ...], message: str, mend: str) -> Finding:
    stage = transition = None
    rest = location
    if len(location) > 1 and location[0] == "stages":
        stage, rest = str(location[1]), location[2:]
    elif len(location) > 1 and location[0] == "transitions":
        transition, rest = str(location[1]), location[2:]
    field = ""
    for part in rest:
        field += f"[{part}]" if isinstance(part, int) else f".{part}"
    return Finding(
        code, "error", message, mend, stage=stage, transition=transition, field=field.lstrip(".") or None
    )


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 40 else f"{text[:39]}…"
