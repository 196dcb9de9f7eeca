"""Deployments with their schedules, hooks and secrets; callback requests; the installation's keys."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them."""
    op.create_table(
        "keys",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_keys")),
    )
    op.create_table(
        "workflows",
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("live_deployment", sa.Text(), nullable=True),
        sa.Column("last_version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("owner_address", sa.Text(), nullable=True),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("uid", name=op.f("pk_workflows")),
        sa.UniqueConstraint("slug", name=op.f("uq_workflows_slug")),
    )
    op.create_table(
        "deployments",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("workflow_uid", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("document_hash", sa.Text(), nullable=False),
        sa.Column("snapshot", sa.Text(), nullable=False),
        sa.Column("snapshot_hash", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("project", sa.Text(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["document_hash"], ["documents.hash"], name=op.f("fk_deployments_document_hash")
        ),
        sa.ForeignKeyConstraint(
            ["workflow_uid"], ["workflows.uid"], name=op.f("fk_deployments_workflow_uid")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deployments")),
        sa.UniqueConstraint("workflow_uid", "version", name=op.f("uq_deployments_workflow_uid_version")),
    )
    op.create_index(op.f("ix_deployments_document_hash"), "deployments", ["document_hash"], unique=False)
    op.create_table(
        "hook_secrets",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("workflow_uid", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("hint", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["workflow_uid"], ["workflows.uid"], name=op.f("fk_hook_secrets_workflow_uid")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hook_secrets")),
    )
    op.create_index(
        op.f("ix_hook_secrets_workflow_uid_stage"), "hook_secrets", ["workflow_uid", "stage"], unique=False
    )
    op.create_table(
        "hooks",
        sa.Column("workflow_uid", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("deployment", sa.Text(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("entry", sa.Boolean(), nullable=False),
        sa.Column("methods", sa.Text(), nullable=False),
        sa.Column("auth", sa.Text(), nullable=False),
        sa.Column("response", sa.Text(), nullable=False),
        sa.Column("response_timeout", sa.Float(), nullable=False),
        sa.Column("match", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["deployment"], ["deployments.id"], name=op.f("fk_hooks_deployment")),
        sa.ForeignKeyConstraint(["workflow_uid"], ["workflows.uid"], name=op.f("fk_hooks_workflow_uid")),
        sa.PrimaryKeyConstraint("workflow_uid", "stage", name=op.f("pk_hooks")),
        sa.UniqueConstraint("slug", "path", name=op.f("uq_hooks_slug_path")),
    )
    op.create_index(op.f("ix_hooks_deployment"), "hooks", ["deployment"], unique=False)
    op.create_table(
        "schedules",
        sa.Column("workflow_uid", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("deployment", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("cron", sa.Text(), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("missed", sa.Text(), nullable=False),
        sa.Column("overlap", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("activated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_due", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_due", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["deployment"], ["deployments.id"], name=op.f("fk_schedules_deployment")),
        sa.ForeignKeyConstraint(["workflow_uid"], ["workflows.uid"], name=op.f("fk_schedules_workflow_uid")),
        sa.PrimaryKeyConstraint("workflow_uid", "stage", name=op.f("pk_schedules")),
    )
    op.create_index(op.f("ix_schedules_active_next_due"), "schedules", ["active", "next_due"], unique=False)
    op.create_index(op.f("ix_schedules_deployment"), "schedules", ["deployment"], unique=False)
    op.create_table(
        "early_requests",
        sa.Column("stage_run_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("body_hash", sa.Text(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("consumed", sa.Boolean(), nullable=False),
        sa.Column("target", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["stage_run_id"],
            ["stage_runs.id"],
            name=op.f("fk_early_requests_stage_run_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("stage_run_id", "name", name=op.f("pk_early_requests")),
    )
    op.add_column("runs", sa.Column("deployment", sa.Text(), nullable=True))
    op.create_index(op.f("ix_runs_deployment"), "runs", ["deployment"], unique=False)


def downgrade() -> None:
    """Refuse: what the tables hold would be lost."""
    raise NotImplementedError("restore the backup instead")
