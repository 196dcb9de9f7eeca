"""``jupyter workflows runs``: list and show runs, read logs, cancel, retry."""

from __future__ import annotations

import click

from jupyter_workflows.cli.base import Entry, LazyGroup


@click.command(
    cls=LazyGroup,
    entries={
        "list": Entry(f"{__name__}.listing:list_runs", "List runs, the newest first."),
        "show": Entry(f"{__name__}.show:show", "Show a run: its stages, attempts, errors, notebooks."),
        "logs": Entry(f"{__name__}.logs:logs", "Print what a run's notebooks printed."),
        "cancel": Entry(f"{__name__}.cancel:cancel", "Cancel a run."),
        "retry": Entry(f"{__name__}.retry:retry", "Try the failed stages of a run again."),
    },
)
def runs() -> None:
    """What ran, what runs, and what became of it.

    A run is named by its id, or by the beginning of it where that is unique.

    \b
    Examples:
      jupyter workflows runs list --state failed
      jupyter workflows runs show 2q8f1
    """
