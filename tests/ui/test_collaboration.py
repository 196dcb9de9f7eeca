"""Two people on one workflow, with jupyter-collaboration between them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page, WebSocketRoute, expect
from support import workflows_page as open_workflow
from support.lab import Lab, lab_server
from support.servers import wait_for
from support.workflows_page import stage, workflow, write

SOURCE = "editor.document.getSource()"


class Person:
    """Somebody with a browser, which can lose the network."""

    def __init__(self, browser: Browser, lab: Lab) -> None:
        self.lab = lab
        self.context: BrowserContext = browser.new_context(viewport={"width": 1100, "height": 700})
        self.context.set_default_timeout(30_000)
        self.page: Page = self.context.new_page()
        self.errors: list[str] = []
        self.page.on("pageerror", self._on_error)
        self._online = True
        self._sockets: list[WebSocketRoute] = []
        self.rooms: list[str] = []
        self.context.route_web_socket(re.compile("api/collaboration/room"), self._connect)

    def open(self, file: Path) -> None:
        """Open a workflow."""
        self.lab.open(self.page, file.relative_to(self.lab.root).as_posix())
        open_workflow.wait_until_open(self.page)

    def offline(self) -> None:
        """Lose the network: also connections that are open."""
        self._online = False
        self.context.set_offline(True)
        for socket in self._sockets:
            socket.close()
        self._sockets.clear()

    def online(self) -> None:
        """Have it back."""
        self.context.set_offline(False)
        self._online = True

    def do(self, expression: str, argument: Any = None) -> Any:
        """Evaluate an expression of `editor` and `arg`."""
        return open_workflow.evaluate(self.page, expression, argument)

    def sees(self, expression: str, argument: Any = None) -> None:
        """Wait until an expression of `editor` and `arg` holds."""
        open_workflow.wait_for(self.page, expression, argument)

    def _on_error(self, error: Error) -> None:
        stack = error.stack or str(error)
        # JupyterLab itself does not mind the loss of a request.
        if "Failed to fetch" not in stack or "jupyter-workflows" in stack:
            self.errors.append(stack)

    def _connect(self, socket: WebSocketRoute) -> None:
        if self._online:
            self.rooms.append(socket.url)
            self._sockets.append(socket)
            socket.connect_to_server()
        else:
            socket.close()


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A JupyterLab with jupyter-collaboration, quicker to save and to look than usual."""
    quick = {"YDocExtension__file_poll_interval": "0.2", "YDocExtension__document_save_delay": "0.2"}
    with lab_server(tmp_path_factory.mktemp("lab"), collaboration=True, **quick) as lab:
        yield lab


@pytest.fixture
def people(browser: Browser, lab: Lab) -> Iterator[tuple[Person, Person]]:
    """Two of them."""
    ada, bob = Person(browser, lab), Person(browser, lab)
    yield ada, bob
    for person in (ada, bob):
        person.context.close()
        assert not person.errors, person.errors


def same(ada: Person, bob: Person, file: Path) -> dict[str, Any]:
    """Wait until both have the same document, and the file, too; return it."""

    def agree() -> Any:
        texts = {ada.do(SOURCE), bob.do(SOURCE), file.read_text()}
        return texts if len(texts) == 1 else None

    found: dict[str, Any] = json.loads(wait_for(agree, "everybody to have the same").pop())
    return found


def start(project: Path, *people: Person, **content: Any) -> Path:
    """Open a new document on all screens."""
    file = project / "shared.workflow"
    write(file, workflow(**content))
    for person in people:
        person.open(file)
    return file


def test_two_edit_one_stage(people: tuple[Person, Person], project: Path) -> None:
    ada, bob = people
    file = start(project, ada, bob, stages={"s1": stage("first"), "s2": stage("second")})
    before = file.read_bytes()
    assert not ada.do("editor.context.model.dirty")
    assert file.read_bytes() == before, "opening it is no change"
    expect(bob.page.locator(".jp-Workflows [data-stage], .jp-Workflows .react-flow__node")).not_to_have_count(
        0
    )

    open_workflow.patch(ada.page, "s1", {"title": "By Ada"})
    bob.sees("editor.document.snapshot.stages.s1.title === 'By Ada'")
    open_workflow.patch(bob.page, "s1", {"timeout": 60})
    open_workflow.patch(ada.page, "s1", {"position": [8, 16]})
    found = same(ada, bob, file)
    assert found["stages"]["s1"] == stage("first", title="By Ada", timeout=60, position=[8, 16])

    # Each undoes what is theirs.
    assert ada.do("editor.document.undo() && editor.document.undo()")
    assert not ada.do("editor.document.undo()")
    assert same(ada, bob, file)["stages"]["s1"] == stage("first", timeout=60)


def test_each_sees_what_the_other_selects(people: tuple[Person, Person], project: Path) -> None:
    ada, bob = people
    start(project, ada, bob, stages={"s1": stage("first"), "s2": stage("second")})
    ada.sees("editor.presence.others.length === 1")
    ada.do("editor.selection.set([{ kind: 'stages', key: 's2' }])")
    bob.sees("editor.presence.others[0]?.selection[0]?.key === 's2'")
    name = bob.do("editor.presence.others[0].name")
    assert name
    assert name == ada.page.evaluate("() => window.jupyterapp.serviceManager.user.identity.display_name")
    bob.page.evaluate("() => window.jupyterapp.shell.currentWidget.close()")
    ada.sees("editor.presence.others.length === 0")


