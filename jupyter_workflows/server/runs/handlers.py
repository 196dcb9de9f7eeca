"""Routes of runs."""

from __future__ import annotations

from pathlib import Path

from jupyter_workflows.store import Idempotency

from ..auth import authenticated, authorized
from ..base import WorkflowsHandler
from ..files import send_file
from ..idempotency import KEY_HEADER, idempotency_of
from ..operations import Answer, File, operation
from .manager import RunsManager
from .models import (
    AttemptLog,
    AttemptModel,
    Cancelled,
    DocumentAnswer,
    LogQuery,
    Pinned,
    PinRequest,
    RerunRequest,
    Retried,
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
    StartRun,
    StartTest,
    TableRows,
)
from .testing import EditorTests


class _RunsHandler(WorkflowsHandler):
    @property
    def runs(self) -> RunsManager:
        """What does the work."""
        return RunsManager(self.store, self.app.cells)

    @property
    def tests(self) -> EditorTests:
        """What tries workflows out."""
        return EditorTests(self.store, self.app.editor)

    def key(self) -> Idempotency | None:
        """Return the key under which this request is taken once."""
        return idempotency_of(self.request, self.user_name)


class RunsHandler(_RunsHandler):
    """All runs."""

    @authenticated
    @authorized("read")
    @operation("List runs", query=RunsQuery, answer=RunList)
    async def get(self, query: RunsQuery) -> RunList:
        """The newest first."""
        return await self.call(self.runs.list, query)

    @authenticated
    @authorized("execute")
    @operation(
        "Start a run",
        body=StartRun,
        headers=(KEY_HEADER,),
        status=201,
        answer=RunModel,
        problems=(404, 409),
        location=True,
    )
    async def post(self, body: StartRun) -> Answer:
        """Of a workflow's live deployment, or a test run of a working copy."""
        wanted = body.root
        if isinstance(wanted, StartTest):
            file = await self.in_thread(self.app.projects.resolve, wanted.path)
            new = await self.in_thread(
                self.tests.prepare, file, wanted, user=self.user_name, idempotency=self.key()
            )
            run = await self.change(self.runs.start, new)
        else:
            run = await self.change(self.runs.start_live, wanted, user=self.user_name, idempotency=self.key())
        return Answer(run, location=("runs", run.id))


class RunCountsHandler(_RunsHandler):
    """How many runs there are."""

    @authenticated
    @authorized("read")
    @operation("Count runs by state", query=RunFilterQuery, answer=RunCounts)
    async def get(self, query: RunFilterQuery) -> RunCounts:
        """With the filters of the list."""
        return await self.call(self.runs.count, query)


class RunHandler(_RunsHandler):
    """One run."""

    @authenticated
    @authorized("read")
    @operation("Show a run", answer=RunDetail)
    async def get(self, run: str) -> RunDetail:
        """With its stage runs and their attempts, without data."""
        return await self.call(self.runs.show, run)


class RunReportHandler(_RunsHandler):
    """What a run came to."""

    @authenticated
    @authorized("read")
    @operation("Report on a run", answer=RunReport)
    async def get(self, run: str) -> RunReport:
        """The object that `jupyter workflows run --json` prints."""
        return await self.call(self.runs.report, run)


class RunDocumentHandler(_RunsHandler):
    """The document of a run."""

    @authenticated
    @authorized("read")
    @operation("Show the document that a run follows", answer=DocumentAnswer)
    async def get(self, run: str) -> DocumentAnswer:
        """As it was when the run started."""
        return DocumentAnswer(await self.call(self.runs.document, run))


class RunLogsHandler(_RunsHandler):
    """The logs of a run."""

    @authenticated
    @authorized("read")
    @operation("Show what a run's notebooks printed", query=LogQuery, answer=RunLog)
    async def get(self, run: str, query: LogQuery) -> RunLog:
        """Attempt by attempt, as plain text; also while they last."""
        return await self.call(self.runs.logs, run, query)


class CancelRunHandler(_RunsHandler):
    """Cancelling."""

    @authenticated
    @authorized("write")
    @operation("Cancel a run", answer=Cancelled, problems=(409,))
    async def post(self, run: str) -> Cancelled:
        """What its stages are executing is stopped, and what waits waits no longer."""
        return await self.change(self.runs.cancel, run, by=self.user_name)


class RetryRunHandler(_RunsHandler):
    """Trying again."""

    @authenticated
    @authorized("execute")
    @operation(
        "Try failed stages again",
        body=RetryRequest,
        body_required=False,
        status=202,
        answer=Retried,
        problems=(409,),
    )
    async def post(self, run: str, body: RetryRequest | None = None) -> Retried:
        """The same run goes on from there."""
        return await self.change(
            self.runs.retry, run, body or RetryRequest(stage_runs=[], once={}), by=self.user_name
        )


