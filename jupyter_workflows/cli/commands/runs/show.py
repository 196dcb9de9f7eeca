"""``jupyter workflows runs show``: one run in full."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from jupyter_workflows.cli.base import Command
from jupyter_workflows.cli.commands.runs.listing import run_json
from jupyter_workflows.cli.loading import counted
from jupyter_workflows.cli.output import Output, in_cell, json_option, pass_output, state_text, table
from jupyter_workflows.cli.progress import duration
from jupyter_workflows.cli.stores import (
    Place,
    find_run,
    iso_time,
    local_time,
    opened,
    place_options,
    report_of,
)
from jupyter_workflows.cli.summary import print_data

if TYPE_CHECKING:
    from jupyter_workflows.store import AttemptRecord, RunDetails, StageRunRecord


@click.command(cls=Command)
@click.argument("run_id", metavar="ID")
@place_options
@json_option
@pass_output
def show(output: Output, run_id: str, place: Place) -> None:
    """Show a run: its stages, attempts, errors, executed notebooks and data.

    With --json: the object that `run --json` prints, with more about the run, and for each stage its
    "stage_run" (id), "assignee", "due_at" and "history" of attempts.
    """
    with opened(place) as store:
        details = find_run(store, run_id)
        report = report_of(store, details.run.id)
    if output.json:
        stages = [
            {**stage, **_more(details, stage_run)}
            for stage, stage_run in zip(report["stages"], details.stage_runs, strict=True)
        ]
        more = {key: value for key, value in run_json(details.run).items() if key not in ("id", "state")}
        output.emit({**report, **more, "stages": stages})
        return
    _print_head(output, details)
    _print_stages(output, details)
    _print_attempts(output, details)
    print_data(output, report["data"])


def _more(details: RunDetails, stage_run: StageRunRecord) -> dict[str, Any]:
    return {
        "stage_run": stage_run.id,
        "assignee": stage_run.assignee,
        "handled": stage_run.handled,
        "due_at": iso_time(stage_run.due_at),
        "deadline": iso_time(stage_run.deadline),
        "history": [
            {
                "attempt": attempt.number,
                "state": str(attempt.state),
                "started_at": iso_time(attempt.started_at),
                "ended_at": iso_time(attempt.ended_at),
                "notebook": attempt.output,
                "error": dict(attempt.error) if attempt.error else None,
                "warnings": attempt.warnings,
            }
            for attempt in details.attempts.get(stage_run.id, ())
        ],
    }


def _print_head(output: Output, details: RunDetails) -> None:
    from rich.text import Text

    run = details.run
    output.out.print(
        Text.assemble("Run ", (run.id, "bold"), " of ", run.title, " ", state_text(str(run.state)))
    )
    by = f" by {run.started_by}" if run.started_by else ""
    facts = [f"{run.mode} run, started {local_time(run.created_at)}{by}"]
    if run.ended_at is not None:
        took = duration((run.ended_at - run.created_at).total_seconds())
        facts.append(f"ended {local_time(run.ended_at)} after {took}")
    if run.cancelled_by:
        facts.append(f"cancelled by {run.cancelled_by}")
    if run.parent:
        facts.append(f"repeats {run.parent}")
    output.print("; ".join(facts))
    output.print(f"project {run.project}\n")


def _print_stages(output: Output, details: RunDetails) -> None:
    from rich.text import Text

    made = table(["stage run", "stage", "state", "attempts", "started", "took", "note"])
    made.columns[0].no_wrap = True
    for stage_run in details.stage_runs:
        took = ""
        if stage_run.started_at is not None and stage_run.ended_at is not None:
            took = duration((stage_run.ended_at - stage_run.started_at).total_seconds())
        made.add_row(
            stage_run.id,
            Text(stage_run.path, style="bold"),
            state_text(str(stage_run.state)),
            str(len(details.attempts.get(stage_run.id, ()))),
            local_time(stage_run.started_at),
            took,
            Text(_note(stage_run)),
        )
    output.out.print(made)


def _note(stage_run: StageRunRecord) -> str:
    state = str(stage_run.state)
    notes = []
    if state == "waiting":
        notes.append(f"for {stage_run.assignee}" if stage_run.assignee else "for a request")
        if stage_run.deadline is not None:
            notes.append(f"due {local_time(stage_run.deadline)}")
    if state == "queued" and stage_run.due_at is not None and stage_run.failures:
        notes.append(f"tried again at {local_time(stage_run.due_at)}")
    if state == "failed" and stage_run.handled:
        notes.append("a failed transition took over")
    if stage_run.conflicts:
        notes.append(f"{counted(len(stage_run.conflicts), 'key')} written by several branches")
    return "; ".join(notes)


def _print_attempts(output: Output, details: RunDetails) -> None:
    for stage_run in details.stage_runs:
        attempts = details.attempts.get(stage_run.id, ())
        shown = [attempt for attempt in attempts if attempt.output or attempt.error or attempt.warnings]
        if not shown:
            continue
        output.print(f"\n{stage_run.path} ({stage_run.id})", "bold")
        for attempt in shown:
            _print_attempt(output, attempt)


def _print_attempt(output: Output, attempt: AttemptRecord) -> None:
    error = attempt.error
    output.print(f"  attempt {attempt.number} {attempt.state}: {attempt.output or 'no executed notebook'}")
    if error:
        words = f"{error.get('name', 'Error')}: {error.get('message', '')}{in_cell(error.get('cell'))}"
        output.print(f"    {words}", "red")
    for warning in attempt.warnings:
        output.print(f"    {warning}", "yellow")
