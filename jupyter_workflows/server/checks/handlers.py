"""The route of checks."""

from __future__ import annotations

from pydantic import RootModel

from ..auth import authenticated, authorized
from ..base import WorkflowsHandler
from ..operations import operation
from .manager import check_document, check_file
from .models import CheckAnswer, CheckDocument, CheckPath


class CheckRequest(RootModel[CheckDocument | CheckPath]):
    """What is to be checked."""


class CheckHandler(WorkflowsHandler):
    """Checking a workflow before it runs."""

    needs_store = False

    @authenticated
    @authorized("read")
    @operation("Check a workflow", body=CheckRequest, answer=CheckAnswer, problems=(404,))
    async def post(self, body: CheckRequest) -> CheckAnswer:
        """Looks at the document and the notebooks that it names, and executes nothing."""
        wanted = body.root
        file = None
        if wanted.path is not None:
            file = await self.in_thread(self.app.projects.resolve, wanted.path)
        if isinstance(wanted, CheckPath):
            assert file is not None
            return await self.in_thread(check_file, file)
        return await self.in_thread(check_document, wanted.document, file)


default_handlers = [("check", CheckHandler)]