class RerunHandler(_RunsHandler):
    """Running again."""

    @authenticated
    @authorized("execute")
    @operation(
        "Run again",
        body=RerunRequest,
        body_required=False,
        headers=(KEY_HEADER,),
        status=201,
        answer=RunModel,
        problems=(409,),
        location=True,
    )
    async def post(self, run: str, body: RerunRequest | None = None) -> Answer:
        """A new run, with the inputs that a stage run of this one had."""
        stage_run = body.stage_run if body is not None else None
        made = await self.change(self.runs.rerun, run, stage_run, by=self.user_name, idempotency=self.key())
        return Answer(made, location=("runs", made.id))


class StageRunHandler(_RunsHandler):
    """One stage run."""

    @authenticated
    @authorized("read")
    @operation("Show a stage run", answer=StageRunDetail)
    async def get(self, run: str, stage_run: str) -> StageRunDetail:
        """With its data and its attempts."""
        return await self.call(self.runs.stage_run, run, stage_run)


class AttemptHandler(_RunsHandler):
    """One attempt."""

    @authenticated
    @authorized("read")
    @operation("Show an attempt", answer=AttemptModel)
    async def get(self, run: str, stage_run: str, attempt: int) -> AttemptModel:
        """How one execution of the notebook went."""
        _, found = await self.call(self.runs.attempt, run, stage_run, attempt)
        return AttemptModel.of(found)


class AttemptNotebookHandler(_RunsHandler):
    """The evidence of an attempt."""

    @authenticated
    @authorized("read")
    @operation("Download an executed notebook", answer=File("application/x-ipynb+json", binary=False))
    async def get(self, run: str, stage_run: str, attempt: int) -> None:
        """The copy that the attempt executed, as far as it has come."""
        file: Path = await self.call(self.runs.notebook, run, stage_run, attempt)
        await send_file(self, file, f"{stage_run}-{attempt}.ipynb", "application/x-ipynb+json")


class AttemptLogHandler(_RunsHandler):
    """The log of an attempt."""

    @authenticated
    @authorized("read")
    @operation("Show what an attempt printed", answer=AttemptLog)
    async def get(self, run: str, stage_run: str, attempt: int) -> AttemptLog:
        """Cell by cell, as plain text."""
        return await self.call(self.runs.log, run, stage_run, attempt)


class ArtifactHandler(_RunsHandler):
    """A large value."""

    @authenticated
    @authorized("read")
    @operation("Download an artifact", answer=File("application/octet-stream"))
    async def get(self, run: str, artifact: str) -> None:
        """A value of the run's data that is too large for JSON, or not JSON, as it is kept."""
        file: Path = await self.call(self.runs.artifact, run, artifact)
        await send_file(self, file, artifact, "application/octet-stream")


class ArtifactRowsHandler(_RunsHandler):
    """A large value that is a table."""

    @authenticated
    @authorized("read")
    @operation("Show rows of a data frame", query=RowsQuery, answer=TableRows, problems=(422, 501))
    async def get(self, run: str, artifact: str, query: RowsQuery) -> TableRows:
        """A page of an artifact that is a data frame; other values are refused."""
        return await self.call(self.runs.rows, run, artifact, query)


class PinHandler(_RunsHandler):
    """Keeping data for tests."""

    @authenticated
    @authorized("execute")
    @operation("Keep a stage's data for tests", body=PinRequest, answer=Pinned, problems=(409, 413))
    async def post(self, run: str, stage_run: str, body: PinRequest) -> Pinned:
        """Returns what the document keeps under the stage's `pinned`; the client writes it there."""
        file = await self.in_thread(self.app.projects.resolve, body.path)
        return await self.call(self.tests.pin, run, stage_run, file)


default_handlers = [
    ("runs", RunsHandler),
    ("runs/counts", RunCountsHandler),
    ("runs/{run}", RunHandler),
    ("runs/{run}/report", RunReportHandler),
    ("runs/{run}/document", RunDocumentHandler),
    ("runs/{run}/logs", RunLogsHandler),
    ("runs/{run}/artifacts/{artifact}", ArtifactHandler),
    ("runs/{run}/artifacts/{artifact}/rows", ArtifactRowsHandler),
    ("runs/{run}/cancel", CancelRunHandler),
    ("runs/{run}/retry", RetryRunHandler),
    ("runs/{run}/rerun", RerunHandler),
    ("runs/{run}/stages/{stage_run}", StageRunHandler),
    ("runs/{run}/stages/{stage_run}/pin", PinHandler),
    ("runs/{run}/stages/{stage_run}/attempts/{attempt}", AttemptHandler),
    ("runs/{run}/stages/{stage_run}/attempts/{attempt}/notebook", AttemptNotebookHandler),
    ("runs/{run}/stages/{stage_run}/attempts/{attempt}/log", AttemptLogHandler),
]
