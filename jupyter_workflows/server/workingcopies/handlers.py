"""Routes of working copies."""

from __future__ import annotations

from ..auth import authenticated, authorized
from ..base import WorkflowsHandler
from ..operations import operation
from .manager import WorkingCopies, compare_copy, templates
from .models import (
    CompareRequest,
    ComparisonModel,
    NewProjectModel,
    NewProjectRequest,
    ProjectList,
    ProjectQuery,
    RequirementsModel,
    RequirementsQuery,
    TemplateList,
)


class _CopiesHandler(WorkflowsHandler):
    needs_store = False

    @property
    def copies(self) -> WorkingCopies:
        """What does the work."""
        return WorkingCopies(self.app.projects)


class TemplatesHandler(_CopiesHandler):
    """What new stages and workflows begin with."""

    @authenticated
    @authorized("read")
    @operation("List the templates of stages and workflows", answer=TemplateList)
    async def get(self) -> TemplateList:
        """With the notebooks of new stages."""
        return templates()


class ProjectsHandler(_CopiesHandler):
    """Projects in the server's files."""

    @authenticated
    @authorized("read")
    @operation("Find the workflows of a file", query=ProjectQuery, answer=ProjectList, problems=(404,))
    async def get(self, query: ProjectQuery) -> ProjectList:
        """Those in its folder, and in the folders above it; the nearest first."""
        return await self.in_thread(self.copies.find, query.path)

    @authenticated
    @authorized("write")
    @operation(
        "Make a project from a template",
        body=NewProjectRequest,
        status=201,
        answer=NewProjectModel,
        problems=(404, 409),
    )
    async def post(self, body: NewProjectRequest) -> NewProjectModel:
        """A workflow file, its notebooks and requirements.txt; nothing is overwritten."""
        return await self.in_thread(self.copies.make, body)


class CompareHandler(WorkflowsHandler):
    """A working copy and what is live."""

    @authenticated
    @authorized("read")
    @operation(
        "Compare a working copy with what is live",
        body=CompareRequest,
        answer=ComparisonModel,
        problems=(404,),
    )
    async def post(self, body: CompareRequest) -> ComparisonModel:
        """What a deployment would change."""
        file = await self.in_thread(self.app.projects.resolve, body.path)
        # Reads files, too: others must not wait for that.
        return await self.in_thread(compare_copy, self.store, file, body, self.hook_address)


class RequirementsHandler(_CopiesHandler):
    """Packages."""

    @authenticated
    @authorized("read")
    @operation(
        "Say which packages a project needs",
        query=RequirementsQuery,
        answer=RequirementsModel,
        problems=(404, 409),
    )
    async def get(self, query: RequirementsQuery) -> RequirementsModel:
        """By what its notebooks import; nothing is written."""
        file = await self.in_thread(self.app.projects.resolve, query.path)
        return await self.in_thread(self.copies.requirements, file)


default_handlers = [
    ("templates", TemplatesHandler),
    ("projects", ProjectsHandler),
    ("projects/compare", CompareHandler),
    ("projects/requirements", RequirementsHandler),
]
