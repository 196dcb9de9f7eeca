"""Large values on their way between the artifact store and a kernel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jupyter_workflows.authoring import wire
from jupyter_workflows.execution.spec import AttemptSpec


class ArtifactError(Exception):
    """An artifact that is missing, or is not what its hash says."""


def local_artifacts(spec: AttemptSpec) -> Path:
    """Return a local folder in which the artifacts that the attempt starts with are found.

    Raises
    ------
    ArtifactError
        One is not in the store.
    """
    needed = wire.hashes([spec.data, spec.inputs, spec.request, spec.answers])
    if not needed and "://" not in spec.artifacts:
        return Path(spec.artifacts)
    store = _store(spec)
    folder = Path(spec.folder) / "artifacts"
    from jupyter_workflows.store.errors import StoreError

    try:
        for digest in needed:
            store.localise(digest, folder)
    except StoreError as error:
        raise ArtifactError(f"A value of the stage data cannot be read: {error}") from error
    local = store.path("0" * 64)
    return local.parent.parent if local is not None else folder


def keep_artifacts(spec: AttemptSpec, values: Any) -> None:
    """Move the artifacts that `values` (in wire form) name from the stage run's folder into the store.

    Raises
    ------
    ArtifactError
        One is neither in the folder nor in the store, or its content has another hash.
    """
    digests = wire.hashes(values)
    if not digests:
        return
    from jupyter_workflows.store.errors import StoreError

    store = _store(spec)
    try:
        for digest in sorted(digests):
            blob = Path(spec.folder) / "blobs" / digest
            if blob.is_file():
                store.put_file(blob, digest)
                if store.is_local:  # where the next attempt, if there is one, finds it as well
                    blob.unlink()
            elif not store.exists(digest):
                raise ArtifactError(f"The bytes of a stage-data value are missing ({digest})")
    except (StoreError, OSError) as error:
        raise ArtifactError(f"A value of the stage data cannot be stored: {error}") from error


def _store(spec: AttemptSpec) -> Any:
    from jupyter_workflows.store.artifacts import ArtifactStore

    return ArtifactStore(spec.artifacts)
