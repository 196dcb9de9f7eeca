"""``jupyter workflows new``: make a project with a first stage."""

from __future__ import annotations

import os
import re
from pathlib import Path

import click

from jupyter_workflows.cli.arguments import expanded
from jupyter_workflows.cli.base import Command
from jupyter_workflows.cli.errors import CliError
from jupyter_workflows.cli.loading import SUFFIX, typed
from jupyter_workflows.cli.output import Output, json_option, pass_output
from jupyter_workflows.cli.templates import document_text, notebook_name, notebook_text

_REQUIREMENTS = "jupyter_workflows\n"


@click.command(cls=Command)
@click.argument("path")
@click.option(
    "--type",
    "kind",
    type=click.Choice(["form", "hook", "job", "script"]),
    default="script",
    show_default=True,
    help="Type of the first stage: a form asks a person, a hook answers requests, a job follows a schedule, "
    "a script runs when its turn comes.",
)
@click.option("--title", help="Title of the workflow; by default made from its name.")
@json_option
@pass_output
def new(output: Output, path: str, kind: str, title: str | None) -> None:
    """Make a project with a first stage: a workflow, its notebook, and requirements.txt.

    PATH is a folder, or a file that ends in .workflow. Nothing that exists is overwritten.

    \b
    Examples:
      jupyter workflows new expenses
      jupyter workflows new expenses --type form --title "Expense approval"
      jupyter workflows new reports/weekly.workflow --type job
    """
    document = _document_path(path)
    folder = document.parent
    notebook = folder / "stages" / notebook_name(kind)
    title = (title if title is not None else _title(document.stem)).strip()
    if not title:
        raise CliError("--title is empty", "Give the workflow a title")
    files = {
        document: document_text(title, kind, f"stages/{notebook.name}"),
        notebook: notebook_text(kind),
    }
    requirements = folder / "requirements.txt"
    # Another workflow of the same project has it already.
    if not os.path.lexists(requirements):
        files[requirements] = _REQUIREMENTS
    _refuse_existing(list(files))
    for file, text in files.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
    if output.json:
        output.emit({"document": str(document), "files": [str(file) for file in files]})
        return
    for file in files:
        output.print(f"made {file}")
    answers = " --test-answers" if kind == "form" else ""
    output.print(f"\nRun it:                  jupyter workflows run {typed(document)}{answers}")
    output.print(f"Open it in JupyterLab:   jupyter lab {typed(document)}")


def _document_path(path: str) -> Path:
    given = expanded(path)
    if given.suffix == SUFFIX:
        return given.absolute()
    folder = given.absolute()
    if folder.exists() and not folder.is_dir():
        raise CliError(
            f"{given} is a file", f"Name a folder, or a file that ends in {SUFFIX}", code="file-exists"
        )
    others = sorted(file.name for file in folder.glob(f"*{SUFFIX}")) if folder.is_dir() else []
    if others:
        raise CliError(
            f"{given} has a workflow already: {', '.join(others)}",
            f"Name a file for another one: jupyter workflows new {typed(given / ('NAME' + SUFFIX))}",
            code="file-exists",
        )
    name = folder.resolve().name
    if not name:
        raise CliError(f"{given} is the root of the file system", "Name a folder")
    return folder / f"{name}{SUFFIX}"


def _refuse_existing(files: list[Path]) -> None:
    existing = [file for file in files if os.path.lexists(file)]
    if existing:
        raise CliError(
            f"{', '.join(str(file) for file in existing)} exists already",
            "Nothing was written. Name another folder or file",
            code="file-exists",
            details={"file": str(existing[0])},
        )


def _title(name: str) -> str:
    words = " ".join(re.split(r"[-_\s]+", name)).strip()
    return words[:1].upper() + words[1:] or "Workflow"
