"""How a working copy stands beside what is live."""

from __future__ import annotations

import hashlib
import json
import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from jupyter_workflows.execution.manifest import PROJECT, ManifestError, SnapshotFile, read_manifest
from jupyter_workflows.execution.project import Project
from jupyter_workflows.model.document import Document, load, to_json
from jupyter_workflows.store import DeploymentRecord, NotFound, Store, WorkflowRecord

from .selection import select

Status = Literal["draft", "live", "changed"]
Kind = Literal["workflow", "stage", "transition", "notebook", "file"]
Done = Literal["added", "changed", "removed"]

#: Fields that say how a workflow looks, or how it is tested: they change nothing that runs.
_OF_STAGES = ("position", "test", "pinned")
_OF_WORKFLOW = ("stages", "transitions", "notes", "groups", "board", "format", "uid")


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that a deployment would change.

    Parameters
    ----------
    name
        A title or a path, as people know it.
    stage
        Key of the stage that it belongs to.
    """

    kind: Kind
    name: str
    done: Done
    stage: str | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """A working copy beside the live version of its workflow.

    Parameters
    ----------
    live
        `None` if it was never deployed.
    stages
        How each stage of the working copy stands, by key.
    """

    status: Status
    workflow: WorkflowRecord | None = None
    live: DeploymentRecord | None = None
    differences: tuple[Difference, ...] = ()
    stages: Mapping[str, Status] = field(default_factory=dict)


def compare(store: Store, project: Project) -> Comparison:
    """Say what deploying a working copy would change.

    A file whose size and time of change are those that it had when it was deployed counts as unchanged.
    """
    document = project.document
    try:
        workflow = store.get_workflow(document.uid)
    except NotFound:
        workflow = None
    if workflow is None or workflow.live_deployment is None:
        return Comparison("draft", workflow, stages=dict.fromkeys(document.stages, "draft"))
    live = store.get_deployment(workflow.live_deployment)
    before = load(store.deployed_document(live))
    found = [*_of_document(before, document), *_of_files(store, live, before, project)]
    changed = {difference.stage for difference in found}
    stages: dict[str, Status] = {
        key: "draft" if key not in before.stages else "changed" if key in changed else "live"
        for key in document.stages
    }
    return Comparison("changed" if found else "live", workflow, live, tuple(found), stages)


def _of_document(before: Document, now: Document) -> list[Difference]:
    old, new = to_json(before), to_json(now)
    found: list[Difference] = []
    if _without(old, _OF_WORKFLOW) != _without(new, _OF_WORKFLOW):
        found.append(Difference("workflow", now.title, "changed"))
    for key, done, stage in _changes(old.get("stages", {}), new.get("stages", {}), _OF_STAGES):
        found.append(Difference("stage", str(stage.get("title") or stage.get("path")), done, key))
    titles = {key: str(stage.get("title")) for key, stage in (old["stages"] | new["stages"]).items()}
    for _, done, arrow in _changes(old.get("transitions", {}), new.get("transitions", {}), ()):
        name = f"{titles.get(arrow['source'], '?')} → {titles.get(arrow['target'], '?')}"
        found.append(Difference("transition", name, done))
    return found


def _changes(
    old: Mapping[str, dict[str, Any]], new: Mapping[str, dict[str, Any]], but: tuple[str, ...]
) -> list[tuple[str, Done, dict[str, Any]]]:
    found: list[tuple[str, Done, dict[str, Any]]] = []
    for key in sorted(old.keys() | new.keys()):
        if key not in old:
            found.append((key, "added", new[key]))
        elif key not in new:
            found.append((key, "removed", old[key]))
        elif _without(old[key], but) != _without(new[key], but):
            found.append((key, "changed", new[key]))
    return found


def _without(value: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: field for name, field in value.items() if name not in names}


def _of_files(store: Store, live: DeploymentRecord, before: Document, project: Project) -> list[Difference]:
    try:
        manifest = read_manifest(store.snapshot_folder(live))
    except ManifestError:
        return []  # nobody can say; deploying makes a new snapshot anyway
    old = {file.path: file for file in manifest.files if file.path != manifest.document}
    chosen = select(project.root, but=store.state_folder)
    now = {path for path in chosen.files if path != project.path.name}
    notebooks = {
        posixpath.normpath(stage.notebook): key
        for document in (before, project.document)
        for key, stage in document.stages.items()
        if stage.notebook
    }
    found = []
    for path in sorted(old.keys() | now):
        done: Done
        if path not in old:
            done = "added"
        elif path not in now:
            done = "removed"
        elif _is_same(project.root / path, old[path], store.snapshot_folder(live) / PROJECT / path):
            continue
        else:
            done = "changed"
        key = notebooks.get(path)
        kind: Kind = "notebook" if path.endswith(".ipynb") else "file"
        found.append(Difference(kind, path, done, key))
    return found


def _is_same(file: Path, old: SnapshotFile, snapshot: Path) -> bool:
    try:
        status = file.stat()
        if status.st_size == old.size and status.st_mtime_ns == old.mtime:
            return True
        content = file.read_bytes()
        if hashlib.sha256(content).hexdigest() == old.sha256:
            return True
        if file.suffix != ".ipynb":
            return False
        # JupyterLab writes outputs and the state of cells into a notebook that is only looked at.
        return _code(content) == _code(snapshot.read_bytes())
    except (OSError, ValueError, TypeError, AttributeError):
        return False


def _code(content: bytes) -> tuple[Any, list[tuple[Any, str, Any]]]:
    """Return what is executed, and what says how."""
    notebook = json.loads(content)
    return notebook.get("metadata", {}).get("kernelspec", {}).get("name"), [
        (
            cell.get("cell_type"),
            "".join(cell.get("source", "")),
            sorted((cell.get("metadata") or {}).get("tags") or []),
        )
        for cell in notebook["cells"]
    ]
