"""Screenshots of one screen in three themes, to be looked at."""

from __future__ import annotations

import os
from pathlib import Path

from playwright.sync_api import Page

from .lab import Lab

#: Names of files by the names of themes.
THEMES = {
    "JupyterLab Light": "light",
    "JupyterLab Dark": "dark",
    "JupyterLab Dark High Contrast": "high-contrast",
}

#: Environment variable with the folder that screenshots are written to.
FOLDER = "JUPYTER_WORKFLOWS_SCREENSHOTS"


def shoot(lab: Lab, page: Page, name: str, otherwise: Path) -> list[Path]:
    """Write ``NAME-THEME.png`` for each theme; into `otherwise` unless the environment names a folder."""
    folder = Path(os.environ.get(FOLDER) or otherwise)
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for theme, short in THEMES.items():
        lab.theme(page, theme)
        page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        file = folder / f"{name}-{short}.png"
        page.screenshot(path=file, animations="disabled")
        files.append(file)
    return files
