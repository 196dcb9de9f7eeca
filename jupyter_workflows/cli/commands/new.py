"""``jupyter workflows new``: make a project with a first stage."""

from __future__ import annotations

from pathlib import Path

import click

from jupyter_workflows.cli.arguments import expanded
from jupyter_workflows.cli.base import Command
from jupyter_workflows.cli.errors import CliError
from jupyter_workflows.cli.loading import SUFFIX, typed
from jupyter_workflows.cli.output import Output, json_option, pass_output
from jupyter_workflows.templates import WORKFLOW_TEMPLATES, ProjectExists, new_project, write_project
from jupyter_workflows.templates.projects import title_of
from jupyter_workflows.templates.workflows import of_stage


@click.command(cls=Command)
@click.argument("path")
@click.option(
    "--type",
    "kind",
    type=click.Choice(["form", "hook", "job", "script"]),
    help="Type of the first stage: a form asks a person, a hook answers requests, a job follows a schedule, "
    "a script (the default) runs when its turn comes.",
)
@click.option(
    "--template",
    type=click.Choice(list(WORKFLOW_TEMPLATES)),
    help="Begin with a whole workflow instead: an approval with forms, a report by schedule, a hook that "
    "answers, or a blank one.",
)
@click.option("--title", help="Title of the workflow; by default made from its name.")
@json_option
@pass_output
def new(output: Output, path: str, kind: str | None, template: str | None, title: str | None) -> None:
    """Make a project with a first stage: a workflow, its notebook, and requirements.txt.

    PATH is a folder, or a file that ends in .workflow. Nothing that exists is overwritten.

    \b
    Examples:
      jupyter workflows new expenses
      jupyter workflows new expenses --type form --title "Expense approval"
      jupyter workflows new reports/weekly.workflow --type job
      jupyter workflows new purchases --template approval
    """
    document = _document_path(path)
    title = (title if title is not None else title_of(document.stem)).strip()
    if not title:
        raise CliError("--title is empty", "Give the workflow a title")
    if template is not None and kind is not None:
        raise CliError("--type and --template do not go together", "Give one of them")
    chosen = WORKFLOW_TEMPLATES[template] if template is not None else of_stage(kind or "script")
    try:
        files = write_project(document.parent, new_project(chosen, document.stem, title))
    except ProjectExists as error:
        raise CliError(
            str(error),
            "Nothing was written. Name another folder or file",
            code="file-exists",
            details={"file": str(error.files[0])},
        ) from error
    if output.json:
        output.emit({"document": str(document), "files": [str(file) for file in files]})
        return
    for file in files:
        output.print(f"made {file}")
    answers = " --test-answers" if any(stage.type == "form" for stage in chosen.stages) else ""
    output.print()
    if chosen.stages:
        output.print(f"Run it:                  jupyter workflows run {typed(document)}{answers}")
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
