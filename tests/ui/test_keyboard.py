"""Everything without a mouse, and keys that stay where they belong."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect
from support.lab import Lab

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


def cards(page: Page) -> Locator:
    """The stages on the canvas that is shown."""
    return page.locator(".jp-Workflows:visible .jp-Workflows-card")


def document(page: Page) -> dict[str, Any]:
    """The document that is shown, as it would be saved."""
    text = page.evaluate("() => window.jupyterapp.shell.currentWidget.context.model.toString()")
    found: dict[str, Any] = json.loads(text)
    return found


def changed(page: Page, what: str) -> None:
    """Wait until something holds of the document, named `it`."""
    page.wait_for_function(
        "what => { const it = window.jupyterapp.shell.currentWidget.editor.document.snapshot; "
        "return new Function('it', 'return ' + what)(it); }",
        arg=what,
    )


@pytest.fixture
def empty(lab: Lab, page: Page, project: Path) -> Path:
    """A workflow without stages, open, with the keyboard on its canvas."""
    (project / "new.workflow").write_text("")
    lab.open(page, f"{project.name}/new.workflow")
    page.locator(".jp-Workflows-canvas").wait_for()
    page.evaluate("() => window.jupyterapp.shell.currentWidget.editor.view.focus()")
    return project


def test_a_workflow_is_built_and_undone_without_a_mouse(page: Page, empty: Path) -> None:
    page.keyboard.press("f")
    expect(cards(page)).to_have_count(1)
    page.keyboard.press("s")
    expect(cards(page)).to_have_count(2)
    page.keyboard.press("f")
    expect(cards(page)).to_have_count(3)
    changed(page, "Object.keys(it.transitions).length === 2")
    made = document(page)
    assert sorted(one["path"] for one in made["stages"].values()) == ["form", "form-2", "script"]

    # The title, by F2.
    page.keyboard.press("F2")
    page.get_by_role("textbox").last.fill("Approve")
    page.keyboard.press("Enter")
    changed(page, "Object.values(it.stages).some(stage => stage.path === 'approve')")

    # Another arrow, by T: back to the first form.
    page.keyboard.press("t")
    page.keyboard.press("Escape")
    page.keyboard.press("e")
    changed(page, "Object.values(it.stages).some(stage => stage.disabled)")
    page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("Control+Shift+ArrowRight")
    page.keyboard.press("l")

    for _ in range(12):
        page.keyboard.press("Control+z")
    expect(cards(page)).to_have_count(0)
    changed(page, "Object.keys(it.transitions).length === 0")
    for _ in range(12):
        page.keyboard.press("Control+Shift+z")
    expect(cards(page)).to_have_count(3)


def test_the_keyboard_stays_on_the_canvas_when_a_stage_goes(page: Page, empty: Path) -> None:
    page.keyboard.press("f")
    expect(cards(page)).to_have_count(1)
    page.keyboard.press("s")
    expect(cards(page)).to_have_count(2)
    expect(cards(page).filter(has_text="Script")).to_be_focused()
    page.evaluate("() => window.jupyterapp.shell.currentWidget.editor.document.undo()")
    expect(cards(page)).to_have_count(1)
    expect(page.locator(".jp-Workflows-canvas:visible")).to_be_focused()
    page.keyboard.press("Control+z")
    expect(cards(page)).to_have_count(0)
    page.keyboard.press("Control+Shift+z")
    page.keyboard.press("Control+Shift+z")
    expect(cards(page)).to_have_count(2)


def test_copy_cut_paste_duplicate_and_select_all(page: Page, empty: Path) -> None:
    page.keyboard.press("f")
    expect(cards(page)).to_have_count(1)
    page.keyboard.press("Control+d")
    expect(cards(page)).to_have_count(2)
    page.keyboard.press("Control+a")
    page.keyboard.press("Control+c")
    page.keyboard.press("Control+v")
    expect(cards(page)).to_have_count(4)
    page.keyboard.press("Control+x")
    expect(cards(page)).to_have_count(2)
    page.keyboard.press("Control+v")
    expect(cards(page)).to_have_count(4)
    page.keyboard.press("Control+a")
    page.keyboard.press("Control+g")
    changed(page, "Object.keys(it.groups).length === 1")
    page.keyboard.press("Control+Shift+g")
    changed(page, "Object.keys(it.groups).length === 0")
    page.keyboard.press("Control+a")
    page.keyboard.press("Delete")
    expect(cards(page)).to_have_count(0)


def test_a_job_is_never_connected_and_a_note_is_put(page: Page, empty: Path) -> None:
    page.keyboard.press("s")
    expect(cards(page)).to_have_count(1)
    page.keyboard.press("j")
    expect(cards(page)).to_have_count(2)
    page.keyboard.press("h")
    expect(cards(page)).to_have_count(3)
    changed(page, "Object.values(it.transitions).length === 1")
    made = document(page)
    (transition,) = made["transitions"].values()
    assert made["stages"][transition["source"]]["type"] == "job"


def test_a_notebook_opens_by_o_and_keeps_its_keys(page: Page, empty: Path) -> None:
    page.keyboard.press("s")
    expect(cards(page)).to_have_count(1)
    page.keyboard.press("o")
    notebook = page.locator(".jp-Notebook:visible")
    notebook.wait_for()
    expect(notebook.locator(".jp-Cell").first).to_contain_text("Script")
    # What a notebook does with these keys is its own: no stage comes of it.
    notebook.locator(".jp-Cell").first.click()
    page.keyboard.press("Escape")
    for key in ("f", "s", "j", "l", "t", "Delete"):
        page.keyboard.press(key)
    count = page.evaluate(
        "() => [...window.jupyterapp.shell.widgets('main')].find(w => w.editor?.document?.snapshot)"
        ".editor.document.snapshot"
    )
    assert len(count["stages"]) == 1


def test_keys_are_letters_while_somebody_types(page: Page, empty: Path) -> None:
    page.keyboard.press("f")
    expect(cards(page)).to_have_count(1)
    field = page.get_by_role("searchbox", name="Filter the outline")
    field.focus()
    page.keyboard.type("fhjst")
    page.keyboard.press("Backspace")
    expect(field).to_have_value("fhjs")
    expect(cards(page)).to_have_count(1)


def test_search_finds_and_goes_on(lab: Lab, page: Page, project: Path) -> None:
    shutil.copytree(NOTEBOOKS / "purchase-approval", project, dirs_exist_ok=True)
    lab.open(page, f"{project.name}/purchase-approval.workflow")
    expect(cards(page)).to_have_count(6)
    cards(page).first.click()
    page.keyboard.press("Control+f")
    box = page.locator(".jp-DocumentSearch-input").first
    box.wait_for()
    page.keyboard.type("decide")
    expect(page.locator(".jp-DocumentSearch-index-counter")).to_have_text("1/2")
    expect(cards(page).filter(has_text="Decide")).to_have_class("jp-Workflows-card jp-mod-selected")
    page.keyboard.press("Enter")
    expect(page.locator(".jp-DocumentSearch-index-counter")).to_have_text("2/2")
    expect(box).to_be_focused()
    page.keyboard.press("Escape")


def test_the_context_menu_opens_by_key_and_gives_the_keyboard_back(page: Page, empty: Path) -> None:
    page.keyboard.press("f")
    expect(cards(page)).to_have_count(1)
    expect(page.locator(".jp-Workflows-card:focus")).to_have_count(1)
    page.keyboard.press("Shift+F10")
    expect(page.get_by_role("menuitem", name="Open Notebook")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".jp-Workflows-canvasArea :focus")).to_have_count(1)
    page.keyboard.press("Delete")
    expect(cards(page)).to_have_count(0)


def test_the_outline_is_walked_by_keys(lab: Lab, page: Page, project: Path) -> None:
    shutil.copytree(NOTEBOOKS / "purchase-approval", project, dirs_exist_ok=True)
    lab.open(page, f"{project.name}/purchase-approval.workflow")
    expect(cards(page)).to_have_count(6)
    tree = page.get_by_role("tree", name="Stages of the workflow")
    tree.focus()
    page.keyboard.press("End")
    expect(cards(page).filter(has_text="Decline the order")).to_have_class(
        "jp-Workflows-card jp-mod-selected"
    )
    expect(tree).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".jp-Workflows-canvasArea :focus")).to_contain_text("Decline the order")


def test_commands_describe_their_arguments(page: Page, empty: Path) -> None:
    missing = page.evaluate(
        """async () => {
          const { commands } = window.jupyterapp;
          const ours = commands.listCommands().filter(id => id.startsWith('workflows:'));
          const found = [];
          for (const id of ours) {
            const { args } = await commands.describedBy(id);
            if (!args || !commands.label(id, {})) {
              found.push(id);
            }
          }
          return found;
        }"""
    )
    assert missing == []
