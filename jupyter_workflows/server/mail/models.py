"""What the routes of mail read and write."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from ..models import Id, Model, Query


class MailQuery(Query):
    """Which letters."""

    run: Id | None = Field(None, description="Only those of a run.")
    limit: int = Field(50, ge=1, le=200, description="How many at most.")


class MailModel(Model):
    """A letter."""

    id: str
    kind: str
    to: str | None = Field(description="Who gets it: a person, a team, or an address.")
    subject: str
    text: str
    workflow: str | None = Field(description="Uid of the workflow.")
    run: str | None
    state: Literal["waiting", "sent", "failed", "test"] = Field(
        description="`test`: of a test run, which sends nothing."
    )
    created_at: datetime
    sent_at: datetime | None
    error: str | None = Field(description="Why it could not be sent.")


class MailList(Model):
    """The newest letters, the newest first."""

    mail: list[MailModel]
