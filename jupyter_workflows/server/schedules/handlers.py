"""Routes of schedules."""

from __future__ import annotations

from ..auth import authenticated, authorized
from ..base import WorkflowsHandler
from ..operations import Answer, operation
from ..runs.models import RunModel
from .manager import SchedulesManager, preview
from .models import (
    BackfillModel,
    BackfillRequest,
    PreviewModel,
    PreviewRequest,
    ScheduleList,
    ScheduleModel,
    ScheduleQuery,
    SchedulesQuery,
)


class _SchedulesHandler(WorkflowsHandler):
    @property
    def schedules(self) -> SchedulesManager:
        """What does the work."""
        return SchedulesManager(self.store)


class SchedulesHandler(_SchedulesHandler):
    """All schedules."""

    @authenticated
    @authorized("read")
    @operation("List schedules", query=SchedulesQuery, answer=ScheduleList, problems=(404,))
    async def get(self, query: SchedulesQuery) -> ScheduleList:
        """The jobs of live deployments, with their next times."""
        return await self.call(self.schedules.list, query)


class PreviewHandler(WorkflowsHandler):
    """Schedules that are being written."""

    needs_store = False

    @authenticated
    @authorized("read")
    @operation("Preview a schedule", body=PreviewRequest, answer=PreviewModel)
    async def post(self, body: PreviewRequest) -> PreviewModel:
        """Its next times, and what changes of the clock do to them; nothing is kept."""
        return await self.in_thread(preview, body)


class ScheduleHandler(_SchedulesHandler):
    """One schedule."""

    @authenticated
    @authorized("read")
    @operation("Show when a job is due", query=ScheduleQuery, answer=ScheduleModel)
    async def get(self, workflow: str, stage: str, query: ScheduleQuery) -> ScheduleModel:
        """With its next times."""
        return await self.call(self.schedules.show, workflow, stage, query.times)


class RunJobHandler(_SchedulesHandler):
    """Running a job now."""

    @authenticated
    @authorized("execute")
    @operation("Run a job now", status=201, answer=RunModel, problems=(409,), location=True)
    async def post(self, workflow: str, stage: str) -> Answer:
        """Whatever its schedule says."""
        run = await self.change(self.schedules.run_now, workflow, stage, by=self.user_name)
        return Answer(run, location=("runs", run.id))


class BackfillHandler(_SchedulesHandler):
    """Running a job for past times."""

    @authenticated
    @authorized("execute")
    @operation(
        "Run a job for past times", body=BackfillRequest, status=202, answer=BackfillModel, problems=(409,)
    )
    async def post(self, workflow: str, stage: str, body: BackfillRequest) -> BackfillModel:
        """One run for each time that the schedule has in the range; those that had theirs are left out."""
        return await self.change(self.schedules.backfill, workflow, stage, body, by=self.user_name)


default_handlers = [
    ("schedules", SchedulesHandler),
    ("schedules/preview", PreviewHandler),
    ("schedules/{workflow}/{stage}", ScheduleHandler),
    ("schedules/{workflow}/{stage}/run", RunJobHandler),
    ("schedules/{workflow}/{stage}/backfill", BackfillHandler),
]
