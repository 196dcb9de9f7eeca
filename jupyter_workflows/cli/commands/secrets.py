"""``jupyter workflows secrets``: what callers of hooks prove themselves with."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click

from jupyter_workflows.cli.base import Command
from jupyter_workflows.cli.commands.schedules.naming import find_workflow
from jupyter_workflows.cli.errors import CliError
from jupyter_workflows.cli.execution import user_name
from jupyter_workflows.cli.output import Output, json_option, pass_output, table
from jupyter_workflows.cli.stores import database_option, iso_time, local_time, opened_store
from jupyter_workflows.cli.versions import print_secrets, secret_json

if TYPE_CHECKING:
    from jupyter_workflows.store import HookSecretRecord, Store, WorkflowRecord

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_LENGTH = re.compile(r"(\d{1,6})([smhd])")
_LONGEST = timedelta(days=366)


def _overlap(_context: click.Context, _parameter: click.Parameter, value: str | None) -> timedelta | None:
    if value is None:
        return None
    match = _LENGTH.fullmatch(value.strip())
    if value.strip() != "0" and match is None:
        raise CliError(f"--overlap {value!r} is not a length of time", "Write 24h, 30m, 7d, or 0")
    overlap = timedelta(**{_UNITS[match[2]]: int(match[1])}) if match else timedelta()
    if overlap > _LONGEST:
        raise CliError(f"--overlap {value!r} is more than a year", "Write a shorter one")
    return overlap


@click.command(cls=Command)
@click.argument("workflow", metavar="FILE|WORKFLOW")
@click.option("--rotate", metavar="STAGE", help="Make a new secret for the hook with this path.")
@click.option(
    "--overlap",
    metavar="TIME",
    callback=_overlap,
    help="For how long the old ones are valid still, such as 24h (the default), 30m, 7d or 0.",
)
@click.option("--revoke", metavar="ID", help="Remove a secret at once, by its id or the beginning of it.")
@database_option
@json_option
@pass_output
def secrets(
    output: Output,
    workflow: str,
    rotate: str | None,
    overlap: timedelta | None,
    revoke: str | None,
    database: str | None,
) -> None:
    """List the secrets of a deployed workflow's hooks; rotate or revoke one.

    A hook that asks for a token or a signature gets its secret with its first deployment. It is shown then,
    once: the list has only its last characters. If it was lost, rotate it. Of tokens only a hash is stored.

    Callers send a token as `Authorization: Bearer TOKEN`. A signature's secret signs requests in the way of
    Standard Webhooks, or as HMAC-SHA256 of the body in the header that code hosts send.

    \b
    Examples:
      jupyter workflows secrets expense-approval
      jupyter workflows secrets expenses.workflow --rotate submit --overlap 24h
      jupyter workflows secrets expense-approval --rotate submit --overlap 0
      jupyter workflows secrets expense-approval --revoke 2q8f1

    \b
    Exit codes:
      0  done
      2  there is no such workflow, hook or secret

    With --json: {"workflow", "slug", "secrets": [{"id", "stage", "path", "kind", "hint", "created_at",
    "created_by", "expires_at", "last_used_at"}]}, with --rotate also "secret": {"id", "stage", "path",
    "kind", "secret"}, with --revoke also "revoked": id.
    """
    if rotate is not None and revoke is not None:
        raise CliError("--rotate and --revoke cannot be done at once", "Do one after the other")
    if overlap is not None and rotate is None:
        raise CliError("--overlap says how long old secrets last when one is made", "Add --rotate STAGE")
    with opened_store(database) as store:
        found = find_workflow(store, workflow)
        more: dict[str, Any] = {}
        made = None
        if rotate is not None:
            length = timedelta(hours=24) if overlap is None else overlap
            made = store.rotate_secret(found.uid, rotate, overlap=length, by=user_name())
            more["secret"] = secret_json(made)
        elif revoke is not None:
            more["revoked"] = store.revoke_secret(found.uid, _find(store, found, revoke), by=user_name()).id
        known = store.list_secrets(found.uid)
        paths = _paths(store, found)
    if output.json:
        shown = [_json(secret, paths) for secret in known]
        output.emit({"workflow": found.uid, "slug": found.slug, "secrets": shown, **more})
        return
    if "revoked" in more:
        output.print(f"Nobody gets in with the secret {more['revoked']} any more.\n")
    _print(output, known, paths)
    if made is not None:
        print_secrets(output, (made,))


def _find(store: Store, workflow: WorkflowRecord, prefix: str) -> str:
    """Return the id of the secret that begins with `prefix`."""
    prefix = prefix.strip().lower()
    found = [
        secret.id for secret in store.list_secrets(workflow.uid) if prefix and secret.id.startswith(prefix)
    ]
    if len(found) != 1:
        what = "no secret whose id begins" if not found else f"{len(found)} secrets whose ids begin"
        raise CliError(
            f"{workflow.slug} has {what} with {prefix!r}",
            f"See: jupyter workflows secrets {workflow.slug}",
            code="not-found" if not found else "wrong-use",
            details={"choices": found} if found else None,
        )
    return found[0]


def _paths(store: Store, workflow: WorkflowRecord) -> dict[str, str]:
    """Return the paths of the live version's hooks, by key."""
    return {hook.stage: hook.path for hook in store.list_hooks(workflow.uid)}


def _print(output: Output, known: list[HookSecretRecord], paths: dict[str, str]) -> None:
    if not known:
        output.print("Its hooks have no secrets.")
        return
    shown = table(["id", "hook", "kind", "ends with", "made", "by", "last used", "valid until"])
    shown.columns[0].no_wrap = True
    for secret in known:
        shown.add_row(
            secret.id,
            paths.get(secret.stage, f"{secret.stage} (not live)"),
            secret.kind,
            f"…{secret.hint}",
            local_time(secret.created_at),
            secret.created_by or "",
            local_time(secret.last_used_at) or "never",
            local_time(secret.expires_at) or "it is revoked",
        )
    output.out.print(shown)


def _json(secret: HookSecretRecord, paths: dict[str, str]) -> dict[str, Any]:
    return {
        "id": secret.id,
        "stage": secret.stage,
        "path": paths.get(secret.stage),
        "kind": secret.kind,
        "hint": secret.hint,
        "created_at": iso_time(secret.created_at),
        "created_by": secret.created_by,
        "expires_at": iso_time(secret.expires_at),
        "last_used_at": iso_time(secret.last_used_at),
    }
