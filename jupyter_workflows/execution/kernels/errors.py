"""What can go wrong with kernels, in words for the person who reads it."""

from __future__ import annotations

from collections.abc import Iterable


class NoSuchKernel(LookupError):
    """A notebook or stage asks for a kernel that is not installed.

    Parameters
    ----------
    name
        The kernel's name, as the notebook or the stage's settings have it.
    available
        Names of the kernels that are installed.
    """

    def __init__(self, name: str, available: Iterable[str]) -> None:
        self.name = name
        self.available = sorted(available)
        installed = ", ".join(self.available) or "none"
        super().__init__(
            f"The kernel {name!r} is not installed. Installed kernels: {installed}. "
            "Install it, or choose another one in the notebook or in the stage's settings."
        )

    def __reduce__(self) -> tuple[type[NoSuchKernel], tuple[str, list[str]]]:
        return type(self), (self.name, self.available)


class ForkServerError(RuntimeError):
    """The fork server cannot be started or reached, or could not make a kernel."""


class KernelStartError(RuntimeError):
    """A kernel was made, but could not take up its work: no such folder, lock held by another."""
