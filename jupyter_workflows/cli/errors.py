"""The one door through which errors become what a person, or a program, reads."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import click

#: How commands end. `runs` and `run` use 1 for a run that failed and 3 for one that waits for somebody.
COMPLETED = 0
FAILED = 1
WRONG_USE = 2
WAITING = 3
UNEXPECTED = 70
INTERRUPTED = 130
BROKEN_PIPE = 141

#: Codes of errors whose class is named differently.
_CODES = {"DocumentError": "invalid-workflow", "RunnerError": "wrong-use", "EntryError": "wrong-use"}

_PACKAGE = __name__.partition(".")[0]


class CliError(Exception):
    """Something that the person at the terminal can mend.

    Parameters
    ----------
    message
        What is wrong: it names the file, the stage and the field.
    mend
        What to do about it; may be empty.
    code
        Stable name of the kind of error, for programs.
    details
        More for programs, such as the choices.
    """

    def __init__(
        self,
        message: str,
        mend: str = "",
        *,
        code: str = "wrong-use",
        exit_code: int = WRONG_USE,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.mend = mend
        self.code = code
        self.exit_code = exit_code
        self.details = dict(details or {})


class FindingsError(CliError):
    """Findings that forbid what was asked; they are shown as `check` shows them.

    Parameters
    ----------
    findings
        As JSON values.
    """

    def __init__(self, message: str, mend: str, findings: Sequence[Mapping[str, Any]]) -> None:
        super().__init__(message, mend, code="invalid-workflow")
        self.findings = [dict(finding) for finding in findings]


@dataclass(frozen=True, slots=True)
class Problem:
    """An error in words, and the exit code that it ends the command with."""

    message: str
    mend: str = ""
    code: str = "wrong-use"
    exit_code: int = WRONG_USE
    details: Mapping[str, Any] = field(default_factory=dict)
    findings: Sequence[Mapping[str, Any]] = ()
    unexpected: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return what ``--json`` prints instead of a result."""
        error = {"code": self.code, "message": self.message, "mend": self.mend or None, **self.details}
        return {"error": error, "findings": [dict(finding) for finding in self.findings]}


def require_text(value: str, what: str) -> None:
    """Refuse what is not text, such as a path whose bytes are not UTF-8: no document could name it.

    Raises
    ------
    CliError
        It is not text.
    """
    try:
        value.encode()
    except UnicodeEncodeError:
        raise CliError(
            f"{what} {value.encode(errors='backslashreplace').decode()} is not text in UTF-8",
            "Rename the file or folder, if it is one",
        ) from None


def explain(error: BaseException) -> Problem:
    """Return an error in words."""
    if isinstance(error, CliError):
        findings = error.findings if isinstance(error, FindingsError) else ()
        return Problem(error.message, error.mend, error.code, error.exit_code, error.details, findings)
    if isinstance(error, click.ClickException):
        return _explain_click(error)
    if type(error).__module__.partition(".")[0] == _PACKAGE:
        return _explain_own(error)
    if isinstance(error, OSError) and error.filename is not None:
        return Problem(
            f"{_file_name(error.filename)}: {error.strerror or error}",
            code="file-error",
            details={"file": _file_name(error.filename)},
        )
    name, text = type(error).__name__, " ".join(str(error).split())
    return Problem(
        f"Something unexpected went wrong: {name}: {text}"
        if text
        else f"Something unexpected went wrong: {name}",
        _how_to_report(),
        code="unexpected",
        exit_code=UNEXPECTED,
        unexpected=True,
    )


def _explain_click(error: click.ClickException) -> Problem:
    mend = ""
    if isinstance(error, click.UsageError) and error.ctx is not None:
        mend = f"See: {error.ctx.command_path} --help"
    return Problem(error.format_message(), mend, exit_code=WRONG_USE)


def _explain_own(error: BaseException) -> Problem:
    """Explain an exception that this package defines: all of them are written for a person."""
    findings = [
        finding.to_json() if hasattr(finding, "to_json") else dict(finding)
        for finding in getattr(error, "findings", ())
    ]
    path = getattr(error, "path", None)
    message = str(getattr(error, "message", "") or error)
    if findings:
        # The findings say the rest.
        message = f"{path} is not a valid workflow" if path else message.partition("\n")[0]
        if path:
            findings = [{"document": str(path), **finding} for finding in findings]
    details: dict[str, Any] = {}
    if path:
        details["file"] = str(path)
    if choices := getattr(error, "choices", None):
        details["choices"] = list(choices)
    return Problem(
        _sentence(message),
        _sentence(str(getattr(error, "mend", "") or "")),
        code=_code(type(error).__name__),
        details=details,
        findings=findings,
    )


def _sentence(text: str) -> str:
    """Return `text` with a capital, unless it begins with a name or a path."""
    first = text.partition(" ")[0]
    return text[0].upper() + text[1:] if first.isalpha() and first.islower() and first.isascii() else text


def _code(name: str) -> str:
    return (
        _CODES.get(name)
        or re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower().removesuffix("-error")
        or "error"
    )


def _file_name(name: object) -> str:
    return name.decode(errors="backslashreplace") if isinstance(name, bytes) else str(name)


def _how_to_report() -> str:
    from importlib.metadata import PackageNotFoundError, metadata

    where = ""
    try:
        for line in metadata(_PACKAGE).get_all("Project-URL") or ():
            label, _, url = line.partition(", ")
            if label.casefold() in ("issues", "tracker", "bug tracker"):
                where = f" at {url}"
    except PackageNotFoundError:
        pass
    return (
        f"This is a mistake of ours: please report it{where}, with what the same command prints with --debug."
    )
