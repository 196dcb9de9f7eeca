"""Testing stages and workflows from the editor, with real kernels, and looking at what came out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect
from support.lab import Lab
from support.projects import write_notebook, write_project
from support.servers import wait_for

CHAIN = [{"source": "fetch", "target": "check"}, {"source": "check", "target": "report"}]
FETCH = """
import pathlib
with open("fetched.txt", "a") as log:
    log.write("x")
from jupyter_workflows import get_stage
stage = get_stage()
stage["amount"] = stage.get("given", 1) * 2
stage["order"] = {"lines": [1, 2, 3], "paid": True}
print("fetched")
"""
#: Goes on when there is a file `go`.
WAIT = """
import pathlib, time
while not pathlib.Path("go").exists():
    time.sleep(0.05)
"""
KERNEL_TIME = 90_000


@pytest.fixture
def chain(project: Path) -> Path:
    """Three stages, one after the other."""
    (project / "requirements.txt").write_text("")
    return write_project(
        project,
        {
            "fetch": {"cells": [FETCH]},
            "check": {"cells": ["x = 1", "print('checking')", "y = 2"]},
            "report": {"cells": ["print('report')"]},
        },
        CHAIN,
    )


def open_workflow(lab: Lab, page: Page, file: Path, stages: int) -> Locator:
    lab.open(page, f"{file.parent.name}/{file.name}")
    canvas = page.locator(".jp-Workflows-canvas")
    expect(canvas.locator("[data-stage]")).to_have_count(stages)
    return canvas


def card(page: Page, stage: str) -> Locator:
    return page.locator(f'.jp-Workflows-canvas [data-stage="{stage}"]')


def show_tab(page: Page, stage: str, tab: str = "Test") -> Locator:
    page.evaluate(
        "([stage, tab]) => window.jupyterapp.shell.currentWidget.editor"
        ".showOptions({ kind: 'stages', key: stage }, tab)",
        [stage, tab.lower()],
    )
    section = page.get_by_role("region", name=tab, exact=True)
    expect(section).to_have_attribute("data-stage", stage)
    return section


def button(page: Page) -> Locator:
    return page.locator('.jp-Toolbar [data-command="workflows:test-workflow"]')


def expect_state(page: Page, stage: str, state: str) -> None:
    expect(card(page, stage)).to_have_attribute("data-state", state, timeout=KERNEL_TIME)


def kept(file: Path, stage: str) -> dict[str, object]:
    text = file.read_text()
    if not text:  # it is being written
        return {}
    found: dict[str, object] = json.loads(text)["stages"][stage]
    return found


def test_a_stage_is_tested_alone_with_data_and_shows_what_came_out(lab: Lab, page: Page, chain: Path) -> None:
    open_workflow(lab, page, chain, 3)
    tab = show_tab(page, "fetch")
    field = tab.get_by_label("Stage data")
    field.fill('{"given": ')
    expect(tab.get_by_role("alert")).to_contain_text("not JSON")
    field.fill('{"given": 21}')
    field.blur()
    tab.get_by_role("button", name="Test this stage").click()
    expect_state(page, "fetch", "completed")
    assert kept(chain, "fetch")["test"] == {"data": {"given": 21}}  # saved before
    data = tab.get_by_role("tree", name="Data after the stage")
    expect(data).to_contain_text("42")
    lines = data.get_by_role("treeitem", name="lines")
    lines.get_by_role("button", name="Unfold lines").click()
    expect(lines.get_by_role("treeitem")).to_have_count(3)
    expect(lines.get_by_role("button", name="Copy the path of 2")).to_have_attribute(
        "title", 'Copy the path: stage["order"]["lines"][2]'
    )
    expect(tab.get_by_role("region", name="Printed")).to_contain_text("fetched")
    expect(card(page, "check")).not_to_have_attribute("data-state", "completed")
    # One step of undo.
    page.evaluate("() => window.jupyterapp.shell.currentWidget.editor.document.undo()")
    expect(tab.get_by_label("Stage data")).to_have_value("")


def test_the_failing_cell_is_one_click_away_and_mended_in_a_loop(lab: Lab, page: Page, chain: Path) -> None:
    notebook = chain.parent / "stages/check.ipynb"
    write_notebook(notebook, ["x = 1", "raise ValueError('no such order')", "y = 2"])
    open_workflow(lab, page, chain, 3)
    button(page).click()
    expect_state(page, "check", "failed")
    expect(card(page, "check")).to_contain_text("ValueError: no such order")
    expect(card(page, "report")).not_to_have_attribute("data-state", "completed")
    tab = show_tab(page, "check")
    expect(tab.get_by_role("alert")).to_contain_text("no such order")
    tab.get_by_role("button", name="Show the failing cell").click()
    executed = page.locator(".jp-Workflows-executed")
    failed = executed.locator(".jp-mod-failedCell")
    expect(failed).to_contain_text("ValueError")
    expect(failed).to_be_in_viewport()
    expect(page.get_by_text("Read-only, without a kernel")).to_be_visible()
    page.locator(".lm-TabBar-tab", has_text="(executed)").locator(".lm-TabBar-tabCloseIcon").click()
    # The notebook is mended, and the same run goes on from there.
    write_notebook(notebook, ["x = 1", "print('mended')"])
    tab = show_tab(page, "check")
    tab.get_by_role("button", name="Retry").click()
    expect_state(page, "report", "completed")
    expect_state(page, "check", "completed")
    expect(tab.get_by_role("region", name="Printed")).to_contain_text("mended")


def test_a_run_is_shown_again_after_a_reload_and_is_cancelled(lab: Lab, page: Page, chain: Path) -> None:
    write_notebook(chain.parent / "stages/fetch.ipynb", ["x = 1", "y = 2", WAIT, "z = 3"])
    open_workflow(lab, page, chain, 3)
    button(page).click()
    expect(card(page, "fetch")).to_contain_text("cell 3 of 4", timeout=KERNEL_TIME)
    open_workflow(lab, page, chain, 3)
    expect(card(page, "fetch")).to_contain_text("cell 3 of 4")
    expect(card(page, "fetch")).to_have_attribute("data-state", "running")
    page.locator('[data-command="workflows:cancel-run"]').click()
    expect_state(page, "fetch", "cancelled")
    tab = show_tab(page, "fetch", "Run")
    runs = tab.get_by_role("list", name="Recent runs").get_by_role("button")
    expect(runs.first).to_contain_text("Cancelled")
    (chain.parent / "stages/go").touch()
    tab.get_by_role("button", name="Run again", exact=True).click()
    expect_state(page, "report", "completed")
    expect(runs).to_have_count(2)


def test_pinned_data_stands_in_for_a_stage(lab: Lab, page: Page, chain: Path) -> None:
    open_workflow(lab, page, chain, 3)
    fetched = chain.parent / "stages/fetched.txt"
    tab = show_tab(page, "fetch")
    tab.get_by_role("button", name="Test this stage").click()
    expect_state(page, "fetch", "completed")
    tab.get_by_role("button", name="Pin data").click()
    expect(tab.get_by_text("The data of this stage is pinned")).to_be_visible()
    button(page).click()
    expect_state(page, "report", "completed")
    expect(tab.get_by_text("pinned data, not executed")).to_be_visible()
    assert fetched.read_text() == "x"
    assert kept(chain, "fetch")["pinned"]["amount"] == 2  # type: ignore[index]
    tab.get_by_role("button", name="Unpin").click()
    expect(tab.get_by_text("The data of this stage is pinned")).to_have_count(0)


def test_run_to_here_does_not_do_unchanged_stages_again(lab: Lab, page: Page, chain: Path) -> None:
    open_workflow(lab, page, chain, 3)
    fetched = chain.parent / "stages/fetched.txt"
    tab = show_tab(page, "check")
    tab.get_by_role("button", name="Run to here").click()
    expect_state(page, "check", "completed")
    write_notebook(chain.parent / "stages/check.ipynb", ["print('another')"])
    tab.get_by_role("button", name="Run to here").click()
    expect(tab.get_by_role("region", name="Printed")).to_contain_text("another", timeout=KERNEL_TIME)
    assert fetched.read_text() == "x"
    expect(card(page, "report")).not_to_have_attribute("data-state", "completed")
    tab = show_tab(page, "fetch")
    expect(tab.get_by_text("unchanged, not executed again")).to_be_visible()
    # The data of the last run.
    tab = show_tab(page, "check")
    tab.get_by_label("The data of the last run").check()
    tab.get_by_role("button", name="Test this stage").click()
    expect(tab.get_by_role("tree")).to_contain_text("amount", timeout=KERNEL_TIME)
    wait_for(lambda: kept(chain, "check").get("test") == {"recorded": True}, "the document to be saved")


def test_a_data_frame_is_paged_through(lab: Lab, page: Page, chain: Path) -> None:
    pytest.importorskip("pandas")
    cell = (
        "import pandas, numpy\nfrom jupyter_workflows import get_stage\n"
        "get_stage()['table'] = pandas.DataFrame({'n': range(120), 'name': ['row'] * 120})\n"
        "get_stage()['array'] = numpy.zeros((3, 4))"
    )
    write_notebook(chain.parent / "stages/fetch.ipynb", [cell])
    (chain.parent / "requirements.txt").write_text("pandas\nnumpy\n")
    open_workflow(lab, page, chain, 3)
    tab = show_tab(page, "fetch")
    tab.get_by_role("button", name="Test this stage").click()
    expect_state(page, "fetch", "completed")
    tab.get_by_role("button", name="Unfold table").click()
    expect(tab.get_by_text("Rows 1–50 of 120")).to_be_visible()
    tab.get_by_role("button", name="Next").click()
    tab.get_by_role("button", name="Next").click()
    expect(tab.get_by_text("Rows 101–120 of 120")).to_be_visible()
    expect(tab.get_by_role("cell", name="119")).to_be_visible()
    expect(tab.get_by_text("NumPy array, 3 × 4")).to_be_visible()
    expect(tab.get_by_role("link", name="Download").last).to_be_attached()


def test_a_form_is_tested_with_answers(lab: Lab, page: Page, project: Path) -> None:
    (project / "requirements.txt").write_text("")
    imports = "from jupyter_workflows.forms import read, read_number"
    cell = f"{imports}\nprint(read('Name'), read_number('Age') + 1)"
    file = write_project(project, {"ask": {"type": "form", "cells": [cell]}})
    open_workflow(lab, page, file, 1)
    tab = show_tab(page, "ask")
    tab.get_by_label("Field 1").fill("Name")
    tab.get_by_role("textbox", name="Answer to Name").fill("Ada")
    tab.get_by_role("button", name="Add an answer").click()
    tab.get_by_label("Field 2").fill("Age")
    tab.get_by_role("textbox", name="Answer to Age").fill("36")
    tab.get_by_role("textbox", name="Answer to Age").blur()
    tab.get_by_role("button", name="Test this stage").click()
    expect_state(page, "ask", "completed")
    expect(tab.get_by_role("region", name="Printed")).to_contain_text("Ada 37")
    assert kept(file, "ask")["test"] == {"answers": {"Age": 36, "Name": "Ada"}}


def test_what_keeps_a_test_from_starting_is_said(lab: Lab, page: Page, chain: Path) -> None:
    (chain.parent / "stages/report.ipynb").unlink()
    open_workflow(lab, page, chain, 3)
    button(page).click()
    expect(page.locator(".jp-toastContainer")).to_contain_text("cannot be run: it has errors")
