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


def test_a_title_is_one_step_and_the_path_follows(options: Options) -> None:
    options.show("stages", "place")
    options.write("Title", "Place the order")
    expect(options.field("Path")).to_have_value("place-the-order")
    assert options.snapshot("stages", "place")["title"] == "Place the order"
    options.undo()
    expect(options.field("Title")).to_have_value("Place")
    expect(options.field("Path")).to_have_value("place")


def test_enter_takes_a_text_and_escape_restores_it(options: Options) -> None:
    options.show("stages", "place")
    title = options.field("Title")
    title.fill("Something else")
    title.press("Escape")
    expect(title).to_have_value("Place")
    expect(options.panel).to_be_visible()
    title.fill("Ship")
    title.press("Enter")
    assert options.snapshot("stages", "place")["title"] == "Ship"
    expect(title).to_be_focused()
    title.press("Escape")
    expect(options.panel).to_have_count(0)


def test_what_means_nothing_is_told_and_kept(options: Options) -> None:
    options.show("stages", "approve")
    options.write("Path", "place")
    expect(options.panel).to_contain_text("Another stage has the path “place”.")
    expect(options.field("Path")).to_have_attribute("aria-invalid", "true")
    assert options.snapshot("stages", "approve")["path"] == "approve"
    options.write("Path", "sign-off")
    assert options.snapshot("stages", "approve")["path"] == "sign-off"
    options.write("Due after", "soon")
    expect(options.panel).to_contain_text("Write a number and a unit")
    options.write("Due after", "1 week 2 days")
    assert options.snapshot("stages", "approve")["due"] == "P1W2D"
    options.write("Due after", "")
    assert "due" not in options.snapshot("stages", "approve")


def test_what_is_typed_is_not_lost_when_something_else_is_selected(options: Options) -> None:
    options.show("stages", "place")
    options.field("Title").fill("Typed")
    options.show("stages", "approve")
    expect(options.field("Title")).to_have_value("Approve")
    assert options.snapshot("stages", "place")["title"] == "Typed"


def test_what_somebody_else_does_meanwhile_is_shown(options: Options) -> None:
    options.show("stages", "place")
    options.edit("stages", "place", {"title": "Theirs"})
    expect(options.field("Title")).to_have_value("Theirs")
    options.field("Title").fill("Mine")
    options.edit("stages", "place", {"title": "Theirs again"})
    expect(options.field("Title")).to_have_value("Mine")
    expect(options.panel).to_contain_text("Somebody else has changed this to “Theirs again” meanwhile.")
    options.panel.get_by_role("button", name="Take theirs").click()
    expect(options.field("Title")).to_have_value("Theirs again")
    assert options.snapshot("stages", "place")["title"] == "Theirs again"


def test_saving_saves_what_is_being_typed(options: Options) -> None:
    options.show("stages", "place")
    options.field("Title").fill("Typed and saved")
    options.field("Title").press("Control+s")
    options.page.wait_for_function("() => !window.jupyterapp.shell.currentWidget.context.model.dirty")
    assert json.loads(options.file.read_text())["stages"]["place"]["title"] == "Typed and saved"


def test_an_assignee_is_completed(options: Options) -> None:
    options.edit("stages", "approve", {"assignee": "ada"})
    options.show("stages", "approve")
    assignee = options.field("Assignee")
    assignee.fill("amou")
    options.panel.get_by_role("option", name="data:amount").click()
    expect(assignee).to_have_value("data:amount")
    assert options.snapshot("stages", "approve")["assignee"] == {"from": "amount"}
    options.write("Assignee", "team:finance")
    assert options.snapshot("stages", "approve")["assignee"] == "team:finance"


def test_a_notebook_is_chosen_opened_and_created(options: Options) -> None:
    options.show("stages", "place")
    notebook = options.field("Notebook")
    notebook.fill("arch")
    notebook.press("ArrowDown")
    notebook.press("Enter")
    expect(notebook).to_have_value("stages/archive.ipynb")
    assert options.snapshot("stages", "place")["notebook"] == "stages/archive.ipynb"
    options.write("Notebook", "stages/new.ipynb")
    options.panel.get_by_role("button", name="Create").click()
    options.panel.get_by_role("button", name="Open notebook").click()
    options.page.locator("#jp-main-dock-panel .lm-TabBar-tab", has_text="new.ipynb").wait_for()
    assert (options.file.parent / "stages" / "new.ipynb").exists()


