"""``jupyter workflows database``: where the database is, and upgrading it."""

from __future__ import annotations

import click

from jupyter_workflows.cli.base import Command, Entry, LazyGroup
from jupyter_workflows.cli.output import Output, json_option, pass_output
from jupyter_workflows.cli.stores import database_option


@click.command(
    cls=LazyGroup,
    entries={
        "path": Entry(f"{__name__}:path", "Print where the database is."),
        "upgrade": Entry(f"{__name__}:upgrade", "Make the database's tables, or bring them up to date."),
    },
)
def database() -> None:
    """The database in which runs are kept.

    By default it is an SQLite file in Jupyter's data folder, which this program makes and upgrades by
    itself. A PostgreSQL database is upgraded when you say so, for several programs may be using it.
    """


@click.command(cls=Command)
@database_option
@json_option
@pass_output
def path(output: Output, database: str | None) -> None:
    """Print where the database is; it need not exist yet."""
    from jupyter_workflows.store.database import default_url, parse_url

    url = parse_url(database or default_url())
    shown = url.render_as_string(hide_password=True)
    file = url.database if url.get_backend_name() == "sqlite" else None
    if output.json:
        output.emit({"url": shown, "file": file})
    else:
        output.print(file or shown)


@click.command(cls=Command)
@database_option
@json_option
@pass_output
def upgrade(output: Output, database: str | None) -> None:
    """Make the database's tables, or bring them up to date.

    Stop the runners and servers that use it first.
    """
    from jupyter_workflows.store.database import open_database

    opened = open_database(database, upgrade=True)
    try:
        shown = str(opened.path or opened.engine.url.render_as_string(hide_password=True))
    finally:
        opened.close()
    if output.json:
        output.emit({"database": shown, "upgraded": True})
    else:
        output.print(f"{shown} is up to date.")
