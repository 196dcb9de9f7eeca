"""Test runs of working copies, as editors start them. All methods may block: they are called on threads."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from jupyter_workflows.authoring.wire import artifacts, hashes
from jupyter_workflows.execution.project import Project
from jupyter_workflows.model.checks import NotebookError, check
from jupyter_workflows.model.document import Document, Stage, load, to_json
from jupyter_workflows.model.graph import Graph
from jupyter_workflows.model.records import StageData
from jupyter_workflows.model.states import RunMode, StageRunState
from jupyter_workflows.runner.foreground import RunOptions, find_entry, working_copy_run
from jupyter_workflows.runner.stand_ins import PINNED
from jupyter_workflows.store import (
    EditorServer,
    Idempotency,
    NewRun,
    NotFound,
    RunDetails,
    RunFilter,
    Store,
    WrongState,
)

from ..problems import Problem
from .models import Hashes, Pinned, StartTest

#: Earlier test runs among which the last one that began with the same stage is looked for.
_LOOK_BACK = 30
#: Settings of a stage that do not change what executing its notebook comes to.
_COSMETIC = frozenset({"title", "position", "pinned", "test", "retries", "timeout", "start"})
#: Bytes of the large values that can be pinned, all together.
_MOST_PINNED = 512 * 1024 * 1024


class EditorTests:
    """What editors ask for to try a workflow out.

    Parameters
    ----------
    server
        Runs are erased when the next server of this place starts.
    """

    def __init__(self, store: Store, server: EditorServer) -> None:
        self._store = store
        self._server = server

    def prepare(self, file: Path, wanted: StartTest, *, user: str, idempotency: Idempotency | None) -> NewRun:
        """Return a test run of a working copy, after a look at it.

        Raises
        ------
        Problem
            It has errors, or is not what the client means.
        """
        project = Project.open(file)
        if wanted.hashes is not None:
            _compare(project, wanted.hashes)
        findings = check(project.document, project)
        if any(finding.severity == "error" for finding in findings):
            raise Problem(
                422,
                "invalid-workflow",
                f"{wanted.path} cannot be run: it has errors",
                "Mend what the findings say",
                findings=[finding.to_json() for finding in findings],
            )
        graph = Graph.from_document(project.document)
        entry, until = _ends(graph, wanted)
        stage = project.document.stages[entry]
        data = dict(wanted.data)
        if not data and stage.test is not None and "data" not in wanted.model_fields_set:
            data = dict(stage.test.data or {})
        options = RunOptions(
            entry=stage.path, data=data, answers=wanted.answers, request=wanted.request, user=user
        )
        new = working_copy_run(project, graph, entry, options, self._store)
        if wanted.recorded is not None:
            new = self._with_recorded(new, wanted.recorded, stage)
        return replace(
            new,
            idempotency=idempotency,
            editor=self._server.text,
            until=until,
            reuse=self._reuse(project, graph, entry, until) if wanted.reuse else None,
        )

    def pin(self, run: str, stage_run: str, file: Path) -> Pinned:
        """Return what a document keeps of a stage run, with its large values in files beside it.

        Raises
        ------
        WrongState
            It has not completed.
        """
        found = self._store.get_stage_run(stage_run)
        if found.run_id != run:
            raise NotFound(f"there is no stage run {stage_run} in run {run}")
        if found.result is None:
            raise WrongState(f"the stage {found.path!r} is {found.state}", "Pin the data of a completed one")
        pinned = dict(found.result.values)
        sizes = {one.hash: one.size for one in artifacts(pinned)}
        if sum(sizes.values()) > _MOST_PINNED:
            raise Problem(
                413,
                "too-large-to-pin",
                f"the stage data of {found.path!r} has {sum(sizes.values()):,} bytes of large values",
                f"Up to {_MOST_PINNED:,} bytes can be pinned",
            )
        names = hashes(pinned)
        for hashed in sorted(names):
            self._keep(hashed, file.parent / PINNED)
        return Pinned(pinned=pinned, files=len(names), size=sum(sizes.values()))

    def _keep(self, hashed: str, folder: Path) -> None:
        target = folder / hashed
        if target.exists():
            return
        try:
            folder.mkdir(exist_ok=True)
            temporary = folder / f".new-{hashed}"
            with self._store.artifacts.open(hashed) as source, temporary.open("wb") as copy:
                while block := source.read(1 << 20):
                    copy.write(block)
            temporary.replace(target)
        except OSError as error:
            raise Problem(
                409,
                "cannot-pin",
                f"large values cannot be kept in {folder.name}: {error.strerror or error}",
                "See to the permissions of the project's folder",
            ) from None

    def _with_recorded(self, new: NewRun, stage_run: str, stage: Stage) -> NewRun:
        """Let a run begin with what a stage run began with."""
        source = self._store.get_stage_run(stage_run)
        values = source.data.values
        known = self._store.list_artifacts(source.run_id)
        needed = {hashed: known[hashed] for hashed in hashes(values) if hashed in known}
        request = new.request
        if stage.type == "hook":
            request = self._store.get_request(stage_run) or request
        return replace(
            new,
            data=StageData(values, dict.fromkeys(values)),
            artifacts={**new.artifacts, **needed},
            request=request,
        )

    # -- what need not be executed again ------------------------------------------------------------------

    def _reuse(self, project: Project, graph: Graph, entry: str, until: str | None) -> dict[str, Any] | None:
        """Return the last test run that began with the same stage, and its stages that are as they were."""
        last = self._last_test(project, entry)
        if last is None:
            return None
        before = load(self._store.get_document(last.run.id))
        completed = {one.stage: one for one in last.stage_runs if one.state is StageRunState.COMPLETED}
        stages = [
            key
            for key in completed
            if key != until
            and (until is None or until in graph.reachable(key))
            and _same_settings(before, project.document, key)
            and self._same_files(project, last, key)
        ]
        return {"run": last.run.id, "stages": sorted(stages)} if stages else None

    def _last_test(self, project: Project, entry: str) -> RunDetails | None:
        wanted = RunFilter(workflow_uid=project.document.uid, mode=RunMode.TEST)
        for run in self._store.list_runs(wanted, limit=_LOOK_BACK).runs:
            if run.entry_stage == entry and run.project == str(project.root):
                return self._store.get_run(run.id, data=False)
        return None

    def _same_files(self, project: Project, last: RunDetails, key: str) -> bool:
        """Return whether a stage's notebook, and the project's modules, are those that were executed."""
        try:
            now = project.hash_notebook(project.document.stages[key].notebook)
        except NotebookError:
            return False
        newest = max((one.stat().st_mtime for one in _modules(project.root)), default=0.0)
        for stage_run in last.stage_runs:
            if stage_run.stage == key and stage_run.state is StageRunState.COMPLETED:
                attempt = last.attempts[stage_run.id][-1]
                if attempt.output is None or attempt.started_at.timestamp() <= newest:
                    return False
                if _executed(Path(attempt.output)) != now:
                    return False
        return True


def _ends(graph: Graph, wanted: StartTest) -> tuple[str, str | None]:
    """Return the keys of the stages with which a test run begins and ends."""
    if wanted.until is None:
        entry = find_entry(graph, wanted.stage)
        return entry, entry if wanted.alone else None
    if wanted.alone:
        raise Problem(
            422, "invalid-request", "a stage alone is its own end", errors=[("until", "Leave it out")]
        )
    until = find_entry(graph, wanted.until)
    if wanted.stage is not None:
        entry = find_entry(graph, wanted.stage)
        if entry != until and until not in graph.reachable(entry):
            raise Problem(
                422,
                "cannot-start",
                f"the stage {wanted.until!r} cannot be reached from {wanted.stage!r}",
                errors=[("until", "It does not come after the first stage")],
            )
        return entry, until
    before = [key for key in graph.entries if key == until or until in graph.reachable(key)]
    if len(before) == 1:
        return before[0], until
    paths = [graph.stages[key].path for key in before]
    raise Problem(
        422,
        "cannot-start",
        f"several first stages lead to {wanted.until!r}: {', '.join(paths)}"
        if paths
        else f"no first stage leads to {wanted.until!r}",
        "Name one",
        errors=[("stage", "Name a first stage")],
        choices=paths,
    )


def _same_settings(before: Document, now: Document, key: str) -> bool:
    def settings(document: Document) -> dict[str, Any] | None:
        stage = to_json(document)["stages"].get(key)
        if stage is None:
            return None
        return {name: value for name, value in stage.items() if name not in _COSMETIC}

    return settings(before) == settings(now)


def _modules(root: Path) -> list[Path]:
    """Return the files of the project that notebooks may import, as far as that is quick to know."""
    return [*root.glob("*.py"), *root.glob("*/*.py"), *root.glob("*/*/*.py")]


def _executed(copy: Path) -> str | None:
    """Return the hash of the notebook of which a file is the executed copy."""
    try:
        metadata = json.loads(copy.read_bytes())["metadata"]["jupyter_workflows"]
    except (OSError, ValueError, KeyError):
        return None
    return str(metadata.get("source", {}).get("sha256"))


def _compare(project: Project, meant: Hashes) -> None:
    """Refuse to run files other than those that the client saw."""
    errors = []
    if meant.document is not None and meant.document != project.hash:
        errors.append(("hashes.document", "The file is another one"))
    for path, hashed in meant.notebooks.items():
        try:
            actual = project.hash_notebook(path)
        except NotebookError as error:
            errors.append((f"hashes.notebooks.{path}", str(error)))
            continue
        if actual != hashed:
            errors.append((f"hashes.notebooks.{path}", "The file is another one"))
    if errors:
        raise Problem(
            409,
            "files-changed",
            "the files on disk are not those that are meant",
            "Save, then try again",
            errors=errors,
        )
