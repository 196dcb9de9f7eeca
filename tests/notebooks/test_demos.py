"""The demo projects: sound documents, clean notebooks, and runs that end as their prose says."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest

from jupyter_workflows.model.document import dump, load

DEMOS = Path(__file__).parents[2] / "notebooks"
DOCUMENTS = sorted(DEMOS.glob("*/*.workflow"))
NOTEBOOKS = sorted(DEMOS.glob("*/stages/*.ipynb"))

Run = Callable[..., dict[str, Any]]


def name(path: Path) -> str:
    return path.relative_to(DEMOS).as_posix()


@pytest.fixture
def command(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Call ``jupyter workflows`` with a data folder of its own."""
    executable = shutil.which("jupyter-workflows", path=str(Path(sys.executable).parent))
    assert executable, "the package is not installed in this environment"
    environment = os.environ | {
        "JUPYTER_DATA_DIR": str(tmp_path / "data"),
        "JUPYTER_RUNTIME_DIR": str(tmp_path / "runtime"),
        "JUPYTER_CONFIG_DIR": str(tmp_path / "config"),
    }

    def call(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [executable, *map(str, arguments)],
            capture_output=True,
            text=True,
            env=environment,
            cwd=tmp_path,
            timeout=150,
        )

    return call


@pytest.fixture
def run(command: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path) -> Run:
    """Run a copy of a demo and return what ``--json`` prints."""

    def call(demo: str, *arguments: str, state: str = "completed") -> dict[str, Any]:
        project = tmp_path / demo
        shutil.copytree(DEMOS / demo, project)
        sources = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}
        done = command("run", project / f"{demo}.workflow", "--json", *arguments)
        assert done.returncode == {"completed": 0, "failed": 1, "waiting": 3}[state], (
            done.stdout + done.stderr
        )
        assert {path: path.read_bytes() for path in sources} == sources, "a run wrote into the project"
        report = json.loads(done.stdout)
        assert report["state"] == state
        return report

    return call


def paths(report: dict[str, Any]) -> list[str]:
    return [stage["path"] for stage in report["stages"]]