def test_a_schedule_shows_its_next_times(options: Options) -> None:
    options.show("stages", "report")
    options.panel.get_by_role("button", name="Add a schedule").click()
    options.field("Schedule").select_option("week")
    options.panel.get_by_role("button", name="Friday").click()
    options.field("At").fill("02:30")
    options.field("At").press("Tab")
    zone = options.field("Time zone")
    zone.fill("berl")
    options.panel.get_by_role("option", name="Europe/Berlin").click()
    schedule = options.snapshot("stages", "report")["schedule"]
    assert schedule == {"cron": "30 2 * * MON,FRI", "timezone": "Europe/Berlin"}
    expect(options.panel.locator("time")).to_have_count(5)
    options.field("Schedule").select_option("day")
    expect(options.panel).to_contain_text("a time that does not exist is run at the change")
    options.field("Schedule").select_option("cron")
    options.write("Cron", "*/5 9-17 * * *")
    assert options.snapshot("stages", "report")["schedule"]["cron"] == "*/5 9-17 * * *"
    options.write("Cron", "0 0 30 2 *")
    expect(options.panel).to_contain_text("None: the schedule is not right yet.")
    expect(options.panel.locator(".jp-mod-error")).to_contain_text("is not a cron expression")
    options.field("Schedule").select_option("month")
    options.field("On day").select_option("last")
    assert options.snapshot("stages", "report")["schedule"]["cron"] == "0 9 L * *"
    options.write("Time zone", "Europe/Berlim")
    expect(options.panel).to_contain_text("There is no time zone “Europe/Berlim”.")
    options.field("Times that were missed").select_option("all")
    options.panel.get_by_role("button", name="Remove the schedule").click()
    assert "schedule" not in options.snapshot("stages", "report")


def test_a_hook_says_how_it_is_called(options: Options) -> None:
    options.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    options.show("stages", "order")
    address = f"{options.lab.url}workflows/hooks/test/order"
    expect(options.panel).to_contain_text(address)
    options.panel.get_by_role("button", name="How to call it").click()
    command = options.panel.get_by_label("Command for a terminal")
    expect(command).to_contain_text("Authorization: Bearer TOKEN")
    expect(command).to_contain_text('{"item":"lens"}')
    options.panel.get_by_role("button", name="Copy the command").click()
    expect(options.panel).to_contain_text("Copied")
    options.field("Callers show").select_option("signature")
    expect(command).to_contain_text("X-Hub-Signature-256")
    options.panel.get_by_role("button", name="PUT", exact=True).click()
    options.field("The caller").select_option("accept")
    expect(options.field("for at most")).to_have_count(0)
    hook = options.snapshot("stages", "order")
    assert hook["methods"] == ["POST", "PUT"]
    assert hook["auth"] == {"kind": "signature"}
    assert hook["response"] == "accept"
    options.write("Route", "{order}")
    expect(options.panel).to_contain_text(f"{address}/{{order}}")
    options.panel.get_by_role("button", name="In the middle of a run").click()
    options.panel.get_by_role("button", name="Add", exact=True).click()
    options.field("Key of the stage data").fill("order_id")
    options.field("Place in the request").fill("body.order.id")
    options.field("Place in the request").press("Enter")
    assert options.snapshot("stages", "order")["match"] == {"order_id": "body.order.id"}
    options.panel.get_by_role("button", name="Remove order_id").click()
    assert "match" not in options.snapshot("stages", "order")


def test_a_deployed_hook_has_an_address_and_secrets(options: Options) -> None:
    (options.file.parent / "requirements.txt").write_text("")
    made = options.lab.post("deployments", {"path": f"{options.file.parent.name}/test.workflow"})
    workflow = options.lab.get(f"workflows/{made['workflow']}")
    options.show("stages", "order")
    expect(options.panel.get_by_text("Live", exact=True)).to_be_visible()
    expect(options.panel).to_contain_text(workflow["hooks"][0]["address"])
    options.panel.get_by_role("button", name="How to call it").click()
    secrets = options.panel.get_by_role("group", name="Secrets").get_by_role("listitem")
    before = secrets.count()
    options.panel.get_by_role("button", name="New secret…").click()
    dialog = options.page.get_by_role("dialog")
    dialog.get_by_role("button", name="Make it").click()
    secret = dialog.get_by_label("Secret")
    secret.wait_for()
    hint = secret.input_value()[-4:]
    dialog.get_by_role("button", name="Done").click()
    expect(secrets).to_have_count(before + 1)
    expect(options.panel.get_by_role("group", name="Secrets")).to_contain_text(hint)


