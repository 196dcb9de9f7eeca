"""Tasks of people and hooks that wait."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jupyter_workflows.model.records import Changes

from .. import queries, tasks
from ..records import Claim, StageRunRecord, Task, TaskFilter, TaskPage
from .base import StoreBase

_BATCH = 100


class TaskOperations(StoreBase):
    """What is done with stage runs that wait."""

    def list_tasks(
        self, wanted: TaskFilter | None = None, *, cursor: str | None = None, limit: int = 50
    ) -> TaskPage:
        """Return a page of tasks that wait or that somebody has open, the oldest first."""
        with self.database.read() as connection:
            return queries.list_tasks(connection, wanted or TaskFilter(), cursor, limit)

    def get_task(self, stage_run_id: str, *, ended: bool = False) -> Task:
        """Return a task that waits or that somebody has open; with `ended` also one that is over."""
        with self.database.read() as connection:
            return queries.get_task(connection, stage_run_id, ended=ended)

    def waiting_for_request(self, workflow_uid: str, path: str) -> list[StageRunRecord]:
        """Return the stage runs of a hook that wait, in runs of any version of the workflow."""
        with self.database.read() as connection:
            return tasks.waiting_for_request(connection, workflow_uid, path)

    def deliver(
        self,
        stage_run_id: str,
        *,
        request: Mapping[str, Any] | None = None,
        answers: Any = None,
        by: str | None = None,
    ) -> None:
        """Queue a waiting stage run with the request or the answers that it waited for.

        Raises
        ------
        WrongState
            It does not wait.
        """
        with self.database.write() as connection:
            tasks.deliver(
                connection,
                stage_run_id,
                request=request,
                answers=answers,
                by=by,
                now=self.database.now(connection),
            )

    def assign(self, stage_run_id: str, assignee: str, *, by: str | None = None) -> None:
        """Give a waiting task to somebody else."""
        with self.database.write() as connection:
            parsed = self._parsed_of(connection, tasks.run_of(connection, stage_run_id))
            now = self.database.now(connection)
            tasks.assign(connection, parsed, stage_run_id, assignee, by, now)

    def team_of(self, stage_run_id: str) -> str | None:
        """Return the team from which the assignee of a task took it; `None` if it was not taken from one."""
        with self.database.read() as connection:
            return tasks.team_of(connection, stage_run_id)

    def respond(self, claim: Claim, response: Mapping[str, Any]) -> bool:
        """Store a hook's response, before it is sent.

        Returns
        -------
        Whether it was the first; later ones change nothing.

        Raises
        ------
        StaleClaim
            The attempt is not the current one any more.
        """
        with self.database.write() as connection:
            return tasks.respond(connection, claim, response)

    def expire(self) -> list[tuple[str, Changes]]:
        """End tasks and hooks that have waited too long, and return the runs with what changed."""
        with self.database.read() as connection:
            found = tasks.expired(connection, self.database.now(connection), _BATCH)
        ended = []
        for run_id, stage_run_id in found:
            with self.database.write() as connection:
                changes = tasks.expire(
                    connection,
                    self._parsed_of(connection, run_id),
                    run_id,
                    stage_run_id,
                    load=self.load,
                    now=self.database.now(connection),
                    limit=self.limit,
                )
            if changes is not None:
                ended.append((run_id, changes))
        return ended

    def remind(self) -> int:
        """Put reminders of tasks whose time has come into the outbox, and return how many."""
        with self.database.read() as connection:
            found = tasks.to_remind(connection, self.database.now(connection), _BATCH)
        reminded = 0
        for task in found:
            with self.database.write() as connection:
                parsed = self._graphs.get(connection, task.document_hash)
                reminded += tasks.remind(connection, parsed, task, self.database.now(connection))
        return reminded
