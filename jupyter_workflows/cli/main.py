"""``jupyter workflows``: the overview, and the way to each command."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

import click

from .base import Door, Entry

_COMMANDS = f"{__package__}.commands"
_BEGIN = "Begin"
_WORK = "Check and run"
_LOOK = "See what happened"
_LIVE = "Make live"
_OPERATE = "Operate"

_ENTRIES = {
    "demo": Entry(f"{_COMMANDS}.demo:demo", "Copy a demo project and show what it does.", _BEGIN),
    "new": Entry(f"{_COMMANDS}.new:new", "Make a project with a first stage.", _BEGIN),
    "check": Entry(
        f"{_COMMANDS}.check:check", "Say what is wrong with a workflow, and how to mend it.", _WORK
    ),
    "run": Entry(f"{_COMMANDS}.run:run", "Run the working copy of a workflow.", _WORK),
    "deploy": Entry(f"{_COMMANDS}.deploy:deploy", "Make a working copy the live version.", _LIVE),
    "deployments": Entry(
        f"{_COMMANDS}.deployments:deployments", "List versions; activate, pause, resume one.", _LIVE
    ),
    "rollback": Entry(f"{_COMMANDS}.rollback:rollback", "Make an older version live again.", _LIVE),
    "secrets": Entry(f"{_COMMANDS}.secrets:secrets", "List, rotate and revoke secrets of hooks.", _LIVE),
    "runs": Entry(f"{_COMMANDS}.runs:runs", "List and show runs, read logs, cancel, retry.", _LOOK),
    "tasks": Entry(f"{_COMMANDS}.tasks:tasks", "List what waits for a person or a request.", _LOOK),
    "schedules": Entry(
        f"{_COMMANDS}.schedules:schedules", "Say when jobs are due; run one now, or for past times.", _OPERATE
    ),
    "runner": Entry(f"{_COMMANDS}.runner:runner", "Execute what is queued, until stopped.", _OPERATE),
    "database": Entry(f"{_COMMANDS}.database:database", "Show where the database is, upgrade it.", _OPERATE),
}

_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.command(
    name="jupyter workflows",
    cls=Door,
    entries=_ENTRIES,
    context_settings=_CONTEXT,
    epilog="Each command has a --help of its own, with examples.",
)
@click.version_option(package_name="jupyter_workflows", prog_name="jupyter workflows")
def cli() -> None:
    """Business workflows whose stages are notebooks, with people in them.

    \b
    A first look:         jupyter workflows demo
    A project of yours:   jupyter workflows new my-project
                          jupyter workflows run my-project
    In JupyterLab:        jupyter lab my-project
    """


def main() -> NoReturn:
    """Run ``jupyter workflows`` with the arguments of this process."""
    for stream in (sys.stdout, sys.stderr):
        # A path or a title that the terminal cannot show must not stop a command.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    completing = "_JUPYTER_WORKFLOWS_COMPLETE" in os.environ
    cli.main(
        prog_name="jupyter-workflows" if completing else "jupyter workflows",
        complete_var="_JUPYTER_WORKFLOWS_COMPLETE",
    )
