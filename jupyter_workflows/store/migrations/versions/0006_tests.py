"""What test runs are started with, and what stood in for executing a notebook."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add it."""
    for name in ("editor", "until", "reuse"):
        op.add_column("runs", sa.Column(name, sa.Text(), nullable=True))
    op.create_index("ix_runs_editor", "runs", ["editor"], unique=False)
    for name in ("route", "stand_in"):
        op.add_column("attempts", sa.Column(name, sa.Text(), nullable=True))


def downgrade() -> None:
    """Take it away."""
    for name in ("stand_in", "route"):
        op.drop_column("attempts", name)
    op.drop_index("ix_runs_editor", table_name="runs")
    for name in ("reuse", "until", "editor"):
        op.drop_column("runs", name)
