"""Hooks for tests: a deployed project, and the secrets of its hooks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from jupyter_workflows.deploying import deploy
from jupyter_workflows.execution.project import Project
from jupyter_workflows.store import Store


@dataclass(frozen=True, slots=True)
class Deployed:
    """A live workflow.

    Parameters
    ----------
    secrets
        Path of a hook to the secret that was shown when it was deployed.
    """

    uid: str
    slug: str
    secrets: Mapping[str, str]

    def path(self, hook: str) -> str:
        """Return the path of a hook below the server's address."""
        return f"workflows/hooks/{self.slug}/{hook}"


def make_live(store: Store, document: Path, secrets: Mapping[str, str] | None = None) -> Deployed:
    """Deploy a project; `secrets` are those that were shown before."""
    made = deploy(store, Project.open(document), by="tester")
    shown = {**(secrets or {}), **{secret.path: secret.secret for secret in made.secrets}}
    return Deployed(made.uid, made.slug, shown)
