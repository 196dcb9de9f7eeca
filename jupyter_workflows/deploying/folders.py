"""The folders of a workflow's snapshots: one deployment at a time, and what a crash left goes.

``<state>/deployments/UID/VERSION`` holds one snapshot: ``project``, ``manifest.json``, and
``deployment.json``, which says to which deployment of which installation it belongs. Several databases may
share a state folder.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from jupyter_workflows.execution.trees import remove_tree
from jupyter_workflows.store import Store

from .errors import DeployError
from .snapshot import sync

if sys.platform != "win32":
    import fcntl

_ORIGIN = "deployment.json"
_LOCK = ".lock"
_PATIENCE = 60.0
_DAY = 86_400.0


def snapshots_folder(store: Store) -> Path:
    """Return the folder of all snapshots."""
    return store.state_folder / "deployments"


@contextlib.contextmanager
def locked(store: Store, uid: str, *, patience: float = _PATIENCE) -> Iterator[Path]:
    """Keep other processes from deploying the same workflow; yields the folder of its snapshots.

    Raises
    ------
    DeployError
        Another process is at it for too long.
    """
    folder = snapshots_folder(store) / uid
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if sys.platform == "win32":
        yield folder
        return
    descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        deadline = time.monotonic() + patience
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise DeployError(
                        "Another process is deploying this workflow",
                        "Try again when it has ended",
                        code="busy",
                    ) from None
                time.sleep(0.05)
        yield folder
    finally:
        os.close(descriptor)


class Place:
    """Puts a snapshot where it stays, once its version is known.

    Parameters
    ----------
    folder
        Where it is now.
    deployment
        Id of the deployment to which it belongs.
    """

    def __init__(self, store: Store, folder: Path, deployment: str) -> None:
        self.at = folder
        self._store = store
        self._deployment = deployment
        self._installation = store.installation_id()
        origin = {"installation": self._installation, "deployment": deployment}
        (folder / _ORIGIN).write_text(json.dumps(origin) + "\n", encoding="ascii")
        sync(folder / _ORIGIN)

    def __call__(self, name: str) -> str:
        """Move it to a folder, relative to the state folder, and return where it is then."""
        target = self._store.state_folder / name
        if self.at == target:
            return name
        if target.exists():
            if _origin(target)[0] == self._installation:
                remove_tree(target)  # of a deployment that came to nothing: its version was not given
            else:
                name = f"{name}-{self._deployment}"
                target = self._store.state_folder / name
        self.at.rename(target)
        self.at = target
        sync(target.parent)
        return name


def sweep(store: Store, uid: str, folder: Path) -> int:
    """Remove what deployments left that came to nothing; the caller holds the lock. Return how many."""
    known = {Path(name).name for name in store.known_snapshots(uid)}
    installation = store.installation_id()
    removed = 0
    for path in list(folder.iterdir()):
        if path.name == _LOCK or path.name in known:
            continue
        if path.name.startswith(".new-"):
            # Without locks only its age tells that nobody works on it.
            stray = sys.platform != "win32" or path.stat().st_mtime < time.time() - _DAY
        else:
            stray = _origin(path)[0] == installation
        if stray:
            removed += remove_tree(path)
    return removed


def _origin(folder: Path) -> tuple[str | None, str | None]:
    """Return the installation and the deployment that a snapshot belongs to."""
    try:
        origin = json.loads((folder / _ORIGIN).read_bytes())
        return origin["installation"], origin["deployment"]
    except (OSError, ValueError, KeyError, TypeError):
        return None, None
