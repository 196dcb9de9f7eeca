"""Who may work on a task: its assignee, a member of its team, and who started the run."""

from __future__ import annotations

from typing import Any

from jupyter_server.auth.identity import IdentityProvider

from jupyter_workflows.store import Task

from ..base import name_of


def is_alone(provider: IdentityProvider) -> bool:
    """Return whether the server is one person's: Jupyter's own providers tell people apart by nothing."""
    return type(provider).__module__ == IdentityProvider.__module__


def names_of(provider: IdentityProvider, user: Any) -> tuple[str, ...]:
    """Return what a task may be assigned to for a person to have it: names, address, teams."""
    names = [name_of(provider, user), getattr(user, "email", None)]
    hub = getattr(user, "hub_user", None)
    groups = hub.get("groups", ()) if isinstance(hub, dict) else ()
    teams = [*(getattr(user, "teams", None) or ()), *groups]
    return tuple(name for name in names if name) + tuple(f"team:{team}" for team in teams)


def may_work_on(task: Task, provider: IdentityProvider, user: Any) -> bool:
    """Return whether a person may open, complete and give away a task."""
    if is_alone(provider):
        return True
    names = names_of(provider, user)
    return task.assignee in names or task.started_by in names
