"""The options: settings of what is selected."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from support.lab import Lab
from support.projects import write_project

STAGES: dict[str, dict[str, Any]] = {
    "order": {
        "type": "hook",
        "cells": ['stage["amount"] = 120\nstage["limit"] = 100'],
        "test": {"data": {"amount": 120, "approved": True}, "request": {"body": {"item": "lens"}}},
    },
    "approve": {"type": "form", "assignee": "team:finance", "cells": ["pass"], "position": [300, 0]},
    "report": {"type": "job", "cells": ["pass"], "position": [0, 200]},
    "place": {"cells": ["pass"], "position": [600, 0]},
    "archive": {"cells": ["pass"], "position": [600, 200]},
}
TRANSITIONS = [
    {"source": "order", "target": "approve"},
    {"source": "approve", "target": "place", "condition": "len(items) > 3"},
]


class Options:
    """The panel of an open workflow, and its file."""

    def __init__(self, lab: Lab, page: Page, file: Path) -> None:
        self.lab = lab
        self.page = page
        self.file = file
        self.panel = page.locator(".jp-Workflows-options")

    def show(self, kind: str, *keys: str) -> Locator:
        """Select things and show their options."""
        self.page.evaluate(
            """([kind, keys]) => {
                const editor = window.jupyterapp.shell.currentWidget.editor;
                if (kind === 'workflow') {
                    editor.showOptions('workflow');
                } else {
                    editor.showOptions({ kind, key: keys[0] }, 'settings');
                    editor.selection.set(keys.map(key => ({ kind, key })));
                }
            }""",
            [kind, list(keys)],
        )
        expect(self.panel).to_be_visible()
        return self.panel

    def field(self, name: str) -> Locator:
        """A field by its label."""
        return self.panel.get_by_label(name, exact=True)

    def more(self) -> None:
        """Open the section of less common fields."""
        button = self.panel.get_by_role("button", name=re.compile("^More"))
        if button.get_attribute("aria-expanded") == "false":
            button.click()

    def write(self, name: str, text: str) -> None:
        """Type into a field and leave it."""
        self.field(name).fill(text)
        self.field(name).press("Tab")

    def snapshot(self, kind: str, key: str) -> Any:
        """What the document has."""
        return self.page.evaluate(
            """([kind, key]) => {
                const { snapshot } = window.jupyterapp.shell.currentWidget.editor.document;
                return key ? snapshot[kind][key] : snapshot[kind];
            }""",
            [kind, key],
        )

    def undo(self) -> None:
        """Take the last step back."""
        self.page.evaluate("() => window.jupyterapp.shell.currentWidget.editor.document.undo()")

    def edit(self, kind: str, key: str, fields: dict[str, Any]) -> None:
        """Change the document as somebody else would."""
        self.page.evaluate(
            """([kind, key, fields]) => window.jupyterapp.shell.currentWidget.editor.document
                .edit(draft => draft.patch(kind, key, fields))""",
            [kind, key, fields],
        )


@pytest.fixture
def options(lab: Lab, page: Page, project: Path) -> Options:
    """The options of a workflow that is open."""
    file = write_project(project, STAGES, TRANSITIONS)
    lab.open(page, f"{project.name}/test.workflow")
    page.locator(".jp-Workflows .react-flow").wait_for()
    return Options(lab, page, file)
