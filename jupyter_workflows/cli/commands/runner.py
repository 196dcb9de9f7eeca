"""``jupyter workflows runner``: execute what is queued, until stopped."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from jupyter_workflows.cli.arguments import assignments
from jupyter_workflows.cli.base import Command
from jupyter_workflows.cli.errors import CliError
from jupyter_workflows.cli.logs import log_to_console
from jupyter_workflows.cli.output import Output, pass_output
from jupyter_workflows.cli.progress import described, marks
from jupyter_workflows.cli.stores import database_option

if TYPE_CHECKING:
    from jupyter_workflows.runner.events import RunEvent

_log = logging.getLogger(__name__)


@click.command(cls=Command)
@database_option
@click.option(
    "--concurrency",
    type=click.IntRange(min=1),
    metavar="N",
    help="Stages executed at a time; by default one more than there are processors.",
)
@click.option(
    "--pool",
    "pools",
    multiple=True,
    metavar="NAME=N",
    help="At most N stages of the pool NAME at a time, over all runners. May be given again.",
)
@click.option(
    "--kernel-pool",
    type=click.IntRange(min=0),
    metavar="N",
    help="Kernels kept ready, so that a stage starts at once. 0: none.",
)
@click.option(
    "--preload",
    multiple=True,
    metavar="MODULE",
    help="Import this module once, before kernels are made of it (Linux). May be given again.",
)
@click.option(
    "--poll-interval",
    type=click.FloatRange(min=0.05),
    metavar="SECONDS",
    help="How often to look for work where no wake-up reaches this runner.",
)
@click.option(
    "--keep-days",
    type=click.FloatRange(min=0),
    metavar="DAYS",
    help="Remove live runs that ended longer ago.",
)
@click.option(
    "--keep-runs", type=click.IntRange(min=0), metavar="N", help="Keep the last N live runs of each workflow."
)
@click.option(
    "--keep-versions",
    type=click.IntRange(min=0),
    metavar="N",
    help="Keep the newest N versions of each workflow, the live one, and those that runs follow.",
)
@click.option(
    "--public-url",
    envvar="JUPYTER_WORKFLOWS_PUBLIC_URL",
    metavar="URL",
    help="Address under which callers outside reach the server; callback addresses begin with it.",
)
@click.option(
    "--form-idle",
    type=click.FloatRange(min=1),
    metavar="SECONDS",
    help="Close an open form after so long without input; what was filled in is kept.",
)
@click.option(
    "--form-limit",
    type=click.IntRange(min=0),
    metavar="N",
    help="Forms that people may have open at a time. 0: none with this runner.",
)
@click.option("--embedded", metavar="FOLDER", hidden=True, help="Work for the servers that find it there.")
@click.option("-v", "--verbose", is_flag=True, help="Say more about what goes on inside.")
@pass_output
def runner(
    output: Output,
    database: str | None,
    concurrency: int | None,
    pools: tuple[str, ...],
    kernel_pool: int | None,
    preload: tuple[str, ...],
    poll_interval: float | None,
    keep_days: float | None,
    keep_runs: int | None,
    keep_versions: int | None,
    public_url: str | None,
    form_idle: float | None,
    form_limit: int | None,
    embedded: str | None,
    verbose: bool,
) -> int:
    """Execute what is queued, until stopped.

    Start it by hand, by systemd, or on several machines that share a PostgreSQL database.

    SIGTERM or Ctrl-C: it claims nothing more, finishes what it executes, then ends. A second time: it ends
    at once, and what it executed is taken up again by another runner (or failed, as the stage's after_crash
    says). What a runner that died was executing is taken up again, too.

    It starts jobs when they are due (see: jupyter workflows schedules), and mails failures of live runs to
    the workflow's owner if JUPYTER_WORKFLOWS_SMTP_URL names a mail server:
    smtp://USER:PASSWORD@HOST:587?from=ADDRESS (smtps:// for TLS from the start).

    \b
    Examples:
      jupyter workflows runner
      jupyter workflows runner --concurrency 8 --pool warehouse=2 --preload pandas
      jupyter workflows runner --database postgresql://db.example.org/workflows
    """
    limits = _limits(pools)
    from jupyter_workflows.runner.service import run_runner
    from jupyter_workflows.runner.settings import RunnerSettings

    given: dict[str, Any] = {
        "concurrency": concurrency,
        "pools": limits or None,
        "kernel_pool": kernel_pool,
        "preload": preload or None,
        "poll_interval": poll_interval,
        "keep_runs_for": None if keep_days is None else keep_days * 86400,
        "keep_runs": keep_runs,
        "keep_versions": keep_versions,
        "public_url": public_url,
        "form_idle": form_idle,
        "form_limit": form_limit,
    }
    settings = RunnerSettings(**{name: value for name, value in given.items() if value is not None})
    log_to_console(output, level=logging.DEBUG if verbose else logging.INFO, times=True)
    _log.info("executing what is queued in %s, up to %d at a time", _place(database), settings.concurrency)
    code = run_runner(
        database, settings, listener=_Teller(output), embedded=Path(embedded) if embedded else None
    )
    _log.info("ended")
    return code


class _Teller:
    """Logs what happens to the runs that a runner executes."""

    def __init__(self, output: Output) -> None:
        self._marks = marks(output)

    def __call__(self, event: RunEvent) -> None:
        line = described(event, self._marks)
        if line is not None:
            failed = event.kind == "notice" or event.state in ("failed", "timed_out", "lost")
            _log.log(logging.WARNING if failed else logging.INFO, "run %s %s", event.run_id, line.plain)


def _place(url: str | None) -> str:
    from jupyter_workflows.store.database import default_url, parse_url

    parsed = parse_url(url or default_url())
    file = parsed.database if parsed.get_backend_name() == "sqlite" else None
    return file or parsed.render_as_string(hide_password=True)


def _limits(pools: tuple[str, ...]) -> dict[str, int]:
    limits = {}
    for name, text in assignments(pools, "--pool", "NAME=N").items():
        try:
            limits[name] = int(text)
        except ValueError:
            limits[name] = 0
        if limits[name] < 1:
            raise CliError(
                f"--pool {name}={text}: the limit must be a whole number of at least 1",
                f"Write --pool {name}=2",
            )
    return limits
