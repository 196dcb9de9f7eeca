"""What the routes of runs do. All methods may block: they are called on threads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jupyter_workflows.execution.printed import printed
from jupyter_workflows.model.document import load
from jupyter_workflows.model.graph import Graph
from jupyter_workflows.model.states import StageRunState
from jupyter_workflows.runner.foreground import find_entry, initial_data
from jupyter_workflows.runner.report import run_report
from jupyter_workflows.runner.wakeup import wake
from jupyter_workflows.store import (
    AttemptRecord,
    Idempotency,
    NewRun,
    NotFound,
    RunDetails,
    RunFilter,
    StageRunRecord,
    Store,
    WrongState,
)

from ..events.cells import CellBoard
from ..problems import Problem
from .frames import read_rows
from .models import (
    AttemptLog,
    Cancelled,
    Done,
    LogQuery,
    Retried,
    RetriedStage,
    RetryRequest,
    RowsQuery,
    RunCounts,
    RunDetail,
    RunFilterQuery,
    RunList,
    RunLog,
    RunModel,
    RunReport,
    RunsQuery,
    StageRunDetail,
    StartLive,
    TableRows,
    notebook_path,
)


class RunsManager:
    """Runs, for people and programs that ask over HTTP."""

    def __init__(self, store: Store, board: CellBoard | None = None) -> None:
        self._store = store
        self._board = board or CellBoard()

    # -- reading ------------------------------------------------------------------------------------------

    def list(self, query: RunsQuery) -> RunList:
        """Return a page of runs."""
        page = self._store.list_runs(_filter(query), cursor=query.cursor, limit=query.limit)
        return RunList(runs=[RunModel.of(run) for run in page.runs], cursor=page.cursor)

    def count(self, query: RunFilterQuery) -> RunCounts:
        """Return how many runs are in each state."""
        counted = self._store.count_runs(_filter(query))
        return RunCounts(**{str(state): number for state, number in counted.items()})

    def show(self, run: str) -> RunDetail:
        """Return a run with its stage runs."""
        return RunDetail.detailed(self._store.get_run(run, data=False), self._board)

    def report(self, run: str) -> RunReport:
        """Return what the run came to."""
        return RunReport.model_validate(run_report(self._store, run))

    def document(self, run: str) -> dict[str, Any]:
        """Return the document that the run follows."""
        value: dict[str, Any] = json.loads(self._store.get_document(run))
        return value

    def stage_run(self, run: str, stage_run: str) -> StageRunDetail:
        """Return a stage run with its data."""
        found = self._store.get_stage_run(stage_run)
        if found.run_id != run:
            raise NotFound(f"there is no stage run {stage_run} in run {run}")
        return StageRunDetail.detailed(found, self._store.list_attempts(stage_run), self._board)

    def attempt(self, run: str, stage_run: str, number: int) -> tuple[StageRunRecord, AttemptRecord]:
        """Return an attempt with its stage run."""
        found = self._store.get_stage_run(stage_run)
        if found.run_id != run:
            raise NotFound(f"there is no stage run {stage_run} in run {run}")
        for attempt in self._store.list_attempts(stage_run):
            if attempt.number == number:
                return found, attempt
        raise NotFound(f"there is no attempt {number} of stage run {stage_run}")

    def notebook(self, run: str, stage_run: str, number: int) -> Path:
        """Return where an attempt's executed copy is."""
        found, attempt = self.attempt(run, stage_run, number)
        file = notebook_path(self._store.folder(run, found.id), attempt)
        # The path comes from a runner; still nothing but evidence is handed out.
        inside = file.resolve().is_relative_to(self._store.state_folder.resolve())
        if not inside or not file.is_file():
            raise NotFound(f"there is no executed notebook of attempt {number} (yet)")
        return file

    def artifact(self, run: str, hashed: str) -> Path:
        """Return a file with the content of an artifact that a run's data refers to."""
        if hashed not in self._store.list_artifacts(run):
            raise NotFound(f"run {run} has no artifact {hashed}")
        return self._store.artifacts.localise(hashed, self._store.state_folder / "cache" / "artifacts")

    def rows(self, run: str, hashed: str, query: RowsQuery) -> TableRows:
        """Return rows of a data frame that a run's data refers to."""
        return read_rows(self.artifact(run, hashed), query.offset, query.limit)

    def log(self, run: str, stage_run: str, number: int) -> AttemptLog:
        """Return what an attempt printed."""
        return self._log(*self.attempt(run, stage_run, number))

    def logs(self, run: str, query: LogQuery) -> RunLog:
        """Return what a run's attempts printed, in the order in which they began."""
        details = self._store.get_run(run, data=False)
        known = {stage_run.path for stage_run in details.stage_runs}
        if unknown := [path for path in query.stage if path not in known]:
            raise Problem(
                404,
                "not-found",
                f"run {run} has no stage {unknown[0]!r}",
                errors=[("stage", "Not found")],
                choices=sorted(known),
            )
        pairs = [
            (stage_run, attempt)
            for stage_run in details.stage_runs
            if not query.stage or stage_run.path in query.stage
            for attempt in details.attempts.get(stage_run.id, ())
        ]
        pairs.sort(key=lambda pair: pair[1].started_at)
        return RunLog(run=run, state=details.run.state, logs=[self._log(*pair) for pair in pairs])

    def _log(self, stage_run: StageRunRecord, attempt: AttemptRecord) -> AttemptLog:
        file = notebook_path(self._store.folder(stage_run.run_id, stage_run.id), attempt)
        return AttemptLog.of(stage_run, attempt, printed(file))

    # -- changing -----------------------------------------------------------------------------------------

    def start_live(self, wanted: StartLive, *, user: str, idempotency: Idempotency | None) -> RunModel:
        """Start a run of a workflow's live version."""
        workflow = self._store.get_workflow(wanted.workflow)
        if workflow.live_deployment is None:
            raise WrongState(f"no version of {workflow.slug} is live", "Activate or deploy one")
        live = self._store.get_deployment(workflow.live_deployment)
        document = load(self._store.deployed_document(live))
        entry = find_entry(Graph.from_document(document), wanted.stage)
        stage = document.stages[entry]
        if wanted.request is not None and stage.type != "hook":
            raise _not_for(stage.path, stage.type, "request")
        if wanted.scheduled_time is not None and stage.type != "job":
            raise _not_for(stage.path, stage.type, "scheduled_time")
        run = self._store.start_deployed(
            workflow.uid,
            entry,
            data=initial_data(self._store, wanted.data),
            request=wanted.request if wanted.request is not None else ({} if stage.type == "hook" else None),
            scheduled_time=wanted.scheduled_time
            or (self._store.now().replace(microsecond=0) if stage.type == "job" else None),
            started_by=user,
            idempotency=idempotency,
        )
        self._wake()
        return RunModel.of(self._store.get_run_record(run))

    def start(self, new: NewRun) -> RunModel:
        """Start a run."""
        run = self._store.create_run(new)
        self._wake()
        return RunModel.of(self._store.get_run_record(run))

    def cancel(self, run: str, *, by: str) -> Cancelled:
        """Cancel a run."""
        done = self._store.cancel_run(run, by=by)
        self._wake()
        return Cancelled(run=run, state=self._store.get_run_record(run).state, cancelled=done)

    def retry(self, run: str, wanted: RetryRequest, *, by: str) -> Retried:
        """Try failed stage runs again."""
        details = self._store.get_run(run, data=False)
        chosen = _failed(details, wanted.stage_runs)
        if wanted.once and len(chosen) > 1:
            raise Problem(
                422,
                "invalid-request",
                f"`once` is for one stage run, and {len(chosen)} are tried again",
                errors=[("stage_runs", "Name one")],
                choices=[stage_run.id for stage_run in chosen],
            )
        once = {
            key: f"done:{json.dumps(how.done)}" if isinstance(how, Done) else how
            for key, how in wanted.once.items()
        }
        for stage_run in chosen:
            self._store.retry_stage_run(stage_run.id, once=once or None, by=by)
        self._wake()
        return Retried(
            run=run,
            state=self._store.get_run_record(run).state,
            retried=[RetriedStage(stage=stage_run.path, stage_run=stage_run.id) for stage_run in chosen],
        )

    def rerun(self, run: str, stage_run: str | None, *, by: str, idempotency: Idempotency | None) -> RunModel:
        """Start a run with the inputs of a stage run of another one."""
        made = self._store.rerun(run, stage_run, by=by, idempotency=idempotency)
        self._wake()
        return RunModel.of(self._store.get_run_record(made))

    def _wake(self) -> None:
        wake(self._store.state_folder / "wake")


