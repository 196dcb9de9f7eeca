"""Deploying a project that comes with the request."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from pathlib import Path
from tempfile import mkdtemp
from typing import IO, Any

from jupyter_core.utils import ensure_async
from tornado import web

from jupyter_workflows.execution.trees import remove_tree

from ..auth import AUTH_RESOURCE, authenticated, authorized
from ..operations import Answer, Upload, operation
from ..problems import Problem, problem_of
from ..requests import media_type
from .handlers import DeploymentsBase
from .models import DeployedModel, UploadQuery

TYPES = ("application/octet-stream", "application/gzip", "application/x-gzip")
#: Bytes that are gathered before they are written.
_PIECE = 1024 * 1024
_FOLDER = "uploads"
_ARCHIVE = "archive.tar.gz"
_PROJECT = "project"
#: Seconds after which what a server that was killed has left is removed.
_OLD = 86_400.0


class Arrival:
    """An archive that arrives, in a folder of its own. All methods may block."""

    def __init__(self, state: Path) -> None:
        parent = state / _FOLDER
        parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        for folder in parent.iterdir():
            if folder.stat().st_mtime < time.time() - _OLD:
                remove_tree(folder)
        self.folder = Path(mkdtemp(dir=parent))
        self.project = self.folder / _PROJECT
        self._file: IO[bytes] | None = self.archive.open("xb")

    @property
    def archive(self) -> Path:
        """The archive."""
        return self.folder / _ARCHIVE

    def write(self, content: bytes) -> None:
        """Take a piece in."""
        if self._file is not None:
            self._file.write(content)

    def complete(self) -> None:
        """Close the archive."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def remove(self) -> None:
        """Remove everything."""
        self.complete()
        remove_tree(self.folder)


@web.stream_request_body
class UploadDeploymentHandler(DeploymentsBase):
    """Deploying from another machine."""

    _arrival: Arrival | None = None
    _refusal: Problem | None = None
    _busy = False

    def initialize(self, *arguments: Any, **keywords: Any) -> None:
        """Begin with nothing."""
        super().initialize(*arguments, **keywords)
        self._pieces: list[bytes] = []
        self._gathered = 0
        self._size = 0

    async def prepare(self) -> None:  # type: ignore[override]
        """Look at all that comes before the archive, so that nothing is kept of strangers."""
        await super().prepare()
        if self._finished or self.request.method != "POST":
            return
        user = self.current_user
        if user is None:
            raise web.HTTPError(403)
        if not await ensure_async(self.authorizer.is_authorized(self, user, "execute", AUTH_RESOURCE)):
            raise web.HTTPError(403)
        kind = media_type(self.request.headers.get("Content-Type", ""))
        if kind not in TYPES:
            raise Problem(
                415,
                "wrong-content-type",
                f"The body is {kind or 'of no named type'}, which this route does not read",
                f"Send a tar archive, with Content-Type: {TYPES[0]}",
                headers={"Accept": ", ".join(TYPES)},
            )
        length = self.request.headers.get("Content-Length", "")
        if length.isdecimal() and int(length) > self.app.deploy_largest_upload:
            raise self._too_large()
        # Tornado's own limit ends a connection without a word; this handler counts by itself.
        connection: Any = self.request.connection
        connection.set_max_body_size(1 << 62)
        self._arrival = await self.in_thread(Arrival, self.store.state_folder)

    def _too_large(self) -> Problem:
        most = self.app.deploy_largest_upload
        return Problem(
            413,
            "body-too-large",
            f"The archive is larger than {most} bytes",
            "Name what is not needed in .workflowsignore, or raise WorkflowsApp.deploy_largest_upload",
        )

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        """Take in a piece of the archive; what comes after too much of it is dropped."""
        self._size += len(chunk)
        if self._arrival is None or self._refusal is not None:
            return None
        if self._size > self.app.deploy_largest_upload:
            self._refusal = self._too_large()
            self._pieces.clear()
            return None
        self._pieces.append(chunk)
        self._gathered += len(chunk)
        return self._write() if self._gathered >= _PIECE else None

    async def _write(self) -> None:
        pieces, self._pieces, self._gathered = self._pieces, [], 0
        if self._arrival is not None and pieces:
            try:
                await self.in_thread(self._arrival.write, b"".join(pieces))
            except OSError as error:
                text = f"The archive could not be kept: {error.strerror or error}"
                self._refusal = Problem(503, "file-error", text, "Try again when there is room on the disk")

    @authenticated
    @authorized("execute")
    @operation(
        "Deploy a project that comes with the request",
        query=UploadQuery,
        upload=Upload(TYPES[0], "The project's folder as a tar archive that is compressed by gzip."),
        status=201,
        answer=DeployedModel,
        problems=(409,),
        location=True,
    )
    async def post(self, query: UploadQuery) -> Answer:
        """It becomes the next version of its workflow, and the live one, as with a working copy."""
        arrival = self._arrival
        self._busy = True
        try:
            await self._write()
            if self._refusal is not None:
                raise self._refusal
            assert arrival is not None  # see `prepare`
            await self.in_thread(arrival.complete)
            made = await self.in_thread(
                self.deployments.deploy_archive,
                arrival.archive,
                arrival.project,
                query,
                self.hook_address,
                by=self.user_name,
            )
        except Exception as error:
            raise (problem_of(error) or error) from None
        finally:
            self._busy = False
            self._forget()
        return Answer(made, location=("deployments", made.id))

    def on_connection_close(self) -> None:
        """Forget what has come of a sender that is gone; what is being deployed goes on."""
        super().on_connection_close()
        self._forget()

    def on_finish(self) -> None:
        """Forget what has come."""
        super().on_finish()
        self._forget()

    def _forget(self) -> None:
        arrival = self._arrival
        if arrival is not None and not self._busy:
            self._arrival = None
            asyncio.get_running_loop().run_in_executor(None, arrival.remove)


default_handlers = [("deployments/upload", UploadDeploymentHandler)]
