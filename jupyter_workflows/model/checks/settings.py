"""Checks of a stage's settings."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ..document import DataReference, Document, FormStage, HookStage, JobStage, Stage
from ..findings import Finding
from ..graph import Graph
from ..schedule import Schedule, ScheduleError
from ..units import UnitError, parse_duration, parse_memory


def check_settings(document: Document, graph: Graph) -> Iterator[Finding]:
    """Find settings that cannot be understood or do not fit the stage."""
    for key, stage in document.stages.items():
        yield from _amounts(key, stage)
        if isinstance(stage, FormStage):
            yield from _assignee(key, stage, key in graph.entries)
        elif isinstance(stage.start, str):
            yield Finding(
                "start-of-form",
                "warning",
                f"“start” is {stage.start!r}, but only a form is started by a person.",
                "Set it to true, or leave it out.",
                stage=key,
                field="start",
            )
        if isinstance(stage, JobStage):
            yield from _schedule(key, stage)


def _amounts(key: str, stage: Stage) -> Iterator[Finding]:
    amounts: list[tuple[str, str | None, Callable[[str], object]]] = [("memory", stage.memory, parse_memory)]
    if isinstance(stage, FormStage):
        amounts += [("due", stage.due, parse_duration), ("remind", stage.remind, parse_duration)]
    if isinstance(stage, FormStage | HookStage):
        amounts.append(("expires", stage.expires, parse_duration))
    for field, text, parse in amounts:
        if text is None:
            continue
        try:
            parse(text)
        except UnitError as error:
            code = "bad-memory" if field == "memory" else "bad-duration"
            yield Finding(code, "error", error.message, error.mend, stage=key, field=field)


def _assignee(key: str, stage: FormStage, first: bool) -> Iterator[Finding]:
    assignee = stage.assignee
    if assignee is None:
        if not first:
            yield Finding(
                "form-without-assignee",
                "warning",
                "The form has no assignee. If no notebook names one, whoever started the run gets the task.",
                "Choose a person or a team.",
                stage=key,
                field="assignee",
            )
        return
    name = assignee.from_ if isinstance(assignee, DataReference) else assignee.removeprefix("team:")
    if not name.strip():
        yield Finding(
            "bad-assignee",
            "error",
            "The assignee has no name.",
            "Write a user name, an e-mail address, team:NAME, or the key of the stage data that holds one.",
            stage=key,
            field="assignee",
        )


def _schedule(key: str, stage: JobStage) -> Iterator[Finding]:
    if stage.schedule is None:
        yield Finding(
            "job-without-schedule",
            "info",
            "The job has no schedule, so it runs only when somebody starts it.",
            "Give it a schedule.",
            stage=key,
            field="schedule",
        )
        return
    try:
        Schedule(stage.schedule.cron, stage.schedule.timezone)
    except ScheduleError as error:
        code = "bad-cron" if error.field == "cron" else "bad-timezone"
        yield Finding(code, "error", error.message, error.mend, stage=key, field=f"schedule.{error.field}")
