"""Reading and writing workflow documents."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from os import PathLike
from typing import Any

from pydantic import BaseModel, ValidationError

from . import canonical
from .findings import Finding
from .generated import (
    Board,
    DataReference,
    Document,
    FormStage,
    Group,
    HookAuth,
    HookStage,
    JobSchedule,
    JobStage,
    Note,
    Retries,
    ScriptStage,
    StageBase,
    StageTest,
    Transition,
)
from .slugs import slug, unique_path
from .upgrades import CURRENT_FORMAT, UpgradeError, upgrade
from .validation import findings_of

__all__ = [
    "CURRENT_FORMAT",
    "Board",
    "DataReference",
    "Document",
    "DocumentError",
    "FormStage",
    "Group",
    "HookAuth",
    "HookStage",
    "JobSchedule",
    "JobStage",
    "Note",
    "Retries",
    "ScriptStage",
    "Stage",
    "StageBase",
    "StageTest",
    "Transition",
    "dump",
    "load",
    "new_document",
    "read",
    "slug",
    "unique_path",
]

#: A stage of any type; all share the attributes of `StageBase`.
Stage = FormStage | HookStage | JobStage | ScriptStage


class DocumentError(Exception):
    """A workflow document that cannot be read.

    Parameters
    ----------
    path
        The file it came from, if any.
    findings
        What is wrong, at least one.
    """

    def __init__(self, path: str | None, findings: Sequence[Finding]) -> None:
        self.path = path
        self.findings = list(findings)
        super().__init__(str(self))

    def __str__(self) -> str:
        head = (
            "Not a valid workflow document" if self.path is None else f"{self.path} is not a valid workflow"
        )
        if len(self.findings) == 1:
            return f"{head}: {self.findings[0]}"
        return "\n".join([f"{head}:", *(f"- {finding}" for finding in self.findings)])


def load(text: str | bytes, *, path: str | PathLike[str] | None = None) -> Document:
    """Read a document from its text. No text at all is a new workflow.

    Parameters
    ----------
    path
        Where it came from, for error messages.

    Raises
    ------
    DocumentError
        If the text is not a valid document of this or an older format.
    """
    value = read(text, path=path)
    if value is None:
        return new_document("")
    name = None if path is None else str(path)
    try:
        return Document.model_validate(value, strict=True)
    except ValidationError as error:
        raise DocumentError(name, findings_of(error, value)) from None


def read(text: str | bytes, *, path: str | PathLike[str] | None = None) -> dict[str, Any] | None:
    """Read the JSON of a document, in the current format, without a look at its fields.

    Returns
    -------
    The JSON value, or `None` if there is no text at all.

    Raises
    ------
    DocumentError
        If it is not a JSON object of this or an older format.
    """
    name = None if path is None else str(path)
    value = _parse(text, name)
    return None if value is None else _upgrade(value, name)


def dump(document: Document) -> str:
    """Return the canonical text of a document. Only what was set is written."""
    return canonical.write(canonical.normalise(to_json(document)))


def to_json(document: Document) -> dict[str, Any]:
    """Return a document as JSON value, with only what was set."""
    value = _plain(document)
    assert isinstance(value, dict)
    return value


def new_document(title: str) -> Document:
    """Make an empty document with an identity of its own."""
    return Document(format=1, uid=str(uuid.uuid4()), title=title, stages={}, transitions={})


def _parse(text: str | bytes, path: str | None) -> dict[str, Any] | None:
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise _error(
                path,
                "invalid-encoding",
                f"Byte {error.start} is not UTF-8.",
                "Save the file with the encoding UTF-8.",
            ) from None
    text = text.removeprefix("\ufeff")
    if not text:
        return None
    try:
        value = canonical.parse(text)
    except json.JSONDecodeError as error:
        raise _error(
            path,
            "invalid-json",
            f"Not JSON: {error.msg} at line {error.lineno}, column {error.colno}.",
            "Mend the text there, or take an older version of the file.",
        ) from None
    except canonical.DuplicateKey as error:
        raise _error(path, "duplicate-key", str(error), "Remove or rename one of the two.") from None
    except ValueError as error:
        raise _error(path, "invalid-json", str(error), "Mend the value.") from None
    if not isinstance(value, dict):
        raise _error(
            path, "wrong-type", "A workflow document is a JSON object.", "An empty file is a new workflow."
        )
    return value


def _upgrade(value: dict[str, Any], path: str | None) -> dict[str, Any]:
    version = value.get("format")
    if version is None and isinstance(value.get("stages"), list):
        version = 0
    if version is None:
        raise _error(
            path,
            "missing-field",
            "The document does not say in which format it is.",
            f'If it is a workflow, add "format": {CURRENT_FORMAT}.',
            field="format",
        )
    if isinstance(version, bool) or not isinstance(version, int) or version < 0:
        raise _error(
            path,
            "bad-value",
            f"The format must be a number from 0 to {CURRENT_FORMAT}.",
            f'Write "format": {CURRENT_FORMAT}.',
            field="format",
        )
    if version > CURRENT_FORMAT:
        raise _error(
            path,
            "newer-format",
            f"The document has format {version} and was written by a newer version of Jupyter Workflows;"
            f" this one reads up to {CURRENT_FORMAT}.",
            "Upgrade jupyter_workflows.",
            field="format",
        )
    try:
        return upgrade(value, version)
    except UpgradeError as error:
        raise _error(path, "bad-value", error.message, error.mend, field=error.field) from None


def _error(
    path: str | None, code: str, message: str, mend: str, *, field: str | None = None
) -> DocumentError:
    return DocumentError(path, [Finding(code, "error", message, mend, field=field)])


def _plain(value: Any) -> Any:
    """Turn models into what was set of them; `None` in a field of ours means that it is not set."""
    if isinstance(value, BaseModel):
        result: dict[str, Any] = {}
        for name, field in type(value).model_fields.items():
            item = getattr(value, name)
            if name in value.model_fields_set and item is not None:
                result[field.alias or name] = _plain(item)
        for name, item in (value.model_extra or {}).items():
            result.setdefault(name, _plain(item))
        return result
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
