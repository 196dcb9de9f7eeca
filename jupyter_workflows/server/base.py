"""What all our handlers share."""

from __future__ import annotations

import asyncio
import getpass
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast
from urllib.parse import quote

from jupyter_server.auth.identity import IdentityProvider, User
from jupyter_server.base.handlers import APIHandler
from jupyter_server.extension.handler import ExtensionHandlerMixin
from jupyter_server.utils import url_path_join
from pydantic import BaseModel
from tornado import web

from jupyter_workflows.store import Store

from .auth import AUTH_RESOURCE, authenticated, authorized
from .operations import Answer
from .problems import MEDIA_TYPE, Problem, problem_of

if TYPE_CHECKING:
    from .app import WorkflowsApp

P = ParamSpec("P")
T = TypeVar("T")

#: Where the REST routes are, below the server's base URL.
API = "workflows/api"
#: Where hooks are.
HOOKS = "workflows/hooks"


def name_of(provider: IdentityProvider, user: User) -> str:
    """Return the name under which a user is known.

    Jupyter's own identity providers know nobody: they make up a name for each browser, and for each request
    with a token. There whoever has the token is the user who runs the server.
    """
    if type(provider).__module__ == IdentityProvider.__module__:
        try:
            return getpass.getuser()
        except (OSError, KeyError, ImportError):
            pass
    return user.username


class WorkflowsHandler(ExtensionHandlerMixin, APIHandler):
    """A handler of our REST routes."""

    auth_resource = AUTH_RESOURCE
    #: Whether the database must be open.
    needs_store = True

    @property
    def app(self) -> WorkflowsApp:
        """The extension's application."""
        return cast("WorkflowsApp", self.extensionapp)

    @property
    def store(self) -> Store:
        """The store; its methods are called by `call` and `change`."""
        return self.app.database.store

    @property
    def user_name(self) -> str:
        """The name of who asks."""
        return name_of(self.identity_provider, self.current_user)

    async def prepare(self) -> None:  # type: ignore[override]
        """Let nobody wait for a database that is not there."""
        await super().prepare()
        if self._finished or not self.needs_store:
            return
        if self.current_user is None:
            return  # what follows refuses it
        try:
            await self.app.database.ready()
        except Exception as error:
            problem = problem_of(error)
            if problem is None:
                raise
            raise problem from error

    async def call(self, function: Callable[P, T], *arguments: P.args, **keywords: P.kwargs) -> T:
        """Call a function that reads from the database, on a thread."""
        return await self.app.database.read(function, *arguments, **keywords)

    async def change(self, function: Callable[P, T], *arguments: P.args, **keywords: P.kwargs) -> T:
        """Call a function that writes into the database, on the thread for that."""
        return await self.app.database.write(function, *arguments, **keywords)

    async def in_thread(self, function: Callable[P, T], *arguments: P.args, **keywords: P.kwargs) -> T:
        """Call a function that reads files or computes, on a thread."""
        return await asyncio.to_thread(function, *arguments, **keywords)

    def address(self, *parts: str) -> str:
        """Return the path of one of our routes, with the server's base URL."""
        return url_path_join(self.base_url, API, *(quote(part, safe="") for part in parts))

    def hook_address(self, workflow: str, path: str) -> str:
        """Return the path of the address at which a hook takes requests."""
        return url_path_join(self.base_url, HOOKS, workflow, path)

    def reply(self, result: BaseModel | Answer | None, status: int) -> None:
        """Finish with what an operation returned."""
        if self._finished:
            return
        answer = result if isinstance(result, Answer) else Answer(result)
        if answer.location:
            self.set_header("Location", self.address(*answer.location))
        for name, value in answer.headers.items():
            self.set_header(name, value)
        self.set_header("Cache-Control", "no-cache")
        self.set_status(status)
        if answer.model is None:
            self.finish()
        else:
            self.finish(answer.model.model_dump_json(by_alias=True))

    def write_error(self, status_code: int, **settings: Any) -> None:
        """Answer with problem details; never with what only the log should hold."""
        error = settings.get("exc_info", (None, None, None))[1]
        problem = problem_of(error) if isinstance(error, Exception) else None
        if problem is None:
            problem = self._plain_problem(status_code, error)
        for name, value in problem.headers.items():
            self.set_header(name, value)
        self.finish(json.dumps(problem.to_json(self.request.path), default=str), set_content_type=MEDIA_TYPE)

    def _plain_problem(self, status: int, error: BaseException | None) -> Problem:
        message = error.log_message if isinstance(error, web.HTTPError) else None
        if isinstance(error, web.HTTPError) and message and error.args:
            message = message % error.args
        if status == 403 and self.current_user is None:
            mend = "Send the server's token: Authorization: token TOKEN"
            return Problem(status, "not-signed-in", "you are not signed in", mend)
        if status == 403:
            return Problem(status, "forbidden", message or "you may not do this")
        if status == 404:
            return Problem(status, "not-found", message or "there is nothing at this address")
        if status == 405:
            allowed = ", ".join(self.verbs())
            return Problem(
                status, "wrong-method", f"this address takes {allowed}", headers={"Allow": allowed}
            )
        if status >= 500:
            return Problem(
                status, "unexpected", "something unexpected went wrong", "The server's log says more"
            )
        return Problem(status, "bad-request", message)

    @classmethod
    def verbs(cls) -> list[str]:
        """Return the methods that this route takes."""
        declared = [
            verb
            for verb in ("GET", "POST", "PUT", "PATCH", "DELETE")
            if hasattr(getattr(cls, verb.lower()), "operation")
        ]
        return [*declared, "OPTIONS"]


class NoSuchRoute(WorkflowsHandler):
    """Everything below our address that is no route."""

    needs_store = False

    @authenticated
    @authorized("read")
    def get(self, path: str) -> None:
        """Say that there is nothing."""
        raise Problem(404, "not-found", "there is nothing at this address")

    @authenticated
    @authorized("read")
    def post(self, path: str) -> None:
        """Say that there is nothing."""
        raise Problem(404, "not-found", "there is nothing at this address")

    put = patch = delete = post
