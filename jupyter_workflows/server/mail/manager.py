"""What the route of mail does. Its methods may block: they are called on threads."""

from __future__ import annotations

from jupyter_workflows.store import Store
from jupyter_workflows.store.mailbox import Mail

from .models import MailList, MailModel, MailQuery


class MailManager:
    """Letters, for people who look what the others are told."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def list(self, query: MailQuery) -> MailList:
        """Return the newest letters."""
        found = self._store.list_mail(run_id=query.run, limit=query.limit)
        return MailList(mail=[_model(mail) for mail in found])


def _model(mail: Mail) -> MailModel:
    subject, text = _words(mail)
    workflow = mail.payload.get("workflow")
    return MailModel(
        id=mail.id,
        kind=mail.kind,
        to=mail.to,
        subject=subject,
        text=text,
        workflow=None if workflow is None else str(workflow),
        run=mail.run_id,
        state=mail.state,
        created_at=mail.created_at,
        sent_at=mail.sent_at,
        error=mail.error,
    )


def _words(mail: Mail) -> tuple[str, str]:
    """Return a letter's subject, and in short what it says."""
    title = str(mail.payload.get("workflow_title") or "a workflow")
    task = str(mail.payload.get("title") or mail.payload.get("path") or "a task")
    started_by = mail.payload.get("started_by")
    if mail.kind == "run-failed":
        text = f"A run of “{title}” has failed."
        return f"Failed: {title}", f"{text} It was started by {started_by}." if started_by else text
    if mail.kind == "task-reminder":
        return f"Still waiting: {task}", f"The task “{task}” of “{title}” still waits for you."
    if mail.kind == "task-assigned":
        return f"{task} ({title})", f"A task of “{title}” waits for you: {task}."
    return f"{mail.kind}: {title}", f"About a run of “{title}”."
