"""``jupyter workflows run``: run the working copy of a workflow in the foreground."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from jupyter_workflows.cli.arguments import environment_file, json_object
from jupyter_workflows.cli.base import Command
from jupyter_workflows.cli.commands.tasks import print_waiting
from jupyter_workflows.cli.errors import CliError
from jupyter_workflows.cli.execution import document_answers, execute, user_name
from jupyter_workflows.cli.loading import counted, open_project, runnable
from jupyter_workflows.cli.output import Output, findings_table, json_option, pass_output
from jupyter_workflows.cli.stores import database_option
from jupyter_workflows.cli.summary import exit_code, print_report

if TYPE_CHECKING:
    from jupyter_workflows.execution.project import Project
    from jupyter_workflows.runner.foreground import RunOptions


@click.command(cls=Command)
@click.argument("path", default=".", metavar="[FILE|FOLDER]")
@click.option("--stage", metavar="PATH", help="Begin with this stage instead of the workflow's entry.")
@click.option(
    "--data", metavar="JSON|@FILE", help="Stage data to begin with, instead of the stage's test data."
)
@click.option("--answers", metavar="JSON|@FILE", help="Answers for forms: {STAGE PATH: {FIELD: VALUE}}.")
@click.option("--test-answers", is_flag=True, help="Answer forms with the test answers in the document.")
@click.option("--request", metavar="JSON|@FILE", help="The request for a hook, instead of its test request.")
@click.option("--env-file", metavar="FILE", help="Lines NAME=VALUE: environment variables for the notebooks.")
@click.option("--concurrency", type=click.IntRange(min=1), metavar="N", help="Stages executed at a time.")
@database_option
@json_option
@click.option(
    "-q", "--quiet", is_flag=True, help="Show no progress, and in the end only what needs attention."
)
@pass_output
def run(
    output: Output,
    path: str,
    stage: str | None,
    data: str | None,
    answers: str | None,
    test_answers: bool,
    request: str | None,
    env_file: str | None,
    concurrency: int | None,
    database: str | None,
    quiet: bool,
) -> int:
    """Run the working copy of a workflow, to its end or until it waits for somebody.

    The notebooks are executed as they lie in the folder, and are never written: each attempt keeps an
    executed copy. It is a test run: it mails nobody, and is removed after a week.

    Forms are answered with --answers, by stage path and field key (the label, unless the field has a key):

    \b
      jupyter workflows run . --answers '{"submit": {"Amount": 12}}'
      jupyter workflows run . --answers @answers.json --data '{"limit": 100}'

    With --test-answers the document's own are used where --answers has none for a form. A form without
    answers waits, and the command ends with 3. @- reads standard input.

    \b
    Exit codes:
      0    completed
      1    failed, or was cancelled
      2    wrong use, or a workflow with errors
      3    waits; the tasks are printed
      130  interrupted (Ctrl-C): the run was cancelled
    """
    options_given = {"data": json_object(data, "--data"), "request": json_object(request, "--request")}
    given_answers = json_object(answers, "--answers")
    environment = environment_file(env_file)
    project = open_project(path)
    _show_warnings(output, runnable(project), quiet=quiet)
    options = _options(
        project,
        stage=stage,
        answers=_answers(project, given_answers, from_document=test_answers),
        environment=environment,
        concurrency=concurrency,
        database=database,
        **options_given,
    )
    report = execute(output, project, options, quiet=quiet)
    if output.json:
        output.emit(report)
    else:
        print_report(output, report, quiet=quiet)
        if report["state"] == "waiting":
            print_waiting(output, report["run"], database)
    return exit_code(report["state"])


def _options(
    project: Project,
    *,
    stage: str | None,
    data: dict[str, Any] | None,
    request: dict[str, Any] | None,
    answers: dict[str, Any] | None,
    environment: dict[str, str],
    concurrency: int | None,
    database: str | None,
) -> RunOptions:
    from jupyter_workflows.model.graph import Graph
    from jupyter_workflows.runner.foreground import RunOptions, find_entry

    entry = project.document.stages[find_entry(Graph.from_document(project.document), stage)]
    if data is None and entry.test is not None:
        data = entry.test.data
    return RunOptions(
        entry=entry.path,
        data=data or {},
        answers=answers,
        request=request,
        user=user_name(),
        environment=environment,
        concurrency=concurrency,
        database=database,
    )


def _answers(project: Project, given: dict[str, Any] | None, *, from_document: bool) -> dict[str, Any] | None:
    forms = sorted(stage.path for stage in project.document.stages.values() if stage.type == "form")
    for path, value in (given or {}).items():
        if path not in forms:
            raise CliError(
                f"--answers: {path!r} is no form of this workflow",
                f"The forms are: {', '.join(forms)}" if forms else "This workflow has no forms",
                details={"choices": forms},
            )
        pages = value if isinstance(value, list) else [value]
        if not all(isinstance(page, dict) for page in pages):
            raise CliError(
                f"--answers: the answers for {path!r} are not an object",
                f'Write {{"{path}": {{"FIELD": VALUE}}}}, or a list of such objects, one for each page',
            )
    if not from_document:
        return given
    return {**document_answers(project.document), **(given or {})}


def _show_warnings(output: Output, findings: list[dict[str, Any]], *, quiet: bool) -> None:
    warnings = [finding for finding in findings if finding["severity"] == "warning"]
    if warnings and not quiet:
        output.note(f"{counted(len(warnings), 'warning')}:", "yellow")
        output.err.print(findings_table(warnings))
        output.note()
