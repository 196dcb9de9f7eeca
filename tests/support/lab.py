"""A JupyterLab as a process of its own."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from .servers import ServerProcess

#: Settings of JupyterLab for tests: no news, no updates, no animation of its own.
_SETTINGS = {
    "@jupyterlab/apputils-extension:notification": {"checkForUpdates": False, "fetchNews": "false"},
    # The tour would lie over what tests look at; its own tests turn it on.
    "jupyter-workflows:help": {"tour": False},
}


@dataclass
class Lab(ServerProcess):
    """JupyterLab with our extension."""

    program: tuple[str, ...] = ("jupyterlab",)
    #: Whether jupyter-collaboration is on.
    collaboration: bool = False

    def prepare(self) -> None:
        """Write the settings, too."""
        super().prepare()
        self.settings = {
            "LabApp.expose_app_in_browser": "True",
            "LabApp.extension_manager": "readonly",
            "LabApp.workspaces_dir": str(self.folder / "workspaces"),
            "LabApp.user_settings_dir": str(self.folder / "settings"),
            **self.settings,
        }
        for name, value in _SETTINGS.items():
            plugin, _, setting = name.partition(":")
            file = self.folder / "settings" / plugin / f"{setting}.jupyterlab-settings"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(value))

    def _leave_others_out(self) -> None:
        config = self.folder / "config"
        server = config / "jupyter_server_config.d" / "others.json"
        server.parent.mkdir(parents=True, exist_ok=True)
        extensions = {
            "jupyter_lsp": False,
            "jupyter_server_ydoc": self.collaboration,
            "jupyter_server_terminals": False,
        }
        server.write_text(json.dumps({"ServerApp": {"jpserver_extensions": extensions}}))
        if not self.collaboration:
            page = config / "labconfig" / "page_config.json"
            page.parent.mkdir(parents=True, exist_ok=True)
            disabled = {
                "@jupyter/collaboration-extension": True,
                "@jupyter/docprovider-extension": True,
            }
            page.write_text(json.dumps({"disabledExtensions": disabled}))

    def open(self, page: Page, path: str = "") -> None:
        """Open a file, or JupyterLab alone, and wait until it is there."""
        tree = f"/tree/{path}" if path else ""
        page.goto(f"{self.url}lab{tree}?token={self.token}&reset")
        page.wait_for_function("() => window.jupyterapp")
        page.evaluate("() => window.jupyterapp.restored")
        page.locator("#jp-main-content-panel").wait_for()

    def theme(self, page: Page, name: str) -> None:
        """Change the theme, such as `JupyterLab Dark`, and wait until nothing lies over it."""
        # JupyterLab takes its splash screen away 200 ms after each change; a change in between makes it
        # take it away twice, which throws.
        gone = "() => document.getElementById('jupyterlab-splash') === null"
        page.wait_for_function(gone)
        page.evaluate("theme => window.jupyterapp.commands.execute('apputils:change-theme', { theme })", name)
        page.wait_for_function("theme => document.body.dataset.jpThemeName === theme", arg=name)
        page.wait_for_function(gone)

    def command(self, page: Page, name: str, arguments: dict[str, Any] | None = None) -> Any:
        """Execute a command of the application."""
        return page.evaluate(
            "([name, args]) => window.jupyterapp.commands.execute(name, args).then(() => true)",
            [name, arguments or {}],
        )


@contextlib.contextmanager
def lab_server(folder: Path, *, collaboration: bool = False, **settings: str) -> Iterator[Lab]:
    """Run a JupyterLab for a while."""
    named = {name.replace("__", "."): value for name, value in settings.items()}
    lab = Lab(folder, named, collaboration=collaboration)
    try:
        lab.start()
        yield lab
    finally:
        lab.end()
