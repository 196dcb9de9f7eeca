"""The notebook client for notebooks that are no stages."""

from __future__ import annotations

import os
from typing import Any

import papermill  # noqa: F401  (its modules import each other; the package goes first)
from papermill.clientwrap import PapermillNotebookClient

from jupyter_workflows.execution.kernels import make_kernel_manager
from jupyter_workflows.execution.running import FORK_SERVER_VARIABLE, fork_server_at


class WorkflowsNotebookClient(PapermillNotebookClient):  # type: ignore[misc]
    """Executes a notebook that is no stage, on a forked kernel where a fork server is running.

    The environment variable ``JUPYTER_WORKFLOWS_FORK_SERVER`` names the server's address.
    """

    def __init__(self, nb_man: Any, km: Any = None, **options: Any) -> None:
        options.setdefault("raise_on_iopub_timeout", False)
        self._chooses_kernel = km is None and "kernel_manager_class" not in options
        super().__init__(nb_man, km=km, **options)

    def create_kernel_manager(self) -> Any:
        """Return the manager of the kernel that is going to be started."""
        if not self._chooses_kernel:
            return super().create_kernel_manager()
        self.km = make_kernel_manager(
            self.kernel_name or None, fork_server=fork_server_at(os.environ.get(FORK_SERVER_VARIABLE))
        )
        return self.km
