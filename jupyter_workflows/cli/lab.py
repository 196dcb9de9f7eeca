"""Starting JupyterLab for somebody who sits at this terminal."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from .errors import COMPLETED


def open_lab(document: Path, database: str | None) -> int:
    """Open JupyterLab with a workflow, in its folder, and return the exit code when it has ended."""
    environment = dict(os.environ)
    if database is not None:
        environment["JUPYTER_WORKFLOWS_DATABASE"] = database
    # Ctrl-C is for JupyterLab, which asks before it stops.
    before = signal.signal(signal.SIGINT, _leave_it)
    try:
        code = subprocess.call(
            [sys.executable, "-m", "jupyterlab", document.name], cwd=document.parent, env=environment
        )
    finally:
        signal.signal(signal.SIGINT, before)
    return code if code > 0 else COMPLETED


def _leave_it(_number: int, _frame: Any) -> None:
    """Do nothing; not ignored, for JupyterLab would inherit that."""
