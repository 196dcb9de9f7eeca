"""From a working copy to a version: snapshots, activation, and what is live."""

from .compare import Comparison, Difference, compare
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
    "Comparison",
    "DeployError",
    "Deployment",
    "Difference",
    "activate",
    "compare",
    "deploy",
    "pause",
    "remove_versions",
    "resume",
    "rollback",
    "sweep_snapshots",
    "tidy",
]
