"""Jobs of workflows that were deployed, and a clock that tests set."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from jupyter_workflows.store import RunFilter, Store, new_id
from jupyter_workflows.store.deployment_records import NewDeployment

from .stores import document


class SetClock:
    """A clock that shows what the test says."""

    def __init__(self, time: str | datetime = "2026-03-02 08:00:00") -> None:
        self.time = at(time) if isinstance(time, str) else time

    def now(self) -> datetime:
        return self.time

    def set(self, time: str) -> datetime:
        self.time = at(time)
        return self.time

    def pass_(self, **time: float) -> datetime:
        self.time += timedelta(**time)
        return self.time

    def rule(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        """Make it the clock of a store's database."""
        monkeypatch.setattr(store.database, "now", lambda connection: self.time)


def at(text: str) -> datetime:
    """Return a time in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def deploy_job(
    store: Store,
    cron: str = "0 * * * *",
    *,
    uid: str | None = None,
    stage: str = "job",
    address: str | None = None,
    project: Path | None = None,
    document_text: str | None = None,
    **schedule: Any,
) -> str:
    """Deploy a workflow with one job, and return its uid."""
    uid = uid or str(uuid.uuid4())
    text = document_text or document(
        {stage: {"type": "job", "schedule": {"cron": cron, **schedule}}}, uid=uid, title=f"Workflow {uid[:8]}"
    )

    def place(folder: str) -> str:
        target = store.state_folder / folder
        target.mkdir(parents=True, exist_ok=True)
        if project is not None and not (target / "project").exists():
            (target / "project").symlink_to(project)
        return folder

    store.add_deployment(
        NewDeployment(
            id=new_id(),
            document_text=text,
            slug=f"w-{uid}",
            snapshot_hash="0" * 64,
            size=0,
            project="/project",
            owner_address=address,
        ),
        place,
    )
    return uid


def scheduled(store: Store, uid: str) -> list[datetime]:
    """Return for which times a workflow has runs, in order."""
    found: list[datetime] = []
    cursor = None
    while True:
        page = store.list_runs(RunFilter(workflow_uid=uid), cursor=cursor, limit=200)
        found += [run.scheduled_time for run in page.runs if run.scheduled_time is not None]
        cursor = page.cursor
        if cursor is None:
            return sorted(found)


def start_all_due(store: Store, now: datetime | None = None) -> list[datetime]:
    """Start what is due until nothing more is, as a runner does; return the times."""
    started: list[datetime] = []
    for _ in range(10_000):
        work = store.start_due(now)
        assert not work.failed, work.failed
        started += [run.scheduled_time for run in work.started]
        if not work.more:
            return started
    raise AssertionError("it never ends")
