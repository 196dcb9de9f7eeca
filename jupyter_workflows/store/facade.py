"""The store: every operation is one transaction, or several that each leave all in order."""

from __future__ import annotations

from pathlib import Path

from .database import open_database
from .operations.attempts import AttemptOperations
from .operations.changes import ChangeOperations
from .operations.deployments import DeploymentOperations
from .operations.hooks import HookOperations
from .operations.mail import MailOperations
from .operations.runs import RunOperations
from .operations.schedules import ScheduleOperations
from .operations.tasks import TaskOperations
from .operations.upkeep import UpkeepOperations


class Store(
    RunOperations,
    AttemptOperations,
    TaskOperations,
    DeploymentOperations,
    ScheduleOperations,
    UpkeepOperations,
    MailOperations,
    ChangeOperations,
    HookOperations,
):
    """What is known about runs, kept in a database.

    Methods may be called from any thread. With SQLite a caller keeps to one thread for writes, so that
    they do not wait for each other; nothing breaks if it does not.
    """


def open_store(url: str | None = None, *, state: Path | None = None, artifacts: str | None = None) -> Store:
    """Open the store of a database; see `open_database` and `Store`."""
    return Store(open_database(url), state=state, artifacts=artifacts)