def test_one_deletes_what_the_other_edits_offline(people: tuple[Person, Person], project: Path) -> None:
    ada, bob = people
    file = start(
        project,
        ada,
        bob,
        stages={"s1": stage("first"), "s2": stage("second")},
        transitions={"t1": {"source": "s1", "target": "s2"}},
    )
    bob.offline()
    open_workflow.patch(bob.page, "s2", {"title": "By Bob", "timeout": 5})
    open_workflow.put(bob.page, "s3", stage("third"))
    ada.do(
        "editor.document.edit(draft => { draft.remove('stages', 's2'); draft.remove('transitions', 't1'); })"
    )
    wait_for(lambda: '"s1"' in (text := file.read_text()) and '"s2"' not in text, "it to be saved")
    bob.online()
    ada.sees("'s3' in editor.document.snapshot.stages")
    assert sorted(same(ada, bob, file)["stages"]) == ["s1", "s3"]
    ada.do("editor.document.undo()")
    found = same(ada, bob, file)
    assert found["stages"]["s2"] == stage("second"), "with all that it had when it was deleted"
    assert list(found["transitions"]) == ["t1"]
    assert bob.do("editor.document.undo()")
    assert "s3" not in same(ada, bob, file)["stages"]


@pytest.mark.timeout(400)
def test_the_server_starts_again(people: tuple[Person, Person], project: Path, lab: Lab) -> None:
    ada, bob = people
    file = start(project, ada, bob, stages={"s1": stage("first")})
    open_workflow.put(ada.page, "s2", stage("second"))
    same(ada, bob, file)
    lab.kill()
    open_workflow.put(ada.page, "s3", stage("third"))
    open_workflow.put(bob.page, "s4", stage("fourth"))
    lab.start()
    ada.sees("'s4' in editor.document.snapshot.stages")
    assert sorted(same(ada, bob, file)["stages"]) == ["s1", "s2", "s3", "s4"]
    assert ada.do("editor.document.undo()")
    assert sorted(same(ada, bob, file)["stages"]) == ["s1", "s2", "s4"]


def test_the_file_changes_underneath(people: tuple[Person, Person], project: Path) -> None:
    ada, bob = people
    file = start(project, ada, bob, stages={"s1": stage("first"), "s2": stage("second")})
    ada.do("editor.selection.set([{ kind: 'stages', key: 's1' }])")
    open_workflow.patch(bob.page, "s1", {"title": "By Bob"})
    same(ada, bob, file)
    text = write(file, workflow(stages={"s1": stage("first", title="Old"), "s9": stage("ninth")}), indent=4)
    for person in people:
        person.sees("'s9' in editor.document.snapshot.stages")
        assert person.do(SOURCE) == text, "byte for byte"
    assert ada.do("editor.selection.items") == [{"kind": "stages", "key": "s1"}]

    # It goes bad, and is mended.
    write(file, "<<<<<<< HEAD\n" + text)
    for person in people:
        expect(person.page.get_by_role("alert")).to_contain_text("Line 1, column 1")
    known = ada.do("editor.context.contentsModel.hash")
    ada.page.evaluate("() => window.dispatchEvent(new Event('focus'))")
    ada.sees("editor.context.contentsModel.hash !== arg", known)
    ada.lab.command(ada.page, "docmanager:save")
    assert file.read_text() == "<<<<<<< HEAD\n" + text
    write(file, text)
    for person in people:
        person.sees("editor.document.problem === null")
    open_workflow.patch(bob.page, "s9", {"title": "Ninth!"})
    assert same(ada, bob, file)["stages"]["s9"]["title"] == "Ninth!"


def test_an_empty_file_gets_one_identity(people: tuple[Person, Person], project: Path) -> None:
    ada, bob = people
    file = project / "empty.workflow"
    write(file, "")
    ada.open(file)
    bob.open(file)
    assert (ada.do(SOURCE), file.read_text()) == ("", "")
    bob.offline()
    open_workflow.put(bob.page, "s1", stage("first"))
    open_workflow.put(ada.page, "s2", stage("second"))
    bob.online()
    found = same(ada, bob, file)
    ada.sees("'s1' in editor.document.snapshot.stages && 's2' in editor.document.snapshot.stages")
    found = same(ada, bob, file)
    assert (found["format"], found["title"], len(found["uid"])) == (1, "empty", 36)


def test_the_text_is_edited_beside_the_canvas(people: tuple[Person, Person], project: Path) -> None:
    ada, bob = people
    file = start(project, ada, bob, stages={"s1": stage("first")})
    rooms = len(ada.rooms)
    path = file.relative_to(ada.lab.root).as_posix()
    ada.lab.command(ada.page, "docmanager:open", {"path": path, "factory": "Editor"})
    content = ada.page.locator(".jp-FileEditor .cm-content")
    expect(content).to_contain_text("First")
    model = "window.jupyterapp.shell.currentWidget.context.model"
    ada.page.evaluate(
        f"() => {model}.sharedModel.setSource({model}.sharedModel.getSource().replace('First', 'Typed'))"
    )
    ada.lab.command(ada.page, "docmanager:save")
    bob.sees("editor.document.snapshot.stages.s1.title === 'Typed'")
    assert len(ada.rooms) == rooms, "two rooms on one file do not know of each other"
    assert ada.page.get_by_role("dialog").count() == 0

    # What Bob does meanwhile is not written over without a question.
    open_workflow.patch(bob.page, "s1", {"title": "By Bob"})
    wait_for(lambda: "By Bob" in file.read_text(), "it to be saved")
    ada.page.evaluate(f"() => {model}.sharedModel.setSource('[]')")
    ada.page.evaluate("() => void window.jupyterapp.commands.execute('docmanager:save').catch(() => null)")
    dialog = ada.page.get_by_role("dialog")
    expect(dialog).to_contain_text("has changed on disk")
    dialog.get_by_role("button", name="Cancel").click()
    assert "By Bob" in file.read_text()
