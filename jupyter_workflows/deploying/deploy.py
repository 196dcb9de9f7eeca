"""Deploying a working copy, and choosing which version is live.

A deployment is made in three steps. The snapshot is taken into a folder of its own; then, in one transaction,
the folder gets its place, the version its row, and hooks and schedules become those of the new version. What
comes to nothing on the way leaves the old version as it was; files that it left go with the next deployment,
or when snapshots are swept.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from jupyter_workflows.execution.manifest import ManifestError, read_manifest
from jupyter_workflows.execution.project import Project, ProjectError
from jupyter_workflows.execution.trees import remove_tree
from jupyter_workflows.model.document import Document, DocumentError
from jupyter_workflows.model.document import slug as slug_of
from jupyter_workflows.model.findings import Finding
from jupyter_workflows.model.slugs import SLUG
from jupyter_workflows.store import (
    Activated,
    DeploymentRecord,
    HookRecord,
    NewDeployment,
    NewSecret,
    NotFound,
    ScheduleRecord,
    Store,
    WorkflowRecord,
    WrongState,
    new_id,
)

from . import snapshot
from .errors import DeployError
from .fitness import findings_of, refuse
from .folders import Place, locked, snapshots_folder, sweep
from .selection import select
from .snapshot import Progress


@dataclass(frozen=True, slots=True)
class Deployment:
    """A version that is live now.

    Parameters
    ----------
    snapshot
        Folder of its snapshot.
    instead_of
        The version that was live before.
    secrets
        Made for hooks that had none. Each is shown here, once, and nowhere else.
    findings
        What the check found; none of it is an error.
    """

    record: DeploymentRecord
    workflow: WorkflowRecord
    snapshot: Path
    hooks: tuple[HookRecord, ...]
    schedules: tuple[ScheduleRecord, ...]
    instead_of: int | None = None
    secrets: tuple[NewSecret, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def id(self) -> str:
        """Its id."""
        return self.record.id

    @property
    def uid(self) -> str:
        """The workflow's identity."""
        return self.record.workflow_uid

    @property
    def slug(self) -> str:
        """The workflow's name in URLs."""
        return self.workflow.slug

    @property
    def version(self) -> int:
        """Its number."""
        return self.record.version


def deploy(
    store: Store,
    project: Project,
    *,
    by: str | None,
    note: str | None = None,
    slug: str | None = None,
    owner_address: str | None = None,
    allow_warnings: bool = True,
    origin: str | None = None,
    on_progress: Progress | None = None,
) -> Deployment:
    """Make a working copy the next version of its workflow, and the live one.

    Runs under way follow the version that they began with.

    Parameters
    ----------
    by
        Who does it.
    slug
        The workflow's name in URLs, if it shall not be that of its title. It is given once, with the first
        deployment.
    owner_address
        Where mail about failed runs goes; `None`: as before.
    allow_warnings
        Whether warnings of the check are put up with.
    origin
        From where it comes, if that is not where the project lies now.

    Raises
    ------
    DeployError
        The project is not fit for it, with the findings; or it could not be copied.
    SlugTaken
        Another workflow has the name.
    StoreError
        The database cannot be used.
    """
    document = project.document
    wanted = _wanted_slug(store, document, slug)
    chosen = select(project.root, but=store.state_folder)
    refuse(project, findings_of(project, chosen), allow_warnings=allow_warnings)
    with locked(store, document.uid) as folder, _explained(store):
        sweep(store, document.uid, folder)
        live = _live(store, document.uid)
        staging = snapshot.new_folder(folder)
        deployment_id = new_id()
        place = None
        try:
            manifest = snapshot.take(
                project.root,
                project.path.name,
                project.content,
                chosen,
                staging,
                previous=_intact(store, live),
                on_progress=on_progress,
            )
            # What counts is what was copied: the project may have changed meanwhile.
            findings = findings_of(Project.open(staging / "project" / project.path.name), chosen)
            refuse(project, findings, allow_warnings=allow_warnings)
            snapshot.seal(staging)
            place = Place(store, staging, deployment_id)
            new = NewDeployment(
                id=deployment_id,
                document_text=project.text,
                slug=wanted,
                snapshot_hash=manifest.hash,
                size=manifest.size,
                project=origin or str(project.path),
                created_by=by,
                note=note,
                owner_address=owner_address,
            )
            made = store.add_deployment(new, place)
        except BaseException:
            _clean_up(store, deployment_id, place.at if place is not None else staging)
            raise
    return _deployment(store, made, live, findings)


def rollback(store: Store, uid: str, version: int | None = None, *, by: str | None = None) -> Deployment:
    """Make an older version live again, with its hooks and schedules.

    Jobs that the live version has with the same schedule go on as if nothing had happened; others are due
    after this moment only. Runs under way follow the version that they began with.

    Parameters
    ----------
    version
        `None`: the one before the live one.

    Raises
    ------
    WrongState
        There is none, or it is live or newer.
    DeployError
        Its snapshot is not there any more.
    """
    live = store.get_workflow(uid).live_version
    if version is not None and live is not None and version > live:
        raise WrongState(
            f"version {version} is newer than version {live}, which is live",
            "A rollback leads back; activate the newer one instead",
        )
    return activate(store, uid, version, by=by)


