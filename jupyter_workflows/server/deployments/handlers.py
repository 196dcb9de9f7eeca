"""Routes of deployments."""

from __future__ import annotations

from ..auth import authenticated, authorized
from ..base import WorkflowsHandler
from ..operations import Answer, operation
from .manager import DeploymentsManager
from .models import DeployedModel, DeploymentList, DeploymentModel, DeploymentsQuery, DeployRequest


class DeploymentsBase(WorkflowsHandler):
    """What the routes of deployments share."""

    @property
    def deployments(self) -> DeploymentsManager:
        """What does the work."""
        return DeploymentsManager(self.store)


class DeploymentsHandler(DeploymentsBase):
    """All deployments."""

    @authenticated
    @authorized("read")
    @operation("List deployments", query=DeploymentsQuery, answer=DeploymentList, problems=(404,))
    async def get(self, query: DeploymentsQuery) -> DeploymentList:
        """The newest first."""
        return await self.call(self.deployments.list, query)

    @authenticated
    @authorized("execute")
    @operation(
        "Deploy a working copy",
        body=DeployRequest,
        status=201,
        answer=DeployedModel,
        problems=(404, 409),
        location=True,
    )
    async def post(self, body: DeployRequest) -> Answer:
        """A snapshot of the project becomes the next version, and the live one."""
        file = await self.in_thread(self.app.projects.resolve, body.path)
        # Not on the thread for changes: files are copied, and others must not wait for that.
        made = await self.in_thread(self.deployments.deploy, file, body, self.hook_address, by=self.user_name)
        return Answer(made, location=("deployments", made.id))


class DeploymentHandler(DeploymentsBase):
    """One deployment."""

    @authenticated
    @authorized("read")
    @operation("Show a deployment", answer=DeploymentModel)
    async def get(self, deployment: str) -> DeploymentModel:
        """A numbered snapshot, which never changes."""
        return await self.call(self.deployments.show, deployment)


class ActivateDeploymentHandler(DeploymentsBase):
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
