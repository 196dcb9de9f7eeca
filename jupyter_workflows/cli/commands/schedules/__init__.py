"""``jupyter workflows schedules``: when jobs are due; run one now, or for past times."""

from __future__ import annotations

import click

from jupyter_workflows.cli.base import Entry, LazyGroup

_HELP = ("-h", "--help")


class _Schedules(LazyGroup):
    """A group that lists when it is not told what to do."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or args[0] not in (*self.entries, *_HELP):
            args = ["list", *args]
        return super().parse_args(ctx, args)


@click.command(
    cls=_Schedules,
    entries={
        "list": Entry(f"{__name__}.listing:list_schedules", "List jobs and when they are due next."),
        "run-now": Entry(f"{__name__}.run_now:run_now", "Start a job now, whatever its schedule says."),
        "backfill": Entry(f"{__name__}.backfill:backfill", "Start a job for past times."),
    },
)
def schedules() -> None:
    """When the jobs of deployed workflows are due.

    Without a command it lists them: `jupyter workflows schedules` is `jupyter workflows schedules list`.

    \b
    Examples:
      jupyter workflows schedules
      jupyter workflows schedules monthly-report --next 5
      jupyter workflows schedules run-now monthly-report
      jupyter workflows schedules backfill monthly-report --from 2026-01-01 --to 2026-03-31
    """
