"""papermill's bookkeeping of a notebook's cells, for stages."""

from __future__ import annotations

import time
from typing import Any

import papermill  # noqa: F401  (its modules import each other; the package goes first)
from nbformat import NotebookNode
from papermill.engines import NotebookExecutionManager

from jupyter_workflows.execution.nodes import node
from jupyter_workflows.execution.session import Session


class StageExecutionManager(NotebookExecutionManager):  # type: ignore[misc]
    """Keeps the metadata that papermill keeps, and saves less often.

    papermill saves before and after each cell. Here `save` only notes that there is something to save:
    the client saves on a timer, and papermill itself writes the end.
    """

    def __init__(self, nb: NotebookNode, session: Session) -> None:
        super().__init__(nb, progress_bar=False, autosave_cell_every=0)
        self.session = session
        self.dirty = False
        self._began = 0.0

    def save(self, **kwargs: Any) -> None:
        """Note that there is something to save."""
        self.dirty = True

    def autosave_cell(self) -> None:
        """Note that there is something to save."""
        self.dirty = True

    def notebook_start(self, **kwargs: Any) -> None:
        """Prepare the notebook's metadata and save it for the first time."""
        super().notebook_start(**kwargs)
        self.nb["metadata"]["papermill"].update(
            input_path=self.session.source.path, output_path=self.session.spec.output
        )
        self.flush()

    def cell_start(self, cell: NotebookNode, cell_index: int | None = None, **kwargs: Any) -> None:
        """Note that a cell begins."""
        metadata = cell["metadata"]["papermill"]
        metadata["start_time"] = self.now().isoformat()
        metadata["status"] = self.RUNNING
        metadata["exception"] = False
        self._began = time.monotonic()
        self.dirty = True

    def cell_complete(self, cell: NotebookNode, cell_index: int | None = None, **kwargs: Any) -> None:
        """Note that a cell ended."""
        metadata = cell["metadata"]["papermill"]
        metadata["end_time"] = self.now().isoformat()
        metadata["duration"] = round(time.monotonic() - self._began, 6)
        if metadata["status"] != self.FAILED:
            metadata["status"] = self.COMPLETED
        self.dirty = True

    def cell_not_run(self, cell: NotebookNode) -> None:
        """Note that a cell was not executed, because the notebook ended before it."""
        cell["metadata"]["jupyter_workflows"] = node(status="not-run")
        cell["metadata"]["tags"] = [*cell["metadata"].get("tags", []), "not-run"]

    def notebook_complete(self, **kwargs: Any) -> None:
        """Complete the notebook's metadata; papermill writes it."""
        self.end_time = self.now()
        metadata = self.nb["metadata"]["papermill"]
        metadata["end_time"] = self.end_time.isoformat()
        metadata["duration"] = (self.end_time - self.start_time).total_seconds()
        self.session.describe(self.nb, state=self.session.result.state)

    def flush(self, running: int | None = None, outputs: list[NotebookNode] | None = None) -> None:
        """Save the executed copy as far as it is.

        Parameters
        ----------
        running, outputs
            Index of the cell that is being executed, and what its outputs are up to now.
        """
        self.dirty = False
        self.session.describe(self.nb, state="running")
        copy = self.nb
        if outputs is not None:
            copy = node(copy, cells=list(copy["cells"]))
            copy["cells"][running] = node(copy["cells"][running], outputs=outputs)
        self.session.save(copy)
