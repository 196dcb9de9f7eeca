"""What the routes of deployments do. All methods may block: they are called on threads."""

from __future__ import annotations

import os
from pathlib import Path

from jupyter_workflows.deploying import DeployError, Deployment, activate, deploy
from jupyter_workflows.deploying.archive import unpack
from jupyter_workflows.execution.project import Project, ProjectError
from jupyter_workflows.runner.wakeup import wake
from jupyter_workflows.store import InvalidCursor, Store

from ..checks.models import FindingModel
from ..workflows.manager import HookAddress
from ..workflows.models import HookModel, NewSecretModel
from .models import (
    DeployedModel,
    DeploymentList,
    DeploymentModel,
    DeploymentsQuery,
    DeployRequest,
    JobModel,
    UploadQuery,
)


class DeploymentsManager:
    """Deployments, for people and programs that ask over HTTP."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def list(self, query: DeploymentsQuery) -> DeploymentList:
        """Return a page of deployments."""
        uid = None if query.workflow is None else self._store.get_workflow(query.workflow).uid
        if query.cursor is not None and not query.cursor.isalnum():
            raise InvalidCursor("the cursor is not one that this list gave", "Begin the list anew")
        found = self._store.page_deployments(uid, after=query.cursor, limit=query.limit + 1)
        page = found[: query.limit]
        more = len(found) > query.limit
        return DeploymentList(
            deployments=[DeploymentModel.of(deployment) for deployment in page],
            cursor=page[-1].id if more else None,
        )

    def show(self, deployment: str) -> DeploymentModel:
        """Return a deployment."""
        return DeploymentModel.of(self._store.get_deployment(deployment))

    def activate(self, deployment: str, address: HookAddress, *, by: str) -> DeployedModel:
        """Make a version live again."""
        found = self._store.get_deployment(deployment)
        activated = activate(self._store, found.workflow_uid, found.version, by=by)
        wake(self._store.state_folder / "wake")
        return deployed_model(activated, address)

    def deploy(self, file: Path, wanted: DeployRequest, address: HookAddress, *, by: str) -> DeployedModel:
        """Make a working copy the next version of its workflow, and the live one."""
        made = deploy(
            self._store,
            Project.open(file),
            by=by,
            note=wanted.note,
            slug=wanted.slug,
            owner_address=wanted.owner_address,
            allow_warnings=wanted.allow_warnings,
        )
        wake(self._store.state_folder / "wake")
        return deployed_model(made, address)

    def deploy_archive(
        self, archive: Path, folder: Path, wanted: UploadQuery, address: HookAddress, *, by: str
    ) -> DeployedModel:
        """Unpack a project into a folder, and make it the next version of its workflow, and the live one."""
        try:
            folder.mkdir()
            unpack(archive, folder)
            if (folder / wanted.document).is_symlink():
                raise DeployError(f"{wanted.document} is a link", code="invalid-archive")
            made = deploy(
                self._store,
                Project.open(folder / wanted.document),
                by=by,
                note=wanted.note,
                slug=wanted.slug,
                owner_address=wanted.owner_address,
                allow_warnings=wanted.allow_warnings,
                origin=wanted.origin or f"{wanted.document}, sent by {by}",
            )
        except (DeployError, ProjectError) as error:
            # Where it lay for a moment says nothing to who sent it.
            error.message = error.message.replace(f"{folder}{os.sep}", "").replace(str(folder), ".")
            raise
        wake(self._store.state_folder / "wake")
        return deployed_model(made, address)


def deployed_model(deployment: Deployment, address: HookAddress) -> DeployedModel:
    """Return what is live now."""
    return DeployedModel(
        **DeploymentModel.of(deployment.record).model_dump(),
        hooks=[HookModel.of(hook, address(hook.slug, hook.path)) for hook in deployment.hooks],
        jobs=[
            JobModel(
                stage=job.stage,
                path=job.path,
                cron=job.cron,
                timezone=job.timezone,
                next_due=job.next_due,
            )
            for job in deployment.schedules
        ],
        secrets=[NewSecretModel.of(secret) for secret in deployment.secrets],
        paused=deployment.workflow.paused,
        instead_of=deployment.instead_of,
        findings=[FindingModel(**finding.to_json()) for finding in deployment.findings],
    )
