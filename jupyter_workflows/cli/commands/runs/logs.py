"""``jupyter workflows runs logs``: what a run's notebooks printed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from jupyter_workflows.cli.base import Command
from jupyter_workflows.cli.errors import CliError
from jupyter_workflows.cli.notebook_output import plain, printed
from jupyter_workflows.cli.output import STATE_STYLES, Output, json_option, pass_output
from jupyter_workflows.cli.stores import Place, find_run, find_stage_runs, opened, place_options

if TYPE_CHECKING:
    from jupyter_workflows.cli.remote import RemoteStore
    from jupyter_workflows.store import AttemptRecord, RunDetails, StageRunRecord, Store

_ENDED = ("completed", "failed", "cancelled")


@click.command(cls=Command)
@click.argument("run_id", metavar="ID")
@click.option("--stage", "stages", multiple=True, metavar="PATH", help="Only this stage. May be given again.")
@click.option("-f", "--follow", is_flag=True, help="Go on until the run has ended (Ctrl-C stops reading).")
@click.option("--interval", type=click.FloatRange(min=0.05), default=0.5, hidden=True)
@place_options
@json_option
@pass_output
def logs(
    output: Output,
    run_id: str,
    stages: tuple[str, ...],
    follow: bool,
    interval: float,
    place: Place,
) -> None:
    """Print what a run's notebooks printed, stage by stage and attempt by attempt.

    It is read from the executed notebooks, which are saved now and then while they run. Figures and other
    rich outputs show as their text; the notebooks have them in full (see: runs show ID).

    With --json: {"run", "state", "logs": [{"stage", "stage_run", "attempt", "state", "notebook",
    "cells": [{"cell", "text"}], "error"}]}.
    """
    if follow and output.json:
        raise CliError("--follow and --json do not go together", "Leave one of them out")
    with opened(place) as store:
        details = find_run(store, run_id)
        if output.json:
            entries = [_entry(store, *pair) for pair in _attempts(details, stages)]
            output.emit({"run": details.run.id, "state": str(details.run.state), "logs": entries})
            return
        printer = _Printer(output, store)
        while True:
            ended = str(details.run.state) in _ENDED
            for stage_run, attempt in _attempts(details, stages, strict=not follow or ended):
                printer.print(stage_run, attempt)
            if not follow or ended:
                break
            output.out.file.flush()
            time.sleep(interval)
            details = store.get_run(details.run.id)
        if not printer.texts:
            output.note("Nothing was executed yet.")


def _attempts(
    details: RunDetails, stages: Sequence[str], *, strict: bool = True
) -> list[tuple[StageRunRecord, AttemptRecord]]:
    """Return the attempts to show, in the order in which they began."""
    if not stages:
        chosen: Sequence[StageRunRecord] = details.stage_runs
    else:
        try:
            chosen = find_stage_runs(details, stages)
        except CliError:
            if strict:
                raise
            chosen = ()  # its turn may still come
    pairs = [
        (stage_run, attempt) for stage_run in chosen for attempt in details.attempts.get(stage_run.id, ())
    ]
    return sorted(pairs, key=lambda pair: pair[1].started_at)


def _printed(
    store: Store | RemoteStore, stage_run: StageRunRecord, attempt: AttemptRecord
) -> list[tuple[int, str]]:
    from jupyter_workflows.store import Store

    if not isinstance(store, Store):
        return store.printed(stage_run, attempt)
    if attempt.output:
        return printed(Path(attempt.output))
    return printed(store.folder(stage_run.run_id, stage_run.id) / f"executed-{attempt.number}.ipynb")


def _entry(store: Store | RemoteStore, stage_run: StageRunRecord, attempt: AttemptRecord) -> dict[str, Any]:
    return {
        "stage": stage_run.path,
        "stage_run": stage_run.id,
        "attempt": attempt.number,
        "state": str(attempt.state),
        "notebook": attempt.output,
        "cells": [{"cell": cell, "text": text} for cell, text in _printed(store, stage_run, attempt)],
        "error": dict(attempt.error) if attempt.error else None,
    }


class _Printer:
    """Prints attempts, and of those that it has printed what was added since."""

    def __init__(self, output: Output, store: Store | RemoteStore) -> None:
        self.output = output
        self.store = store
        self.texts: dict[tuple[str, int], str] = {}
        self._ended: set[tuple[str, int]] = set()
        self._current: tuple[str, int] | None = None

    def print(self, stage_run: StageRunRecord, attempt: AttemptRecord) -> None:
        """Print an attempt, or what is new of it."""
        name = (stage_run.id, attempt.number)
        if name in self._ended:
            return
        state = str(attempt.state)
        known = self.texts.get(name)
        text = "".join(
            part if part.endswith("\n") else f"{part}\n"
            for _, part in _printed(self.store, stage_run, attempt)
        )
        added = text[_common(known or "", text) :]
        if known is None or added or state != "running":
            self._head(name, stage_run, attempt, state)
        if added:
            click.echo(added, nl=not added.endswith("\n"))
        self.texts[name] = text
        if state != "running":
            self._ended.add(name)
            if attempt.error and str(attempt.error.get("name", "")) not in text:
                words = f"{attempt.error.get('name')}: {attempt.error.get('message')}"
                self.output.print(plain(words), "red")

    def _head(
        self, name: tuple[str, int], stage_run: StageRunRecord, attempt: AttemptRecord, state: str
    ) -> None:
        ended_now = state != "running" and self._current == name
        if self._current == name and not ended_now:
            return
        again = f", attempt {attempt.number}" if attempt.number > 1 else ""
        self.output.print(f"--- {stage_run.path}{again}: {state}", STATE_STYLES.get(state))
        self._current = name


def _common(one: str, other: str) -> int:
    """Return how many characters at their beginnings are the same."""
    if other.startswith(one):
        return len(one)
    return next(
        (place for place, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]),
        min(len(one), len(other)),
    )
