"""How workflows fit into JupyterLab: launcher, menus, notebooks, deployment, status bar, help."""

from __future__ import annotations

import json
import re
from pathlib import Path

from playwright.sync_api import Page, Response, expect
from support.lab import Lab

# The first answers of a server on a busy machine take a while.
expect.set_options(timeout=20_000)


def notebook(*sources: str) -> str:
    """Return the text of a notebook."""
    cells = [
        {
            "cell_type": "code",
            "id": f"c{i}",
            "metadata": {},
            "outputs": [],
            "execution_count": None,
            "source": source,
        }
        for i, source in enumerate(sources)
    ]
    kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return json.dumps({"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5})


def make_workflow(folder: Path, *, requirements: str | None = "jupyter_workflows\n") -> Path:
    """Make a workflow with a hook and a job."""
    (folder / "a.ipynb").write_text(notebook("print(1)"))
    (folder / "b.ipynb").write_text(notebook("print(2)"))
    document = {
        "format": 1,
        "uid": f"uid-{folder.name}",
        "title": f"Shop {folder.name}"[:60],
        "stages": {
            "s1": {
                "type": "hook",
                "path": "order",
                "title": "Order",
                "notebook": "a.ipynb",
                "auth": {"kind": "token"},
                "position": [0, 0],
            },
            "s2": {
                "type": "job",
                "path": "nightly",
                "title": "Nightly",
                "notebook": "b.ipynb",
                "schedule": {"cron": "0 3 * * *", "timezone": "UTC"},
                "position": [0, 160],
            },
        },
        "transitions": {},
    }
    file = folder / "shop.workflow"
    file.write_text(json.dumps(document))
    if requirements is not None:
        (folder / "requirements.txt").write_text(requirements)
    return file


def accept(page: Page, title: str | re.Pattern[str], button: str) -> None:
    """Press a button of a dialog, and wait until it is gone."""
    dialog = page.get_by_role("dialog").filter(has_text=title)
    dialog.get_by_role("button", name=button, exact=True).click()
    expect(dialog).to_have_count(0)


# -- launcher, menus --------------------------------------------------------------------------------------


def test_a_card_of_the_launcher_makes_a_project(lab: Lab, page: Page) -> None:
    lab.open(page)
    cards = page.locator(".jp-LauncherCard[data-category='Workflows']")
    expect(cards).to_have_count(4)
    cards.filter(has_text="Approval").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox").fill("Travel requests")
    dialog.get_by_role("button", name="Create").click()
    expect(page.locator(".jp-Workflows .react-flow__node")).to_have_count(4)
    folder = lab.root / "travel-requests"
    assert json.loads((folder / "travel-requests.workflow").read_text())["title"] == "Travel requests"
    assert (folder / "requirements.txt").is_file()
    assert len(list((folder / "stages").glob("*.ipynb"))) == 4
    # Nothing is overwritten: the same again is another folder.
    lab.command(page, "workflows:create", {"title": "Travel requests", "template": "blank", "cwd": ""})
    assert (lab.root / "travel-requests-2" / "travel-requests-2.workflow").is_file()


def test_the_menu_file_new_has_workflows(lab: Lab, page: Page, project: Path) -> None:
    lab.open(page)
    page.get_by_role("menuitem", name="File", exact=True).click()
    page.locator(".lm-Menu-itemLabel").get_by_text("New", exact=True).hover()
    entry = page.get_by_role("menuitem", name="Workflow: Scheduled report")
    expect(entry).to_be_visible()
    page.keyboard.press("Escape")


def test_commands_say_what_they_take(lab: Lab, page: Page) -> None:
    lab.open(page)
    undescribed = page.evaluate(
        """async () => {
          const { commands } = window.jupyterapp;
          const ids = commands.listCommands().filter(id => id.startsWith('workflows:'));
          const described = await Promise.all(ids.map(id => commands.describedBy(id)));
          return ids.filter((id, i) => !described[i]?.args);
        }"""
    )
    assert undescribed == []


# -- deployment -------------------------------------------------------------------------------------------


def test_a_draft_is_deployed_and_its_secret_is_shown_once(lab: Lab, page: Page, project: Path) -> None:
    make_workflow(project, requirements=None)
    lab.open(page, f"{project.name}/shop.workflow")
    status = page.locator(".jp-Workflows-status")
    expect(status).to_have_text("Draft")
    page.locator(".jp-Workflows-deploy").get_by_role("button").click()
    # Without a requirements.txt one is offered.
    dialog = page.get_by_role("dialog").filter(has_text="needs a requirements.txt")
    expect(dialog.get_by_role("textbox")).to_have_value("jupyter_workflows\n")
    accept(page, "needs a requirements.txt", "Write It")
    dialog = page.get_by_role("dialog").filter(has_text="as version 1")
    expect(dialog).to_contain_text("1 hook takes requests")
    dialog.get_by_label("What is new").fill("The first one")
    accept(page, "as version 1", "Deploy")
    assert (project / "requirements.txt").read_text() == "jupyter_workflows\n"
    dialog = page.get_by_role("dialog").filter(has_text="Version 1 is live")
    expect(dialog.locator("code").first).to_contain_text("/workflows/hooks/shop-")
    expect(dialog).to_contain_text("never shown again")
    expect(dialog).to_contain_text("Nightly is due")
    expect(dialog.get_by_role("button", name="Copy: Token")).to_be_visible()
    accept(page, "Version 1 is live", "Done")
    expect(status).to_have_text("Live v1")


def test_what_changed_is_shown_and_older_versions_come_back(lab: Lab, page: Page, project: Path) -> None:
    make_workflow(project)
    path = f"{project.name}/shop.workflow"
    lab.post("deployments", {"path": path})
    lab.open(page, path)
    status = page.locator(".jp-Workflows-status")
    expect(status).to_have_text("Live v1")
    # An edit, which nobody has saved.
    page.evaluate(
        """path => {
          const widgets = [...window.jupyterapp.shell.widgets('main')];
          const { document } = widgets.find(one => one.context?.path === path).editor;
          document.edit(draft => draft.patch('stages', 's1', { timeout: 60 }));
        }""",
        path,
    )
    expect(status).to_have_text("Live, changed")
    page.locator(".jp-Workflows-deploy").get_by_role("button").click()
    dialog = page.get_by_role("dialog").filter(has_text="as version 2")
    expect(dialog.get_by_role("list", name="Changes")).to_contain_text("stage Order")
    accept(page, "as version 2", "Deploy")
    accept(page, "Version 2 is live", "Done")
    expect(status).to_have_text("Live v2")

    status.click()
    versions = page.get_by_role("table", name="Versions")
    expect(versions.get_by_role("row")).to_have_count(3)
    versions.get_by_role("button", name="Make version 1 live").click()
    expect(status).to_have_text("Live, changed")
    page.get_by_role("button", name="Pause", exact=True).click()
    expect(status).to_have_text("Live, changed, paused")
    page.get_by_role("button", name="Resume", exact=True).click()
    expect(status).to_have_text("Live, changed")
    accept(page, "Versions of", "Close")


def test_an_error_forbids_it_and_leads_to_the_stage(lab: Lab, page: Page, project: Path) -> None:
    file = make_workflow(project)
    (project / "b.ipynb").unlink()
    lab.open(page, f"{project.name}/{file.name}")
    page.locator(".jp-Workflows-deploy").get_by_role("button").click()
    dialog = page.get_by_role("dialog").filter(has_text="cannot be deployed yet")
    expect(dialog).to_contain_text("There is no notebook b.ipynb")
    accept(page, "cannot be deployed yet", "Show the Stage")
    expect(page.locator(".jp-Workflows-status")).to_have_text("Draft")


# -- notebooks --------------------------------------------------------------------------------------------


def context_menu(lab: Lab, page: Page, file: str, entry: str) -> None:
    """Choose an entry of the context menu of a file in the file browser."""
    page.locator(".jp-DirListing-item").filter(has_text=file).click(button="right")
    page.locator(".lm-Menu-itemLabel").get_by_text(entry, exact=True).click()


def test_a_notebook_without_a_workflow_becomes_a_form(lab: Lab, page: Page, project: Path) -> None:
    (project / "ask.ipynb").write_text(notebook("print(1)"))
    lab.open(page)
    lab.command(page, "filebrowser:open-path", {"path": project.name})
    context_menu(lab, page, "ask.ipynb", "Make It a Form")
    expect(page.locator(".jp-Workflows .react-flow__node")).to_have_count(1)
    expect(
        page.get_by_role("alert").filter(has_text="It starts by itself once it is deployed")
    ).to_be_visible()
    (file,) = project.glob("*.workflow")
    (stage,) = json.loads(file.read_text())["stages"].values()
    assert (stage["type"], stage["title"], stage["notebook"]) == ("form", "Ask", "ask.ipynb")
    assert "test" not in stage
    assert (project / "requirements.txt").is_file()
    page.get_by_role("button", name="Deploy now").click()
    expect(page.get_by_role("dialog")).to_contain_text("as version 1")
    accept(page, "as version 1", "Cancel")


def test_a_notebook_joins_the_workflow_above_it(lab: Lab, page: Page, project: Path) -> None:
    file = make_workflow(project)
    (project / "deep").mkdir()
    (project / "deep" / "more.ipynb").write_text(notebook("print(1)"))
    lab.open(page)
    for kind in ("job", "hook"):
        lab.command(page, "workflows:add-notebook", {"path": f"{project.name}/deep/more.ipynb", "type": kind})
    stages = list(json.loads(file.read_text())["stages"].values())
    added = {stage["type"]: stage for stage in stages if stage["notebook"] == "deep/more.ipynb"}
    assert set(added) == {"job", "hook"}
    assert added["job"]["schedule"]["cron"] == "0 9 * * 1"
    assert added["hook"]["auth"] == {"kind": "token"}
    assert not json.loads(file.read_text())["transitions"]


def test_a_notebook_outside_is_copied_or_moved(lab: Lab, page: Page, project: Path) -> None:
    inside = project / "inside"
    inside.mkdir()
    make_workflow(inside)
    for name in ("one", "two"):
        (project / f"{name}.ipynb").write_text(notebook("print(1)"))
    lab.open(page, f"{project.name}/inside/shop.workflow")
    expect(page.locator(".jp-Workflows .react-flow__node")).to_have_count(2)
    for name, button in (("one", "Copy"), ("two", "Move")):
        page.evaluate(
            "path => void window.jupyterapp.commands.execute('workflows:add-notebook', { path })",
            f"{project.name}/{name}.ipynb",
        )
        dialog = page.get_by_role("dialog").filter(has_text="Add to which workflow?")
        dialog.get_by_role("combobox").select_option(index=1)
        accept(page, "Add to which workflow?", "Choose")
        accept(page, "outside the project", button)
        expect(page.get_by_role("alert").filter(has_text=f"“{name.title()}” is a stage")).to_be_visible()
    expect(page.locator(".jp-Workflows .react-flow__node")).to_have_count(4)
    assert (project / "one.ipynb").is_file() and (inside / "one.ipynb").is_file()
    assert not (project / "two.ipynb").exists() and (inside / "two.ipynb").is_file()


def test_a_notebook_says_which_stage_it_is(lab: Lab, page: Page, project: Path) -> None:
    make_workflow(project)
    (project / "none.ipynb").write_text(notebook("print(1)"))
    lab.open(page)
    lab.command(page, "docmanager:open", {"path": f"{project.name}/none.ipynb"})
    lab.command(page, "docmanager:open", {"path": f"{project.name}/b.ipynb"})
    chip = page.locator(".jp-Workflows-chip:visible")
    expect(chip).to_have_count(1)
    expect(chip).to_contain_text("Nightly")
    chip.get_by_role("button").first.click()
    expect(page.locator(".jp-Workflows .react-flow__node")).to_have_count(2)
    selected = page.evaluate("() => window.jupyterapp.shell.currentWidget.editor.selection.only?.key")
    assert selected == "s2"


# -- activity, mail ---------------------------------------------------------------------------------------


def waiting_workflow(folder: Path) -> str:
    """Make a workflow that waits for a person, and return its path."""
    (folder / "a.ipynb").write_text(notebook("print(1)"))
    (folder / "f.ipynb").write_text(notebook("from jupyter_workflows.forms import read\n\nread('Name')"))
    stages = {
        "s1": {"type": "script", "path": "a", "title": "Begin", "notebook": "a.ipynb"},
        "s2": {
            "type": "form",
            "path": "f",
            "title": "Approve it",
            "notebook": "f.ipynb",
            "assignee": "ada",
            "position": [280, 0],
        },
    }
    document = {
        "format": 1,
        "uid": "needs-a-person",
        "title": "Needs a person",
        "stages": stages,
        "transitions": {"t": {"source": "s1", "target": "s2"}},
    }
    (folder / "wait.workflow").write_text(json.dumps(document))
    return f"{folder.name}/wait.workflow"


def test_runs_are_counted_listed_cancelled_and_their_mail_is_shown(
    lab: Lab, page: Page, project: Path
) -> None:
    path = waiting_workflow(project)
    lab.open(page)
    status = page.get_by_role("button", name="Workflows: No runs")
    expect(status).to_be_visible()
    lab.command(page, "workflows:show-mail")
    expect(page.get_by_role("heading", name="Nobody was told anything yet")).to_be_visible()
    lab.post("runs", {"mode": "test", "path": path})
    status = page.get_by_role("button", name="Workflows: 1 waiting")
    expect(status).to_be_visible(timeout=60_000)
    letter = page.get_by_role("list", name="Mail").get_by_role("listitem")
    expect(letter).to_contain_text("Approve it (Needs a person)")
    expect(letter).to_contain_text("To: ada")
    expect(letter).to_contain_text("test: not sent")
    status.click()
    item = page.locator(".jp-RunningSessions-item").filter(has_text="Needs a person (test, waiting)")
    expect(item).to_be_visible()
    item.hover()
    item.get_by_title("Cancel").click()
    expect(page.get_by_role("button", name="Workflows: No runs")).to_be_visible()
    expect(item).to_have_count(0)


# -- help -------------------------------------------------------------------------------------------------


def test_the_tour_comes_once_and_can_be_had_again(lab: Lab, page: Page, project: Path) -> None:
    make_workflow(project)
    settings = lab.folder / "settings" / "jupyter-workflows" / "help.jupyterlab-settings"
    settings.write_text('{"tour": true}')
    lab.open(page, f"{project.name}/shop.workflow")
    tour = page.get_by_role("dialog", name="Four types of stages")
    expect(tour).to_be_visible()
    for title in ("Join them", "Options and the notebook", "Test it", "Make it live"):
        page.keyboard.press("Enter")
        tour = page.get_by_role("dialog", name=title)
        expect(tour).to_be_visible()
    tour.get_by_role("button", name="Done").click()
    expect(page.locator(".jp-Workflows-tour")).to_have_count(0)
    page.wait_for_function(
        "() => window.jupyterapp.serviceManager.settings.fetch('jupyter-workflows:help')"
        ".then(found => JSON.parse(found.raw.replace(/\\/\\/.*$/gm, '')).tour === false)"
    )
    lab.open(page, f"{project.name}/shop.workflow")
    expect(page.locator(".jp-Workflows-deploy")).to_be_visible()
    expect(page.locator(".jp-Workflows-tour")).to_have_count(0)
    lab.command(page, "workflows:start-tour")
    page.get_by_role("dialog", name="Four types of stages").get_by_role("button", name="Skip").click()
    expect(page.locator(".jp-Workflows-tour")).to_have_count(0)


def test_shortcuts_and_documentation_are_pages(lab: Lab, page: Page) -> None:
    lab.open(page)
    page.get_by_role("menuitem", name="Help", exact=True).click()
    expect(page.get_by_role("menuitem", name="Tour of the Workflow Canvas")).to_be_visible()
    page.get_by_role("menuitem", name="Shortcuts of Workflows").click()
    table = page.get_by_role("table", name="Shortcuts")
    expect(table).to_be_visible()
    assert table.get_by_role("row").count() > 5
    lab.command(page, "workflows:open-documentation")
    expect(page.get_by_role("heading", name="A workflow of your own")).to_be_visible()


# -- speed ------------------------------------------------------------------------------------------------


def test_nothing_of_the_canvas_is_loaded_until_a_workflow_is_opened(
    lab: Lab, page: Page, project: Path
) -> None:
    make_workflow(project)
    code = "https://reactflow.dev"  # in React Flow's scripts; its styles belong to the extension's, as all do
    bodies: dict[str, str] = {}

    def remember(response: Response) -> None:
        if "/extensions/jupyter-workflows/" in response.url and response.url.partition("?")[0].endswith(
            ".js"
        ):
            bodies[response.url] = response.text()

    page.on("response", remember)
    lab.open(page)
    expect(page.get_by_role("button", name=re.compile("^Workflows: "))).to_be_visible()
    assert bodies
    assert [url for url, text in bodies.items() if code in text] == []
    lab.command(page, "docmanager:open", {"path": f"{project.name}/shop.workflow"})
    expect(page.locator(".jp-Workflows .react-flow__node")).to_have_count(2)
    assert [url for url, text in bodies.items() if code in text] != []
