"""The object that `jupyter workflows run --json` prints for a run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jupyter_workflows.authoring.wire import public
from jupyter_workflows.model.merge import Ancestry, merge_arrivals
from jupyter_workflows.model.records import Arrival
from jupyter_workflows.model.states import StageRunState
from jupyter_workflows.store import RunDetails, StageRunRecord, Store


def run_report(store: Store, run_id: str) -> dict[str, Any]:
    """Describe a run and its stage runs as JSON.

    Returns
    -------
    ``{"run", "state", "stages": [{"id", "path", "state", "attempts", "notebook", "data", "error"}],
    "data"}``: one entry per stage run, sorted by key and sequence; `id` and `path` are the stage's,
    `attempts` is a count, `notebook` the path of the last executed copy, `data` the stage data after it. At
    the top `data` is that of the ends of the run, merged in branch order. A value that is not JSON is an
    object that names its ``kind``.
    """
    details = store.get_run(run_id)
    return {
        "run": details.run.id,
        "state": str(details.run.state),
        "stages": [_stage_run(details, stage_run) for stage_run in details.stage_runs],
        "data": public(merge_ends(details.stage_runs)),
    }


def _stage_run(details: RunDetails, stage_run: StageRunRecord) -> dict[str, Any]:
    attempts = details.attempts.get(stage_run.id, ())
    notebooks = [attempt.output for attempt in attempts if attempt.output]
    data = stage_run.result if stage_run.result is not None else stage_run.data
    return {
        "id": stage_run.stage,
        "path": stage_run.path,
        "state": str(stage_run.state),
        "attempts": len(attempts),
        "notebook": notebooks[-1] if notebooks else None,
        "data": public(dict(data.values)),
        "error": _error(stage_run),
    }


def _error(stage_run: StageRunRecord) -> dict[str, Any] | None:
    failure = stage_run.failure
    if failure is None or stage_run.state is not StageRunState.FAILED:
        return None
    return {"name": failure["name"], "message": failure["message"], "cell": failure.get("cell")}


def merge_ends(stage_runs: Sequence[StageRunRecord]) -> dict[str, Any]:
    """Merge the data, in wire form, of the completed stage runs that nothing follows."""
    followed = {parent for stage_run in stage_runs for parent in stage_run.parents}
    ends = [
        Arrival(stage_run.id, "", stage_run.key, stage_run.sequence, stage_run.result)
        for stage_run in stage_runs
        if stage_run.state is StageRunState.COMPLETED
        and stage_run.id not in followed
        and stage_run.result is not None
    ]
    ancestry = Ancestry({stage_run.id: stage_run.parents for stage_run in stage_runs})
    return dict(merge_arrivals(ends, ancestry).data.values)
