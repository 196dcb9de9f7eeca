"""Routes of deployments."""

from __future__ import annotations

from ..auth import authenticated, authorized
from ..base import WorkflowsHandler
from ..operations import operation
from .manager import DeploymentsManager
from .models import DeployedModel, DeploymentList, DeploymentModel, DeploymentsQuery


class _DeploymentsHandler(WorkflowsHandler):
    @property
    def deployments(self) -> DeploymentsManager:
        """What does the work."""
        return DeploymentsManager(self.store)


class DeploymentsHandler(_DeploymentsHandler):
    """All deployments."""

    @authenticated
    @authorized("read")
    @operation("List deployments", query=DeploymentsQuery, answer=DeploymentList, problems=(404,))
    async def get(self, query: DeploymentsQuery) -> DeploymentList:
        """The newest first."""
        return await self.call(self.deployments.list, query)


class DeploymentHandler(_DeploymentsHandler):
    """One deployment."""

    @authenticated
    @authorized("read")
    @operation("Show a deployment", answer=DeploymentModel)
    async def get(self, deployment: str) -> DeploymentModel:
        """A numbered snapshot, which never changes."""
        return await self.call(self.deployments.show, deployment)


class ActivateDeploymentHandler(_DeploymentsHandler):
    """Activating."""

    @authenticated
    @authorized("execute")
    @operation("Make a version live again", answer=DeployedModel, problems=(409,))
    async def post(self, deployment: str) -> DeployedModel:
        """With its hooks and schedules; runs under way follow the version that they began with."""
        return await self.change(self.deployments.activate, deployment, self.hook_address, by=self.user_name)


default_handlers = [
    ("deployments", DeploymentsHandler),
    ("deployments/{deployment}", DeploymentHandler),
    ("deployments/{deployment}/activate", ActivateDeploymentHandler),
]
