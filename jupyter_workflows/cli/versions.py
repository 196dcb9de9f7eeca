"""How commands show versions of workflows, with their hooks, jobs and secrets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from .output import Output, table
from .stores import iso_time, local_time

if TYPE_CHECKING:
    from jupyter_workflows.deploying import Deployment
    from jupyter_workflows.store import DeploymentRecord, HookRecord, NewSecret, ScheduleRecord

#: What calls a hook, below a server's address.
HOOKS = "workflows/hooks"

_VERSION = (
    *("id", "workflow", "slug", "version", "title", "live", "project", "hash", "size"),
    *("created_by", "created_at", "note"),
)
_HOOK = ("stage", "path", "methods", "auth", "response", "entry")


def version_json(record: DeploymentRecord) -> dict[str, Any]:
    """Return a version as JSON value."""
    return {
        "id": record.id,
        "workflow": record.workflow_uid,
        "slug": record.slug,
        "version": record.version,
        "title": record.title,
        "live": record.live,
        "project": record.project,
        "hash": record.snapshot_hash,
        "size": record.size,
        "created_by": record.created_by,
        "created_at": iso_time(record.created_at),
        "note": record.note,
    }


def live_json(made: Deployment) -> dict[str, Any]:
    """Return a version that was just made live as JSON value."""
    return {
        **version_json(made.record),
        "instead_of": made.instead_of,
        "paused": made.workflow.paused,
        "snapshot": str(made.snapshot),
        "hooks": [_hook_json(hook) for hook in made.hooks],
        "jobs": [_job_json(job) for job in made.schedules],
        "secrets": [secret_json(secret) for secret in made.secrets],
    }


def sent_json(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return a version that was made live on a server, as `live_json` does one that is here."""
    known = {name: answer[name] for name in _VERSION}
    hooks = [
        {**{name: hook[name] for name in _HOOK}, "address": f"{HOOKS}/{answer['slug']}/{hook['path']}"}
        for hook in answer["hooks"]
    ]
    return {
        **known,
        "instead_of": answer["instead_of"],
        "paused": answer["paused"],
        "snapshot": None,
        "hooks": hooks,
        "jobs": [{**job, "active": not answer["paused"]} for job in answer["jobs"]],
        "secrets": [
            {name: secret[name] for name in ("id", "stage", "path", "kind", "secret")}
            for secret in answer["secrets"]
        ],
    }


def _hook_json(hook: HookRecord) -> dict[str, Any]:
    return {
        "stage": hook.stage,
        "path": hook.path,
        "address": f"{HOOKS}/{hook.slug}/{hook.path}",
        "methods": list(hook.methods),
        "auth": hook.auth,
        "response": hook.response,
        "entry": hook.entry,
    }


def _job_json(job: ScheduleRecord) -> dict[str, Any]:
    return {
        "stage": job.stage,
        "path": job.path,
        "cron": job.cron,
        "timezone": job.timezone,
        "active": job.active,
        "next_due": iso_time(job.next_due),
    }


def secret_json(secret: NewSecret) -> dict[str, Any]:
    """Return a new secret as JSON value."""
    return {
        "id": secret.id,
        "stage": secret.stage,
        "path": secret.path,
        "kind": secret.kind,
        "secret": secret.secret,
    }


def print_live(output: Output, made: Deployment) -> None:
    """Print what is live now."""
    print_live_json(output, live_json(made))


def print_live_json(output: Output, made: Mapping[str, Any], server: str | None = None) -> None:
    """Print what is live now, here or on a server."""
    title = made["title"] or made["slug"]
    where = f" on {server}" if server is not None else ""
    instead = f", instead of version {made['instead_of']}" if made["instead_of"] is not None else ""
    output.print(f"{title}: version {made['version']} is live{where}{instead}.", "bold")
    if made["hooks"]:
        output.print(f"\nHooks, below {server or 'the address of your Jupyter server'}:")
        shown = table(["address", "methods", "who may call", "answer"])
        words = {"token": "who has the token", "signature": "who signs", "none": "everybody"}
        for hook in made["hooks"]:
            shown.add_row(
                hook["address"],
                " ".join(hook["methods"]),
                words[hook["auth"]],
                "from the notebook" if hook["response"] == "wait" else "202 at once",
            )
        output.out.print(shown)
    if made["jobs"]:
        output.print("\nJobs:")
        shown = table(["job", "schedule", "next"])
        for job in made["jobs"]:
            due = None if job["next_due"] is None else datetime.fromisoformat(job["next_due"])
            when = local_time(due) if job["active"] else "paused"
            shown.add_row(job["path"], f"{job['cron']} ({job['timezone']})", when)
        output.out.print(shown)
    _print_secrets(output, made["secrets"])
    if made["paused"]:
        output.note(
            f"\nThe workflow is paused. Let it go on: jupyter workflows deployments {made['slug']} --resume"
        )


def print_secrets(output: Output, secrets: tuple[NewSecret, ...]) -> None:
    """Print new secrets, with the word that they are not shown again."""
    _print_secrets(output, [secret_json(secret) for secret in secrets])


def _print_secrets(output: Output, secrets: Sequence[Mapping[str, Any]]) -> None:
    if not secrets:
        return
    output.print("\nSecrets of hooks. Keep them now, they are not shown again:", "bold yellow")
    for secret in secrets:
        output.print(f"  {secret['path']} ({secret['kind']}):  {secret['secret']}")
