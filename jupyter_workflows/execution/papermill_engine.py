"""The engine's class. Take it from `jupyter_workflows.execution.engine`, which says why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

# Nothing else of papermill or of this package: this module is loaded while papermill is.
from papermill.engines import NBClientEngine
from papermill.utils import merge_kwargs, remove_args

if TYPE_CHECKING:
    from nbformat import NotebookNode
    from papermill.engines import NotebookExecutionManager

    from jupyter_workflows.execution.session import Session


class WorkflowsEngine(NBClientEngine):  # type: ignore[misc]
    """Executes notebooks on kernels that start in milliseconds.

    For a stage of a workflow (`session` is given) it also sees to limits, evidence and stage data.
    """

    @classmethod
    def execute_notebook(
        cls, nb: NotebookNode, kernel_name: str, *, session: Session | None = None, **kwargs: Any
    ) -> NotebookNode:
        """Execute `nb` and return it with its outputs."""
        if session is None:
            return cast("NotebookNode", super().execute_notebook(nb, kernel_name, **kwargs))
        from jupyter_workflows.execution.client import StageNotebookClient
        from jupyter_workflows.execution.manager import StageExecutionManager

        manager = StageExecutionManager(nb, session)
        manager.notebook_start()
        try:
            StageNotebookClient(manager, session, kernel_name=kernel_name).execute()
        finally:
            manager.notebook_complete()
        return cast("NotebookNode", manager.nb)

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: NotebookExecutionManager,
        kernel_name: str,
        log_output: bool = False,
        stdout_file: Any = None,
        stderr_file: Any = None,
        start_timeout: int = 60,
        execution_timeout: int | None = None,
        **kwargs: Any,
    ) -> Any:
        """Execute a notebook that is no stage, as papermill's own engine does."""
        from papermill.log import logger

        from jupyter_workflows.execution.plain_client import WorkflowsNotebookClient

        arguments = merge_kwargs(
            remove_args(["input_path", "timeout", "startup_timeout"], **kwargs),
            timeout=execution_timeout or kwargs.get("timeout"),
            startup_timeout=start_timeout,
            kernel_name=kernel_name,
            log=logger,
            log_output=log_output,
            stdout_file=stdout_file,
            stderr_file=stderr_file,
        )
        return WorkflowsNotebookClient(nb_man, **arguments).execute()
