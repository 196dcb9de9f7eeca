"""What changed: a short memory of states, so that servers can announce what any process did.

Triggers write it, in the transaction of the change itself: nobody can forget to.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, delete, event, func, select

from .tables import changes, metadata

#: Entries that are kept.
KEPT = 10_000

_c = changes.c


@dataclass(frozen=True, slots=True)
class Change:
    """Something that changed its state.

    Parameters
    ----------
    subject
        ``run``, ``stage-run`` or ``workflow``.
    state
        The new one; ``removed`` for a run that is there no more, ``live`` or ``paused`` for a workflow.
    """

    id: int
    subject: str
    workflow_uid: str
    run_id: str | None
    stage_run_id: str | None
    path: str | None
    type: str | None
    state: str


_SINCE = select(changes).where(_c.id > bindparam("after")).order_by(_c.id).limit(bindparam("limit"))


def since(connection: Connection, after: int, limit: int) -> list[Change]:
    """Return the changes after one, in order."""
    return [Change(*row) for row in connection.execute(_SINCE, {"after": after, "limit": limit})]


def last(connection: Connection) -> int:
    """Return the number of the last change."""
    newest: int | None = connection.execute(select(func.max(_c.id))).scalar()
    return newest or 0


def trim(connection: Connection) -> None:
    """Forget the oldest."""
    # The newest stays whatever happens: SQLite goes on counting from it.
    connection.execute(delete(changes).where(_c.id <= last(connection) - KEPT))


_RUN = "(subject, workflow_uid, run_id, state)"
_STAGE_RUN = "(subject, workflow_uid, run_id, stage_run_id, path, type, state)"
_WORKFLOW = "(subject, workflow_uid, state)"
_NEW_RUN = "'run', NEW.workflow_uid, NEW.id, NEW.state"
_OLD_RUN = "'run', OLD.workflow_uid, OLD.id, 'removed'"
_NEW_STAGE_RUN = "'stage-run', NEW.workflow_uid, NEW.run_id, NEW.id, NEW.path, NEW.type, NEW.state"
_NEW_WORKFLOW = "'workflow', NEW.uid, CASE WHEN NEW.paused THEN 'paused' ELSE 'live' END"

#: Name, table, when, condition, columns, values. A table that is made anew by a migration loses its own.
_TRIGGERS = [
    ("changes_run_made", "runs", "INSERT", None, _RUN, _NEW_RUN),
    ("changes_run", "runs", "UPDATE OF state", "OLD.state <> NEW.state", _RUN, _NEW_RUN),
    ("changes_run_removed", "runs", "DELETE", None, _RUN, _OLD_RUN),
    ("changes_stage_run_made", "stage_runs", "INSERT", None, _STAGE_RUN, _NEW_STAGE_RUN),
    (
        "changes_stage_run",
        "stage_runs",
        "UPDATE OF state, assignee, opened_by",
        "OLD.state <> NEW.state OR OLD.assignee IS DISTINCT FROM NEW.assignee "
        "OR OLD.opened_by IS DISTINCT FROM NEW.opened_by",
        _STAGE_RUN,
        _NEW_STAGE_RUN,
    ),
    ("changes_workflow_made", "workflows", "INSERT", None, _WORKFLOW, _NEW_WORKFLOW),
    (
        "changes_workflow",
        "workflows",
        "UPDATE OF live_deployment, paused",
        "OLD.live_deployment IS DISTINCT FROM NEW.live_deployment OR OLD.paused <> NEW.paused",
        _WORKFLOW,
        _NEW_WORKFLOW,
    ),
]


def trigger_statements(dialect: str) -> list[str]:
    """Return the statements that make the triggers."""
    made = []
    for name, table, when, condition, columns, values in _TRIGGERS:
        insert = f"INSERT INTO changes {columns} VALUES ({values});"
        if dialect == "sqlite":
            # Older ones do not know the standard's words.
            guard = f" WHEN {condition.replace('IS DISTINCT FROM', 'IS NOT')}" if condition else ""
            made.append(f"CREATE TRIGGER {name} AFTER {when} ON {table}{guard} BEGIN {insert} END")
        else:
            guard = f" WHEN ({condition})" if condition else ""
            made.append(
                f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS "
                f"$$ BEGIN {insert} RETURN NULL; END $$"
            )
            made.append(
                f"CREATE TRIGGER {name} AFTER {when} ON {table} FOR EACH ROW{guard} EXECUTE FUNCTION {name}()"
            )
    return made


def _make_triggers(_target: Any, connection: Connection, **_settings: Any) -> None:
    for statement in trigger_statements(connection.dialect.name):
        connection.exec_driver_sql(statement)


event.listen(metadata, "after_create", _make_triggers)
