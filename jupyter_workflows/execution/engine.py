"""The papermill engine ``workflows``: ``papermill in.ipynb out.ipynb --engine workflows``.

papermill loads the classes behind its engines' entry points while it is itself being imported. Were the
class defined in this module, then importing this module first would have papermill ask a module for it
that has only begun to be imported. So it comes from a module of its own, when somebody asks for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jupyter_workflows.execution.papermill_engine import WorkflowsEngine

__all__ = ["WorkflowsEngine"]


def __getattr__(name: str) -> Any:
    if name == "WorkflowsEngine":
        import papermill  # noqa: F401

        from jupyter_workflows.execution.papermill_engine import WorkflowsEngine

        return WorkflowsEngine
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
