"""Giving numerical libraries their threads back, which the fork server denied them."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from typing import Any

#: Set while modules are imported beforehand. A library that makes threads on import could not be forked.
SINGLE_THREADED = {
    "BLIS_NUM_THREADS": "1",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
    "MKL_NUM_THREADS": "1",
    "NUMEXPR_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    # New threads of OpenBLAS wait busily, for 2**26 cycles by default: more than a whole small stage costs.
    "OPENBLAS_THREAD_TIMEOUT": "18",
}

_SETTERS = (
    "scipy_openblas_set_num_threads64_",
    "scipy_openblas_set_num_threads",
    "openblas_set_num_threads64_",
    "openblas_set_num_threads",
)


class Threads:
    """The numbers of threads of the OpenBLAS libraries that a process has loaded.

    They are found before the fork, and set after it.
    """

    def __init__(self) -> None:
        self._setters: list[Callable[[Any], Any]] = []
        for path in _find_libraries():
            library = ctypes.CDLL(path)
            setters = [getattr(library, name) for name in _SETTERS if hasattr(library, name)]
            self._setters += setters[:1]

    def restore(self, environment: dict[str, str]) -> None:
        """Let the libraries use as many threads as they would have in a process of their own."""
        if not self._setters:
            return
        wanted = environment.get("OPENBLAS_NUM_THREADS") or environment.get("OMP_NUM_THREADS") or ""
        threads = int(wanted) if wanted.isdigit() and int(wanted) > 0 else len(os.sched_getaffinity(0))
        for setter in self._setters:
            setter(ctypes.c_int(threads))


def _find_libraries() -> list[str]:
    with open("/proc/self/maps", encoding="utf-8", errors="replace") as file:  # noqa: PTH123
        paths = {line.split(None, 5)[5].strip() for line in file if "openblas" in line and "/" in line}
    return sorted(path for path in paths if path.endswith(".so") or ".so." in path)
