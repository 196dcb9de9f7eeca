"""What the routes of deployments read and write."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field, StringConstraints

from jupyter_workflows.store.deployment_records import DeploymentRecord

from ..checks.models import FindingModel
from ..models import LongText, Model, PageQuery, Query, Request, StagePath, Text, WorkflowPath
from ..workflows.models import HookModel, NewSecretModel


class DeploymentsQuery(PageQuery):
    """Which deployments, and which part of them."""

    workflow: Text | None = Field(None, description="Uid of a workflow, or its name in addresses.")


class DeploymentModel(Model):
    """A numbered snapshot of a workflow."""

    id: str
    workflow: str = Field(description="Uid of the workflow.")
    slug: str
    version: int
    title: str
    live: bool = Field(description="Whether it is the one that new runs follow.")
    project: str = Field(description="From where it was deployed.")
    hash: str = Field(description="Of all its files, by which two versions can be compared.")
    size: int = Field(description="Bytes of its files.")
    created_by: str | None
    created_at: datetime
    note: str | None

    @classmethod
    def of(cls, deployment: DeploymentRecord) -> DeploymentModel:
        """Return a deployment's model."""
        return cls(
            id=deployment.id,
            workflow=deployment.workflow_uid,
            slug=deployment.slug,
            version=deployment.version,
            title=deployment.title,
            live=deployment.live,
            project=deployment.project,
            hash=deployment.snapshot_hash,
            size=deployment.size,
            created_by=deployment.created_by,
            created_at=deployment.created_at,
            note=deployment.note,
        )


class DeploymentList(Model):
    """Deployments, the newest first."""

    deployments: list[DeploymentModel]
    cursor: str | None = Field(description="Where the list goes on; null at its end.")


class DeployRequest(Request):
    """What is deployed."""

    path: WorkflowPath
    note: LongText | None = None
    slug: StagePath | None = Field(
        None, description="Its name in addresses, with the first deployment; by default that of the title."
    )
    owner_address: Text | None = Field(None, description="Where mail about failed runs goes.")
    allow_warnings: bool = Field(True, description="Whether a workflow with warnings is deployed.")


class UploadQuery(Query):
    """What is deployed, and as what."""

    document: Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00/\\]+\.workflow$")] = Field(
        description="Name of the workflow file, which is at the top of the archive."
    )
    note: LongText | None = None
    slug: StagePath | None = Field(
        None, description="Its name in addresses, with the first deployment; by default that of the title."
    )
    owner_address: Text | None = Field(None, description="Where mail about failed runs goes.")
    allow_warnings: bool = Field(True, description="Whether a workflow with warnings is deployed.")
    origin: Text | None = Field(None, description="From where it comes, for those who read the list.")


class JobModel(Model):
    """A job that is due by its schedule now."""

    stage: str
    path: str
    cron: str
    timezone: str
    next_due: datetime | None


class DeployedModel(DeploymentModel):
    """A deployment that was just made live."""

    hooks: list[HookModel]
    jobs: list[JobModel]
    secrets: list[NewSecretModel] = Field(
        description="Secrets of hooks that are new: this is the only time that they are shown."
    )
    paused: bool = Field(description="Whether its workflow rests.")
    instead_of: int | None = Field(description="The version that was live before.")
    findings: list[FindingModel] = Field(description="What the check found; none of it is an error.")
