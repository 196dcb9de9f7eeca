"""``jupyter workflows schedules run-now``: start a job, whatever its schedule says."""

from __future__ import annotations

import click

from jupyter_workflows.cli.base import Command
from jupyter_workflows.cli.commands.schedules.naming import find_job, find_workflow
from jupyter_workflows.cli.execution import user_name
from jupyter_workflows.cli.output import Output, json_option, pass_output
from jupyter_workflows.cli.stores import database_option, iso_time, opened_store


@click.command(cls=Command)
@click.argument("workflow")
@click.argument("job", required=False, metavar="[JOB]")
@database_option
@json_option
@pass_output
def run_now(output: Output, workflow: str, job: str | None, database: str | None) -> None:
    """Start a job of a deployed workflow now, whatever its schedule says.

    WORKFLOW is its name in URLs, its uid or its file; JOB the path of the stage, which may be left out
    where there is one alone. The run is queued for a runner, also while an earlier one goes on.

    \b
    Example:
      jupyter workflows schedules run-now monthly-report
    """
    from jupyter_workflows.runner.wakeup import wake

    with opened_store(database) as store:
        found = find_workflow(store, workflow)
        key, path = find_job(store, found, job)
        run_id = store.run_job_now(found.uid, key, by=user_name())
        run = store.get_run_record(run_id)
        reached = wake(store.state_folder / "wake")
    if output.json:
        output.emit({"run": run_id, "path": path, "scheduled_time": iso_time(run.scheduled_time)})
        return
    output.print(f"Started {path} of {found.slug}: run {run_id}")
    tell_of_runners(output, reached)


def tell_of_runners(output: Output, reached: int) -> None:
    """Say if nobody here executes what was queued."""
    if not reached:
        output.note(
            "No runner on this machine answered. If there is none elsewhere: jupyter workflows runner"
        )
