"""What the routes of workflows read and write."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from jupyter_workflows.store.deployment_records import HookRecord, HookSecretRecord, NewSecret, WorkflowRecord

from ..models import Model, PageQuery, Request


class WorkflowsQuery(PageQuery):
    """Which part of the list."""

    cursor: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]+$", max_length=200)] | None = Field(
        None, description="Go on where an earlier page ended: its `cursor`."
    )


class WorkflowModel(Model):
    """A workflow that was deployed."""

    uid: str
    slug: str = Field(description="Its name in addresses; it never changes.")
    title: str
    live_deployment: str | None = Field(description="Id of the deployment that new runs follow.")
    live_version: int | None
    last_version: int
    paused: bool = Field(description="No job is started, and no hook takes a request.")
    owner_address: str | None = Field(description="Where mail about failures goes.")
    created_at: datetime

    @classmethod
    def of(cls, workflow: WorkflowRecord) -> WorkflowModel:
        """Return a workflow's model."""
        return cls(
            uid=workflow.uid,
            slug=workflow.slug,
            title=workflow.title,
            live_deployment=workflow.live_deployment,
            live_version=workflow.live_version,
            last_version=workflow.last_version,
            paused=workflow.paused,
            owner_address=workflow.owner_address,
            created_at=workflow.created_at,
        )


class WorkflowList(Model):
    """Workflows, by their names in addresses."""

    workflows: list[WorkflowModel]
    cursor: str | None = Field(description="Where the list goes on; null at its end.")


class HookModel(Model):
    """A hook of a live deployment."""

    stage: str = Field(description="Key of the stage in the document.")
    path: str
    title: str
    address: str = Field(description="Path of the address that takes requests, on this server.")
    entry: bool = Field(description="Whether a request starts a run when none waits for it.")
    methods: list[str]
    auth: str
    response: str
    response_timeout: float
    match: dict[str, str] | None

    @classmethod
    def of(cls, hook: HookRecord, address: str) -> HookModel:
        """Return a hook's model."""
        return cls(
            stage=hook.stage,
            path=hook.path,
            title=hook.title,
            address=address,
            entry=hook.entry,
            methods=list(hook.methods),
            auth=hook.auth,
            response=hook.response,
            response_timeout=hook.response_timeout,
            match=dict(hook.match) if hook.match else None,
        )


class WorkflowDetail(WorkflowModel):
    """A workflow with its live hooks."""

    hooks: list[HookModel]


class SecretModel(Model):
    """What is known of a hook's secret; not the secret itself."""

    id: str
    stage: str = Field(description="Key of the hook's stage.")
    kind: str
    hint: str = Field(description="Its last characters.")
    created_at: datetime
    created_by: str | None
    expires_at: datetime | None
    last_used_at: datetime | None

    @classmethod
    def of(cls, secret: HookSecretRecord) -> SecretModel:
        """Return a secret's model."""
        return cls(
            id=secret.id,
            stage=secret.stage,
            kind=secret.kind,
            hint=secret.hint,
            created_at=secret.created_at,
            created_by=secret.created_by,
            expires_at=secret.expires_at,
            last_used_at=secret.last_used_at,
        )


class SecretList(Model):
    """The secrets of a workflow's hooks."""

    secrets: list[SecretModel]


class NewSecretModel(Model):
    """A secret that was just made: this is the only time that it is shown."""

    id: str
    stage: str = Field(description="Key of the hook's stage.")
    path: str = Field(description="Path of the hook's stage.")
    kind: Literal["token", "signature"]
    secret: str
    expires_at: datetime | None

    @classmethod
    def of(cls, secret: NewSecret) -> NewSecretModel:
        """Return a new secret's model."""
        return cls(
            id=secret.id,
            stage=secret.stage,
            path=secret.path,
            kind=secret.kind,  # type: ignore[arg-type]
            secret=secret.secret,
            expires_at=secret.expires_at,
        )


class RotateRequest(Request):
    """How a secret is replaced."""

    overlap: float = Field(
        86_400.0, ge=0, le=90 * 86_400, description="Seconds for which the old ones are valid still."
    )
