"""Opening workflow files, keeping them, and following what happens to them on disk."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from playwright.sync_api import Page, expect
from support import workflows_page as open_workflow
from support.lab import Lab
from support.servers import wait_for
from support.workflows_page import stage, workflow, write

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


def expect_cards(page: Page, number: int) -> None:
    expect(page.locator(".jp-Workflows .react-flow__node [data-stage]")).to_have_count(number, timeout=20_000)


def open_file(lab: Lab, page: Page, file: Path) -> None:
    lab.open(page, file.relative_to(lab.root).as_posix())
    open_workflow.wait_until_open(page)


def test_a_workflow_opens_on_the_canvas(lab: Lab, page: Page) -> None:
    shutil.copytree(NOTEBOOKS / "purchase-approval", lab.root / "purchase-approval")
    file = lab.root / "purchase-approval" / "purchase-approval.workflow"
    before = file.read_bytes()
    open_file(lab, page, file)
    expect_cards(page, 6)
    assert not open_workflow.evaluate(page, "editor.context.model.dirty"), "loading is no change"
    lab.command(page, "docmanager:save")
    assert file.read_bytes() == before


BROKEN = '{\n  "format": 1,\n  "uid": "a",\n  "title": "A",\n  "stages": {\n    "s1": }\n}\n'


def test_an_unreadable_file_says_what_is_wrong_and_stays_as_it_is(
    lab: Lab, page: Page, project: Path
) -> None:
    file = project / "broken.workflow"
    write(file, BROKEN)
    open_file(lab, page, file)
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("not a workflow that can be read")
    expect(alert).to_contain_text("Line 6, column 11: A value is expected here.")
    expect(alert.locator("mark")).to_have_text('    "s1": }')
    expect(page.locator(".jp-Workflows .react-flow")).to_be_hidden()
    lab.command(page, "docmanager:save")
    assert file.read_text() == BROKEN

    # The editor shows its text; when that is mended, the canvas is back.
    alert.get_by_role("button", name="Open with Editor").click()
    expect(page.locator(".jp-FileEditor .cm-content")).to_contain_text('"s1": }')
    page.locator(".jp-FileEditor .cm-content").press("Control+End")
    page.evaluate(
        """text => {
            const { model } = window.jupyterapp.shell.currentWidget.context;
            model.sharedModel.setSource(text);
        }""",
        json.dumps(workflow(stages={"s1": stage("first")})),
    )
    lab.command(page, "docmanager:save")
    page.get_by_role("tab", name="broken.workflow").first.click()
    expect_cards(page, 1)


def test_a_file_of_a_newer_format_is_shown_and_kept(lab: Lab, page: Page, project: Path) -> None:
    file = project / "newer.workflow"
    text = write(file, {"format": 2, "stages": {"s1": {"kind": "form"}}}, indent=1)
    open_file(lab, page, file)
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("from a newer version")
    expect(alert).to_contain_text("format 2")
    expect(alert.get_by_label("Text of the file")).to_contain_text('"kind": "form"')
    assert open_workflow.evaluate(page, "editor.readOnly")
    lab.command(page, "docmanager:save")
    assert file.read_text() == text


def test_reload_reads_the_file_again(lab: Lab, page: Page, project: Path) -> None:
    file = project / "reload.workflow"
    write(file, "[]")
    open_file(lab, page, file)
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("It has to be an object")
    write(file, workflow(stages={"s1": stage("first")}))
    alert.get_by_role("button", name="Reload").click()
    expect_cards(page, 1)


def test_an_odd_file_is_drawn_and_keeps_what_is_odd(lab: Lab, page: Page, project: Path) -> None:
    file = project / "odd.workflow"
    text = write(
        file,
        workflow(
            stages={
                "s1": {"type": "form", "title": {"a": 1}, "position": ["x", None]},
                "s2": {"type": "job", "schedule": "daily", "notebook": 5, "x": [1.0]},
            },
            transitions={"t1": {"source": "s1", "target": "gone", "label": {}}},
        ),
    )
    open_file(lab, page, file)
    expect_cards(page, 2)
    assert open_workflow.evaluate(page, "editor.document.getSource()") == text
    open_workflow.patch(page, "s1", {"title": "Mended"})
    lab.command(page, "docmanager:save")
    saved = json.loads(file.read_text())
    assert saved["stages"]["s1"] == {"type": "form", "title": "Mended", "position": ["x", None]}
    assert saved["stages"]["s2"]["schedule"] == "daily"


def test_an_empty_file_is_a_new_workflow(lab: Lab, page: Page, project: Path) -> None:
    file = project / "leave-request.workflow"
    write(file, "")
    open_file(lab, page, file)
    expect(page.get_by_role("alert")).to_have_count(0)
    assert not open_workflow.evaluate(page, "editor.context.model.dirty")
    open_workflow.put(page, "s1", stage("first"))
    assert open_workflow.evaluate(page, "editor.context.model.dirty")
    lab.command(page, "docmanager:save")
    saved = json.loads(file.read_text())
    assert (saved["format"], saved["title"], list(saved["stages"])) == (1, "leave-request", ["s1"])
    assert len(saved["uid"]) == 36
    assert not open_workflow.evaluate(page, "editor.context.model.dirty")


def test_changes_on_disk_are_shown_and_keep_the_selection(lab: Lab, page: Page, project: Path) -> None:
    file = project / "checkout.workflow"
    stages = {"s1": stage("first"), "s2": stage("second")}
    write(file, workflow(stages=stages))
    open_file(lab, page, file)
    expect_cards(page, 2)
    open_workflow.evaluate(
        page, "editor.selection.set([{ kind: 'stages', key: 's1' }, { kind: 'stages', key: 's2' }])"
    )
    text = write(file, workflow(stages={"s1": stage("first", title="Changed"), "s3": stage("third")}))
    page.evaluate("() => window.dispatchEvent(new Event('focus'))")
    open_workflow.wait_for(page, "'s3' in editor.document.snapshot.stages")
    assert open_workflow.titles(page) == {"s1": "Changed", "s3": "Third"}
    assert open_workflow.evaluate(page, "editor.selection.items") == [{"kind": "stages", "key": "s1"}]
    assert not open_workflow.evaluate(page, "editor.context.model.dirty")
    assert open_workflow.evaluate(page, "editor.document.getSource()") == text


def test_changes_on_both_sides_are_asked_about(lab: Lab, page: Page, project: Path) -> None:
    file = project / "conflict.workflow"
    write(file, workflow(stages={"s1": stage("first")}))
    open_file(lab, page, file)
    open_workflow.patch(page, "s1", {"title": "Mine"})
    text = write(file, workflow(stages={"s1": stage("first", title="Theirs")}))
    page.evaluate("() => void window.jupyterapp.commands.execute('docmanager:save')")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("has changed on disk")
    assert file.read_text() == text
    dialog.get_by_role("button", name="Revert").click()
    open_workflow.wait_for(page, "editor.document.snapshot.stages.s1.title === 'Theirs'")
    assert file.read_text() == text


def test_stages_follow_their_notebooks(lab: Lab, page: Page, project: Path) -> None:
    (project / "stages").mkdir()
    for name in ("submit", "check"):
        shutil.copy(
            next((NOTEBOOKS / "purchase-approval").rglob("*.ipynb")), project / "stages" / f"{name}.ipynb"
        )
    file = project / "moves.workflow"
    write(
        file,
        workflow(
            stages={
                "s1": stage("submit", notebook="stages/submit.ipynb"),
                "s2": stage("check", notebook="stages/check.ipynb"),
            }
        ),
    )
    open_file(lab, page, file)
    notebooks = "Object.values(editor.document.snapshot.stages).map(stage => stage.notebook).sort()"

    folder = project.name

    def rename(old: str, new: str) -> None:
        page.evaluate(
            "([old, to]) => window.jupyterapp.serviceManager.contents.rename(old, to)",
            [old, new],
        )

    rename(f"{folder}/stages/check.ipynb", f"{folder}/stages/control.ipynb")
    assert open_workflow.evaluate(page, notebooks) == ["stages/control.ipynb", "stages/submit.ipynb"]
    rename(f"{folder}/stages", f"{folder}/steps")
    assert open_workflow.evaluate(page, notebooks) == ["steps/control.ipynb", "steps/submit.ipynb"]
    open_workflow.evaluate(page, "editor.document.undo()")
    assert open_workflow.evaluate(page, notebooks) == ["stages/control.ipynb", "stages/submit.ipynb"]
    open_workflow.evaluate(page, "editor.document.redo()")

    # The document, alone or with its folder, takes nothing with it.
    rename(f"{folder}/moves.workflow", f"{folder}/moved.workflow")
    rename(folder, "stages-moved")
    assert open_workflow.evaluate(page, notebooks) == ["steps/control.ipynb", "steps/submit.ipynb"]
    assert open_workflow.evaluate(page, "editor.path") == "stages-moved/moved.workflow"
    lab.command(page, "docmanager:save")
    saved = json.loads((lab.root / "stages-moved" / "moved.workflow").read_text())
    assert saved["stages"]["s1"]["notebook"] == "steps/submit.ipynb"


def test_the_tab_is_there_again_after_a_reload(lab: Lab, page: Page, project: Path) -> None:
    file = project / "again.workflow"
    write(file, workflow(stages={"s1": stage("first")}))
    open_file(lab, page, file)
    expect_cards(page, 1)
    lab.command(page, "application:toggle-left-area")
    workspaces = lab.folder / "workspaces"
    # The layout is saved a moment after it has changed.
    wait_for(
        lambda: any(
            f"workflows:{project.name}/again.workflow"
            in json.dumps(json.loads(saved.read_text())["data"]["layout-restorer:data"])
            for saved in workspaces.iterdir()
        ),
        "the layout to be saved",
    )
    page.goto(f"{lab.url}lab?token={lab.token}")
    page.wait_for_function("() => window.jupyterapp")
    expect(page.get_by_role("tab", name="again.workflow")).to_have_count(1, timeout=30_000)
    expect_cards(page, 1)


def test_undo_goes_back_to_what_was_loaded(lab: Lab, page: Page, project: Path) -> None:
    file = project / "undo.workflow"
    text = write(file, workflow(stages={"s1": stage("first")}))
    open_file(lab, page, file)
    assert not open_workflow.evaluate(page, "editor.document.canUndo()"), "loading is no step"
    open_workflow.remove(page, "s1")
    open_workflow.evaluate(page, "editor.document.undo()")
    assert open_workflow.evaluate(page, "editor.document.getSource()") == text