def test_how_a_stage_is_executed(options: Options) -> None:
    options.show("stages", "place")
    options.more()
    options.write("Retries", "2")
    options.write("First delay", "1 min 30 s")
    options.write("Timeout", "600")
    expect(options.field("Timeout")).to_have_value("10 minutes")
    options.write("Memory", "2 parrots")
    expect(options.panel).to_contain_text("Write it as 512M or 2G.")
    options.write("Memory", "512M")
    options.field("Kernel").select_option("python3")
    options.field("Disabled").check()
    stage = options.snapshot("stages", "place")
    assert stage["retries"] == {"max": 2, "delay": 90}
    assert (stage["timeout"], stage["memory"], stage["kernel"], stage["disabled"]) == (
        600,
        "512M",
        "python3",
        True,
    )
    options.write("First delay", "")
    options.write("Retries", "")
    assert "retries" not in options.snapshot("stages", "place")


def test_a_condition_is_built_from_rows(options: Options) -> None:
    options.show("transitions", "t0")
    options.panel.get_by_role("button", name="Add a condition").click()
    first = options.panel.get_by_role("group", name="Condition 1")
    first.get_by_label("Field").fill("amo")
    options.panel.get_by_role("option", name=re.compile("^amount")).click()
    # An example is known to be a number.
    expect(first.get_by_label("Operator")).to_have_value(">")
    first.get_by_label("Value", exact=True).fill("100")
    first.get_by_label("Value", exact=True).press("Enter")
    assert options.snapshot("transitions", "t0")["condition"] == "amount > 100"
    options.panel.get_by_role("button", name="Add a condition").click()
    second = options.panel.get_by_role("group", name="Condition 2")
    second.get_by_label("Field").fill("approved")
    second.get_by_label("Field").press("Enter")
    second.get_by_label("Operator").select_option("false")
    second.get_by_label("Joined by").select_option("or")
    assert options.snapshot("transitions", "t0")["condition"] == "amount > 100 or not approved"
    options.panel.get_by_role("button", name="Remove this condition").first.click()
    assert options.snapshot("transitions", "t0")["condition"] == "not approved"
    options.undo()
    expect(options.panel.get_by_role("group", name="Condition 2")).to_be_visible()


def test_an_expression_is_checked_as_one_types(options: Options) -> None:
    options.show("transitions", "t1")
    expression = options.field("Expression")
    expect(expression).to_have_value("len(items) > 3")
    expect(options.panel).to_contain_text("edited as text only")
    expression.fill("len(items > 3")
    expect(options.panel.locator(".jp-mod-error")).to_contain_text("Not an expression")
    assert options.snapshot("transitions", "t1")["condition"] == "len(items) > 3"
    expression.fill("amount > 3")
    expect(options.panel.locator(".jp-mod-error")).to_have_count(0)
    expression.press("Tab")
    assert options.snapshot("transitions", "t1")["condition"] == "amount > 3"
    expect(options.panel.get_by_role("group", name="Condition 1")).to_be_visible()


def test_the_ends_and_the_rest_of_a_transition(options: Options) -> None:
    options.show("transitions", "t1")
    options.field("To").select_option("archive")
    options.field("Fires when the stage").select_option("failed")
    options.write("Label", "too late")
    options.more()
    options.write("Once for each of", "not a name")
    expect(options.panel).to_contain_text("Use letters, digits and underscores.")
    options.write("Once for each of", "lines")
    options.write("The item is", "line")
    options.write("Order", "2")
    assert options.snapshot("transitions", "t1") == {
        "source": "approve",
        "target": "archive",
        "condition": "len(items) > 3",
        "on": "failed",
        "label": "too late",
        "each": "lines",
        "as": "line",
        "order": 2,
    }
    options.edit("transitions", "t1", {"else": True})
    expect(options.panel).to_contain_text("The transition has a condition and is an “else” as well.")


