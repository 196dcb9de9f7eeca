"""Which runs use which artifacts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, exists, select

from .statements import insert_new
from .tables import artifact_refs, artifacts

_USED = (
    select(artifact_refs.c.hash)
    .where(artifact_refs.c.hash.in_(bindparam("hashes", expanding=True)))
    .distinct()
)


def refer(
    connection: Connection, sizes: Mapping[str, int], *, run_id: str, stage_run_id: str, now: datetime
) -> None:
    """Note that a stage run's data refers to artifacts."""
    if not sizes:
        return
    # In one order always, so that two completions with the same artifacts do not wait for each other.
    hashes = sorted(sizes)
    insert_new(
        connection,
        artifacts,
        [{"hash": name, "size": sizes[name], "created_at": now} for name in hashes],
    )
    insert_new(
        connection,
        artifact_refs,
        [{"hash": name, "run_id": run_id, "stage_run_id": stage_run_id} for name in hashes],
    )


def used(connection: Connection, hashes: Iterable[str]) -> set[str]:
    """Return which of the artifacts a run refers to."""
    return set(connection.execute(_USED, {"hashes": list(hashes)}).scalars())


def of_run(connection: Connection, run_id: str) -> dict[str, int]:
    """Return hash and size of the artifacts that a run refers to."""
    statement = (
        select(artifacts.c.hash, artifacts.c.size)
        .join(artifact_refs, artifact_refs.c.hash == artifacts.c.hash)
        .where(artifact_refs.c.run_id == run_id)
        .distinct()
    )
    return {row.hash: row.size for row in connection.execute(statement)}


def forget_unused(connection: Connection, before: datetime) -> list[str]:
    """Remove the rows of artifacts that no run refers to any more, and return their hashes."""
    unused = ~exists().where(artifact_refs.c.hash == artifacts.c.hash)
    statement = select(artifacts.c.hash).where(artifacts.c.created_at < before, unused).limit(1000)
    hashes = list(connection.execute(statement).scalars())
    if hashes:
        connection.execute(delete(artifacts).where(artifacts.c.hash.in_(hashes), unused))
    return hashes
