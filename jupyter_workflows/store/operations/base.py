"""What all operations share."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection

from jupyter_workflows.authoring.wire import Artifact
from jupyter_workflows.model.graph import Graph

from ..artifacts import ArtifactStore
from ..completion import LIMIT
from ..database import Database, state_folder
from ..graphs import GraphCache, Parsed
from ..queries import document_of
from ..records import Claim


class StoreBase:
    """A database with the folder and the artifacts that belong to it.

    Parameters
    ----------
    database
        From `open_database`.
    state
        Folder for evidence and artifacts; by default the one in which an SQLite database lies, or the one
        in Jupyter's data folder.
    artifacts
        Folder or URL for artifacts; by default below `state`.
    limit
        How many stage runs a run may have, against endless loops.
    """

    def __init__(
        self,
        database: Database,
        *,
        state: Path | None = None,
        artifacts: str | None = None,
        limit: int = LIMIT,
    ) -> None:
        self.database = database
        self.limit = limit
        path = database.path
        self.state_folder = state or (path.parent if path is not None else state_folder())
        self.artifacts = ArtifactStore(artifacts or self.state_folder / "artifacts")
        self._graphs = GraphCache()

    def close(self) -> None:
        """Close the connections to the database."""
        self.database.close()

    def now(self) -> datetime:
        """Return the time by the database's clock."""
        if self.database.is_sqlite:
            return self.database.now(None)
        with self.database.read() as connection:
            return self.database.now(connection)

    def folder(self, run_id: str, stage_run_id: str) -> Path:
        """Return where a stage run's evidence lies."""
        return self.run_folder(run_id) / stage_run_id

    def run_folder(self, run_id: str) -> Path:
        """Return where the evidence of a run's stage runs lies."""
        return self.state_folder / "runs" / run_id

    def executed_copy(self, run_id: str, stage_run_id: str, attempt: int) -> Path:
        """Return where an attempt's executed notebook lies, if it got that far."""
        return self.folder(run_id, stage_run_id) / f"executed-{attempt}.ipynb"

    def graph(self, claim: Claim) -> Graph:
        """Return the graph that a claim's run follows."""
        return self._parsed(claim).graph

    def load(self, artifact: Artifact) -> Path:
        """Return a file with an artifact's content: what routing reads long values from."""
        return self.artifacts.localise(artifact.hash, self.state_folder / "cache" / "artifacts")

    def _parsed(self, claim: Claim) -> Parsed:
        return self._graphs.add(claim.run.document_hash, claim.document_text)

    def _parsed_of(self, connection: Connection, run_id: str) -> Parsed:
        return self._graphs.get(connection, document_of(connection, run_id))

    def _with_document(self, connection: Connection, claim: Claim) -> Claim:
        text = self._graphs.get(connection, claim.run.document_hash).text
        return replace(claim, document_text=text)