def activate(store: Store, uid: str, version: int | None = None, *, by: str | None = None) -> Deployment:
    """Make any version live, as `rollback` does with an older one; `None`: the one before the live one."""
    before = _live(store, uid)
    if version is None:
        version = store.previous_version(uid)
    chosen = store.get_version(uid, version)
    try:
        read_manifest(store.snapshot_folder(chosen))
    except ManifestError as error:
        raise DeployError(
            f"The snapshot of version {version} is not there any more: {error}",
            "Activate another version, or deploy the workflow again",
            code="snapshot-not-found",
        ) from error
    return _deployment(store, store.activate(uid, version, by=by), before, ())


def pause(store: Store, uid: str, *, by: str | None = None) -> bool:
    """Let a workflow rest: no job starts, no hook takes a request; runs under way go on.

    Returns
    -------
    Whether it was this call that paused it.
    """
    return store.pause(uid, by=by)


def resume(store: Store, uid: str, *, by: str | None = None) -> bool:
    """Let a paused workflow go on; what was due meanwhile is not made up for.

    Returns
    -------
    Whether it was paused.
    """
    return store.resume(uid, by=by)


def remove_versions(store: Store, *, keep: int, by: str | None = None) -> list[DeploymentRecord]:
    """Remove versions beyond the newest `keep` of each workflow that are not live and that no run follows."""
    removed = []
    for record in store.removable_deployments(keep):
        try:
            store.forget_deployment(record, by=by)
        except WrongState:  # it became live meanwhile
            continue
        remove_tree(store.snapshot_folder(record))
        removed.append(record)
    return removed


def sweep_snapshots(store: Store) -> int:
    """Remove what deployments left that came to nothing, and return how many there were."""
    everything = snapshots_folder(store)
    removed = 0
    for folder in list(everything.iterdir()) if everything.exists() else []:
        # A workflow that is being deployed is left alone: that looks for itself.
        with contextlib.suppress(DeployError), locked(store, folder.name, patience=0):
            removed += sweep(store, folder.name, folder)
    return removed


def tidy(store: Store, *, keep: int | None = None) -> None:
    """Remove what is not needed any more: leavings, secrets whose time is over, and old versions.

    Parameters
    ----------
    keep
        See `remove_versions`; `None`: old versions stay.
    """
    sweep_snapshots(store)
    store.forget_expired_secrets()
    if keep is not None:
        remove_versions(store, keep=keep)


# -- what is deployed -------------------------------------------------------------------------------------


def _wanted_slug(store: Store, document: Document, given: str | None) -> str:
    if given is not None and not SLUG.fullmatch(given):
        raise DeployError(
            f"{given!r} cannot be a workflow's name in URLs",
            "Use small letters, digits and hyphens",
            code="invalid-slug",
        )
    slug = store.check_slug(document.uid, given or slug_of(document.title, "workflow"))
    if given is not None and slug != given:
        raise DeployError(
            f"The workflow has the name {slug!r} in URLs since its first deployment, and keeps it",
            "Leave --slug out",
            code="slug-frozen",
        )
    return slug


def _live(store: Store, uid: str) -> DeploymentRecord | None:
    """Return the version that is live."""
    try:
        live = store.get_workflow(uid).live_deployment
    except NotFound:
        return None
    return None if live is None else store.get_deployment(live)


def _intact(store: Store, deployment: DeploymentRecord | None) -> Path | None:
    """Return the snapshot of a version, if it is there."""
    if deployment is None:
        return None
    folder = store.snapshot_folder(deployment)
    try:
        read_manifest(folder)
    except ManifestError:
        return None
    return folder


@contextlib.contextmanager
def _explained(store: Store) -> Iterator[None]:
    """Say in words why files could not be copied."""
    try:
        yield
    except OSError as error:
        where = os.fspath(error.filename) if error.filename is not None else str(store.state_folder)
        raise DeployError(
            f"The project could not be copied: {where}: {error.strerror or error}",
            f"See to the permissions and the room in {store.state_folder}; what was live is live still",
            code="file-error",
        ) from error
    except (ProjectError, DocumentError) as error:
        raise DeployError(f"The project changed while it was copied: {error}", "Try again") from error


def _clean_up(store: Store, deployment_id: str, folder: Path) -> None:
    """Remove the snapshot of a deployment that did not come to be.

    An interrupt can come when it just did: then, and when nobody can say, the snapshot stays.
    """
    with contextlib.suppress(Exception):
        try:
            store.get_deployment(deployment_id)
        except NotFound:
            remove_tree(folder)


def _deployment(
    store: Store, made: Activated, before: DeploymentRecord | None, findings: Sequence[Finding]
) -> Deployment:
    return Deployment(
        record=made.deployment,
        workflow=made.workflow,
        snapshot=store.snapshot_folder(made.deployment),
        hooks=made.hooks,
        schedules=made.schedules,
        instead_of=before.version if before is not None else None,
        secrets=made.secrets,
        findings=tuple(findings),
    )
