"""Workflows with forms for tests in a browser."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .attempts import notebook
from .lab import Lab
from .servers import wait_for


def make_workflow(folder: Path, *cells: str, title: str = "Expense approval", **stage: Any) -> None:
    """Write a workflow of a form and a script after it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "ask.ipynb").write_text(json.dumps(notebook(*cells)))
    (folder / "after.ipynb").write_text(
        json.dumps(notebook("from jupyter_workflows import get_stage\nget_stage()['seen'] = True"))
    )
    form = {"type": "form", "path": "ask", "title": "Submit an expense", "notebook": "ask.ipynb", **stage}
    document = {
        "format": 1,
        "uid": f"uid-{folder.name}",
        "title": title,
        "stages": {
            "a1": form,
            "b1": {"type": "script", "path": "after", "title": "Check the rules", "notebook": "after.ipynb"},
        },
        "transitions": {"t1": {"source": "a1", "target": "b1"}},
    }
    (folder / "w.workflow").write_text(json.dumps(document))


def start(lab: Lab, folder: Path) -> tuple[str, str]:
    """Start a test run, and return its id and its task."""
    lab.runner()
    run = lab.post("runs", {"mode": "test", "path": f"{folder.relative_to(lab.root)}/w.workflow"})["id"]
    found = wait_for(lambda: lab.get(f"tasks?run={run}")["tasks"], "the task")
    return run, found[0]["id"]
