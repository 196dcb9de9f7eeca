"""What stands in for executing a stage in a test run: pinned data, or an unchanged earlier execution."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from jupyter_workflows.authoring.wire import hashes
from jupyter_workflows.execution.project import Project
from jupyter_workflows.execution.spec import AttemptOutcome
from jupyter_workflows.model.document import Document, Stage
from jupyter_workflows.model.states import AttemptState, RunMode
from jupyter_workflows.store import AttemptRecord, Claim, StageRunRecord, Store, StoreError

from .errors import RunnerError

#: Folder in a project, beside the document, of the large values of pinned data, by hash.
PINNED = ".pinned"


async def stand_in(
    claim: Claim, document: Document, store: Store, in_database: Callable[..., Awaitable[Any]]
) -> AttemptOutcome | None:
    """Return the outcome of a claim that need not be executed; `None` if it has to be.

    Live runs execute everything.
    """
    if claim.run.mode is not RunMode.TEST:
        return None
    pinned = document.stages[claim.stage_run.stage].pinned
    if pinned is not None:
        return AttemptOutcome(AttemptState.COMPLETED, changes=dict(pinned), stand_in={"kind": "pinned"})
    if claim.run.reuse is None or claim.attempt > 1:
        return None
    found = await in_database(store.find_same, claim)
    return None if found is None else _again(claim, *found)


def _again(claim: Claim, source: StageRunRecord, attempt: AttemptRecord) -> AttemptOutcome:
    assert source.result is not None
    values, writers = source.result.values, source.result.writers
    # It may itself have been stood in for.
    origin = attempt.stand_in or {
        "kind": "reused",
        "run": source.run_id,
        "stage_run": source.id,
        "attempt": attempt.number,
    }
    return AttemptOutcome(
        AttemptState.COMPLETED,
        changes={key: value for key, value in values.items() if writers.get(key) == source.id},
        deleted=[key for key in claim.data.values if key not in values],
        route=attempt.route,
        output=attempt.output,
        stand_in=dict(origin),
    )


def pinned_artifacts(project: Project, store: Store) -> dict[str, int]:
    """Put the large values of pinned data where stages read them, and return their hashes and sizes.

    Raises
    ------
    RunnerError
        One of them is not there.
    """
    sizes = {}
    for stage in project.document.stages.values():
        for hashed in sorted(hashes(stage.pinned)) if stage.pinned is not None else ():
            sizes[hashed] = _put(project, stage, hashed, store)
    return sizes


def _put(project: Project, stage: Stage, hashed: str, store: Store) -> int:
    file = project.root / PINNED / hashed
    try:
        if file.is_file():
            store.artifacts.put_file(file, expected=hashed)
            return file.stat().st_size
        with store.artifacts.open(hashed) as stored:
            return stored.seek(0, 2)
    except (StoreError, OSError) as error:
        raise RunnerError(
            f"the pinned data of {stage.title or stage.path!r} refers to a file that is not there: {error}",
            "Unpin the stage, or run it and pin its data again",
        ) from None
