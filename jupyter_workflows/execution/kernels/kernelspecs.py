"""Which kernel a name stands for, and whether the fork server can make it."""

from __future__ import annotations

import os
import sys
import time

from jupyter_client.kernelspec import NATIVE_KERNEL_NAME, KernelSpec, KernelSpecManager
from jupyter_client.kernelspec import NoSuchKernel as SpecNotFound

from jupyter_workflows.execution.kernels.errors import NoSuchKernel

#: Kernelspecs are looked up anew after so many seconds; a look is dozens of file accesses.
_FRESH = 5.0

_found: dict[str, tuple[float, KernelSpec]] = {}


def find_kernelspec(name: str | None, manager: KernelSpecManager | None = None) -> tuple[str, KernelSpec]:
    """Return the kernelspec of a name; of the Python kernel without one.

    Raises
    ------
    NoSuchKernel
        It is not installed.
    """
    name = name or NATIVE_KERNEL_NAME
    if name == "python":
        name = NATIVE_KERNEL_NAME
    if manager is None:
        known = _found.get(name)
        if known is not None and time.monotonic() - known[0] < _FRESH:
            return name, known[1]
    look_in = manager or KernelSpecManager()
    try:
        spec = look_in.get_kernel_spec(name)
    except SpecNotFound:
        raise NoSuchKernel(name, look_in.find_kernel_specs()) from None
    if manager is None:
        _found[name] = (time.monotonic(), spec)
    return name, spec


def is_forkable(spec: KernelSpec, executable: str) -> bool:
    """Return whether a kernelspec means nothing but an ipykernel of a fork server's environment."""
    if spec.language.lower() != "python" or spec.interrupt_mode != "signal":
        return False
    if (spec.metadata or {}).get("kernel_provisioner"):
        return False
    command = [argument for argument in spec.argv if argument != "-Xfrozen_modules=off"]
    if command[1:] not in (
        ["-m", "ipykernel_launcher", "-f", "{connection_file}"],
        ["-m", "ipykernel", "-f", "{connection_file}"],
    ):
        return False
    return _same_interpreter(command[0], executable)


def _same_interpreter(command: str, executable: str) -> bool:
    version = sys.version_info
    if command in ("python", f"python{version[0]}", f"python{version[0]}.{version[1]}"):
        command = sys.executable  # so does jupyter_client
    first, second = os.path.abspath(command), os.path.abspath(executable)  # noqa: PTH100
    if first == second:
        return True
    # python, python3 and python3.11 of one environment; a link to it from elsewhere is another environment.
    try:
        return os.path.dirname(first) == os.path.dirname(second) and os.path.samefile(first, second)  # noqa: PTH120, PTH121
    except OSError:
        return False