def test_several_are_changed_in_one_step(options: Options) -> None:
    options.edit("stages", "place", {"memory": "1G"})
    options.show("stages", "place", "archive", "approve")
    expect(options.panel).to_contain_text("3 selected")
    options.more()
    expect(options.field("Memory")).to_have_attribute("placeholder", "Several values")
    options.write("Memory", "2G")
    keys = ("place", "archive", "approve")
    assert [options.snapshot("stages", key)["memory"] for key in keys] == ["2G"] * 3
    options.undo()
    assert options.snapshot("stages", "place")["memory"] == "1G"
    assert "memory" not in options.snapshot("stages", "archive")
    options.field("Disabled").check()
    assert all(options.snapshot("stages", key)["disabled"] for key in keys)


def test_the_workflow_and_what_is_wrong_with_it(options: Options) -> None:
    options.edit("stages", "place", {"notebook": "gone.ipynb"})
    options.show("workflow")
    options.write("Title", "Orders")
    options.write("Shown on the board", "amount, outcome, amount")
    meta = options.page.evaluate("() => window.jupyterapp.shell.currentWidget.editor.document.snapshot.meta")
    assert meta["title"] == "Orders"
    assert meta["board"] == {"fields": ["amount", "outcome"]}
    expect(options.panel).to_contain_text(meta["uid"])
    finding = options.panel.get_by_role("button", name=re.compile("There is no notebook gone.ipynb"))
    finding.click()
    expect(options.panel.get_by_role("heading", name="Place")).to_be_visible()
    expect(options.panel).to_contain_text("There is no notebook gone.ipynb.")


def test_tabs_and_focus_by_keyboard(options: Options) -> None:
    options.show("stages", "place")
    settings = options.panel.get_by_role("tab", name="Settings")
    expect(settings).to_be_focused()
    settings.press("ArrowRight")
    expect(options.panel.get_by_role("tab", name="Test")).to_be_focused()
    expect(options.panel.get_by_role("tab", name="Test")).to_have_attribute("aria-selected", "true")
    expect(options.panel.get_by_role("tabpanel")).to_have_attribute("aria-labelledby", re.compile("test$"))
    options.panel.get_by_role("tab", name="Test").press("End")
    expect(options.panel.get_by_role("tab", name="Run")).to_have_attribute("aria-selected", "true")
    options.page.keyboard.press("Escape")
    expect(options.panel).to_have_count(0)
    canvas = "() => document.querySelector('.jp-Workflows-canvasArea').contains(document.activeElement)"
    options.page.wait_for_function(canvas)


def test_the_width_is_remembered(options: Options) -> None:
    options.show("stages", "place")
    area = options.page.locator(".jp-Workflows-optionsArea")
    before = area.bounding_box()
    assert before is not None
    mouse = options.page.mouse
    mouse.move(before["x"] - 0.5, before["y"] + 200)
    mouse.down()
    mouse.move(before["x"] - 60, before["y"] + 200, steps=4)
    mouse.up()
    wide = area.bounding_box()
    assert wide is not None
    assert wide["width"] > before["width"] + 40
    options.panel.get_by_role("button", name="Close the options").click()
    expect(options.panel).to_have_count(0)
    options.show("stages", "order")
    again = area.bounding_box()
    assert again is not None
    assert abs(again["width"] - wide["width"]) <= 2


def test_notes_and_groups(options: Options) -> None:
    options.page.evaluate(
        """() => window.jupyterapp.shell.currentWidget.editor.document.edit(draft => {
            draft.put('notes', 'n', { text: 'Hello', position: [0, 400], size: [200, 100] });
            draft.put('groups', 'g', { title: 'Both', stages: ['place'] });
        })"""
    )
    options.show("notes", "n")
    options.write("Text", "**Hello**")
    options.field("Color").select_option("blue")
    note = options.snapshot("notes", "n")
    assert (note["text"], note["color"]) == ("**Hello**", "blue")
    options.show("groups", "g")
    options.write("Title", "Shipping")
    options.panel.get_by_role("checkbox", name="Archive").check()
    group = options.snapshot("groups", "g")
    assert group["title"] == "Shipping"
    assert sorted(group["stages"]) == ["archive", "place"]
