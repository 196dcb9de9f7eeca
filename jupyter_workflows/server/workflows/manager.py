"""What the routes of workflows do. All methods may block: they are called on threads."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from jupyter_workflows.runner.wakeup import wake
from jupyter_workflows.store import Store

from .models import (
    HookModel,
    NewSecretModel,
    SecretList,
    SecretModel,
    WorkflowDetail,
    WorkflowList,
    WorkflowModel,
    WorkflowsQuery,
)

#: From a workflow's and a hook's names to the path of the hook's address.
HookAddress = Callable[[str, str], str]


class WorkflowsManager:
    """Deployed workflows, for people and programs that ask over HTTP."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def list(self, query: WorkflowsQuery) -> WorkflowList:
        """Return a page of workflows."""
        found = self._store.list_workflows(after=query.cursor, limit=query.limit + 1)
        page = found[: query.limit]
        more = len(found) > query.limit
        return WorkflowList(
            workflows=[WorkflowModel.of(workflow) for workflow in page],
            cursor=page[-1].slug if more else None,
        )

    def show(self, name: str, address: HookAddress) -> WorkflowDetail:
        """Return a workflow with its live hooks."""
        workflow = self._store.get_workflow(name)
        hooks = self._store.list_hooks(workflow.uid)
        return WorkflowDetail(
            **WorkflowModel.of(workflow).model_dump(),
            hooks=[HookModel.of(hook, address(hook.slug, hook.path)) for hook in hooks],
        )

    def pause(self, name: str, *, by: str) -> WorkflowModel:
        """Let a workflow rest."""
        uid = self._store.get_workflow(name).uid
        self._store.pause(uid, by=by)
        return WorkflowModel.of(self._store.get_workflow(uid))

    def resume(self, name: str, *, by: str) -> WorkflowModel:
        """Let a paused workflow go on."""
        uid = self._store.get_workflow(name).uid
        self._store.resume(uid, by=by)
        wake(self._store.state_folder / "wake")
        return WorkflowModel.of(self._store.get_workflow(uid))

    def secrets(self, name: str) -> SecretList:
        """Return what is known of a workflow's secrets."""
        found = self._store.list_secrets(self._store.get_workflow(name).uid)
        return SecretList(secrets=[SecretModel.of(secret) for secret in found])

    def rotate(self, name: str, stage: str, overlap: float, *, by: str) -> NewSecretModel:
        """Make a new secret for a hook."""
        uid = self._store.get_workflow(name).uid
        return NewSecretModel.of(
            self._store.rotate_secret(uid, stage, overlap=timedelta(seconds=overlap), by=by)
        )

    def revoke(self, name: str, secret: str, *, by: str) -> None:
        """Remove a secret at once."""
        self._store.revoke_secret(self._store.get_workflow(name).uid, secret, by=by)
