"""Putting the server's memory in order before it is forked again and again.

A fork copies an entry for each page that the server has written to. Large pages have one entry for 512 of
them, so that forking, and ending what was forked, is faster. It is advice to the system, which may decline.
"""

from __future__ import annotations

import ctypes
import gc

_MADV_COLLAPSE = 25
_LARGE_PAGE = 1 << 21


def settle() -> None:
    """Give back what is free, merge what is used into large pages, and keep the collector away from it."""
    gc.collect()
    libc = ctypes.CDLL(None)
    libc.madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    if hasattr(libc, "malloc_trim"):
        libc.malloc_trim(0)
    for start, end in _private_regions():
        first = -(-start // _LARGE_PAGE) * _LARGE_PAGE
        if first + _LARGE_PAGE <= end:
            for page in range(first, end - _LARGE_PAGE + 1, _LARGE_PAGE):
                libc.madvise(page, _LARGE_PAGE, _MADV_COLLAPSE)
    gc.freeze()
    gc.disable()


def _private_regions() -> list[tuple[int, int]]:
    """Return the anonymous memory that this process may write to."""
    regions = []
    with open("/proc/self/maps", encoding="utf-8", errors="replace") as file:  # noqa: PTH123
        for line in file:
            fields = line.split(None, 5)
            if fields[1] == "rw-p" and (len(fields) == 5 or fields[5].strip() in ("", "[heap]")):
                start, end = (int(part, 16) for part in fields[0].split("-"))
                regions.append((start, end))
    return regions
