"""The canvas: what a workflow looks like, and how the pointer works on it."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect
from support.lab import Lab
from support.screenshots import shoot

ROOT = Path(__file__).parents[2]
AXE = ROOT / "labextension" / "node_modules" / "axe-core" / "axe.min.js"
THEMES = ("JupyterLab Light", "JupyterLab Dark", "JupyterLab Dark High Contrast")


@pytest.fixture
def canvas(lab: Lab, page: Page, project: Path) -> Locator:
    """The purchase approval on a canvas."""
    shutil.copytree(ROOT / "notebooks" / "purchase-approval", project, dirs_exist_ok=True)
    lab.open(page, f"{project.name}/purchase-approval.workflow")
    canvas = page.locator(".jp-Workflows-canvas")
    expect(canvas.locator("[data-stage]")).to_have_count(6)
    expect(canvas.locator("[data-transition]")).to_have_count(6)
    return canvas


def snapshot(page: Page) -> dict[str, Any]:
    """Return the open document."""
    return page.evaluate("() => window.jupyterapp.shell.currentWidget.content.editor.document.snapshot")


def undo(page: Page) -> None:
    """Take the last step back."""
    page.evaluate("() => window.jupyterapp.shell.currentWidget.content.editor.document.undo()")


def center(locator: Locator) -> tuple[float, float]:
    """Return the middle of something on the page."""
    box = locator.bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def pull(page: Page, start: tuple[float, float], end: tuple[float, float], *, drop: bool = True) -> None:
    """Drag from one point to another."""
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(start[0] + 8, start[1] + 8)
    page.mouse.move(*end, steps=5)
    if drop:
        page.mouse.up()


def port(canvas: Locator, stage: str, name: str = "completed") -> tuple[float, float]:
    """Return where a handle of a card is; it shows when the card is pointed at."""
    canvas.locator(f'[data-stage="{stage}"]').hover()
    return center(canvas.locator(f'[data-of="{stage}"][data-port="{name}"]'))


def test_stages_and_transitions_are_drawn(canvas: Locator) -> None:
    card = canvas.locator('[data-stage="o7p3as"]')
    expect(card).to_have_accessible_name(
        re.compile("^Approve the order, Form, Team management, .*1 in, 1 out$")
    )
    expect(canvas.locator('[data-label="r1a5td"]')).to_have_text("over the limit")
    expect(canvas.locator('[data-label="s3e9kf"]')).to_have_text("else small")


def test_a_drag_is_one_step(canvas: Locator, page: Page) -> None:
    before = snapshot(page)["stages"]["m8n2bq"]["position"]
    x, y = center(canvas.locator('[data-stage="m8n2bq"]'))
    pull(page, (x, y), (x, y - 100))
    after = snapshot(page)["stages"]["m8n2bq"]["position"]
    assert after != before
    assert all(value % 8 == 0 for value in after)
    undo(page)
    assert snapshot(page)["stages"]["m8n2bq"]["position"] == before


def test_several_cards_are_dragged_together(canvas: Locator, page: Page) -> None:
    before = snapshot(page)["stages"]
    box = canvas.bounding_box()
    assert box
    page.keyboard.down("Shift")
    pull(page, (box["x"] + 20, box["y"] + 20), (box["x"] + box["width"] - 20, box["y"] + box["height"] - 200))
    page.keyboard.up("Shift")
    expect(canvas.locator("[data-stage].jp-mod-selected")).to_have_count(6)
    x, y = center(canvas.locator('[data-stage="d9f4gh"]'))
    pull(page, (x, y), (x, y + 80))
    after = snapshot(page)["stages"]
    moves = {
        tuple(new - old for new, old in zip(after[key]["position"], before[key]["position"], strict=True))
        for key in before
    }
    assert len(moves) == 1
    assert moves != {(0, 0)}
    undo(page)
    assert snapshot(page)["stages"] == before


def test_an_arrow_is_pulled_from_a_handle(canvas: Locator, page: Page) -> None:
    pull(page, port(canvas, "m8n2bq", "failed"), center(canvas.locator('[data-stage="z6x0cv"]')))
    expect(canvas.locator("[data-transition]")).to_have_count(7)
    added = [one for one in snapshot(page)["transitions"].values() if one["source"] == "m8n2bq"]
    assert added == [{"source": "m8n2bq", "target": "z6x0cv", "on": "failed"}]
    undo(page)
    expect(canvas.locator("[data-transition]")).to_have_count(6)


def test_an_arrow_that_is_dropped_on_the_ground_offers_a_stage(canvas: Locator, page: Page) -> None:
    x, y = center(canvas.locator('[data-stage="q2w8er"]'))
    pull(page, port(canvas, "q2w8er"), (x + 150, y + 150))
    box = page.get_by_role("dialog", name="Add a stage")
    # Nothing leads into a job.
    expect(box.get_by_role("option", name="Job")).to_have_count(0)
    box.get_by_role("combobox").fill("form")
    page.keyboard.press("Enter")
    expect(canvas.locator("[data-stage]")).to_have_count(7)
    expect(canvas.locator("[data-transition]")).to_have_count(7)
    undo(page)
    expect(canvas.locator("[data-stage]")).to_have_count(6)


def test_an_end_of_an_arrow_is_moved(canvas: Locator, page: Page) -> None:
    page.evaluate(
        """() => window.jupyterapp.shell.currentWidget.content.editor.selection.set(
             [{ kind: 'transitions', key: 'y0c7np' }])"""
    )
    end = canvas.locator('[data-end="target"][data-arrow="y0c7np"]')
    pull(page, center(end), center(canvas.locator('[data-stage="t5y1ui"]')))
    transition = snapshot(page)["transitions"]["y0c7np"]
    assert transition["target"] == "t5y1ui"
    assert transition["else"] is True
    undo(page)
    assert snapshot(page)["transitions"]["y0c7np"]["target"] == "m8n2bq"


def test_a_stage_is_inserted_on_an_arrow(canvas: Locator, page: Page) -> None:
    page.evaluate(
        """() => window.jupyterapp.shell.currentWidget.content.editor.selection.set(
             [{ kind: 'transitions', key: 'u7i2lg' }])"""
    )
    canvas.get_by_role("button", name="Insert a stage").click()
    page.get_by_role("option", name="Script").click()
    expect(canvas.locator("[data-stage]")).to_have_count(7)
    transitions = snapshot(page)["transitions"]
    added = transitions["u7i2lg"]["target"]
    assert transitions["u7i2lg"]["source"] == "t5y1ui"
    assert [one["target"] for one in transitions.values() if one["source"] == added] == ["o7p3as"]


def test_a_transition_is_drawn_by_keys(canvas: Locator, page: Page) -> None:
    page.evaluate(
        """() => {
          const { view } = window.jupyterapp.shell.currentWidget.content.editor;
          view.reveal({ kind: 'stages', key: 'm8n2bq' });
          view.startTransition('m8n2bq');
        }"""
    )
    expect(canvas.get_by_role("status")).to_contain_text("choose a stage")
    page.keyboard.press("ArrowDown")
    expect(canvas.locator('[data-stage="z6x0cv"]')).to_have_class(re.compile("jp-mod-aim"))
    page.keyboard.press("Enter")
    expect(canvas.locator("[data-transition]")).to_have_count(7)


def test_what_cannot_be_connected_says_why(canvas: Locator, page: Page) -> None:
    start = port(canvas, "o7p3as")
    target = canvas.locator('[data-stage="d9f4gh"]')
    pull(page, start, center(target), drop=False)
    expect(target).to_have_class(re.compile("jp-mod-refused"))
    expect(canvas.get_by_role("tooltip")).to_contain_text("such a transition already")
    page.keyboard.press("Escape")
    page.mouse.up()
    expect(canvas.locator("[data-transition]")).to_have_count(6)


def test_a_double_click_on_the_ground_searches(canvas: Locator, page: Page) -> None:
    box = canvas.bounding_box()
    assert box
    page.mouse.dblclick(box["x"] + 100, box["y"] + 60)
    expect(page.get_by_role("combobox", name="Type or notebook of the new stage")).to_be_focused()
    page.keyboard.type("hook")
    page.keyboard.press("Enter")
    expect(canvas.locator("[data-stage]")).to_have_count(7)


def test_a_double_click_on_a_card_shows_its_options(canvas: Locator, page: Page) -> None:
    canvas.locator('[data-stage="o7p3as"]').dblclick()
    expect(page.locator(".jp-Workflows-optionsArea")).to_be_visible()


def test_a_note_is_written_in_place(canvas: Locator, page: Page) -> None:
    note = canvas.locator('[data-note="n1"]')
    expect(note.locator("strong")).to_have_text("Decide")
    note.dblclick()
    field = note.get_by_role("textbox")
    field.fill("Only *this*")
    field.press("Control+Enter")
    expect(note.locator("em")).to_have_text("this")
    assert snapshot(page)["notes"]["n1"]["text"] == "Only *this*"
    undo(page)
    expect(note.locator("strong")).to_have_text("Decide")


def test_a_note_is_resized(canvas: Locator, page: Page) -> None:
    canvas.locator('[data-note="n1"]').click()
    x, y = center(canvas.locator('[data-note="n1"] [data-resize]'))
    pull(page, (x, y), (x + 60, y + 40))
    width, height = snapshot(page)["notes"]["n1"]["size"]
    assert width > 220
    assert height > 100


def test_a_group_frames_its_stages_and_folds(canvas: Locator, page: Page) -> None:
    page.evaluate(
        """() => window.jupyterapp.shell.currentWidget.content.editor.document.edit(draft =>
             draft.put('groups', 'g1', { title: 'Approval', stages: ['t5y1ui', 'o7p3as'] }))"""
    )
    before = snapshot(page)["stages"]
    x, y = center(canvas.get_by_text("Approval", exact=True))
    pull(page, (x, y), (x, y - 80))
    after = snapshot(page)["stages"]
    assert after["t5y1ui"]["position"][1] < before["t5y1ui"]["position"][1]
    assert after["o7p3as"]["position"][1] < before["o7p3as"]["position"][1]
    assert after["d9f4gh"] == before["d9f4gh"]
    undo(page)
    canvas.get_by_role("button", name="Collapse Approval").click()
    expect(canvas.locator("[data-stage]")).to_have_count(4)
    expect(canvas.locator("[data-transition]")).to_have_count(5)
    canvas.get_by_role("button", name="Expand Approval").click()
    expect(canvas.locator("[data-stage]")).to_have_count(6)


def test_a_notebook_is_dropped_from_the_file_browser(canvas: Locator, page: Page, project: Path) -> None:
    shutil.copy(project / "stages" / "decide.ipynb", project / "another.ipynb")
    page.evaluate("() => window.jupyterapp.commands.execute('filebrowser:refresh')")
    entry = page.locator(".jp-DirListing-item", has_text="another.ipynb")
    box = canvas.bounding_box()
    assert box
    pull(page, center(entry), (box["x"] + 200, box["y"] + 80))
    expect(canvas.locator("[data-stage]")).to_have_count(7)
    assert "another.ipynb" in [stage["notebook"] for stage in snapshot(page)["stages"].values()]


def test_one_walks_over_the_graph_by_keys(canvas: Locator, page: Page) -> None:
    canvas.focus()
    page.keyboard.press("ArrowRight")
    expect(canvas.locator('[data-stage="q2w8er"]')).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(canvas.locator('[data-stage="t5y1ui"]')).to_be_focused()
    page.keyboard.press(".")
    expect(canvas.locator('[data-transition="u7i2lg"]')).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(canvas.locator('[data-stage="o7p3as"]')).to_be_focused()
    page.keyboard.press("Escape")
    expect(canvas).to_be_focused()


def test_an_empty_workflow_says_what_to_do(lab: Lab, page: Page, project: Path) -> None:
    (project / "empty.workflow").write_text("")
    lab.open(page, f"{project.name}/empty.workflow")
    empty = page.get_by_role("region", name="Empty workflow")
    empty.get_by_role("button", name="Form").click()
    expect(page.locator("[data-stage]")).to_have_count(1)
    expect(empty).to_have_count(0)


@pytest.mark.parametrize("theme", THEMES)
def test_axe_finds_nothing_serious(lab: Lab, canvas: Locator, page: Page, theme: str) -> None:
    lab.theme(page, theme)
    canvas.locator('[data-stage="o7p3as"]').click()
    page.add_script_tag(path=AXE)
    result = page.evaluate("() => window.axe.run('.jp-Workflows-canvas')")
    serious = [
        (one["id"], [node["target"] for node in one["nodes"]], one["nodes"][0]["failureSummary"])
        for one in result["violations"]
        if one["impact"] in ("serious", "critical")
    ]
    assert not serious


_STATES = """states => {
  const { editor } = window.jupyterapp.shell.currentWidget.content;
  const changed = { connect: () => true, disconnect: () => true };
  editor.states = { run: 'r', stage: key => states[key], transition: key => ({ items: 1 }), changed };
}"""


def test_screens_in_three_themes(
    lab: Lab, canvas: Locator, page: Page, project: Path, tmp_path: Path
) -> None:
    assert len(shoot(lab, page, "canvas", tmp_path)) == 3
    run = {"total": 1, "done": 0, "stageRun": "1"}
    page.evaluate(
        _STATES,
        {
            "q2w8er": {
                **run,
                "state": "completed",
                "done": 1,
                "startedAt": "2026-01-01T09:00:00Z",
                "endedAt": "2026-01-01T09:00:02Z",
            },
            "t5y1ui": {**run, "state": "failed", "error": "KeyError: 'amount'"},
            "o7p3as": {**run, "state": "waiting", "total": 3, "done": 1},
            "d9f4gh": {**run, "state": "running", "cell": 2, "cells": 7},
            "z6x0cv": {**run, "state": "queued"},
        },
    )
    shoot(lab, page, "canvas-run", tmp_path)
    page.evaluate(
        """() => {
          const { editor } = window.jupyterapp.shell.currentWidget.content;
          editor.states = null;
          editor.document.edit(draft => {
            draft.put('groups', 'g1', { title: 'Approval', stages: ['t5y1ui', 'o7p3as'], color: 'blue' });
            draft.patch('stages', 'm8n2bq', { disabled: true });
            draft.put('transitions', 'again', { source: 'd9f4gh', target: 't5y1ui', label: 'ask again' });
            draft.put('transitions', 'failing', { source: 'o7p3as', target: 'm8n2bq', on: 'failed' });
            draft.put('transitions', 'self', { source: 'z6x0cv', target: 'z6x0cv', condition: 'retry' });
          });
          editor.view.fit();
        }"""
    )
    canvas.locator('[data-stage="o7p3as"]').click()
    shoot(lab, page, "canvas-group", tmp_path)
    page.evaluate("() => window.jupyterapp.shell.currentWidget.content.editor.view.zoomTo(0.3)")
    shoot(lab, page, "canvas-far", tmp_path)
