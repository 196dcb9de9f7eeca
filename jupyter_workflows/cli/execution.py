"""Running a project in the foreground, for `run` and `demo`."""

from __future__ import annotations

import getpass
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .logs import log_to_console
from .output import Output
from .progress import make_progress
from .stores import opened_store

if TYPE_CHECKING:
    from jupyter_workflows.execution.project import Project
    from jupyter_workflows.model.document import Document
    from jupyter_workflows.runner.events import Listener
    from jupyter_workflows.runner.foreground import RunOptions


def user_name() -> str | None:
    """Return the name of the user of this process, where the system tells it."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return None


def document_answers(document: Document) -> dict[str, Any]:
    """Return the test answers of a document's forms, by stage path."""
    return {
        stage.path: stage.test.answers
        for stage in document.stages.values()
        if stage.type == "form" and stage.test is not None and stage.test.answers is not None
    }


def execute(output: Output, project: Project, options: RunOptions, *, quiet: bool) -> dict[str, Any]:
    """Run a project with a display of its progress, and return the run's report."""
    from jupyter_workflows.runner.foreground import run_workflow

    return _watched(
        output, lambda listener: run_workflow(project, options, listener), options.database, quiet=quiet
    )


def go_on(
    output: Output,
    run_id: str,
    *,
    environment: dict[str, str],
    concurrency: int | None,
    database: str | None,
    quiet: bool,
) -> dict[str, Any]:
    """Go on with a run that was started in the foreground, and return its report."""
    from jupyter_workflows.runner.foreground import RunOptions, continue_run

    options = RunOptions(environment=environment, concurrency=concurrency, database=database)

    def work(listener: Listener) -> str:
        continue_run(run_id, options, listener)
        return run_id

    return _watched(output, work, database, quiet=quiet)


def _watched(
    output: Output, work: Callable[[Listener], str], database: str | None, *, quiet: bool
) -> dict[str, Any]:
    from jupyter_workflows.runner.report import run_report

    log_to_console(output)
    progress = make_progress(output, quiet=quiet)
    try:
        with output.guarded(), progress:
            run_id = work(progress)
    except KeyboardInterrupt as error:
        error.run_id = progress.run_id  # type: ignore[attr-defined]
        raise
    with opened_store(database) as store:
        return run_report(store, run_id)
