"""``jupyter workflows runs list``: runs, the newest first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from jupyter_workflows.cli.base import Command
from jupyter_workflows.cli.output import Output, json_option, pass_output, state_text, table
from jupyter_workflows.cli.progress import duration
from jupyter_workflows.cli.stores import Place, iso_time, local_time, opened, place_options, workflow_uid

if TYPE_CHECKING:
    from jupyter_workflows.store import RunRecord

_STATES = ["running", "waiting", "completed", "failed", "cancelled"]


@click.command("list", cls=Command)
@click.option("--state", "states", type=click.Choice(_STATES), multiple=True, help="May be given again.")
@click.option("--workflow", metavar="FILE|UID|TEXT", help="A workflow's file or uid, or a part of its title.")
@click.option("--mode", type=click.Choice(["live", "test"]), help="Runs of deployments, or test runs.")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True, metavar="N")
@click.option("--cursor", metavar="CURSOR", help="Go on where an earlier list ended.")
@place_options
@json_option
@pass_output
def list_runs(
    output: Output,
    states: tuple[str, ...],
    workflow: str | None,
    mode: str | None,
    limit: int,
    cursor: str | None,
    place: Place,
) -> None:
    """List runs, the newest first.

    \b
    Examples:
      jupyter workflows runs list
      jupyter workflows runs list --workflow expenses.workflow --state failed --state waiting
      jupyter workflows runs list --json --limit 100

    With --json: {"runs": [{"id", "workflow", "title", "mode", "state", …}], "cursor": null or where the list
    goes on}.
    """
    from jupyter_workflows.model.states import RunMode, RunState
    from jupyter_workflows.store import RunFilter

    uid = workflow_uid(workflow) if workflow is not None else None
    wanted = RunFilter(
        workflow_uid=uid,
        text=workflow if uid is None else None,
        states=tuple(RunState(state) for state in dict.fromkeys(states)),
        mode=RunMode(mode) if mode is not None else None,
    )
    with opened(place) as store:
        page = store.list_runs(wanted, cursor=cursor, limit=limit)
    if output.json:
        output.emit({"runs": [run_json(run) for run in page.runs], "cursor": page.cursor})
        return
    if not page.runs:
        output.print("There are no such runs." if workflow or states or mode else "There are no runs yet.")
        return
    made = table(["run", "workflow", "state", "mode", "stages", "started", "took", "by"])
    for run in page.runs:
        took = duration((run.ended_at - run.created_at).total_seconds()) if run.ended_at else ""
        made.add_row(
            run.id,
            run.title,
            state_text(str(run.state)),
            str(run.mode),
            str(run.total),
            local_time(run.created_at),
            took,
            run.started_by or "",
        )
    made.columns[0].no_wrap = True
    output.out.print(made)
    if page.cursor is not None:
        output.note(f"There are more: --cursor {page.cursor}", "dim")


def run_json(run: RunRecord) -> dict[str, Any]:
    """Return a run as JSON value."""
    return {
        "id": run.id,
        "workflow": run.workflow_uid,
        "title": run.title,
        "mode": str(run.mode),
        "state": str(run.state),
        "project": run.project,
        "started_by": run.started_by,
        "created_at": iso_time(run.created_at),
        "ended_at": iso_time(run.ended_at),
        "scheduled_time": iso_time(run.scheduled_time),
        "parent": run.parent,
        "cancelled_by": run.cancelled_by,
        "stage_runs": run.total,
    }
