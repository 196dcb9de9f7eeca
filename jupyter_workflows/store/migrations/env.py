"""Alembic's entry: runs the migrations on the connection that it is given."""

from __future__ import annotations

from alembic import context

from jupyter_workflows.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transaction_per_migration=False,
)
# No transaction of Alembic's own: the caller's holds all of it.
context.run_migrations()
