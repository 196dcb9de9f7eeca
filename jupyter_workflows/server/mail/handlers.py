"""The route of mail."""

from __future__ import annotations

from ..auth import authenticated, authorized
from ..base import WorkflowsHandler
from ..operations import operation
from .manager import MailManager
from .models import MailList, MailQuery


class MailHandler(WorkflowsHandler):
    """What people are told."""

    @authenticated
    @authorized("read")
    @operation("List the newest letters", query=MailQuery, answer=MailList)
    async def get(self, query: MailQuery) -> MailList:
        """Those of live runs, sent or not, and those that test runs would have sent."""
        return await self.call(MailManager(self.store).list, query)


default_handlers = [("mail", MailHandler)]
