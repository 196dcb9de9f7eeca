"""The inbox in the left sidebar."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page, expect
from support.lab import Lab
from support.people import make_workflow, start

ASK = ("from jupyter_workflows.forms import read", "read('Agreed?')")


def test_tasks_appear_are_taken_given_back_and_opened(lab: Lab, page: Page, project: Path) -> None:
    lab.open(page)
    lab.command(page, "workflows:show-inbox")
    inbox = page.get_by_role("region", name="Inbox")
    expect(inbox.get_by_text("Nothing waits for you.")).to_be_visible()
    make_workflow(project, *ASK, title="Contracts", assignee="team:legal", due="PT1H")
    start(lab, project)
    soon = inbox.get_by_role("region", name="Due within a day")
    task = soon.get_by_role("listitem")
    expect(task).to_contain_text("Submit an expense")
    expect(task).to_contain_text("team legal")
    expect(page.locator("[data-workflows-tasks='1']")).to_be_visible()
    task.get_by_role("button", name="Take").click()
    expect(task).not_to_contain_text("team legal")
    task.get_by_role("button", name="Give back").click()
    expect(task).to_contain_text("team legal")
    inbox.get_by_role("searchbox").fill("nothing like it")
    expect(inbox.get_by_text("No task fits the filter.")).to_be_visible()
    inbox.get_by_role("searchbox").fill("contracts legal")
    task.get_by_role("button", name="Submit an expense").click()
    form = page.locator(".jp-Workflows-form")
    form.get_by_label("Agreed?").fill("Yes")
    expect(task).to_contain_text("open:")
    form.get_by_role("button", name="Submit").click()
    expect(form.get_by_text("Done, thank you")).to_be_visible()
    inbox.get_by_role("searchbox").fill("")
    expect(inbox.get_by_text("Nothing waits for you.")).to_be_visible()
    expect(page.locator("[data-workflows-tasks='1']")).to_have_count(0)


def test_a_task_is_passed_on(lab: Lab, page: Page, project: Path) -> None:
    make_workflow(project, *ASK, assignee="ben")
    _, task = start(lab, project)
    lab.open(page)
    lab.command(page, "workflows:show-inbox")
    entry = page.get_by_role("region", name="Inbox").locator(f"[data-task='{task}']")
    entry.get_by_role("button", name="Pass on").click()
    page.get_by_role("dialog").get_by_role("textbox").fill("team:finance")
    page.get_by_role("dialog").get_by_role("button", name="Pass on").click()
    expect(entry).to_contain_text("team finance")
    assert lab.get(f"tasks/{task}")["assignee"] == "team:finance"
