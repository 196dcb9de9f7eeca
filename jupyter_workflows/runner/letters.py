"""What mail says."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from html import escape
from typing import Any

from jupyter_workflows.model.states import StageRunState
from jupyter_workflows.store import AttemptRecord, OutboxEntry, RunDetails, StageRunRecord

from .smtp import SmtpSettings, address

#: The kinds of entries in the outbox that there is a letter for.
KINDS = ("run-failed",)

_LONGEST = 2000
_SHORT = 120
#: Failed stages that one letter describes.
_MOST = 5


def failure_letter(entry: OutboxEntry, settings: SmtpSettings, to: str, details: RunDetails) -> EmailMessage:
    """Return the mail that tells of a failed run.

    Raises
    ------
    ValueError
        `to` is not an e-mail address.
    """
    run = details.run
    failed = _failed(details, entry.payload.get("stage_run"))
    facts = [("Workflow", run.title), ("Run", run.id)]
    for stage_run in failed[:_MOST]:
        attempts = details.attempts.get(stage_run.id, ())
        facts.append(("Failed stage", f"{_name(stage_run)} ({stage_run.path})"))
        facts.append(("Error", _cut(_error(stage_run, attempts), _LONGEST)))
        if len(attempts) > 1:
            facts.append(("Attempts", str(len(attempts))))
    if len(failed) > _MOST:
        facts.append(("More failed stages", str(len(failed) - _MOST)))
    where = f"stage {_name(failed[0])}" if len(failed) == 1 else f"{len(failed)} stages"
    if run.scheduled_time is not None:
        facts.append(("Scheduled for", _time(run.scheduled_time)))
    if run.started_by:
        facts.append(("Started by", run.started_by))
    facts += [("Started", _time(run.created_at)), ("Failed", _time(entry.created_at))]
    commands = [
        ("See what happened", f"jupyter workflows runs show {run.id}"),
        ("Read what it printed", f"jupyter workflows runs logs {run.id}"),
        ("Try it again from there", f"jupyter workflows runs retry {run.id}"),
    ]
    message = EmailMessage(policy=SMTP)
    message["Subject"] = _line(f"Failed: {run.title}, {where}" if failed else f"Failed: {run.title}")
    message["From"] = address(settings.sender)
    message["To"] = address(to)
    message["Date"] = entry.created_at
    message["Message-ID"] = message_id(entry, settings)
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(_text(run.title, facts, commands))
    message.add_alternative(_html(run.title, facts, commands), subtype="html")
    return message


def message_id(entry: OutboxEntry, settings: SmtpSettings) -> str:
    """Return an entry's Message-ID: the same whenever it is sent, so that a second copy can be told."""
    made = int(entry.created_at.timestamp() * 1000)
    return f"<{entry.kind}.{entry.id}.{entry.run_id or 'none'}.{made}@{settings.domain}>"


def _failed(details: RunDetails, told: object) -> list[StageRunRecord]:
    """Return the stage runs that failed and that no transition took over.

    The entry names the one whose end ended the run: a branch that went on after another one had failed, or
    one that was tried again meanwhile.
    """
    failed = [
        stage_run
        for stage_run in details.stage_runs
        if stage_run.state is StageRunState.FAILED and not stage_run.handled
    ]
    return failed or [stage_run for stage_run in details.stage_runs if stage_run.id == told]


def _name(stage_run: StageRunRecord) -> str:
    return stage_run.title or stage_run.path


def _error(stage_run: StageRunRecord, attempts: Sequence[AttemptRecord]) -> str:
    # After a retry the stage run knows of no failure any more, and its attempts still do.
    failed = [attempt.error for attempt in attempts if attempt.error]
    error: Any = stage_run.failure or (failed[-1] if failed else None)
    if not error:
        return "unknown"
    cell = error.get("cell")
    place = f" (cell {cell + 1})" if isinstance(cell, int) else ""
    return f"{error.get('name')}: {error.get('message')}{place}"


def _text(title: str, facts: Sequence[tuple[str, str]], commands: Sequence[tuple[str, str]]) -> str:
    lines = [f"A run of “{_line(title)}” has failed.", ""]
    lines += [f"{name}: {value}" for name, value in facts]
    for what, command in commands:
        lines += ["", f"{what}:", f"    {command}"]
    return "\n".join(lines) + "\n"


def _html(title: str, facts: Sequence[tuple[str, str]], commands: Sequence[tuple[str, str]]) -> str:
    rows = "\n".join(
        f'<tr><th align="left" valign="top" style="padding-right: 1em">{escape(name)}</th>'
        f'<td style="white-space: pre-wrap">{escape(value)}</td></tr>'
        for name, value in facts
    )
    hints = "\n".join(
        f"<p>{escape(what)}:<br><code>{escape(command)}</code></p>" for what, command in commands
    )
    return (
        f'<html><body style="font-family: sans-serif"><p>A run of “{escape(_line(title))}” has failed.</p>\n'
        f"<table>\n{rows}\n</table>\n{hints}\n</body></html>\n"
    )


def _line(text: str) -> str:
    """Return text as one line that a header can hold."""
    printable = "".join(c if c.isprintable() else " " for c in text)
    return _cut(" ".join(printable.split()), _SHORT)


def _cut(text: str, length: int) -> str:
    # Half a surrogate pair, as an error's message may have it, cannot be sent.
    text = text.encode(errors="replace").decode()
    return text if len(text) <= length else f"{text[: length - 1]}…"


def _time(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
