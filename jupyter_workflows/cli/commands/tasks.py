"""``jupyter workflows tasks``: what waits for a person or a request."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from jupyter_workflows.cli.base import Command
from jupyter_workflows.cli.errors import CliError
from jupyter_workflows.cli.output import Output, json_option, pass_output, table
from jupyter_workflows.cli.stores import (
    Place,
    find_run,
    iso_time,
    local_time,
    opened,
    opened_store,
    place_options,
    workflow_uid,
)

if TYPE_CHECKING:
    from jupyter_workflows.store import Task


@click.command(cls=Command)
@click.option(
    "--assignee",
    "assignees",
    multiple=True,
    metavar="NAME",
    help="A person, or team:NAME. May be given again.",
)
@click.option("--workflow", metavar="FILE|UID", help="Tasks of this workflow.")
@click.option("--run", "run_id", metavar="ID", help="Tasks of this run.")
@click.option(
    "--type", "kind", type=click.Choice(["form", "hook"]), help="What waits for a person, or for a request."
)
@click.option("--mode", type=click.Choice(["live", "test"]), help="Of runs of deployments, or of test runs.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, metavar="N")
@click.option("--cursor", metavar="CURSOR", help="Go on where an earlier list ended.")
@place_options
@json_option
@pass_output
def tasks(
    output: Output,
    assignees: tuple[str, ...],
    workflow: str | None,
    run_id: str | None,
    kind: str | None,
    mode: str | None,
    limit: int,
    cursor: str | None,
    place: Place,
) -> None:
    """List what waits for a person or a request, the oldest first.

    \b
    Examples:
      jupyter workflows tasks
      jupyter workflows tasks --assignee ada --assignee team:finance
    """
    from jupyter_workflows.model.states import RunMode
    from jupyter_workflows.store import TaskFilter

    uid = None
    if workflow is not None:
        uid = workflow_uid(workflow)
        if uid is None:
            raise CliError(f"--workflow: there is no workflow {workflow}", "Name its file, or its uid")
    with opened(place) as store:
        wanted = TaskFilter(
            assignees=assignees or None,
            workflow_uid=uid,
            run_id=find_run(store, run_id).run.id if run_id is not None else None,
            mode=RunMode(mode) if mode is not None else None,
            types=(kind,) if kind is not None else ("form", "hook"),
        )
        page = store.list_tasks(wanted, cursor=cursor, limit=limit)
    if output.json:
        output.emit({"tasks": [_task_json(task) for task in page.tasks], "cursor": page.cursor})
        return
    if not page.tasks:
        output.print("Nothing waits.")
        return
    print_tasks(output, page.tasks)
    if page.cursor is not None:
        output.note(f"There are more: --cursor {page.cursor}", "dim")


def print_tasks(output: Output, found: tuple[Task, ...]) -> None:
    """Print tasks as a table."""
    from rich.text import Text

    made = table(["task", "stage", "workflow", "for", "mode", "since", "due", "run"])
    made.columns[0].no_wrap = made.columns[-1].no_wrap = True
    now = datetime.now(UTC)
    for task in found:
        overdue = task.deadline is not None and task.deadline < now
        whom = task.assignee or ("a request" if task.type == "hook" else task.started_by or "anybody")
        if task.opened_by:
            whom += f" (open: {task.opened_by})"
        made.add_row(
            task.id,
            Text(task.title or task.path, style="bold"),
            task.workflow_title,
            whom,
            str(task.mode),
            local_time(task.created_at),
            Text(local_time(task.deadline), style="red" if overdue else ""),
            task.run_id,
        )
    output.out.print(made)


def print_waiting(output: Output, run_id: str, database: str | None) -> None:
    """Print what a run waits for."""
    from jupyter_workflows.store import TaskFilter

    with opened_store(database) as store:
        page = store.list_tasks(TaskFilter(run_id=run_id, types=("form", "hook")), limit=100)
    print_tasks(output, page.tasks)


def _task_json(task: Task) -> dict[str, Any]:
    return {
        "id": task.id,
        "run": task.run_id,
        "workflow": task.workflow_uid,
        "workflow_title": task.workflow_title,
        "mode": str(task.mode),
        "path": task.path,
        "title": task.title,
        "type": task.type,
        "state": str(task.state),
        "assignee": task.assignee,
        "started_by": task.started_by,
        "opened_by": task.opened_by,
        "created_at": iso_time(task.created_at),
        "deadline": iso_time(task.deadline),
        "expires_at": iso_time(task.expires_at),
    }