def stages(report: dict[str, Any], path: str) -> list[dict[str, Any]]:
    return [stage for stage in report["stages"] if stage["path"] == path]


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_document_is_canonical(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    assert dump(load(text)) == text


def test_documents_have_identities_of_their_own() -> None:
    uids = [load(document.read_text(encoding="utf-8")).uid for document in DOCUMENTS]
    assert len(uids) >= 2
    assert len(set(uids)) == len(uids)


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_project_is_whole(document: Path) -> None:
    stages = load(document.read_text(encoding="utf-8")).stages.values()
    named = {document.parent / stage.notebook for stage in stages}
    assert named == set(document.parent.glob("stages/*.ipynb"))
    assert (document.parent / "requirements.txt").is_file()
    assert "Source" in (document.parent / "data" / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_check_finds_nothing(
    document: Path, command: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    done = command("check", document, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads(done.stdout)
    assert result["errors"] == result["warnings"] == 0, result["findings"]


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=name)
def test_notebook_is_valid_and_clean(notebook: Path) -> None:
    text = notebook.read_text(encoding="utf-8")
    book = nbformat.reads(text, as_version=nbformat.NO_CONVERT)
    nbformat.validate(book)
    assert (book.nbformat, book.nbformat_minor) == (4, 5)
    assert book.metadata.kernelspec.name == "python3"
    assert book.cells[0].cell_type == "markdown"
    assert text == nbformat.writes(book) + "\n"
    for cell in book.cells:
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None


def test_penguin_report_is_published(run: Run) -> None:
    report = run("penguin-report", "--test-answers")
    assert paths(report) == ["collect", "analyse", "review", "publish"]

    data = report["data"]
    assert data["decision"] == "Publish"
    assert data["outcome"] == "published"
    assert data["penguins"]["kind"] == "artifact"
    assert data["penguins"]["shape"] == [344, 8]
    assert data["report"]["kind"] == "artifact"
    assert data["report"]["type"] == "file"
    assert "Gentoo has the heaviest birds (5.1 kg" in data["finding"]

    executed = nbformat.read(stages(report, "analyse")[0]["notebook"], as_version=4)
    outputs = [output for cell in executed.cells for output in cell.get("outputs", [])]
    assert any("image/png" in output.get("data", {}) for output in outputs)


def test_penguin_report_can_be_rejected(run: Run) -> None:
    report = run("penguin-report", "--answers", '{"review": {"Decision": "Reject", "Comment": "Too few"}}')
    assert paths(report) == ["collect", "analyse", "review", "reject"]
    assert report["data"]["outcome"] == "rejected"
    assert report["data"]["comment"] == "Too few"


def test_penguin_report_is_done_again(run: Run) -> None:
    # Whoever sends it back whenever that is offered gets a third page without the choice.
    answers = json.dumps({"review": {"Decision": "Send back", "Group the birds by": "island"}})
    report = run("penguin-report", "--answers", answers, state="failed")
    assert paths(report) == ["collect", *["analyse", "review"] * 3]
    assert report["stages"][-1]["error"]["name"] == "FormError"
    assert report["stages"][-1]["data"]["finding"].startswith("Of the groups by island, Biscoe")


def test_penguin_report_waits_for_a_person(run: Run) -> None:
    report = run("penguin-report", state="waiting")
    assert [(stage["path"], stage["state"]) for stage in report["stages"]] == [
        ("collect", "completed"),
        ("analyse", "completed"),
        ("review", "waiting"),
    ]


def test_large_purchase_needs_everybody(run: Run) -> None:
    report = run("purchase-approval", "--test-answers")
    assert sorted(paths(report)) == ["approve", "approve", "approve", "assign", "decide", "order", "place"]

    data = report["data"]
    assert [vote["role"] for vote in data["votes"]] == ["Budget owner", "Finance", "Management"]
    assert data["approved"] is True
    assert data["outcome"] == "ordered"
    assert data["amount"] == {"kind": "decimal", "value": "24352.79"}
    assert data["number"].startswith("PO-")


def test_large_purchase_is_declined(run: Run) -> None:
    answers = '{"approve": {"Decision": "Decline", "Comment": "Next year"}}'
    report = run("purchase-approval", "--answers", answers)
    assert len(stages(report, "decline")) == 1
    assert not stages(report, "place")
    assert report["data"]["outcome"] == "declined"
    assert report["data"]["comments"][0] == "Budget owner: Next year"


def order(**changes: Any) -> str:
    body = {
        "item": "Paper",
        "supplier": "Mill",
        "quantity": 10,
        "unit_price": 4.5,
        "currency": "CHF",
        "date": "2025-06-02",
    }
    return json.dumps({"method": "POST", "body": body | changes})


def test_small_purchase_is_placed_at_once(run: Run) -> None:
    report = run("purchase-approval", "--request", order())
    assert paths(report) == ["order", "place"]
    assert report["data"]["outcome"] == "ordered"


@pytest.mark.parametrize(
    "changes", [{"currency": "XXX"}, {"quantity": "many"}, {"supplier": None}, {"date": "1999-12-31"}]
)
def test_bad_purchase_is_refused(run: Run, changes: dict[str, Any]) -> None:
    report = run("purchase-approval", "--request", order(**changes))
    assert paths(report) == ["order"]
    assert report["data"]["outcome"] == "refused"


def test_first_steps_survive_failures(run: Run) -> None:
    report = run("first-steps", "--test-answers")
    assert report["data"]["wettest"] == 2014
    assert report["data"]["missing"] == [2016]
    assert [summary["year"] for summary in report["data"]["summaries"]] == [2012, 2013, 2014, 2015, 2016]

    summaries = stages(report, "summarise")
    assert [stage["state"] for stage in summaries] == ["completed"] * 4 + ["failed"]
    assert [stage["attempts"] for stage in summaries] == [1, 2, 1, 1, 2]
    assert summaries[4]["error"]["name"] == "LookupError"
    assert len(stages(report, "missing")) == len(stages(report, "compare")) == 1


def test_first_steps_without_any_year(run: Run) -> None:
    report = run("first-steps", "--answers", '{"choose": {"Years": []}}')
    assert paths(report) == ["choose", "compare"]
    assert report["data"]["wettest"] is None
