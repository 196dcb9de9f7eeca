"""The canvas: what a workflow looks like, and how the pointer works on it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect
from support.lab import Lab

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


@pytest.fixture
def canvas(lab: Lab, page: Page, project: Path) -> Locator:
    """The purchase approval on a canvas."""
    shutil.copytree(NOTEBOOKS / "purchase-approval", project, dirs_exist_ok=True)
    lab.open(page, f"{project.name}/purchase-approval.workflow")
    canvas = page.locator(".jp-Workflows-canvas")
    expect(canvas.locator("[data-stage]")).to_have_count(6)
    return canvas


def test_stages_and_transitions_are_drawn(canvas: Locator) -> None:
    expect(canvas.locator("[data-transition]")).to_have_count(6)
    card = canvas.locator('[data-stage="o7p3as"]')
    expect(card).to_have_accessible_name("Approve the order, Form, Team management, 1 in, 1 out")
    expect(canvas.locator('[data-label="r1a5td"]')).to_have_text("over the limit")
