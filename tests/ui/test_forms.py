"""Forms in JupyterLab."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Page, expect
from support.lab import Lab
from support.people import make_workflow, start
from support.servers import wait_for

EXPENSE = (
    "from jupyter_workflows import get_stage\nfrom jupyter_workflows.forms import Page\nstage = get_stage()",
    """answers = (
    Page("What did you pay?")
    .display("Everything over **100 euros** needs an approval.")
    .read("What for?", key="what", hint="As it should stand on the statement.")
    .read_currency("Amount", key="amount", currency="EUR", min=0.01)
    .read_date("Paid on", key="day")
    .read_dropdown("Cost centre", ["Research", "Teaching", "Office"], key="centre")
    .read_textarea("Anything else?", key="note", required=False)
    .run(["Send", "Save as draft"])
)""",
    "stage['amount'] = answers.amount\nstage['action'] = answers.action",
)


def test_a_person_fills_a_form_in(lab: Lab, page: Page, project: Path) -> None:
    make_workflow(project, *EXPENSE)
    run, task = start(lab, project)
    lab.open(page)
    lab.command(page, "workflows:open-task", {"task": task})
    form = page.locator(".jp-Workflows-form")
    expect(form.get_by_role("heading", name="Submit an expense")).to_be_visible()
    expect(form.get_by_role("heading", name="What did you pay?")).to_be_visible()
    form.get_by_role("button", name="Send").click()
    expect(form.get_by_role("alert")).to_have_count(4)
    form.get_by_label("What for?").fill("Train to Basel")
    form.get_by_label("Amount (EUR)").fill("-3")
    expect(form.get_by_role("alert").filter(has_text="too low")).to_be_visible()
    form.get_by_label("Amount (EUR)").fill("84.50")
    form.get_by_label("Paid on").fill("2026-03-31")
    form.get_by_label("Cost centre").select_option("Teaching")
    form.get_by_role("button", name="Send").click()
    expect(form.get_by_text("Done, thank you")).to_be_visible()
    expect(form.get_by_text(re.compile("Next: Check the rules"))).to_be_visible()
    expect(form.get_by_text("Train to Basel")).to_be_visible()
    wait_for(lambda: lab.get(f"runs/{run}")["state"] == "completed", "the run's end")
    data = lab.get(f"runs/{run}/report")["data"]
    assert data["amount"] == "84.50" or data["amount"]["value"] == "84.50", data
    assert data["action"] == "Send"


def test_a_form_survives_reloading(lab: Lab, page: Page, project: Path) -> None:
    make_workflow(project, *EXPENSE)
    _, task = start(lab, project)
    lab.open(page)
    lab.command(page, "workflows:open-task", {"task": task})
    form = page.locator(".jp-Workflows-form")
    form.get_by_label("What for?").fill("Paper")
    expect(form.get_by_text("Saved.")).to_be_visible()
    page.reload()
    page.wait_for_function("() => window.jupyterapp")
    page.evaluate("() => window.jupyterapp.restored")
    lab.command(page, "workflows:open-task", {"task": task})
    expect(form.get_by_label("What for?")).to_have_value("Paper")
