"""``jupyter workflows runs cancel``: end a run."""

from __future__ import annotations

import click

from jupyter_workflows.cli.base import Command
from jupyter_workflows.cli.execution import user_name
from jupyter_workflows.cli.output import Output, json_option, pass_output
from jupyter_workflows.cli.stores import Place, find_run, opened, place_options, wake_runners


@click.command(cls=Command)
@click.argument("run_id", metavar="ID")
@place_options
@json_option
@pass_output
def cancel(output: Output, run_id: str, place: Place) -> None:
    """Cancel a run.

    What its stages are executing is stopped, and what waits waits no longer. What they did stays done.
    """
    with opened(place) as store:
        run = find_run(store, run_id).run
        done = store.cancel_run(run.id, by=user_name())
        wake_runners(store)
    if output.json:
        output.emit({"run": run.id, "state": "cancelled", "cancelled": done})
    else:
        output.print(f"Run {run.id} is cancelled." if done else f"Run {run.id} was cancelled already.")
