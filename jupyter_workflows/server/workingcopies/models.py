"""What the routes of working copies read and write."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from ..deployments.models import DeploymentModel
from ..models import JsonObject, Model, Query, Request, Text, WorkflowPath
from ..workflows.models import WorkflowDetail

#: Path of a file or folder, as the file browser shows it; the root is no text at all.
FilePath = Annotated[str, StringConstraints(max_length=2000, pattern=r"^[^\x00\\]*$")]


class StageTemplateModel(Model):
    """What a new stage of a type begins with."""

    type: str
    title: str
    settings: JsonObject = Field(description="Fields of the stage beside those that all have.")
    notebook: JsonObject = Field(description="Its notebook.")


class WorkflowTemplateModel(Model):
    """What a new workflow begins with."""

    name: str
    title: str
    description: str
    types: list[str] = Field(description="The types of its stages, in order.")


class TemplateList(Model):
    """All templates."""

    stages: list[StageTemplateModel]
    workflows: list[WorkflowTemplateModel]


class NewProjectRequest(Request):
    """What is made."""

    folder: FilePath = Field("", description="Where; by default in the server's root folder.")
    title: Text
    template: Text = "blank"
    own_folder: bool = Field(
        True, description="Whether it gets a folder of its own, with a name that is not taken."
    )


class NewProjectModel(Model):
    """A project that was made."""

    path: str = Field(description="Path of its workflow file.")
    folder: str
    files: list[str]


class ProjectQuery(Query):
    """For which file or folder."""

    path: FilePath = Field(description="Path of a file or folder, as the file browser shows it.")


class StageOfProject(Model):
    """A stage and its notebook."""

    key: str
    path: str
    title: str
    type: str
    notebook: str = Field(description="Path of its notebook, from the server's root folder.")


class ProjectModel(Model):
    """A workflow file whose project a file is in."""

    path: str
    uid: str
    title: str
    stages: list[StageOfProject]


class ProjectList(Model):
    """The workflows in a file's folder and above it, the nearest first."""

    projects: list[ProjectModel]


class CompareRequest(Request):
    """Which working copy."""

    path: WorkflowPath
    document: str | None = Field(None, description="The document's text, if it is not saved yet.")


class DifferenceModel(Model):
    """Something that a deployment would change."""

    kind: Literal["workflow", "stage", "transition", "notebook", "file"]
    name: str
    done: Literal["added", "changed", "removed"]
    stage: str | None = Field(description="Key of the stage that it belongs to.")


Status = Literal["draft", "live", "changed"]


class NextTime(Model):
    """When a live job is due."""

    stage: str
    next_due: datetime | None


class ComparisonModel(Model):
    """How a working copy stands beside what is live."""

    status: Status
    workflow: WorkflowDetail | None = Field(description="Null if it was never deployed.")
    live: DeploymentModel | None
    differences: list[DifferenceModel]
    stages: dict[str, Status] = Field(description="How each stage of the working copy stands, by key.")
    jobs: list[NextTime] = Field(description="The live jobs; none while the workflow is paused.")


class RequirementsQuery(Query):
    """Of which workflow."""

    path: WorkflowPath


class RequirementsModel(Model):
    """What a project's requirements.txt says, and what it lacks."""

    path: str = Field(description="Path of the file, from the server's root folder.")
    exists: bool
    missing: list[str] = Field(description="Packages that notebooks import and that it does not name.")
    text: str = Field(description="The file with what is missing.")
