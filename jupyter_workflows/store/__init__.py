"""What is remembered about runs: SQLite in the user's data folder by default, or PostgreSQL."""

from .artifacts import ArtifactStore
from .auditing import AuditEntry
from .database import Database, default_url, open_database, state_folder
from .deployment_records import (
    Activated,
    DeploymentRecord,
    HookRecord,
    HookSecretRecord,
    NewDeployment,
    NewSecret,
    ScheduleRecord,
    WorkflowRecord,
)
from .editors import EditorServer
from .errors import (
    DatabaseBusy,
    IdempotencyConflict,
    InvalidCursor,
    NeedsUpgrade,
    NewerSchema,
    NotFound,
    SlugTaken,
    StaleClaim,
    StoreError,
    WrongState,
)
from .facade import Store, open_store
from .identity import RunnerIdentity
from .ids import new_id
from .outbox import OutboxEntry
from .records import (
    AttemptRecord,
    AttemptReport,
    Claim,
    Idempotency,
    NewRun,
    RunDetails,
    RunFilter,
    RunPage,
    RunRecord,
    StageRunRecord,
    Task,
    TaskFilter,
    TaskPage,
)
from .retention import Removed

__all__ = [
    "Activated",
    "ArtifactStore",
    "AttemptRecord",
    "AttemptReport",
    "AuditEntry",
    "Claim",
    "Database",
    "DatabaseBusy",
    "DeploymentRecord",
    "EditorServer",
    "HookRecord",
    "HookSecretRecord",
    "Idempotency",
    "IdempotencyConflict",
    "InvalidCursor",
    "NeedsUpgrade",
    "NewDeployment",
    "NewRun",
    "NewSecret",
    "NewerSchema",
    "NotFound",
    "OutboxEntry",
    "Removed",
    "RunDetails",
    "RunFilter",
    "RunPage",
    "RunRecord",
    "RunnerIdentity",
    "ScheduleRecord",
    "SlugTaken",
    "StageRunRecord",
    "StaleClaim",
    "Store",
    "StoreError",
    "Task",
    "TaskFilter",
    "TaskPage",
    "WorkflowRecord",
    "WrongState",
    "default_url",
    "new_id",
    "open_database",
    "open_store",
    "state_folder",
]
