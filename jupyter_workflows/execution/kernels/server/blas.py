"""Giving numerical libraries their threads back, which the fork server denied them."""

from __future__ import annotations

import ctypes
import os
import sys

#: Set while modules are imported beforehand. A library that makes threads on import could not be forked.
SINGLE_THREADED = {
    "BLIS_NUM_THREADS": "1",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
    "MKL_NUM_THREADS": "1",
    "NUMEXPR_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}

_SETTERS = (
    "scipy_openblas_set_num_threads64_",
    "scipy_openblas_set_num_threads",
    "openblas_set_num_threads64_",
    "openblas_set_num_threads",
)


def find_libraries() -> list[str]:
    """Return the OpenBLAS libraries that this process has loaded."""
    with open("/proc/self/maps", encoding="utf-8", errors="replace") as file:  # noqa: PTH123
        paths = {line.split(None, 5)[5].strip() for line in file if "openblas" in line and "/" in line}
    return sorted(path for path in paths if path.endswith(".so") or ".so." in path)


def restore(environment: dict[str, str]) -> None:
    """Let loaded libraries use as many threads as they would have in a process of their own."""
    if "numpy" not in sys.modules:
        return
    wanted = environment.get("OPENBLAS_NUM_THREADS") or environment.get("OMP_NUM_THREADS") or ""
    threads = int(wanted) if wanted.isdigit() and int(wanted) > 0 else len(os.sched_getaffinity(0))
    for path in find_libraries():
        library = ctypes.CDLL(path)
        for name in _SETTERS:
            if setter := getattr(library, name, None):
                setter(ctypes.c_int(threads))
                break
