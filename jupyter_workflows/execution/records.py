"""What a kernel hands over after the last cell, and the errors that are no failures."""

from __future__ import annotations

from typing import Any

from nbformat import NotebookNode

from jupyter_workflows.execution import messages
from jupyter_workflows.execution.nodes import node
from jupyter_workflows.execution.session import Session
from jupyter_workflows.execution.spec import AttemptError

#: Asked of the kernel with the last, silent request: the stage's data, and where it goes on.
QUESTION = {
    "record": "__import__('jupyter_workflows.authoring.record', fromlist=['collect']).collect()",
}

#: Errors that trying again does not mend.
FINAL_ERRORS = frozenset({"RoutingError", "OnceUnresolved", "SyntaxError", "IndentationError", "TabError"})

MIME = "application/json"


def accept(session: Session, reply: dict[str, Any]) -> None:
    """Take the record out of the kernel's reply, or say why there is none."""
    result = session.result
    answer = (reply.get("user_expressions") or {}).get("record") or {}
    record = (answer.get("data") or {}).get(MIME)
    if answer.get("status") == "ok" and isinstance(record, dict) and record.get("format") == 1:
        result.record = record
        result.warnings += map(str, record.get("warnings") or ())
        error = record.get("error")
        if error:
            result.fail(AttemptError(error["name"], error["message"], error.get("cell"), retriable=False))
        return
    name = answer.get("ename") or reply.get("ename")
    value = answer.get("evalue") or reply.get("evalue") or ""
    if name in ("ModuleNotFoundError", "ImportError") and "jupyter_workflows" in value:
        result.fail(
            AttemptError(
                "PackageNotInstalled", messages.package_missing(session.kernel.executable), retriable=False
            )
        )
        return
    if record is not None:
        detail = "its jupyter_workflows is of another version; install the same one in its environment"
    else:
        detail = f"{name}: {value}" if name else "it did not answer"
    result.fail(AttemptError("RecordMissing", messages.no_record(messages.plain(detail))))


class ToleratedError(NotebookNode):
    """An error output that does not fail the notebook.

    papermill raises for every error output, also of a cell tagged ``raises-exception``. It asks the
    output's attribute; what is saved is the mapping.
    """

    @property
    def output_type(self) -> str:
        """What papermill sees."""
        return "tolerated-error"


def tolerate(cell: NotebookNode, output: NotebookNode) -> None:
    """Keep papermill from failing the notebook for an error that the cell may raise."""
    place = next(index for index, other in enumerate(cell["outputs"]) if other is output)
    cell["outputs"][place] = ToleratedError(output)  # type: ignore[no-untyped-call]


def replace_error(cell: NotebookNode, name: str, value: str) -> None:
    """Show what ended a notebook on purpose as a plain line instead of an error."""
    text = messages.plain(value) or name
    for place, output in enumerate(cell["outputs"]):
        if output["output_type"] == "error" and output["ename"] == name:
            cell["outputs"][place] = node(output_type="stream", name="stdout", text=f"{text}\n")
