"""Routes of tasks."""

from __future__ import annotations

import asyncio

from jupyter_workflows.store import NotFound

from ..auth import authenticated, authorized
from ..base import WorkflowsHandler
from ..operations import operation
from ..problems import Problem
from .access import is_alone, may_work_on, names_of
from .manager import TasksManager
from .models import AssignRequest, OpenedTask, TaskList, TaskModel, TasksQuery

#: Looks at whether a form has been closed, and the seconds between them.
_LOOKS = 200
_LOOK = 0.05


class _TasksHandler(WorkflowsHandler):
    @property
    def tasks(self) -> TasksManager:
        """What does the work."""
        return TasksManager(self.store)

    @property
    def names(self) -> tuple[str, ...]:
        """What a task may be assigned to for it to be that of who asks."""
        return names_of(self.identity_provider, self.current_user)

    async def check_access(self, task: str) -> None:
        """Let only those go on whose task it is."""
        try:
            found = await self.call(self.store.get_task, task, ended=True)
        except NotFound:
            return  # no task: what was asked for says so
        if not may_work_on(found, self.identity_provider, self.current_user):
            raise Problem(403, "not-yours", f"this task is {found.assignee or 'nobody'}'s")

    async def close_form(self, task: str) -> None:
        """Have a form closed that somebody has open, and wait until that is recorded."""
        if not await self.app.doors.park(task):
            return
        for _ in range(_LOOKS):
            if await self.call(self.tasks.holder, task) is None:
                return
            await asyncio.sleep(_LOOK)


class TasksHandler(_TasksHandler):
    """All tasks."""

    @authenticated
    @authorized("read")
    @operation("List tasks", query=TasksQuery, answer=TaskList)
    async def get(self, query: TasksQuery) -> TaskList:
        """What waits for a person or a request, the oldest first."""
        alone = is_alone(self.identity_provider)
        return await self.call(self.tasks.list, query, names=self.names, alone=alone, me=self.user_name)


class TaskHandler(_TasksHandler):
    """One task."""

    @authenticated
    @authorized("read")
    @operation("Show a task", answer=TaskModel)
    async def get(self, task: str) -> TaskModel:
        """Also when it is over."""
        return await self.call(self.tasks.show, task)


class OpenTaskHandler(_TasksHandler):
    """Opening."""

    @authenticated
    @authorized("write")
    @operation("Open a form", answer=OpenedTask, problems=(403, 409, 503))
    async def post(self, task: str) -> OpenedTask:
        """Its notebook is executed up to where it needs input. Who opens it after others joins them."""
        await self.check_access(task)
        found = await self.call(self.store.get_task, task, ended=True)
        if found.type != "form":
            raise Problem(409, "wrong-state", "this task waits for a request, not for a person")
        runner = await self.call(self.tasks.holder, task)
        session = await self.app.doors.open(
            task, self.user_name, runner=runner, patient=self.app.runner_enabled
        )
        self.app.look_for_changes()
        return OpenedTask(
            session=session.id, attempt=session.attempt, task=await self.call(self.tasks.show, task)
        )


class ReleaseTaskHandler(_TasksHandler):
    """Giving back."""

    @authenticated
    @authorized("write")
    @operation("Close a form, and give the task back to its team", answer=TaskModel, problems=(403, 409))
    async def post(self, task: str) -> TaskModel:
        """What was filled in is kept. A task that was taken from a team is the team's again."""
        await self.check_access(task)
        await self.close_form(task)
        return await self.change(self.tasks.give_back, task, by=self.user_name)


class AssignTaskHandler(_TasksHandler):
    """Assigning."""

    @authenticated
    @authorized("write")
    @operation("Give a task to somebody else", body=AssignRequest, answer=TaskModel, problems=(409,))
    async def post(self, task: str, body: AssignRequest) -> TaskModel:
        """They are told by mail. If somebody has the form open, it is closed; what was filled in is kept."""
        await self.check_access(task)
        await self.close_form(task)
        return await self.change(self.tasks.assign, task, body.assignee, by=self.user_name)


default_handlers = [
    ("tasks", TasksHandler),
    ("tasks/{task}", TaskHandler),
    ("tasks/{task}/open", OpenTaskHandler),
    ("tasks/{task}/release", ReleaseTaskHandler),
    ("tasks/{task}/assign", AssignTaskHandler),
]
