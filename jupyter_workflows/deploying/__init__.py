"""From a working copy to a version: snapshots, activation, and what is live."""

from .deploy import (
    Deployment,
    activate,
    deploy,
    pause,
    remove_versions,
    resume,
    rollback,
    sweep_snapshots,
    tidy,
)
from .errors import DeployError

__all__ = [
    "DeployError",
    "Deployment",
    "activate",
    "deploy",
    "pause",
    "remove_versions",
    "resume",
    "rollback",
    "sweep_snapshots",
    "tidy",
]
