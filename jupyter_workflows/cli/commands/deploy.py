"""``jupyter workflows deploy``: make a working copy the live version."""

from __future__ import annotations

import click

from jupyter_workflows.cli.base import Command
from jupyter_workflows.cli.errors import FindingsError
from jupyter_workflows.cli.execution import user_name
from jupyter_workflows.cli.loading import describe, open_project, typed
from jupyter_workflows.cli.output import Output, findings_table, json_option, pass_output
from jupyter_workflows.cli.stores import database_option, opened_store
from jupyter_workflows.cli.versions import live_json, print_live


@click.command(cls=Command)
@click.argument("path", default=".", metavar="[FILE|FOLDER]")
@click.option("--note", metavar="TEXT", help="What is new, for the list of versions.")
@click.option(
    "--slug",
    metavar="NAME",
    help="Its name in URLs, given once with the first deployment. By default made from the title.",
)
@click.option(
    "--owner-address", metavar="ADDRESS", help="Where mail about failed runs goes. By default as before."
)
@click.option("--strict", is_flag=True, help="Refuse warnings of the check, too.")
@database_option
@json_option
@pass_output
def deploy(
    output: Output,
    path: str,
    note: str | None,
    slug: str | None,
    owner_address: str | None,
    strict: bool,
    database: str | None,
) -> None:
    """Make a workflow live: a snapshot of its project becomes the next version.

    From then on its hooks take requests, its jobs start when they are due, and new runs follow this version,
    whatever becomes of the working copy. Runs under way follow the version that they began with. `rollback`
    makes an older version live again.

    All files of the project's folder are copied, but names that begin with a dot, __pycache__, node_modules
    and virtual environments. A file .workflowsignore beside the workflow names what else is left out, in the
    way of .gitignore; "!NAME" takes something in. Links that lead out of the folder are refused.

    The project needs a requirements.txt, and `check` must find no errors. If anything goes wrong on the way,
    what was live is live still.

    A hook that asks for a token or a signature gets its secret with its first deployment, and it is shown
    only then. See also: jupyter workflows secrets --help

    \b
    Examples:
      jupyter workflows deploy expenses.workflow --note "Limits by department"
      jupyter workflows deploy --strict --json

    \b
    Exit codes:
      0  it is live
      2  it is not: the check found errors, or the name in URLs is taken; see what is printed

    With --json: {"id", "workflow", "slug", "version", "title", "hash", "size", "instead_of", "paused",
    "snapshot", "hooks": [...], "jobs": [...], "secrets": [{"id", "stage", "path", "kind", "secret"}],
    "findings": [...]}.
    """
    from jupyter_workflows.deploying import DeployError
    from jupyter_workflows.deploying import deploy as make_live
    from jupyter_workflows.runner.wakeup import wake

    project = open_project(path)
    with opened_store(database) as store:
        try:
            made = make_live(
                store,
                project,
                by=user_name(),
                note=note,
                slug=slug,
                owner_address=owner_address,
                allow_warnings=not strict,
                on_progress=lambda message: output.note(message, "dim"),
            )
        except DeployError as error:
            if not error.findings:
                raise
            findings = [describe(finding, project.document, project.path) for finding in error.findings]
            mend = f"{error.mend}. See also: jupyter workflows check {typed(project.path)}"
            raise FindingsError(error.message, mend, findings) from error
        wake(store.state_folder / "wake")
    findings = [describe(finding, project.document, project.path) for finding in made.findings]
    if output.json:
        output.emit({**live_json(made), "findings": findings})
        return
    if findings:
        output.err.print(findings_table(findings))
        output.note()
    print_live(output, made)
