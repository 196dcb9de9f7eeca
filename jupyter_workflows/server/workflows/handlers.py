"""Routes of deployed workflows."""

from __future__ import annotations

from ..auth import authenticated, authorized
from ..base import WorkflowsHandler
from ..operations import operation
from .manager import WorkflowsManager
from .models import (
    NewSecretModel,
    RotateRequest,
    SecretList,
    WorkflowDetail,
    WorkflowList,
    WorkflowModel,
    WorkflowsQuery,
)


class _WorkflowsHandler(WorkflowsHandler):
    @property
    def workflows(self) -> WorkflowsManager:
        """What does the work."""
        return WorkflowsManager(self.store)


class WorkflowListHandler(_WorkflowsHandler):
    """All workflows."""

    @authenticated
    @authorized("read")
    @operation("List deployed workflows", query=WorkflowsQuery, answer=WorkflowList)
    async def get(self, query: WorkflowsQuery) -> WorkflowList:
        """By their names in addresses."""
        return await self.call(self.workflows.list, query)


class WorkflowHandler(_WorkflowsHandler):
    """One workflow."""

    @authenticated
    @authorized("read")
    @operation("Show a deployed workflow", answer=WorkflowDetail)
    async def get(self, workflow: str) -> WorkflowDetail:
        """With its live hooks and their addresses."""
        return await self.call(self.workflows.show, workflow, self.hook_address)


class PauseWorkflowHandler(_WorkflowsHandler):
    """Pausing."""

    @authenticated
    @authorized("write")
    @operation("Pause a workflow", answer=WorkflowModel)
    async def post(self, workflow: str) -> WorkflowModel:
        """No job is started and no hook takes a request; runs under way go on."""
        return await self.change(self.workflows.pause, workflow, by=self.user_name)


class ResumeWorkflowHandler(_WorkflowsHandler):
    """Going on."""

    @authenticated
    @authorized("write")
    @operation("Let a paused workflow go on", answer=WorkflowModel)
    async def post(self, workflow: str) -> WorkflowModel:
        """What was due meanwhile is not made up for."""
        return await self.change(self.workflows.resume, workflow, by=self.user_name)


class SecretsHandler(_WorkflowsHandler):
    """The secrets of hooks."""

    @authenticated
    @authorized("read")
    @operation("List the secrets of a workflow's hooks", answer=SecretList)
    async def get(self, workflow: str) -> SecretList:
        """What is known of them; they themselves are shown when they are made, and never again."""
        return await self.call(self.workflows.secrets, workflow)


class SecretHandler(_WorkflowsHandler):
    """One secret."""

    @authenticated
    @authorized("write")
    @operation("Revoke a secret", status=204)
    async def delete(self, workflow: str, secret: str) -> None:
        """Requests with it are refused at once."""
        await self.change(self.workflows.revoke, workflow, secret, by=self.user_name)


class RotateSecretHandler(_WorkflowsHandler):
    """Rotating."""

    @authenticated
    @authorized("write")
    @operation(
        "Make a new secret for a hook",
        body=RotateRequest,
        body_required=False,
        status=201,
        answer=NewSecretModel,
        problems=(409,),
    )
    async def post(self, workflow: str, stage: str, body: RotateRequest | None = None) -> NewSecretModel:
        """It is shown this once; older ones stay valid for a while."""
        wanted = body or RotateRequest(overlap=86_400.0)
        return await self.change(self.workflows.rotate, workflow, stage, wanted.overlap, by=self.user_name)


default_handlers = [
    ("workflows", WorkflowListHandler),
    ("workflows/{workflow}", WorkflowHandler),
    ("workflows/{workflow}/pause", PauseWorkflowHandler),
    ("workflows/{workflow}/resume", ResumeWorkflowHandler),
    ("workflows/{workflow}/secrets", SecretsHandler),
    ("workflows/{workflow}/secrets/{secret}", SecretHandler),
    ("workflows/{workflow}/stages/{stage}/secrets", RotateSecretHandler),
]
