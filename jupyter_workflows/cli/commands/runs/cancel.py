"""``jupyter workflows runs cancel``: end a run."""

from __future__ import annotations

import click

from jupyter_workflows.cli.base import Command
from jupyter_workflows.cli.execution import user_name
from jupyter_workflows.cli.output import Output, json_option, pass_output
from jupyter_workflows.cli.stores import database_option, find_run, opened_store


@click.command(cls=Command)
@click.argument("run_id", metavar="ID")
@database_option
@json_option
@pass_output
def cancel(output: Output, run_id: str, database: str | None) -> None:
    """Cancel a run.

    What its stages are executing is stopped, and what waits waits no longer. What they did stays done.
    """
    from jupyter_workflows.runner.wakeup import wake

    with opened_store(database) as store:
        run = find_run(store, run_id).run
        done = store.cancel_run(run.id, by=user_name())
        wake(store.state_folder / "wake")
    if output.json:
        output.emit({"run": run.id, "state": "cancelled", "cancelled": done})
    else:
        output.print(f"Run {run.id} is cancelled." if done else f"Run {run.id} was cancelled already.")
