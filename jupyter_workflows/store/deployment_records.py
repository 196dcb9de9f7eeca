"""What the store gives and takes of deployments: plain records, without a database behind them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class WorkflowRecord:
    """A workflow that was deployed once.

    Parameters
    ----------
    slug
        Its name in URLs; it never changes.
    live_deployment, live_version
        What new runs follow.
    last_version
        The highest version that was ever given.
    owner_address
        Where mail about failures goes.
    paused
        Whether its schedules rest and its hooks take no requests.
    """

    uid: str
    slug: str
    title: str
    live_deployment: str | None
    live_version: int | None
    last_version: int
    created_at: datetime
    owner_address: str | None
    paused: bool


@dataclass(frozen=True, slots=True)
class DeploymentRecord:
    """One version of a workflow.

    Parameters
    ----------
    snapshot
        Folder of the snapshot, relative to the state folder: its files lie in ``project``, beside
        ``manifest.json``.
    snapshot_hash
        Hash of all files in it, by which two versions can be compared.
    project
        From where it was deployed.
    live
        Whether it is the version that new runs follow.
    """

    id: str
    workflow_uid: str
    slug: str
    version: int
    title: str
    document_hash: str
    snapshot: str
    snapshot_hash: str
    size: int
    project: str
    created_by: str | None
    created_at: datetime
    note: str | None
    live: bool


@dataclass(frozen=True, slots=True)
class HookRecord:
    """A hook of a live deployment: what answers at ``workflows/hooks/SLUG/PATH``.

    Parameters
    ----------
    entry
        Whether a request starts a run when no waiting stage run matches.
    auth
        ``token``, ``signature`` or ``none``.
    response
        ``wait`` or ``accept``.
    """

    workflow_uid: str
    stage: str
    deployment: str
    slug: str
    path: str
    title: str
    entry: bool
    methods: tuple[str, ...]
    auth: str
    response: str
    response_timeout: float
    match: Mapping[str, str] | None


@dataclass(frozen=True, slots=True)
class ScheduleRecord:
    """A job of a live deployment.

    Parameters
    ----------
    active
        False while the workflow is paused.
    activated_at
        Since when this cron expression in this zone has been live: it is never due before.
    next_due
        When it is due next.
    last_due
        The last time for which a run was started, or that was dealt with otherwise.
    """

    workflow_uid: str
    stage: str
    deployment: str
    path: str
    title: str
    cron: str
    timezone: str
    missed: str
    overlap: str
    active: bool
    activated_at: datetime
    next_due: datetime | None
    last_due: datetime | None


@dataclass(frozen=True, slots=True)
class HookSecretRecord:
    """What a hook's caller proves itself with, without the secret itself.

    Parameters
    ----------
    kind
        ``token`` or ``signature``.
    hint
        The secret's last characters.
    """

    id: str
    workflow_uid: str
    stage: str
    kind: str
    hint: str
    created_at: datetime
    created_by: str | None
    expires_at: datetime | None
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewSecret:
    """A secret that was just made. It is shown once: of a token only the hash is kept.

    Parameters
    ----------
    path
        Path of the hook's stage.
    """

    id: str
    stage: str
    path: str
    kind: str
    secret: str = field(repr=False)
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class NewDeployment:
    """What becomes a version.

    Parameters
    ----------
    document_text
        The document as it is in the snapshot.
    slug
        Name in URLs for a workflow that is deployed for the first time.
    """

    id: str
    document_text: str
    slug: str
    snapshot_hash: str
    size: int
    project: str
    created_by: str | None = None
    note: str | None = None
    owner_address: str | None = None


@dataclass(frozen=True, slots=True)
class Activated:
    """What is live after a deployment, a rollback or another activation."""

    deployment: DeploymentRecord
    workflow: WorkflowRecord
    hooks: tuple[HookRecord, ...]
    schedules: tuple[ScheduleRecord, ...]
    secrets: tuple[NewSecret, ...] = ()
