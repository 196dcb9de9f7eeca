"""Kernels for stages: forked in milliseconds where that is possible, ordinary ones elsewhere.

What a caller needs is here; importing the package itself loads nothing, because the fork server, which
must stay small, lives in it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jupyter_workflows.execution.kernels.client import StageKernelClient
    from jupyter_workflows.execution.kernels.errors import ForkServerError, NoSuchKernel
    from jupyter_workflows.execution.kernels.handle import ForkServer
    from jupyter_workflows.execution.kernels.locks import LockHolder, read_holder, take_over
    from jupyter_workflows.execution.kernels.manager import StageKernelManager, make_kernel_manager
    from jupyter_workflows.execution.kernels.provisioner import ForkProvisioner

__all__ = [
    "ForkProvisioner",
    "ForkServer",
    "ForkServerError",
    "LockHolder",
    "NoSuchKernel",
    "StageKernelClient",
    "StageKernelManager",
    "make_kernel_manager",
    "read_holder",
    "take_over",
]

_HOMES = {
    "ForkProvisioner": "provisioner",
    "ForkServer": "handle",
    "ForkServerError": "errors",
    "LockHolder": "locks",
    "NoSuchKernel": "errors",
    "StageKernelClient": "client",
    "StageKernelManager": "manager",
    "make_kernel_manager": "manager",
    "read_holder": "locks",
    "take_over": "locks",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{home}"), name)
