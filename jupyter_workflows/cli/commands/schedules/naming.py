"""Finding workflows and their jobs by what a person calls them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from jupyter_workflows.cli.errors import CliError
from jupyter_workflows.cli.stores import workflow_uid

if TYPE_CHECKING:
    from jupyter_workflows.store import Store
    from jupyter_workflows.store.deployment_records import WorkflowRecord
    from jupyter_workflows.store.schedules import ScheduledJob


def find_workflow(store: Store, given: str) -> WorkflowRecord:
    """Return a deployed workflow by its name in URLs, its uid or its file."""
    return store.get_workflow(workflow_uid(given) or given)


def find_job(store: Store, workflow: WorkflowRecord, given: str | None) -> tuple[str, str]:
    """Return the key and the path of a job of the live version, with a schedule or without.

    Parameters
    ----------
    given
        Its path; may be left out where there is one job alone.
    """
    from jupyter_workflows.model.document import load

    if workflow.live_deployment is None:
        raise CliError(f"No version of {workflow.slug} is live", "Deploy it", code="wrong-state")
    document = load(store.deployed_document(store.get_deployment(workflow.live_deployment)))
    paths = {stage.path: key for key, stage in document.stages.items() if stage.type == "job"}
    path = _choose(workflow.slug, paths, given)
    return paths[path], path


def find_schedule(store: Store, workflow: WorkflowRecord, given: str | None) -> ScheduledJob:
    """Return a job with a schedule, of the live version."""
    found = {job.path: job for job in store.list_schedules(workflow.uid)}
    return found[_choose(workflow.slug, found, given)]


def _choose(slug: str, found: Mapping[str, object], given: str | None) -> str:
    choices = ", ".join(found)
    if not found:
        raise CliError(f"The live version of {slug} has no such job", code="not-found")
    if given is None:
        if len(found) > 1:
            raise CliError(
                f"{slug} has {len(found)} jobs", f"Name one of: {choices}", details={"choices": list(found)}
            )
        return next(iter(found))
    if given not in found:
        raise CliError(
            f"{slug} has no such job: {given}",
            f"Its jobs are: {choices}",
            code="not-found",
            details={"choices": list(found)},
        )
    return given
