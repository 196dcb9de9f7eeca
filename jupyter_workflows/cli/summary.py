"""What a run came to, in words: for `run`, `demo` and `runs show`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .errors import COMPLETED, FAILED, WAITING
from .output import Output, in_cell, state_text, table
from .progress import one_line

#: How many keys of the stage data, stage runs and errors a summary shows.
_KEYS = 12
_STAGES = 100
_ERRORS = 20


def exit_code(state: str) -> int:
    """Return the exit code for the state of a run."""
    return {"completed": COMPLETED, "waiting": WAITING}.get(state, FAILED)


def print_stages(output: Output, report: Mapping[str, Any]) -> None:
    """Print a table of a report's stage runs and where their executed notebooks are."""
    from rich.text import Text

    folder = _common_folder([stage["notebook"] for stage in report["stages"] if stage["notebook"]])
    made = table(["stage", "state", "attempts", "executed notebook"])
    for stage in report["stages"][:_STAGES]:
        notebook = stage["notebook"] or ""
        if folder is not None and notebook:
            notebook = str(Path(notebook).relative_to(folder))
        made.add_row(
            Text(stage["path"], style="bold"),
            state_text(stage["state"]),
            Text(str(stage["attempts"])),
            Text(notebook),
        )
    output.out.print(made)
    if len(report["stages"]) > _STAGES:
        output.print(f"… and {len(report['stages']) - _STAGES} more (--json shows all)")
    if folder is not None:
        output.print(f"\nThe executed notebooks are in {folder}")


def print_errors(output: Output, report: Mapping[str, Any]) -> None:
    """Print why stages failed, and where to look."""
    failed = [stage for stage in report["stages"] if stage["error"] is not None]
    # Where the run could complete, failed transitions took over.
    handled = " (handled)" if report["state"] == "completed" else ""
    for stage in failed[:_ERRORS]:
        error = stage["error"]
        words = f"{stage['path']}{in_cell(error.get('cell'))}: {error['name']}: {error['message']}{handled}"
        output.print(words, "yellow" if handled else "red")
        if stage["notebook"]:
            output.print(f"  {stage['notebook']}")
    if len(failed) > _ERRORS:
        output.print(f"… and {len(failed) - _ERRORS} more failed (--json shows all)")


def print_data(output: Output, data: Mapping[str, Any], title: str = "Data") -> None:
    """Print stage data, a line for each key."""
    from rich.text import Text

    if not data:
        return
    output.print(f"\n{title}", "bold")
    made = table(["key", "value"])
    made.show_header = False
    for key, value in list(data.items())[:_KEYS]:
        made.add_row(Text(key), Text(shown(value)))
    output.out.print(made)
    if len(data) > _KEYS:
        output.print(f"… and {len(data) - _KEYS} more (--json shows all)")


def shown(value: Any) -> str:
    """Return a value of the stage data as short text."""
    if isinstance(value, dict) and isinstance(kind := value.get("kind"), str):
        if kind == "artifact":
            return _artifact(value)
        if set(value) == {"kind", "value"}:
            return str(value["value"])
    if isinstance(value, str):
        return one_line(value, 100)
    return one_line(json.dumps(value, ensure_ascii=False, default=str), 100)


def _artifact(value: Mapping[str, Any]) -> str:
    parts = [str(value.get("type", "artifact"))]
    if value.get("name"):
        parts.append(str(value["name"]))
    if value.get("shape"):
        parts.append(" × ".join(str(length) for length in value["shape"]))
    return " ".join(parts)


def _common_folder(notebooks: list[str]) -> Path | None:
    """Return the folder that holds all of them, if it is worth naming once."""
    if not notebooks:
        return None
    import os.path

    try:
        common = Path(os.path.commonpath([str(Path(name).parent) for name in notebooks]))
    except ValueError:  # on different drives
        return None
    return common if len(common.parts) > 1 else None


def print_report(output: Output, report: Mapping[str, Any], *, quiet: bool) -> None:
    """Print what a run came to; `quiet`: only what needs attention."""
    state, run_id = report["state"], report["run"]
    if quiet and state == "completed":
        return
    if not quiet:
        print_stages(output, report)
    if state == "completed":
        print_data(output, report["data"])
        output.print(f"\nRun {run_id} completed.", "green")
        return
    if not quiet:
        output.print()
    print_errors(output, report)
    if state == "waiting":
        waiting = [stage["path"] for stage in report["stages"] if stage["state"] == "waiting"]
        output.print(f"Run {run_id} waits for: {', '.join(dict.fromkeys(waiting))}", "yellow")
        output.print("Answer forms with --answers, or with --test-answers as the document says.")
    else:
        words = "was cancelled" if state == "cancelled" else str(state)
        output.print(f"Run {run_id} {words}. More: jupyter workflows runs show {run_id}", "red")
