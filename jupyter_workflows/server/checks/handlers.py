"""The route of checks."""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized
from pydantic import RootModel
from tornado import web

from ..base import AUTH_RESOURCE, WorkflowsHandler
from ..operations import operation
from .manager import check_document, check_file
from .models import CheckAnswer, CheckDocument, CheckPath


class CheckRequest(RootModel[CheckDocument | CheckPath]):
    """What is to be checked."""


class CheckHandler(WorkflowsHandler):
    """Checking a workflow before it runs."""

    needs_store = False

    @web.authenticated
    @authorized("read", AUTH_RESOURCE)
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
