"""The gallery of form fields: every cell asks what its prose says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat

from jupyter_workflows.authoring.forms.answers import Answers
from jupyter_workflows.authoring.forms.live.page import LivePage
from jupyter_workflows.authoring.forms.page import use_presenter
from jupyter_workflows.authoring.forms.presenter import OpenPage

GALLERY = Path(__file__).parents[2] / "notebooks" / "gallery" / "gallery.ipynb"


class Shown:
    """Makes the widgets of each page, and takes what they begin with as its answers."""

    def __init__(self) -> None:
        self.kinds: list[str] = []

    def present(self, page: OpenPage) -> Answers:
        """Make the widgets of a page."""
        live = LivePage(page, folder=None, attempt=1, announce=lambda _: None, saved=lambda: None)
        description = live.describe()
        assert set(description["inputs"]) <= set(description["models"])
        live.close()
        self.kinds += [field.kind for field in page.fields]
        return Answers({field.key: field.start for field in page.fields}, page.actions[0])


def test_every_cell_shows_its_form() -> None:
    shown = Shown()
    use_presenter(shown)
    try:
        names: dict[str, Any] = {}
        for cell in nbformat.read(GALLERY, as_version=4).cells:
            if cell.cell_type == "code":
                exec(cell.source, names)
    finally:
        use_presenter(None)
    assert len(set(shown.kinds)) >= 22
