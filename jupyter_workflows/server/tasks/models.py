"""What the routes of tasks read and write."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from jupyter_workflows.model.states import RunMode, StageRunState
from jupyter_workflows.store import Task

from ..models import Id, Model, PageQuery, Request, StagePath, Text


class TasksQuery(PageQuery):
    """Which tasks, and which part of them."""

    assignee: list[Text] = Field([], description="A person or `team:NAME`; may be given again.")
    mine: bool = Field(False, description="Only those of who asks.")
    inbox: bool = Field(False, description="Only those that who asks can do: of a server for one person all.")
    workflow: Text | None = Field(None, description="Uid of a workflow.")
    run: Id | None = None
    path: StagePath | None = Field(None, description="Path of the stage.")
    mode: RunMode | None = None
    type: list[Literal["form", "hook"]] = Field(
        [], description="What waits: for a person, for a request. By default both."
    )


class TaskModel(Model):
    """A stage run that waits for a person or a request."""

    id: str
    run: str
    workflow: str = Field(description="Uid of the workflow.")
    workflow_title: str
    mode: RunMode
    stage: str = Field(description="Key of the stage in the document.")
    path: str
    title: str
    type: str
    state: StageRunState
    assignee: str | None
    started_by: str | None
    opened_by: str | None
    created_at: datetime
    deadline: datetime | None
    expires_at: datetime | None
    attempt: int = Field(description="Number of the latest execution of its notebook; 0: there was none.")

    @classmethod
    def of(cls, task: Task) -> TaskModel:
        """Return a task's model."""
        return cls(
            id=task.id,
            run=task.run_id,
            workflow=task.workflow_uid,
            workflow_title=task.workflow_title,
            mode=task.mode,
            stage=task.stage,
            path=task.path,
            title=task.title,
            type=task.type,
            state=task.state,
            assignee=task.assignee,
            started_by=task.started_by,
            opened_by=task.opened_by,
            created_at=task.created_at,
            deadline=task.deadline,
            expires_at=task.expires_at,
            attempt=task.attempt,
        )


class TaskList(Model):
    """Tasks, the oldest first."""

    tasks: list[TaskModel]
    cursor: str | None = Field(description="Where the list goes on; null at its end.")
    me: str = Field(description="By what name who asks is known.")


class AssignRequest(Request):
    """To whom a task is given."""

    assignee: Text = Field(description="A person, or `team:NAME`.")


class OpenedTask(Model):
    """A task that is open."""

    session: str = Field(description="Names the websocket: `workflows/forms/{session}/channels`.")
    attempt: int = Field(description="Which execution of the notebook it is.")
    task: TaskModel
