"""A short memory of what changed, written by triggers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_RUN = "(subject, workflow_uid, run_id, state)"
_STAGE_RUN = "(subject, workflow_uid, run_id, stage_run_id, path, type, state)"
_WORKFLOW = "(subject, workflow_uid, state)"
_NEW_RUN = "'run', NEW.workflow_uid, NEW.id, NEW.state"
_NEW_STAGE_RUN = "'stage-run', NEW.workflow_uid, NEW.run_id, NEW.id, NEW.path, NEW.type, NEW.state"
_NEW_WORKFLOW = "'workflow', NEW.uid, CASE WHEN NEW.paused THEN 'paused' ELSE 'live' END"
_TRIGGERS = [
    ("changes_run_made", "runs", "INSERT", None, _RUN, _NEW_RUN),
    ("changes_run", "runs", "UPDATE OF state", "OLD.state <> NEW.state", _RUN, _NEW_RUN),
    ("changes_run_removed", "runs", "DELETE", None, _RUN, "'run', OLD.workflow_uid, OLD.id, 'removed'"),
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


def upgrade() -> None:
    """Add it."""
    op.create_table(
        "changes",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("workflow_uid", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=True),
        sa.Column("stage_run_id", sa.Text(), nullable=True),
        sa.Column("path", sa.Text(), nullable=True),
        sa.Column("type", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_changes")),
    )
    sqlite = op.get_bind().dialect.name == "sqlite"
    for name, table, when, condition, columns, values in _TRIGGERS:
        insert = f"INSERT INTO changes {columns} VALUES ({values});"
        if sqlite:
            guard = f" WHEN {condition.replace('IS DISTINCT FROM', 'IS NOT')}" if condition else ""
            op.execute(f"CREATE TRIGGER {name} AFTER {when} ON {table}{guard} BEGIN {insert} END")
        else:
            guard = f" WHEN ({condition})" if condition else ""
            op.execute(
                f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS "
                f"$$ BEGIN {insert} RETURN NULL; END $$"
            )
            op.execute(
                f"CREATE TRIGGER {name} AFTER {when} ON {table} FOR EACH ROW{guard} EXECUTE FUNCTION {name}()"
            )


def downgrade() -> None:
    """Take it away."""
    sqlite = op.get_bind().dialect.name == "sqlite"
    for name, table, *_ in _TRIGGERS:
        op.execute(f"DROP TRIGGER {name}" if sqlite else f"DROP TRIGGER {name} ON {table}")
        if not sqlite:
            op.execute(f"DROP FUNCTION {name}")
    op.drop_table("changes")
