"""The tables, as SQLAlchemy Core metadata. A migration goes with every change here."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from .columns import JsonText, PathKey, UtcTime

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _in_state(state: str, name: str, *columns: str) -> Index:
    """Return an index of the rows in one state alone: the finished ones, nearly all, cost nothing."""
    condition = text(f"state = '{state}'")
    return Index(name, *columns, sqlite_where=condition, postgresql_where=condition)


#: The text of a workflow document, once for all runs that follow it.
documents = Table(
    "documents",
    metadata,
    Column("hash", Text, primary_key=True),
    Column("workflow_uid", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("created_at", UtcTime, nullable=False),
)

runs = Table(
    "runs",
    metadata,
    Column("id", Text, primary_key=True),
    Column("workflow_uid", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("document_hash", Text, ForeignKey("documents.hash"), nullable=False),
    Column("project", Text, nullable=False),
    Column("mode", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("entry_stage", Text, nullable=False),
    Column("started_by", Text),
    Column("owner", Text),
    Column("parent", Text),
    Column("scheduled_time", UtcTime),
    Column("created_at", UtcTime, nullable=False),
    Column("ended_at", UtcTime),
    Column("cancelled_by", Text),
    Column("cancelled", Boolean, nullable=False, default=False),
    Column("total", Integer, nullable=False, default=1),
    Column("requests", JsonText),
    Column("answers", JsonText),
    Column("search", Text),
    Column("deployment", Text),
    # Of test runs: the server whose editor started it, the stage with which it ends, and what it need not do
    # again.
    Column("editor", Text),
    Column("until", Text),
    Column("reuse", JsonText),
    Index(None, "created_at", "id"),
    # So that searching and counting read the index alone.
    Index("ix_runs_search", "created_at", "id", "state", "mode", "started_by", "search"),
    Index(None, "state", "created_at", "id"),
    Index(None, "workflow_uid", "created_at", "id"),
    Index(None, "workflow_uid", "state", "created_at", "id"),
    Index(None, "document_hash"),
    Index(None, "owner"),
    Index(None, "deployment"),
    Index(None, "editor"),
)

stage_runs = Table(
    "stage_runs",
    metadata,
    Column("id", Text, primary_key=True),
    Column("run_id", Text, ForeignKey("runs.id", ondelete="CASCADE"), nullable=False),
    Column("workflow_uid", Text, nullable=False),
    Column("owner", Text),
    Column("stage", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("pool", Text),
    Column("state", Text, nullable=False),
    Column("key", PathKey, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("transition", Text),
    Column("handled", Boolean, nullable=False, default=False),
    Column("attempt", Integer, nullable=False, default=0),
    Column("failures", Integer, nullable=False, default=0),
    Column("lost", Integer, nullable=False, default=0),
    Column("due_at", UtcTime),
    Column("created_at", UtcTime, nullable=False),
    Column("started_at", UtcTime),
    Column("ended_at", UtcTime),
    Column("runner", Text),
    Column("lease_until", UtcTime),
    Column("assignee", Text),
    Column("deadline", UtcTime),
    Column("remind_at", UtcTime),
    Column("expires_at", UtcTime),
    Column("scope", JsonText),
    Column("parents", JsonText),
    Column("failure", JsonText),
    Column("source_failure", JsonText),
    Column("conflicts", JsonText),
    Column("once", JsonText),
    Column("request", JsonText),
    Column("answers", JsonText),
    Column("data", JsonText),
    Column("writers", JsonText),
    Column("result", JsonText),
    Column("result_writers", JsonText),
    Column("inputs", JsonText),
    Column("response", JsonText),
    Column("opened_by", Text),
    Index(None, "run_id", "state", "stage", "handled"),
    _in_state("queued", "ix_stage_runs_queued", "due_at", "id"),
    _in_state("queued", "ix_stage_runs_queued_workflow", "workflow_uid", "due_at", "id"),
    _in_state("running", "ix_stage_runs_running", "workflow_uid", "pool"),
    _in_state("running", "ix_stage_runs_lease", "lease_until"),
    _in_state("waiting", "ix_stage_runs_waiting", "created_at", "id"),
    _in_state("waiting", "ix_stage_runs_waiting_assignee", "assignee", "created_at", "id"),
    _in_state("waiting", "ix_stage_runs_waiting_workflow", "workflow_uid", "path"),
    _in_state("waiting", "ix_stage_runs_expires", "expires_at"),
    _in_state("waiting", "ix_stage_runs_remind", "remind_at"),
)

#: Branches that reached a joining stage run, with what they brought.
arrivals = Table(
    "arrivals",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("stage_run_id", Text, ForeignKey("stage_runs.id", ondelete="CASCADE"), nullable=False),
    Column("source", Text, nullable=False),
    Column("transition", Text, nullable=False),
    Column("key", PathKey, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("empty", Boolean, nullable=False),
    Column("assignee", Text),
    Column("scope", JsonText),
    Column("data", JsonText),
    Column("writers", JsonText),
    Index(None, "stage_run_id"),
)

attempts = Table(
    "attempts",
    metadata,
    Column(
        "stage_run_id",
        Text,
        ForeignKey("stage_runs.id", ondelete="CASCADE"),
        primary_key=True,
        nullable=False,
    ),
    Column("number", Integer, primary_key=True, nullable=False, autoincrement=False),
    Column("run_id", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("runner", Text),
    Column("started_at", UtcTime, nullable=False),
    Column("ended_at", UtcTime),
    Column("output", Text),
    Column("error", JsonText),
    Column("warnings", JsonText),
    Column("timings", JsonText),
    # What `next_stage` named, and what stood in for executing the notebook; kept of test runs.
    Column("route", JsonText),
    Column("stand_in", JsonText),
    Index(None, "run_id"),
)

#: Processes that claim stage runs: who they are on their host, and their last sign of life.
runners = Table(
    "runners",
    metadata,
    Column("id", Text, primary_key=True),
    Column("host", Text, nullable=False),
    Column("boot_id", Text, nullable=False),
    Column("pid_namespace", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("start_ticks", BigInteger, nullable=False),
    Column("started_at", UtcTime, nullable=False),
    Column("heartbeat_at", UtcTime, nullable=False),
    Column("stopped_at", UtcTime),
)

#: Keys under which a request is taken once: the same key again finds the run that it started.
idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("scope", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("body_hash", Text, nullable=False),
    Column("run_id", Text, nullable=False),
    # The one that was given the request, where that is known.
    Column("stage_run_id", Text),
    Column("created_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime),
    Index(None, "expires_at"),
    Index(None, "run_id"),
)

#: Large values of stage data, which lie in the artifact store.
artifacts = Table(
    "artifacts",
    metadata,
    Column("hash", Text, primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("created_at", UtcTime, nullable=False),
)

#: Which stage run uses an artifact; an empty `stage_run_id` is what the run itself was started with.
artifact_refs = Table(
    "artifact_refs",
    metadata,
    Column("hash", Text, ForeignKey("artifacts.hash"), primary_key=True),
    Column("run_id", Text, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("stage_run_id", Text, primary_key=True),
    Index(None, "run_id"),
)

#: Mail and events to be sent, written with what they tell of and sent at least once.
outbox = Table(
    "outbox",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("kind", Text, nullable=False),
    Column("payload", JsonText, nullable=False),
    Column("run_id", Text, ForeignKey("runs.id", ondelete="CASCADE")),
    Column("dedupe_key", Text, unique=True),
    Column("due_at", UtcTime, nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("error", Text),
    Column("created_at", UtcTime, nullable=False),
    Column("sent_at", UtcTime),
    Index(
        "ix_outbox_due",
        "due_at",
        "id",
        sqlite_where=text("sent_at IS NULL"),
        postgresql_where=text("sent_at IS NULL"),
    ),
    Index(None, "run_id"),
)

#: Who did what.
audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("at", UtcTime, nullable=False),
    Column("who", Text),
    Column("what", Text, nullable=False),
    Column("object", Text, nullable=False),
    Column("run_id", Text),
    Column("detail", JsonText),
    Index(None, "at"),
    Index(None, "run_id"),
)

#: Workflows that were deployed once. The slug is their name in URLs and never changes.
workflows = Table(
    "workflows",
    metadata,
    Column("uid", Text, primary_key=True),
    Column("slug", Text, nullable=False, unique=True),
    Column("title", Text, nullable=False),
    # The deployment that new runs follow; `None`: none is live any more.
    Column("live_deployment", Text),
    # The highest version that was ever given, so that a removed one is not given again.
    Column("last_version", Integer, nullable=False, default=0),
    Column("created_at", UtcTime, nullable=False),
    # Where mail about failures goes.
    Column("owner_address", Text),
    Column("paused", Boolean, nullable=False, default=False),
)

#: Snapshots of projects. They never change; `workflows.live_deployment` says which one counts.
deployments = Table(
    "deployments",
    metadata,
    Column("id", Text, primary_key=True),
    Column("workflow_uid", Text, ForeignKey("workflows.uid"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("title", Text, nullable=False),
    Column("document_hash", Text, ForeignKey("documents.hash"), nullable=False),
    # Folder of the snapshot, relative to the state folder, and hash of all that is in it.
    Column("snapshot", Text, nullable=False),
    Column("snapshot_hash", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    # From where it was deployed.
    Column("project", Text, nullable=False),
    Column("created_by", Text),
    Column("created_at", UtcTime, nullable=False),
    Column("note", Text),
    UniqueConstraint("workflow_uid", "version"),
    Index(None, "document_hash"),
)

#: Jobs of live deployments, and when each is due next.
schedules = Table(
    "schedules",
    metadata,
    Column("workflow_uid", Text, ForeignKey("workflows.uid"), primary_key=True),
    Column("stage", Text, primary_key=True),
    Column("deployment", Text, ForeignKey("deployments.id"), nullable=False),
    Column("path", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("cron", Text, nullable=False),
    Column("timezone", Text, nullable=False),
    Column("missed", Text, nullable=False),
    Column("overlap", Text, nullable=False),
    # False while the workflow is paused.
    Column("active", Boolean, nullable=False, default=True),
    # Since when this cron expression in this zone has been live: it is never due before.
    Column("activated_at", UtcTime, nullable=False),
    Column("next_due", UtcTime),
    Column("last_due", UtcTime),
    Index(None, "active", "next_due"),
    Index(None, "deployment"),
)

#: Hooks of live deployments: what answers at `workflows/hooks/SLUG/PATH`.
hooks = Table(
    "hooks",
    metadata,
    Column("workflow_uid", Text, ForeignKey("workflows.uid"), primary_key=True),
    Column("stage", Text, primary_key=True),
    Column("deployment", Text, ForeignKey("deployments.id"), nullable=False),
    Column("slug", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("title", Text, nullable=False),
    # Whether a request starts a run when no waiting stage run matches.
    Column("entry", Boolean, nullable=False),
    Column("methods", JsonText, nullable=False),
    Column("auth", Text, nullable=False),
    Column("response", Text, nullable=False),
    Column("response_timeout", Float, nullable=False),
    Column("match", JsonText),
    UniqueConstraint("slug", "path"),
    Index(None, "deployment"),
)

#: What callers of hooks prove themselves with. Of a token only the hash is kept; a signature's secret is
#: needed to compute the signature.
hook_secrets = Table(
    "hook_secrets",
    metadata,
    Column("id", Text, primary_key=True),
    Column("workflow_uid", Text, ForeignKey("workflows.uid"), nullable=False),
    Column("stage", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("secret", Text, nullable=False),
    # Its last characters, by which a person recognises it.
    Column("hint", Text, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("created_by", Text),
    Column("expires_at", UtcTime),
    Column("last_used_at", UtcTime),
    Index(None, "workflow_uid", "stage"),
)

#: Requests to a callback address, by the stage run that gave it out: each is taken once, and one may come
#: before there is a stage run that waits for it.
early_requests = Table(
    "early_requests",
    metadata,
    Column("stage_run_id", Text, ForeignKey("stage_runs.id", ondelete="CASCADE"), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("request", JsonText, nullable=False),
    Column("body_hash", Text, nullable=False, default=""),
    Column("received_at", UtcTime, nullable=False),
    Column("consumed", Boolean, nullable=False, default=False),
    # The stage run that was given the request.
    Column("target", Text),
)

#: Keys of the installation's own, such as the one that signs callback addresses.
keys = Table(
    "keys",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
    Column("created_at", UtcTime, nullable=False),
)

#: The last changes of states, for those who announce them; written by triggers.
changes = Table(
    "changes",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("subject", Text, nullable=False),
    Column("workflow_uid", Text, nullable=False),
    Column("run_id", Text),
    Column("stage_run_id", Text),
    Column("path", Text),
    Column("type", Text),
    Column("state", Text, nullable=False),
)
