"""``jupyter workflows deploy``: make a working copy the live version."""

from __future__ import annotations

import socket
import tempfile
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from jupyter_workflows.cli.base import Command
from jupyter_workflows.cli.errors import CliError, FindingsError
from jupyter_workflows.cli.execution import user_name
from jupyter_workflows.cli.loading import describe, open_project, typed
from jupyter_workflows.cli.output import Output, findings_table, json_option, pass_output
from jupyter_workflows.cli.stores import database_option, opened_store
from jupyter_workflows.cli.versions import live_json, print_live, print_live_json, sent_json
from jupyter_workflows.execution.messages import size as in_words
from jupyter_workflows.model.findings import Finding

if TYPE_CHECKING:
    from jupyter_workflows.deploying import DeployError
    from jupyter_workflows.execution.project import Project


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
@click.option(
    "--to",
    metavar="URL",
    help="Send it to a running Jupyter server, by its address, which deploys it there.",
)
@click.option(
    "--token",
    metavar="TOKEN",
    envvar="JUPYTER_WORKFLOWS_TOKEN",
    show_envvar=True,
    help="That server's token; that of a server of yours on this machine is found by itself.",
)
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
    to: str | None,
    token: str | None,
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

    With --to the files are sent to a server, which checks them, keeps the snapshot and makes it live there.

    \b
    Examples:
      jupyter workflows deploy expenses.workflow --note "Limits by department"
      jupyter workflows deploy --strict --json
      jupyter workflows deploy expenses --to https://jupyter.example.org/user/ada/ --token TOKEN

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
    if to is not None:
        _send(output, project, to, token, note=note, slug=slug, owner_address=owner_address, strict=strict)
        return
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
            raise _refusal(error, project) from error
        wake(store.state_folder / "wake")
    findings = [describe(finding, project.document, project.path) for finding in made.findings]
    if output.json:
        output.emit({**live_json(made), "findings": findings})
        return
    if findings:
        output.err.print(findings_table(findings))
        output.note()
    print_live(output, made)


def _refusal(error: DeployError, project: Project) -> Exception:
    """Return why a project is not deployed, with what was found as `check` shows it."""
    if not error.findings:
        return error
    findings = [describe(finding, project.document, project.path) for finding in error.findings]
    return FindingsError(error.message, f"{error.mend}. {_see_check(project)}", findings)


def _see_check(project: Project) -> str:
    return f"See also: jupyter workflows check {typed(project.path)}"


def _send(
    output: Output,
    project: Project,
    to: str,
    token: str | None,
    *,
    note: str | None,
    slug: str | None,
    owner_address: str | None,
    strict: bool,
) -> None:
    """Have a project deployed by a server."""
    if click.get_current_context().get_parameter_source("database") is ParameterSource.COMMANDLINE:
        raise CliError("--to and --database do not go together", "Leave one of them out")
    from jupyter_workflows.cli.remote import RemoteStore
    from jupyter_workflows.deploying import DeployError
    from jupyter_workflows.deploying.archive import pack

    server = RemoteStore(to, token)
    query = {
        "document": project.path.name,
        "note": note,
        "slug": slug,
        "owner_address": owner_address,
        "allow_warnings": "false" if strict else "true",
        "origin": f"{socket.gethostname()}:{project.path}"[:500],
    }
    with tempfile.TemporaryFile() as archive:
        try:
            pack(project, archive)
        except DeployError as error:
            raise _refusal(error, project) from error
        size = archive.tell()
        archive.seek(0)
        output.note(f"Sending {in_words(size)} to {server.url}", "dim")
        try:
            answer = server.deploy(archive, size, query)
        except CliError as error:
            findings = error.details.get("findings")
            if not findings:
                raise
            mend = f"{error.mend}. {_see_check(project)}"
            raise FindingsError(error.message, mend, _described(findings, project)) from error
    made, findings = sent_json(answer), _described(answer["findings"], project)
    if output.json:
        output.emit({**made, "findings": findings})
        return
    if findings:
        output.err.print(findings_table(findings))
        output.note()
    print_live_json(output, made, server.url)


def _described(findings: Sequence[Mapping[str, Any]], project: Project) -> list[dict[str, Any]]:
    return [describe(Finding(**finding), project.document, project.path) for finding in findings]
