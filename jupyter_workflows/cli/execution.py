"""Running a project in the foreground, for `run` and `demo`."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING, Any

from .logs import log_to_console
from .output import Output
from .progress import make_progress
from .stores import opened_store

if TYPE_CHECKING:
    from jupyter_workflows.execution.project import Project
    from jupyter_workflows.model.document import Document
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
    from jupyter_workflows.runner.report import run_report

    log_to_console(output)
    progress = make_progress(output, quiet=quiet)
    try:
        with output.guarded(), progress:
            run_id = run_workflow(project, options, progress)
    except KeyboardInterrupt as error:
        error.run_id = progress.run_id  # type: ignore[attr-defined]
        raise
    with opened_store(options.database) as store:
        return run_report(store, run_id)
