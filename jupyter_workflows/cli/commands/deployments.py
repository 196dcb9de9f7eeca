"""``jupyter workflows deployments``: versions of workflows, and which of them are live."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from jupyter_workflows.cli.base import Command
from jupyter_workflows.cli.commands.schedules.naming import find_workflow
from jupyter_workflows.cli.errors import CliError
from jupyter_workflows.cli.execution import user_name
from jupyter_workflows.cli.output import Output, json_option, pass_output, table
from jupyter_workflows.cli.stores import database_option, local_time, opened_store
from jupyter_workflows.cli.versions import live_json, print_live, version_json

if TYPE_CHECKING:
    from jupyter_workflows.store import DeploymentRecord, Store


@click.command(cls=Command)
@click.argument("workflow", required=False, metavar="[WORKFLOW]")
@click.option("--activate", type=click.IntRange(min=1), metavar="VERSION", help="Make this version live.")
@click.option("--pause", is_flag=True, help="Let it rest: no job starts, and no hook takes a request.")
@click.option("--resume", is_flag=True, help="Let it go on; what was due meanwhile is not made up for.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, metavar="N")
@database_option
@json_option
@pass_output
def deployments(
    output: Output,
    workflow: str | None,
    activate: int | None,
    pause: bool,
    resume: bool,
    limit: int,
    database: str | None,
) -> None:
    """List the versions of workflows, the newest first, and say which are live.

    WORKFLOW is its name in URLs, its uid or its file; without it the versions of all workflows are listed.
    With an option it is activated, paused or resumed instead. Runs under way are not touched by that.

    \b
    Examples:
      jupyter workflows deployments
      jupyter workflows deployments expense-approval --activate 7
      jupyter workflows deployments expense-approval --pause

    With --json: {"deployments": [{"id", "workflow", "slug", "version", "title", "live", "project", "hash",
    "size", "created_by", "created_at", "note"}], "paused": [slugs]}.
    """
    asked = [
        name
        for name, given in (("--activate", activate is not None), ("--pause", pause), ("--resume", resume))
        if given
    ]
    if len(asked) > 1:
        raise CliError(f"{' and '.join(asked)} cannot be done at once", "Do one after the other")
    if asked and workflow is None:
        raise CliError(f"{asked[0]} needs to know which workflow", "Name it, its uid or its file")
    with opened_store(database) as store:
        if activate is not None:
            assert workflow is not None
            _activate(output, store, workflow, activate)
        elif asked:
            assert workflow is not None
            _rest(output, store, workflow, pause=pause)
        else:
            _list(output, store, workflow, limit)


def _list(output: Output, store: Store, workflow: str | None, limit: int) -> None:
    uid = None if workflow is None else find_workflow(store, workflow).uid
    found = store.list_deployments(uid, limit=limit)
    names = {record.slug for record in found}
    paused = sorted(name for name in names if store.get_workflow(name).paused)
    if output.json:
        output.emit({"deployments": [version_json(record) for record in found], "paused": paused})
        return
    if not found:
        output.print("Nothing is deployed.")
        return
    shown = table(["workflow", "version", "", "deployed", "by", "from", "note"])
    for record in found:
        shown.add_row(
            record.slug,
            str(record.version),
            _state(record, paused),
            local_time(record.created_at),
            record.created_by or "",
            record.project,
            record.note or "",
        )
    output.out.print(shown)


def _state(record: DeploymentRecord, paused: list[str]) -> str:
    if not record.live:
        return ""
    return "live, paused" if record.slug in paused else "live"


def _activate(output: Output, store: Store, workflow: str, version: int) -> None:
    from jupyter_workflows.deploying import activate
    from jupyter_workflows.runner.wakeup import wake

    made = activate(store, find_workflow(store, workflow).uid, version, by=user_name())
    wake(store.state_folder / "wake")
    if output.json:
        output.emit(live_json(made))
    else:
        print_live(output, made)


def _rest(output: Output, store: Store, workflow: str, *, pause: bool) -> None:
    from jupyter_workflows.runner.wakeup import wake

    found = find_workflow(store, workflow)
    change = store.pause if pause else store.resume
    changed = change(found.uid, by=user_name())
    wake(store.state_folder / "wake")
    if output.json:
        output.emit({"workflow": found.uid, "slug": found.slug, "paused": pause, "changed": changed})
        return
    state = "paused" if pause else "not paused"
    output.print(f"{found.slug} is {state}{'' if changed else ', as before'}.")
