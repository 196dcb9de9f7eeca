"""Opening workflow files."""

from __future__ import annotations

import shutil
from pathlib import Path

from playwright.sync_api import Page, expect
from support.lab import Lab

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


def test_a_workflow_opens_on_the_canvas(lab: Lab, page: Page) -> None:
    shutil.copytree(NOTEBOOKS / "purchase-approval", lab.root / "purchase-approval")
    lab.open(page, "purchase-approval/purchase-approval.workflow")
    canvas = page.locator(".jp-Workflows .react-flow")
    expect(canvas.locator(".react-flow__node")).to_have_count(6)


def test_an_unreadable_file_says_what_is_wrong_and_stays_as_it_is(
    lab: Lab, page: Page, project: Path
) -> None:
    file = project / "broken.workflow"
    file.write_text('{"format": 1,\n "uid": }')
    lab.open(page, f"{project.name}/broken.workflow")
    expect(page.get_by_role("alert")).to_contain_text("not a workflow that can be read")
    expect(page.get_by_role("alert")).to_contain_text("Line 2")
    lab.command(page, "docmanager:save")
    assert file.read_text() == '{"format": 1,\n "uid": }'
