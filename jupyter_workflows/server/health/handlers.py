"""The route that says how everything stands, and the one that describes all others."""

from __future__ import annotations

import json

from pydantic import RootModel

from ..auth import authenticated, authorized
from ..base import WorkflowsHandler
from ..models import JsonObject
from ..operations import operation
from .manager import HealthManager, documentation
from .models import Documentation, Health


class HealthHandler(WorkflowsHandler):
    """How everything stands."""

    needs_store = False
    # That a monitor looks at the server does not mean that somebody uses it.
    _track_activity = False

    @authenticated
    @authorized("read")
    @operation("Say how the server, the runner and the database stand", answer=Health)
    async def get(self) -> Health:
        """Answers 200 whenever the server lives; `status` says whether all is well."""
        return await HealthManager(self.app).look()


class OpenApiDocument(RootModel[JsonObject]):
    """An OpenAPI document."""


class OpenApiHandler(WorkflowsHandler):
    """The description of all routes."""

    needs_store = False

    @authenticated
    @authorized("read")
    @operation("Describe all routes", answer=OpenApiDocument)
    async def get(self) -> None:
        """This document."""
        # Made once, which takes a moment.
        document = await self.in_thread(lambda: self.app.openapi)
        await self.finish(json.dumps(document))


class DocumentationHandler(WorkflowsHandler):
    """What there is to read."""

    needs_store = False

    @authenticated
    @authorized("read")
    @operation("Show the documentation", answer=Documentation)
    async def get(self) -> Documentation:
        """As Markdown, of the version that is installed."""
        return await self.in_thread(documentation)


default_handlers = [
    ("documentation", DocumentationHandler),
    ("health", HealthHandler),
    ("openapi.json", OpenApiHandler),
]
