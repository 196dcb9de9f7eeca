"""Which stage run was given a request, and an index of the hooks that wait for one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them."""
    waiting = sa.text("state = 'waiting'")
    op.create_index(
        "ix_stage_runs_waiting_workflow",
        "stage_runs",
        ["workflow_uid", "path"],
        unique=False,
        sqlite_where=waiting,
        postgresql_where=waiting,
    )
    op.add_column("idempotency_keys", sa.Column("stage_run_id", sa.Text(), nullable=True))


def downgrade() -> None:
    """Take them away."""
    op.drop_column("idempotency_keys", "stage_run_id")
    op.drop_index("ix_stage_runs_waiting_workflow", table_name="stage_runs")
