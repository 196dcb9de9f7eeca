"""Versions of workflows: deploying, activating, pausing, and starting runs of the live one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from jupyter_workflows.model.records import StageData
from jupyter_workflows.model.states import RunMode

from .. import activation, deployments, hook_secrets, keys, runs
from ..activation import Place
from ..deployment_records import (
    Activated,
    DeploymentRecord,
    HookRecord,
    HookSecretRecord,
    NewDeployment,
    NewSecret,
    ScheduleRecord,
    WorkflowRecord,
)
from ..errors import NotFound, WrongState
from ..records import Idempotency, NewRun
from .base import StoreBase

#: Folder of a snapshot in which the project's files lie.
PROJECT = "project"


class DeploymentOperations(StoreBase):
    """What is done with deployments."""

    # -- reading --

    def list_workflows(self, *, after: str | None = None, limit: int = 100) -> list[WorkflowRecord]:
        """Return the workflows that were deployed once, by slug; `after` is the last slug already seen."""
        with self.database.read() as connection:
            return deployments.list_workflows(connection, after=after, limit=limit)

    def get_workflow(self, name: str) -> WorkflowRecord:
        """Return the workflow with a uid or a slug."""
        with self.database.read() as connection:
            return deployments.get_workflow(connection, name)

    def list_deployments(
        self, uid: str | None = None, *, before: int | None = None, limit: int = 100
    ) -> list[DeploymentRecord]:
        """Return deployments, the newest first.

        Parameters
        ----------
        before
            Of one workflow: the last version already seen.
        """
        with self.database.read() as connection:
            return deployments.list_deployments(connection, uid, before=before, limit=limit)

    def page_deployments(
        self, uid: str | None = None, *, after: str | None = None, limit: int = 50
    ) -> list[DeploymentRecord]:
        """Return deployments, the newest first; `after` is the id of the last one already seen."""
        with self.database.read() as connection:
            return deployments.page_deployments(connection, uid, after=after, limit=limit)

    def get_deployment(self, deployment_id: str) -> DeploymentRecord:
        """Return a deployment."""
        with self.database.read() as connection:
            return deployments.get_deployment(connection, deployment_id)

    def get_version(self, uid: str, version: int) -> DeploymentRecord:
        """Return a version of a workflow."""
        with self.database.read() as connection:
            return deployments.get_version(connection, uid, version)

    def deployed_document(self, deployment: DeploymentRecord) -> str:
        """Return the text of a version's document."""
        with self.database.read() as connection:
            return self._graphs.get(connection, deployment.document_hash).text

    def list_hooks(self, uid: str) -> tuple[HookRecord, ...]:
        """Return the hooks of a workflow's live version, by path."""
        with self.database.read() as connection:
            return deployments.hooks_of(connection, uid)

    def find_hook(self, slug: str, path: str) -> HookRecord | None:
        """Return the live hook at the address ``workflows/hooks/SLUG/PATH``."""
        with self.database.read() as connection:
            return deployments.find_hook(connection, slug, path)

    def schedules_of(self, uid: str) -> tuple[ScheduleRecord, ...]:
        """Return the schedules of a workflow's live version, by path."""
        with self.database.read() as connection:
            return deployments.schedules_of(connection, uid)

    def snapshot_folder(self, deployment: DeploymentRecord) -> Path:
        """Return the folder of a version's snapshot."""
        return self.state_folder / deployment.snapshot

    # -- deploying --

    def installation_id(self) -> str:
        """Return what tells this database from others that may share the state folder."""
        return self.database.transact(
            lambda connection: keys.get(connection, "installation", self.database.now(connection))
        )

    def check_slug(self, uid: str, slug: str) -> str:
        """Return the slug that a workflow has, or else the one that it may have.

        Raises
        ------
        SlugTaken
            Another workflow has it.
        """
        with self.database.read() as connection:
            return deployments.check_slug(connection, uid, slug)

    def add_deployment(self, new: NewDeployment, place: Place) -> Activated:
        """Make the next version of a workflow and the live one, in one transaction.

        Parameters
        ----------
        place
            Called with the folder, relative to the state folder, where the snapshot is to lie before the
            version exists; returns the one where it lies. It may be called again.
        """
        parsed = self._graphs.add(runs.document_hash(new.document_text), new.document_text)

        def act(connection: Connection) -> Activated:
            now = self.database.now(connection)
            made = activation.add(connection, new, parsed, place, now)
            return activation.activate(connection, made, parsed, by=new.created_by, now=now, what="deployed")

        return self.database.transact(act)

    def activate(self, uid: str, version: int | None = None, *, by: str | None = None) -> Activated:
        """Make a version live again, with its hooks and schedules.

        Runs under way follow the version that they began with. A job of this version is due after this
        moment only, unless the live version has it with the same cron expression and zone.

        Parameters
        ----------
        version
            `None`: the one before the live one.
        """

        def act(connection: Connection) -> Activated:
            now = self.database.now(connection)
            live = deployments.lock_workflow(connection, uid).live_version
            wanted = deployments.previous(connection, uid) if version is None else version
            chosen = deployments.get_version(connection, uid, wanted)
            if chosen.live:
                raise WrongState(f"version {wanted} is live already")
            parsed = self._graphs.get(connection, chosen.document_hash)
            back = live is not None and wanted < live
            what = "rolled back" if back else "activated"
            return activation.activate(connection, chosen, parsed, by=by, now=now, what=what)

        return self.database.transact(act)

    def previous_version(self, uid: str) -> int:
        """Return the version before the live one.

        Raises
        ------
        WrongState
            There is none.
        """
        with self.database.read() as connection:
            return deployments.previous(connection, uid)

    def pause(self, uid: str, *, by: str | None = None) -> bool:
        """Let a workflow rest: no job is started, no hook takes a request. Runs under way go on.

        Returns
        -------
        Whether it was this call that paused it.
        """
        with self.database.write() as connection:
            return activation.pause(connection, uid, by=by, now=self.database.now(connection))

    def resume(self, uid: str, *, by: str | None = None) -> bool:
        """Let a paused workflow go on; what was due meanwhile is not made up for.

        Returns
        -------
        Whether it was paused.
        """
        with self.database.write() as connection:
            return activation.resume(connection, uid, by=by, now=self.database.now(connection))

    # -- starting --

    def start_deployed(
        self,
        uid: str,
        stage_key: str,
        *,
        data: StageData | None = None,
        request: Mapping[str, Any] | None = None,
        answers: Mapping[str, Any] | None = None,
        assignee: str | None = None,
        scheduled_time: datetime | None = None,
        started_by: str | None = None,
        parent: str | None = None,
        idempotency: Idempotency | None = None,
        artifacts: Mapping[str, int] | None = None,
    ) -> str:
        """Start a live run of a workflow's live version and return its id.

        Parameters
        ----------
        uid
            Of the workflow.
        stage_key
            Key of the stage that begins.

        For the others see `NewRun`. For an idempotency key that is known, the run that has it is returned,
        whatever version is live by now.

        Raises
        ------
        NotFound
            The workflow was never deployed, or its live version has no such stage.
        WrongState
            It is paused, or the stage is disabled.
        IdempotencyConflict
            The key was used for another request.
        """

        def act(connection: Connection) -> str:
            now = self.database.now(connection)
            workflow = deployments.lock_workflow(connection, uid, share=True)
            if idempotency is not None:
                known = runs.known_run(connection, idempotency, now)
                if known is not None:
                    return known
            if workflow.paused:
                raise WrongState(
                    f"the workflow {workflow.title or workflow.slug!r} is paused",
                    f"Let it go on: jupyter workflows deployments {workflow.slug} --resume",
                )
            if workflow.live_deployment is None:
                raise NotFound(f"no version of {workflow.slug} is live", "Activate or deploy one")
            live = deployments.get_deployment(connection, workflow.live_deployment)
            parsed = self._graphs.get(connection, live.document_hash)
            stage = parsed.document.stages.get(stage_key)
            if stage is None:
                raise NotFound(f"version {live.version} of {live.slug}, which is live, has no such stage")
            if stage.disabled:
                raise WrongState(f"the stage {stage.path!r} is disabled", "Enable it and deploy again")
            new = NewRun(
                document_text=parsed.text,
                project=str(self.snapshot_folder(live) / PROJECT),
                entry_stage=stage_key,
                data=data or StageData(),
                mode=RunMode.LIVE,
                started_by=started_by,
                request=request,
                answers=answers,
                assignee=assignee,
                parent=parent,
                scheduled_time=scheduled_time,
                idempotency=idempotency,
                deployment=live.id,
                artifacts=artifacts or {},
            )
            return runs.create_run(connection, new, parsed, now)

        return self.database.transact(act)

    # -- secrets of hooks --

    def list_secrets(self, uid: str) -> list[HookSecretRecord]:
        """Return what is known of a workflow's secrets, those of one stage together, the newest first."""
        with self.database.read() as connection:
            return hook_secrets.of_workflow(connection, uid)

    def rotate_secret(
        self, uid: str, stage: str, *, overlap: timedelta = timedelta(hours=24), by: str | None = None
    ) -> NewSecret:
        """Make a new secret for a live hook and return it, for the only time.

        Parameters
        ----------
        stage
            Its key or its path.
        overlap
            For how long the old ones are valid still.
        """
        with self.database.write() as connection:
            deployments.lock_workflow(connection, uid)
            found = deployments.hooks_of(connection, uid)
            hook = next((hook for hook in found if stage in (hook.stage, hook.path)), None)
            if hook is None:
                paths = ", ".join(hook.path for hook in found)
                raise NotFound(
                    f"the live version has no hook {stage!r}",
                    f"Its hooks are: {paths}" if paths else "It has no hooks",
                )
            now = self.database.now(connection)
            return hook_secrets.rotate(connection, hook, overlap=overlap, by=by, now=now)

    def revoke_secret(self, uid: str, secret_id: str, *, by: str | None = None) -> HookSecretRecord:
        """Remove a secret at once and return what it was."""
        with self.database.write() as connection:
            now = self.database.now(connection)
            return hook_secrets.revoke(connection, uid, secret_id, by=by, now=now)

    # -- removing --

    def known_snapshots(self, uid: str) -> set[str]:
        """Return the folders of a workflow's snapshots, relative to the state folder."""
        with self.database.read() as connection:
            return deployments.known_snapshots(connection, uid)

    def forget_deployment(self, deployment: DeploymentRecord, *, by: str | None = None) -> None:
        """Forget a version that is not live and that no run follows; its snapshot is left to the caller."""
        with self.database.write() as connection:
            deployments.remove(connection, deployment, by=by, now=self.database.now(connection))

    def removable_deployments(self, keep: int) -> list[DeploymentRecord]:
        """Return versions beyond the newest `keep` of each workflow, not live and followed by no run."""
        with self.database.read() as connection:
            return deployments.removable(connection, keep)

    def forget_expired_secrets(self) -> int:
        """Remove the hooks' secrets whose time is over, and return how many."""
        with self.database.write() as connection:
            return hook_secrets.delete_expired(connection, self.database.now(connection))
