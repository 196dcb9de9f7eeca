"""``jupyter workflows schedules backfill``: start a job for past times."""

from __future__ import annotations

from datetime import date, datetime, time, tzinfo

import click

from jupyter_workflows.cli.base import Command
from jupyter_workflows.cli.commands.schedules.naming import find_schedule, find_workflow
from jupyter_workflows.cli.commands.schedules.run_now import tell_of_runners
from jupyter_workflows.cli.errors import CliError
from jupyter_workflows.cli.execution import user_name
from jupyter_workflows.cli.output import Output, json_option, pass_output
from jupyter_workflows.cli.stores import database_option, iso_time, opened_store


@click.command(cls=Command)
@click.argument("workflow")
@click.argument("job", required=False, metavar="[JOB]")
@click.option(
    "--from",
    "start",
    required=True,
    metavar="TIME",
    help="First time: 2026-01-31, or 2026-01-31T09:00; in the schedule's time zone unless it says another.",
)
@click.option(
    "--to",
    "end",
    required=True,
    metavar="TIME",
    help="Last time, included; a day means all of it. It must have passed.",
)
@click.option("--again", is_flag=True, help="Also for times that had their run.")
@click.option("--dry-run", is_flag=True, help="Show the times, and start nothing.")
@database_option
@json_option
@pass_output
def backfill(
    output: Output,
    workflow: str,
    job: str | None,
    start: str,
    end: str,
    again: bool,
    dry_run: bool,
    database: str | None,
) -> None:
    """Start a job for the times in the past at which its schedule is due.

    Each run finds its time as `get_stage().scheduled_time`. A time that had its run is left out, unless
    --again is given. They run one after the other, unless the job's runs may overlap.

    \b
    Example:
      jupyter workflows schedules backfill monthly-report --from 2026-01-01 --to 2026-03-31 --dry-run
    """
    from jupyter_workflows.runner.wakeup import wake

    with opened_store(database) as store:
        found = find_workflow(store, workflow)
        schedule = find_schedule(store, found, job)
        zone = schedule.schedule.zone
        first, last = _moment(start, "--from", zone), _moment(end, "--to", zone, end=True)
        if dry_run:
            times = store.backfill_times(schedule, first, last)
            if output.json:
                output.emit({"times": [iso_time(moment.astimezone(zone)) for moment in times]})
            else:
                for moment in times:
                    output.print(_local(moment, zone))
                output.note(f"{len(times)} times; nothing was started")
            return
        done = store.backfill(found.uid, schedule.stage, first, last, by=user_name(), again=again)
        reached = wake(store.state_folder / "wake") if done.started else 1
    if output.json:
        output.emit(
            {
                "started": [
                    {"scheduled_time": iso_time(run.scheduled_time.astimezone(zone)), "run": run.run_id}
                    for run in done.started
                ],
                "known": [
                    {"scheduled_time": iso_time(moment.astimezone(zone)), "run": run_id}
                    for moment, run_id in done.known
                ],
            }
        )
        return
    for run in done.started:
        output.print(f"{_local(run.scheduled_time, zone)}: run {run.run_id}")
    for moment, run_id in done.known:
        output.note(f"{_local(moment, zone)}: had its run already, {run_id}", "dim")
    if not done.started:
        output.note("Nothing was started" + (": see --again" if done.known else ": it is never due then"))
    tell_of_runners(output, reached)


def _local(moment: datetime, zone: tzinfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M:%S %Z}"


def _moment(text: str, option: str, zone: tzinfo, *, end: bool = False) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise CliError(
            f"{option} {text!r} is not a time", f"Write {option} 2026-01-31, or {option} 2026-01-31T09:00"
        ) from None
    if end and _is_day(text):
        moment = datetime.combine(moment.date(), time.max)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
