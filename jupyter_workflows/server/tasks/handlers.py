"""Routes of tasks."""

from __future__ import annotations

from ..auth import authenticated, authorized
from ..base import WorkflowsHandler
from ..operations import operation
from .manager import TasksManager
from .models import AssignRequest, TaskList, TaskModel, TasksQuery


class _TasksHandler(WorkflowsHandler):
    @property
    def tasks(self) -> TasksManager:
        """What does the work."""
        return TasksManager(self.store)


class TasksHandler(_TasksHandler):
    """All tasks."""

    @authenticated
    @authorized("read")
    @operation("List tasks", query=TasksQuery, answer=TaskList)
    async def get(self, query: TasksQuery) -> TaskList:
        """What waits for a person or a request, the oldest first."""
        return await self.call(self.tasks.list, query, user=self.user_name)


class TaskHandler(_TasksHandler):
    """One task."""

    @authenticated
    @authorized("read")
    @operation("Show a task", answer=TaskModel)
    async def get(self, task: str) -> TaskModel:
        """While it waits, or somebody has it open."""
        return await self.call(self.tasks.show, task)


class AssignTaskHandler(_TasksHandler):
    """Assigning."""

    @authenticated
    @authorized("write")
    @operation("Give a task to somebody else", body=AssignRequest, answer=TaskModel, problems=(409,))
    async def post(self, task: str, body: AssignRequest) -> TaskModel:
        """They are told by mail."""
        return await self.change(self.tasks.assign, task, body.assignee, by=self.user_name)


default_handlers = [
    ("tasks", TasksHandler),
    ("tasks/{task}", TaskHandler),
    ("tasks/{task}/assign", AssignTaskHandler),
]
