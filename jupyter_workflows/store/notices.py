"""What people are told of: entries for the outbox. Test runs tell nobody."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from jupyter_workflows.model.document import Stage
from jupyter_workflows.model.states import RunMode

from . import outbox


def announce_task(
    connection: Connection,
    run: Any,
    stage_run: str,
    stage: Stage,
    assignee: str | None,
    now: datetime,
    *,
    kind: str = "task-assigned",
    dedupe_key: str | None = None,
) -> None:
    """Tell the assignee of a task.

    Parameters
    ----------
    run
        The run's row: `id`, `title`, `mode`, `workflow_uid`.
    """
    if stage.type != "form" or assignee is None or run.mode != RunMode.LIVE:
        return
    outbox.add(
        connection,
        kind,
        {
            "run": run.id,
            "stage_run": stage_run,
            "workflow": run.workflow_uid,
            "workflow_title": run.title,
            "path": stage.path,
            "title": stage.title,
            "assignee": assignee,
        },
        now=now,
        run_id=run.id,
        dedupe_key=dedupe_key or f"{kind}:{stage_run}:{assignee}",
    )


def announce_failure(connection: Connection, run: Any, stage_run: str, now: datetime) -> None:
    """Tell that a run failed. A run that is retried may fail again, and tells it again."""
    if run.mode != RunMode.LIVE:
        return
    outbox.add(
        connection,
        "run-failed",
        {
            "run": run.id,
            "stage_run": stage_run,
            "workflow": run.workflow_uid,
            "workflow_title": run.title,
            "started_by": run.started_by,
        },
        now=now,
        run_id=run.id,
    )
