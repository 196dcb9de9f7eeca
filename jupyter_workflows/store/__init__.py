"""What is remembered about runs: SQLite in the user's data folder by default, or PostgreSQL."""

from .database import Database, default_url, open_database, state_folder
from .errors import (
    DatabaseBusy,
    IdempotencyConflict,
    NeedsUpgrade,
    NewerSchema,
    NotFound,
    StaleClaim,
    StoreError,
    WrongState,
)
from .facade import Store
from .identity import RunnerIdentity
from .ids import new_id
from .records import (
    AttemptRecord,
    AttemptReport,
    Claim,
    Idempotency,
    NewRun,
    RunDetails,
    RunRecord,
    StageRunRecord,
    Task,
)

__all__ = [
    "AttemptRecord",
    "AttemptReport",
    "Claim",
    "Database",
    "DatabaseBusy",
    "Idempotency",
    "IdempotencyConflict",
    "NeedsUpgrade",
    "NewRun",
    "NewerSchema",
    "NotFound",
    "RunDetails",
    "RunRecord",
    "RunnerIdentity",
    "StageRunRecord",
    "StaleClaim",
    "Store",
    "StoreError",
    "Task",
    "WrongState",
    "default_url",
    "new_id",
    "open_database",
    "state_folder",
]
