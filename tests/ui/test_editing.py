"""Editing a graph with the pointer: palette, outline, menus, toolbar, and undoing each."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect
from support.lab import Lab

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"

#: Resolves when there is a file, which a change of the files may announce.
EXISTS = """path => new Promise(resolve => {
  const { contents } = window.jupyterapp.serviceManager;
  const look = () => contents.get(path, { content: false }).then(() => resolve(true), () => {});
  contents.fileChanged.connect(look);
  look();
})"""


def cards(page: Page) -> Locator:
    """The stages on the canvas that is shown."""
    return page.locator(".jp-Workflows:visible .jp-Workflows-card")


def document(page: Page) -> dict[str, Any]:
    """The document that is shown, as it would be saved."""
    text = page.evaluate("() => window.jupyterapp.shell.currentWidget.context.model.toString()")
    found: dict[str, Any] = json.loads(text)
    return found


def stage(page: Page, title: str) -> Locator:
    """The card of a stage."""
    return cards(page).filter(has_text=title).first


@pytest.fixture
def purchase(lab: Lab, page: Page, project: Path) -> Path:
    """The example, open."""
    shutil.copytree(NOTEBOOKS / "purchase-approval", project, dirs_exist_ok=True)
    lab.open(page, f"{project.name}/purchase-approval.workflow")
    expect(cards(page)).to_have_count(6)
    return project


@pytest.fixture
def empty(lab: Lab, page: Page, project: Path) -> Path:
    """A workflow without stages, open."""
    (project / "new.workflow").write_text("")
    lab.open(page, f"{project.name}/new.workflow")
    page.locator(".jp-Workflows-canvas").wait_for()
    return project


def test_a_type_is_dragged_from_the_palette_and_gets_a_notebook(page: Page, empty: Path) -> None:
    source = page.get_by_role("button", name="Add stage: Form").bounding_box()
    canvas = page.locator(".jp-Workflows-canvas").bounding_box()
    assert source is not None
    assert canvas is not None
    page.mouse.move(source["x"] + 20, source["y"] + 20)
    page.mouse.down()
    page.mouse.move(canvas["x"] + 300, canvas["y"] + 300, steps=6)
    page.mouse.up()
    expect(cards(page)).to_have_count(1)
    expect(page.get_by_role("treeitem", name="Form, Form")).to_be_visible()
    notebook = empty / "stages" / "form.ipynb"
    page.evaluate(EXISTS, f"{empty.name}/stages/form.ipynb")
    page.get_by_role("button", name="Undo").first.click()
    expect(cards(page)).to_have_count(0)
    # Undoing takes no file away.
    assert "# Form" in notebook.read_text()


def test_the_palette_adds_by_click_and_shrinks_to_icons(page: Page, empty: Path) -> None:
    page.get_by_role("button", name="Add stage: Job").click()
    expect(cards(page)).to_have_count(1)
    page.get_by_role("button", name="Show icons only").click()
    expect(page.get_by_role("tree")).to_have_count(0)
    page.get_by_role("button", name="Add stage: Script").click()
    # Nothing leads out of nowhere: a script after a job is connected.
    expect(cards(page)).to_have_count(2)
    page.get_by_role("button", name="Show names and outline").click()
    expect(page.get_by_role("treeitem")).to_have_count(2)
    assert [one["type"] for one in document(page)["stages"].values()].count("job") == 1


def test_the_outline_filters_and_reveals(page: Page, purchase: Path) -> None:
    outline = page.get_by_role("tree", name="Stages of the workflow")
    expect(outline.get_by_role("treeitem")).to_have_count(6)
    first = outline.get_by_role("treeitem").first
    expect(first).to_have_accessible_name("An order comes in, Hook")
    page.get_by_role("searchbox", name="Filter the outline").fill("decl")
    expect(outline.get_by_role("treeitem")).to_have_count(1)
    outline.get_by_role("treeitem").click()
    expect(stage(page, "Decline the order")).to_have_class("jp-Workflows-card jp-mod-selected")
    page.get_by_role("searchbox", name="Filter the outline").fill("nothing like this")
    expect(page.get_by_text("No stage matches.")).to_be_visible()


@pytest.mark.parametrize(
    ("item", "count"), [("Delete", 5), ("Duplicate", 7), ("Cut", 5), ("Disable", 6), ("Group", 6)]
)
def test_the_menu_of_a_stage_changes_it_and_undo_gives_the_same_text(
    page: Page, purchase: Path, item: str, count: int
) -> None:
    before = document(page)
    stage(page, "Decide").click(button="right")
    page.get_by_role("menuitem", name=re.compile(f"^{item}")).click()
    expect(cards(page)).to_have_count(count)
    expect(page.get_by_role("button", name="Undo").first).to_be_enabled()
    page.get_by_role("button", name="Undo").first.click()
    expect(cards(page)).to_have_count(6)
    assert document(page) == before
    assert (purchase / "stages" / "decide.ipynb").exists()


def test_the_menu_of_the_empty_canvas_adds_and_arranges(page: Page, purchase: Path) -> None:
    before = document(page)
    page.locator(".jp-Workflows-canvas").click(button="right", position={"x": 40, "y": 40})
    expect(page.get_by_role("menuitem", name="Open Notebook")).to_have_count(0)
    page.get_by_role("menuitem", name="Arrange").click()
    page.wait_for_function(
        "old => JSON.parse(window.jupyterapp.shell.currentWidget.context.model.toString())"
        ".stages.d9f4gh.position.join() !== old",
        arg=",".join(map(str, before["stages"]["d9f4gh"]["position"])),
    )
    page.get_by_role("button", name="Undo").first.click()
    assert document(page) == before
    page.locator(".jp-Workflows-canvas").click(button="right", position={"x": 40, "y": 40})
    page.get_by_role("menuitem", name="Add Note").click()
    page.wait_for_function("() => document.querySelectorAll('.jp-Workflows-note').length === 2")


def test_the_toolbar_adds_searches_and_fits(page: Page, purchase: Path) -> None:
    toolbar = page.get_by_role("toolbar").filter(has_text="Add stage").first
    toolbar.get_by_role("button", name="Add stage").click()
    page.get_by_role("menuitem", name="Add Hook").click()
    expect(cards(page)).to_have_count(7)
    expect(stage(page, "Hook")).to_be_visible()
    page.get_by_role("button", name="Undo").first.click()
    expect(cards(page)).to_have_count(6)
    stage(page, "Decide").click()
    expect(toolbar.get_by_role("button", name="Add transition")).to_be_enabled()


def test_edit_menu_undoes_the_graph(page: Page, purchase: Path) -> None:
    before = document(page)
    stage(page, "Decide").click()
    page.keyboard.press("Delete")
    expect(cards(page)).to_have_count(5)
    page.get_by_role("menubar").get_by_role("menuitem", name=re.compile("^Edit")).click()
    page.get_by_role("menuitem", name=re.compile("^Undo")).first.click()
    expect(cards(page)).to_have_count(6)
    assert document(page) == before


def test_stages_are_copied_into_another_project(lab: Lab, page: Page, purchase: Path) -> None:
    other = lab.root / f"{purchase.name}-other"
    other.mkdir()
    (other / "other.workflow").write_text("")
    stage(page, "Decide").click()
    stage(page, "Place the order").click(modifiers=["Control"])
    page.keyboard.press("Control+c")
    lab.command(page, "docmanager:open", {"path": f"{other.name}/other.workflow"})
    page.wait_for_function(
        "() => window.jupyterapp.shell.currentWidget?.context?.path.endsWith('other.workflow')"
    )
    page.locator(".jp-Workflows:visible .jp-Workflows-canvas").wait_for()
    page.evaluate("() => window.jupyterapp.shell.currentWidget.editor.view.focus()")
    page.keyboard.press("Control+v")
    expect(cards(page)).to_have_count(2)
    made = document(page)
    assert {one["path"] for one in made["stages"].values()} == {"decide", "place"}
    assert len(made["transitions"]) == 1
    copied = other / "stages" / "decide.ipynb"
    page.evaluate(EXISTS, f"{other.name}/stages/decide.ipynb")
    assert json.loads(copied.read_text())["cells"]
    page.keyboard.press("Control+z")
    expect(cards(page)).to_have_count(0)
    assert copied.exists()
