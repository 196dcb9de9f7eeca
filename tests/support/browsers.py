"""Chromium, from where it is to be had."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Error, Playwright

#: Names under which systems install it.
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

_OPTIONS = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
    "--no-sandbox",
]


def launch(playwright: Playwright) -> Browser:
    """Start a Chromium: the system's, else Playwright's own, which is installed if need be.

    Raises
    ------
    RuntimeError
        There is none to be had; says what was tried.
    """
    tried = []
    # Of several workers one installs, and the others find what it installed.
    with (Path(tempfile.gettempdir()) / "jupyter-workflows-chromium.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for install in (None, _install_own, _install_debian):
            if install is not None:
                tried.append(install())
            try:
                return playwright.chromium.launch(executable_path=_installed(), args=_OPTIONS)
            except Error as error:
                tried.append(str(error).strip().splitlines()[0])
    raise RuntimeError("There is no Chromium for the tests: " + "; ".join(tried))


def _installed() -> str | None:
    """Return the system's; `None` for Playwright's own."""
    return next(filter(None, map(shutil.which, _NAMES)), None)


def _install_own() -> str:
    return _run([sys.executable, "-m", "playwright", "install", "chromium"])


def _install_debian() -> str:
    if shutil.which("apt-get") is None:
        return "there is no apt-get"
    return _run(["apt-get", "update"]) + "; " + _run(["apt-get", "install", "--yes", "chromium"])


def _run(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    last = (done.stderr or done.stdout).strip().splitlines()[-1:] or [""]
    return f"{' '.join(command[-3:])}: exit code {done.returncode} {last[0]}"
