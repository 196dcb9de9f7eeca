"""How everything stands, as a model."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from ..models import Model


class DatabaseHealth(Model):
    """The database."""

    ok: bool
    kind: Literal["sqlite", "postgresql"] | None
    place: str = Field(description="Its file, or its address without a password.")
    milliseconds: float | None = Field(description="How long a small read took.")
    message: str | None


class RunnerHealth(Model):
    """The runner that this server supervises."""

    state: Literal["disabled", "starting", "running", "restarting", "stopped", "unsupported"]
    message: str | None
    pid: int | None
    since: datetime
    adopted: bool = Field(description="Another server had started it.")
    restarts: int = Field(description="How often it had to be started again.")
    next_start: datetime | None
    executing: int | None = Field(description="How many stages it executes at the moment.")
    concurrency: int | None
    log: str | None = Field(description="Its log file.")


class KnownRunner(Model):
    """A runner that works on the database, wherever it is."""

    id: str
    host: str
    pid: int
    started_at: datetime
    heartbeat_at: datetime


class Versions(Model):
    """What this server is made of."""

    jupyter_workflows: str
    jupyter_server: str
    python: str


class Health(Model):
    """How this server, its runner and the database stand."""

    status: Literal["ok", "degraded"]
    problems: list[str] = Field(description="In words, what is not as it should be.")
    database: DatabaseHealth
    runner: RunnerHealth
    runners: list[KnownRunner] = Field(description="Runners that gave a sign of life in the last minute.")
    versions: Versions
    server_time: datetime


class Documentation(Model):
    """What there is to read."""

    text: str = Field(description="Markdown.")
