"""``jupyter workflows rollback``: make an older version live again."""

from __future__ import annotations

import click

from jupyter_workflows.cli.base import Command
from jupyter_workflows.cli.commands.schedules.naming import find_workflow
from jupyter_workflows.cli.execution import user_name
from jupyter_workflows.cli.output import Output, json_option, pass_output
from jupyter_workflows.cli.stores import database_option, opened_store
from jupyter_workflows.cli.versions import live_json, print_live


@click.command(cls=Command)
@click.argument("workflow")
@click.argument("version", type=click.IntRange(min=1), required=False, metavar="[VERSION]")
@database_option
@json_option
@pass_output
def rollback(output: Output, workflow: str, version: int | None, database: str | None) -> None:
    """Make an older version of a workflow live again; without VERSION the one before the live one.

    WORKFLOW is its name in URLs, its uid or its file. Hooks and jobs become those of that version. A job
    that has the same schedule in both goes on as if nothing had happened; any other is due after this moment
    only. Runs under way follow the version that they began with, and no version is lost: the newer one can
    be made live again with `deployments WORKFLOW --activate VERSION`.

    \b
    Examples:
      jupyter workflows rollback expense-approval
      jupyter workflows rollback expenses.workflow 4

    \b
    Exit codes:
      0  that version is live
      2  it is not: there is no such version, or none that is older

    With --json: what `deploy --json` prints, without findings.
    """
    from jupyter_workflows.deploying import rollback as go_back
    from jupyter_workflows.runner.wakeup import wake

    with opened_store(database) as store:
        made = go_back(store, find_workflow(store, workflow).uid, version, by=user_name())
        wake(store.state_folder / "wake")
    if output.json:
        output.emit(live_json(made))
    else:
        print_live(output, made)