def _not_for(path: str, kind: str, field: str) -> Problem:
    return Problem(
        422,
        "cannot-start",
        f"the stage {path!r} is a {kind}, which takes no {field}",
        errors=[(field, "Leave it out")],
    )


def _filter(query: RunFilterQuery) -> RunFilter:
    return RunFilter(
        workflow_uid=query.workflow,
        states=tuple(dict.fromkeys(query.state)),
        mode=query.mode,
        text=query.text,
        started_by=query.started_by,
        since=query.since,
        until=query.until,
        parent=query.parent,
    )


def _failed(details: RunDetails, named: list[str]) -> list[StageRunRecord]:
    known = {stage_run.id: stage_run for stage_run in details.stage_runs}
    if missing := [name for name in named if name not in known]:
        raise Problem(
            404,
            "not-found",
            f"there is no stage run {missing[0]} in run {details.run.id}",
            errors=[(f"stage_runs[{named.index(missing[0])}]", "Not found")],
        )
    chosen = [known[name] for name in dict.fromkeys(named)] if named else list(details.stage_runs)
    failed = [
        stage_run for stage_run in chosen if stage_run.state is StageRunState.FAILED and not stage_run.handled
    ]
    if not failed or (named and len(failed) < len(chosen)):
        raise WrongState(
            f"not all of these stages of run {details.run.id} have failed"
            if named
            else f"no stage of run {details.run.id} ({details.run.state}) has failed"
        )
    return failed
