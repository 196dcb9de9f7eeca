"""What the routes of tasks do. All methods may block: they are called on threads."""

from __future__ import annotations

from jupyter_workflows.model.states import StageRunState
from jupyter_workflows.runner.wakeup import wake
from jupyter_workflows.store import Store, TaskFilter

from .models import TaskList, TaskModel, TasksQuery


class TasksManager:
    """Tasks, for people and programs that ask over HTTP."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def list(self, query: TasksQuery, *, names: tuple[str, ...], alone: bool, me: str) -> TaskList:
        """Return a page of tasks.

        Parameters
        ----------
        names
            What the tasks of who asks are assigned to.
        alone
            There is nobody else on this server.
        me
            The name of who asks.
        """
        assignees = names if query.mine else tuple(query.assignee) or None
        if query.inbox and not alone:
            assignees = names
        wanted = TaskFilter(
            assignees=assignees,
            workflow_uid=query.workflow,
            run_id=query.run,
            path=query.path,
            mode=query.mode,
            types=tuple(dict.fromkeys(query.type)) or ("form", "hook"),
        )
        page = self._store.list_tasks(wanted, cursor=query.cursor, limit=query.limit)
        return TaskList(tasks=[TaskModel.of(task) for task in page.tasks], cursor=page.cursor, me=me)

    def show(self, task: str) -> TaskModel:
        """Return a task, also one that is over."""
        return TaskModel.of(self._store.get_task(task, ended=True))

    def holder(self, task: str) -> str | None:
        """Return the id of the runner that has a task open."""
        found = self._store.get_stage_run(task)
        return found.runner if found.state is StageRunState.RUNNING else None

    def give_back(self, task: str, *, by: str) -> TaskModel:
        """Give a task that somebody took back to the team that it was taken from."""
        team = self._store.team_of(task)
        if team is not None:
            self._store.assign(task, team, by=by)
        wake(self._store.state_folder / "wake")
        return TaskModel.of(self._store.get_task(task))

    def assign(self, task: str, assignee: str, *, by: str) -> TaskModel:
        """Give a task to somebody else."""
        self._store.assign(task, assignee, by=by)
        wake(self._store.state_folder / "wake")
        return TaskModel.of(self._store.get_task(task))
