"""Projects in the server's files over HTTP: made, found, and compared with what is live."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nbformat
import pytest

PATH = "project/two.workflow"


async def test_templates_have_what_stages_and_workflows_begin_with(api: Any) -> None:
    found = await api.get("templates")
    assert [stage["type"] for stage in found["stages"]] == ["script", "form", "hook", "job"]
    for stage in found["stages"]:
        nbformat.validate(nbformat.from_dict(stage["notebook"]))
    assert [one["name"] for one in found["workflows"]] == ["blank", "approval", "report", "answer"]


@pytest.mark.parametrize("template", ["blank", "approval", "report", "answer"])
async def test_a_new_project_is_sound(api: Any, jp_root_dir: Path, template: str) -> None:
    (jp_root_dir / "mine").mkdir()
    made = await api.post(
        "projects", {"folder": "mine", "title": "Größere Aufträge", "template": template}, status=201
    )
    assert made["path"] == "mine/grossere-auftrage/grossere-auftrage.workflow"
    assert all((jp_root_dir / name).is_file() for name in made["files"])
    assert json.loads((jp_root_dir / made["path"]).read_text())["title"] == "Größere Aufträge"
    answer = await api.post("check", {"path": made["path"]})
    assert [finding["code"] for finding in answer["findings"]] == (
        ["no-stages"] if template == "blank" else []
    )


async def test_nothing_is_overwritten(api: Any, jp_root_dir: Path) -> None:
    wanted = {"title": "Report", "template": "report"}
    first = await api.post("projects", wanted, status=201)
    second = await api.post("projects", wanted, status=201)
    assert (first["folder"], second["folder"]) == ("report", "report-2")
    # In a folder that is there: another file's name, but notebooks that are there stay what they are.
    inside = {"title": "Report", "folder": "report", "own_folder": False}
    third = await api.post("projects", {**inside, "template": "blank"}, status=201)
    assert third["path"] == "report/report-2.workflow"
    (await api("POST", "projects", {**inside, "template": "report"})).problem(409, "file-exists")
    assert not (jp_root_dir / "report/report-3.workflow").exists()


@pytest.mark.parametrize(
    ("wanted", "status", "field"),
    [
        ({"title": "A", "folder": "no-such-folder"}, 404, "folder"),
        ({"title": "A", "folder": "../.."}, 404, "folder"),
        ({"title": "A", "template": "none"}, 422, "template"),
        ({"title": "  "}, 422, "title"),
        ({}, 422, "title"),
    ],
)
async def test_what_cannot_be_made_names_the_field(
    api: Any, wanted: dict[str, str], status: int, field: str
) -> None:
    reply = await api("POST", "projects", wanted)
    assert reply.status == status, reply.body
    assert [error["field"] for error in reply.json["errors"]] == [field]


async def test_the_workflows_of_a_notebook_are_found_upwards(
    api: Any, project: Path, jp_root_dir: Path
) -> None:
    deep = project.parent / "deep" / "er"
    deep.mkdir(parents=True)
    (deep / "n.ipynb").write_text("{}")
    (deep / "broken.workflow").write_text("{")
    (found,) = (await api.get("projects?path=project/deep/er/n.ipynb"))["projects"]
    assert found["path"] == PATH
    assert {stage["notebook"] for stage in found["stages"]} == {"project/a.ipynb", "project/b.ipynb"}
    assert (await api.get("projects?path="))["projects"] == []
    (await api("GET", "projects?path=../etc")).problem(404, "not-found")
    (await api("GET", "projects?path=project/none.ipynb")).problem(404, "not-found")


async def test_a_working_copy_is_compared_with_what_is_live(api: Any, project: Path) -> None:
    found = await api.post("projects/compare", {"path": PATH})
    assert (found["status"], found["workflow"], set(found["stages"].values())) == ("draft", None, {"draft"})

    await api.post("deployments", {"path": PATH}, status=201)
    found = await api.post("projects/compare", {"path": PATH})
    assert (found["status"], found["live"]["version"], found["differences"]) == ("live", 1, [])

    value = json.loads(project.read_text())
    key = next(iter(value["stages"]))
    value["stages"][key]["position"] = [960, 8]
    value["notes"] = {"n": {"text": "Look here"}}
    found = await api.post("projects/compare", {"path": PATH, "document": json.dumps(value)})
    assert found["status"] == "live"  # it looks different, no more

    value["stages"][key]["timeout"] = 5
    value["stages"]["new"] = {"type": "script", "path": "new", "title": "New", "notebook": "a.ipynb"}
    found = await api.post("projects/compare", {"path": PATH, "document": json.dumps(value)})
    assert found["status"] == "changed"
    assert (found["stages"][key], found["stages"]["new"]) == ("changed", "draft")
    assert {(one["kind"], one["name"], one["done"]) for one in found["differences"]} == {
        ("stage", value["stages"][key]["title"], "changed"),
        ("stage", "New", "added"),
    }


async def test_a_notebook_that_was_only_looked_at_is_not_changed(api: Any, project: Path) -> None:
    await api.post("deployments", {"path": PATH}, status=201)
    file = project.parent / "a.ipynb"
    notebook = json.loads(file.read_text())
    notebook["cells"][0]["execution_count"] = 7
    file.write_text(json.dumps(notebook))
    assert (await api.post("projects/compare", {"path": PATH}))["status"] == "live"
    notebook["cells"][0]["source"] = "print(2)"
    file.write_text(json.dumps(notebook))
    (project.parent / "data.csv").write_text("a\n")
    found = await api.post("projects/compare", {"path": PATH})
    assert found["status"] == "changed"
    assert [(one["kind"], one["name"], one["done"]) for one in found["differences"]] == [
        ("notebook", "a.ipynb", "changed"),
        ("file", "data.csv", "added"),
    ]
    assert sorted(found["stages"].values()) == ["changed", "live"]


async def test_requirements_are_proposed(api: Any, project: Path) -> None:
    file = project.parent / "a.ipynb"
    notebook = json.loads(file.read_text())
    notebook["cells"][0]["source"] = "import yaml, pandas"
    file.write_text(json.dumps(notebook))
    found = await api.get(f"projects/requirements?path={PATH}")
    assert (found["exists"], found["missing"]) == (True, ["pandas", "pyyaml"])
    (project.parent / "requirements.txt").unlink()
    found = await api.get(f"projects/requirements?path={PATH}")
    assert (found["exists"], found["path"]) == (False, "project/requirements.txt")
    assert found["text"] == "jupyter_workflows\npandas\npyyaml\n"


async def test_jupyterlabs_own_parameter_is_put_up_with(api: Any) -> None:
    assert (await api.get("projects?path=&1795532773403="))["projects"] == []
    assert "stages" in await api.get("templates?1795532773403=")
    (await api("GET", "templates?1=2")).problem(400, "invalid-request")
