"""Business workflows whose stages are notebooks, with people in them.

This module holds what a notebook uses; forms are in `jupyter_workflows.forms`, requests in
`jupyter_workflows.hooks`. Nothing is imported before it is used.
"""

from __future__ import annotations

# Checkers know the name; importing it would cost more than all the rest of this module.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Any

    from .authoring.errors import FormError as FormError
    from .authoring.errors import OnceUnresolved as OnceUnresolved
    from .authoring.errors import RoutingError as RoutingError
    from .authoring.once import once as once
    from .authoring.routing import end_stage as end_stage
    from .authoring.routing import next_stage as next_stage
    from .authoring.stage import get_stage as get_stage

_HOMES = {
    "FormError": "errors",
    "OnceUnresolved": "errors",
    "RoutingError": "errors",
    "end_stage": "routing",
    "get_stage": "stage",
    "next_stage": "routing",
    "once": "once",
}

__all__ = ["FormError", "OnceUnresolved", "RoutingError", "end_stage", "get_stage", "next_stage", "once"]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(f"{__name__}.authoring.{_HOMES[name]}"), name)
    if name == "__version__":
        from importlib.metadata import version

        return version("jupyter_workflows")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    from .server.app import WorkflowsApp

    return [{"module": "jupyter_workflows.server.app", "app": WorkflowsApp}]


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
