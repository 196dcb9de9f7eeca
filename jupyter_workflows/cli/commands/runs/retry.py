"""``jupyter workflows runs retry``: try failed stages again, in the same run."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

from jupyter_workflows.cli.arguments import environment_file, json_value
from jupyter_workflows.cli.base import Command
from jupyter_workflows.cli.errors import COMPLETED, CliError
from jupyter_workflows.cli.execution import go_on, user_name
from jupyter_workflows.cli.output import Output, json_option, pass_output
from jupyter_workflows.cli.stores import (
    Place,
    find_run,
    find_stage_runs,
    opened,
    place_options,
    wake_runners,
)
from jupyter_workflows.cli.summary import exit_code, print_report

if TYPE_CHECKING:
    from jupyter_workflows.store import RunDetails, StageRunRecord

_ONCE = re.compile(r"(?P<key>.+?)=(?P<how>again|done:.*)", re.DOTALL)


@click.command(cls=Command)
@click.argument("run_id", metavar="ID")
@click.option(
    "--stage",
    "stages",
    multiple=True,
    metavar="PATH|ID",
    help="Only this stage (or stage run, by its id). May be given again. By default all that failed.",
)
@click.option(
    "--once",
    multiple=True,
    metavar="KEY=again|KEY=done:JSON",
    help="What became of a `once` call that has no end: let it run again, or take its result as given.",
)
@click.option("--env-file", metavar="FILE", help="Lines NAME=VALUE: environment variables for the notebooks.")
@click.option("--concurrency", type=click.IntRange(min=1), metavar="N", help="Stages executed at a time.")
@place_options
@json_option
@click.option(
    "-q", "--quiet", is_flag=True, help="Show no progress, and in the end only what needs attention."
)
@pass_output
def retry(
    output: Output,
    run_id: str,
    stages: tuple[str, ...],
    once: tuple[str, ...],
    env_file: str | None,
    concurrency: int | None,
    place: Place,
    quiet: bool,
) -> int:
    """Try the failed stages of a run again; the run goes on from there.

    The stages begin anew with the data that they had started with. What a form was told, and what `once`
    has done, is not asked and not done again.

    A run of `jupyter workflows run` goes on in the foreground, as there, with the same exit codes. Any other
    is queued for a runner.

    \b
    Examples:
      jupyter workflows runs retry 2q8f1
      jupyter workflows runs retry 2q8f1 --stage pay --once 'transfer=done:{"receipt": "A-17"}'
      jupyter workflows runs retry 2q8f1 --stage pay --once transfer=again
    """
    environment = environment_file(env_file)
    resolved = _resolutions(once)
    with opened(place) as store:
        details = find_run(store, run_id)
        chosen = _chosen(details, stages)
        if resolved and len(chosen) > 1:
            raise CliError(
                f"--once is for one stage run, and {len(chosen)} are tried again",
                f"Name one with --stage: {', '.join(stage_run.id for stage_run in chosen)}",
                details={"choices": [stage_run.id for stage_run in chosen]},
            )
        for stage_run in chosen:
            store.retry_stage_run(stage_run.id, once=resolved or None, by=user_name())
        reached = 0
        # A process that still works on the run takes these up, too; one that ended does not.
        here = details.run.owner is not None and str(details.run.state) == "failed"
        if not here:
            reached = wake_runners(store)
    names = [{"stage": stage_run.path, "stage_run": stage_run.id} for stage_run in chosen]
    if not here:
        _tell_queued(output, details, names, reached)
        return COMPLETED
    report = go_on(
        output,
        details.run.id,
        environment=environment,
        concurrency=concurrency,
        database=place.database,
        quiet=quiet,
    )
    if output.json:
        output.emit({**report, "retried": names})
    else:
        print_report(output, report, quiet=quiet)
    return exit_code(report["state"])


def _chosen(details: RunDetails, stages: tuple[str, ...]) -> list[StageRunRecord]:
    named = find_stage_runs(details, stages) if stages else list(details.stage_runs)
    failed = [stage_run for stage_run in named if str(stage_run.state) == "failed" and not stage_run.handled]
    if failed:
        return failed
    handled = [stage_run.path for stage_run in named if stage_run.handled]
    what = (
        f"Of run {details.run.id} ({details.run.state}) no stage"
        if not stages
        else f"{', '.join(stages)}: none"
    )
    raise CliError(
        f"{what} has failed",
        "A failed transition took over: " + ", ".join(dict.fromkeys(handled)) if handled else "",
        code="wrong-state",
    )


def _resolutions(once: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for text in once:
        match = _ONCE.fullmatch(text)
        if match is None:
            raise CliError(
                f"--once {text!r} does not say what became of the call",
                "Write --once KEY=again, or --once 'KEY=done:JSON' with its result",
            )
        how = match["how"]
        if how.startswith("done:"):
            json_value(
                how.removeprefix("done:"), f"--once {match['key']}", "--once KEY=done:JSON; for example"
            )
        found[match["key"]] = how
    return found


def _tell_queued(output: Output, details: RunDetails, names: list[dict[str, str]], reached: int) -> None:
    if output.json:
        output.emit({"run": details.run.id, "state": "running", "retried": names})
        return
    output.print(f"Queued again: {', '.join(name['stage'] for name in names)}")
    if not reached:
        output.note(
            "No runner on this machine answered. If there is none elsewhere: jupyter workflows runner"
        )
