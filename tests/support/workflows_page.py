"""A workflow that is open in a page, seen from a test."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

#: The workflow in the tab that is in front.
EDITOR = "window.jupyterapp.shell.currentWidget?.editor"


def workflow(**content: Any) -> dict[str, Any]:
    """Return a document with an identity."""
    return {"format": 1, "uid": "test-workflow", "title": "Test", "stages": {}, "transitions": {}, **content}


def stage(path: str, **fields: Any) -> dict[str, Any]:
    """Return a stage."""
    return {"type": "script", "path": path, "title": path.title(), "notebook": f"{path}.ipynb", **fields}


def write(file: Path, content: Any, **options: Any) -> str:
    """Write a document into a file; return its text."""
    text = content if isinstance(content, str) else json.dumps(content, **options)
    file.write_text(text, "utf-8")
    return text


def wait_until_open(page: Page) -> None:
    """Wait until the document in front is loaded and shown."""
    page.wait_for_function(f"() => {EDITOR}?.context.isReady")
    page.evaluate("() => window.jupyterapp.shell.currentWidget.content.ready")


def evaluate(page: Page, expression: str, argument: Any = None) -> Any:
    """Evaluate an expression of `editor` and `arg`."""
    return page.evaluate(f"arg => {{ const editor = {EDITOR}; return {expression}; }}", argument)


def wait_for(page: Page, expression: str, argument: Any = None) -> None:
    """Wait until an expression of `editor` and `arg` holds."""
    page.wait_for_function(
        f"arg => {{ const editor = {EDITOR}; return editor && {expression}; }}", arg=argument
    )


def put(page: Page, key: str, fields: dict[str, Any]) -> None:
    """Add a stage."""
    evaluate(page, "editor.document.edit(draft => draft.put('stages', arg[0], arg[1]))", [key, fields])


def patch(page: Page, key: str, fields: dict[str, Any]) -> None:
    """Change fields of a stage."""
    evaluate(page, "editor.document.edit(draft => draft.patch('stages', arg[0], arg[1]))", [key, fields])


def remove(page: Page, key: str) -> None:
    """Remove a stage."""
    evaluate(page, "editor.document.edit(draft => draft.remove('stages', arg))", key)


def titles(page: Page) -> dict[str, str]:
    """Return the titles of the stages, by key."""
    found: dict[str, str] = evaluate(
        page,
        "Object.fromEntries(Object.entries(editor.document.snapshot.stages).map(([k, s]) => [k, s.title]))",
    )
    return found
