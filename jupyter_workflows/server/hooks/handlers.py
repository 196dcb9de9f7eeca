"""The routes of hooks, callbacks and answers. They are open: each has its own way to know its callers."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any, cast

from jupyter_server.auth.decorator import allow_unauthenticated
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.extension.handler import ExtensionHandlerMixin
from jupyter_server.utils import url_path_join
from tornado import web

from ..problems import MEDIA_TYPE, Problem, problem_of
from . import auth
from .bodies import path_parameters
from .service import Call, HookService, Reply, Target, no_hook, reply_of, response_headers

#: Bytes of a body that is not wanted any more which are read, so that the sender sees why.
_DRAINED = 4 * 1024 * 1024
#: Statuses whose answers have no body.
_BODILESS = frozenset({204, 205, 304})
#: What a page that a notebook answers with may not do: be part of this server's own origin.
_SANDBOX = "sandbox allow-downloads allow-forms allow-modals allow-popups allow-scripts"


class PublicHandler(ExtensionHandlerMixin, JupyterHandler):
    """A route for callers who are not signed in; cookies and the server's token mean nothing here."""

    name: str

    @property
    def hooks(self) -> HookService:
        """What knows about hooks."""
        return cast("HookService", self.extensionapp.hooks)  # type: ignore[attr-defined]

    def check_xsrf_cookie(self) -> None:
        """Let requests in: no cookie gives anybody rights here that a forged request could use."""

    def check_trusted_origin(self, origin: str) -> bool:
        """Let requests of any page in, for the same reason."""
        return True

    @property
    def content_security_policy(self) -> str:
        """Keep what notebooks answer apart from the server's own pages."""
        return _SANDBOX

    async def prepare(self) -> None:  # type: ignore[override]
        """Set up the answer; nobody is asked who they are."""
        self.current_user = None
        self.set_header("Cache-Control", "no-store")
        self.allow_origin_of_caller()

    def allow_origin_of_caller(self) -> None:
        """Let pages of the configured origins read the answer."""
        allowed = self.hooks.settings.allow_origins
        if not allowed:
            return
        origin = self.request.headers.get("Origin")
        self.add_header("Vary", "Origin")
        if origin and ("*" in allowed or origin in allowed):
            self.set_header("Access-Control-Allow-Origin", origin)

    def full_address(self, path: str) -> str:
        """Return the address of a path below the server's base URL."""
        public = self.hooks.settings.public_url
        if public:
            return url_path_join(public, path)
        return f"{self.request.protocol}://{self.request.host}{url_path_join(self.base_url, path)}"

    def send(self, reply: Reply) -> None:
        """Finish with a reply."""
        if self._finished:
            return
        self.set_status(reply.status)
        body = reply.body
        if body is not None and not isinstance(body, bytes):
            self.set_header("Content-Type", "application/json")
            body = json.dumps(body).encode()
        else:
            self.clear_header("Content-Type")
        for name, value in reply.headers.items():
            if name.lower() == "content-security-policy":
                self.add_header(name, value)  # both hold
            else:
                self.set_header(name, value)
        if reply.status in _BODILESS:
            self.clear_header("Content-Type")
            self.finish()
        else:
            self.finish(body or b"")

    def compute_etag(self) -> None:
        """Leave caching to the notebook."""
        return

    def write_error(self, status_code: int, **settings: Any) -> None:
        """Answer with problem details; never with what only the log should hold."""
        error = settings.get("exc_info", (None, None, None))[1]
        problem = problem_of(error) if isinstance(error, Exception) else None
        if problem is None:
            message = None
            if isinstance(error, web.HTTPError) and status_code < 500 and error.log_message:
                message = error.log_message % error.args if error.args else error.log_message
            codes = {400: "bad-request", 404: "not-found", 405: "wrong-method"}
            code = codes.get(status_code, "unexpected" if status_code >= 500 else "refused")
            problem = Problem(status_code, code, message)
        self.set_status(problem.status_code)
        with contextlib.suppress(AttributeError):  # refused before there was anything to prepare
            self.allow_origin_of_caller()
        for name, value in problem.headers.items():
            self.set_header(name, value)
        self.set_header("Cache-Control", "no-store")
        self.set_header("Content-Type", MEDIA_TYPE)
        self.finish(json.dumps(problem.to_json(self.request.path)))


@web.stream_request_body
class CallHandler(PublicHandler):
    """A route that takes requests for stages: limits, the body's arrival, and who sends it."""

    def initialize(self, name: str, *arguments: Any, **keywords: Any) -> None:
        """Begin with a request of which nothing is known."""
        super().initialize(name, *arguments, **keywords)
        self._target: Target | None = None
        self._below = ""
        self._pieces: list[bytes] = []
        self._size = 0
        self._refusal: Problem | None = None
        self._check: auth.SignatureCheck | None = None
        self._secret_id: str | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._waiting: asyncio.Task[Reply] | None = None
        self._gone = False

    async def find(self, *parts: str) -> tuple[Target, str]:
        """Return what the address stands for, and what follows in it."""
        raise NotImplementedError

    async def prepare(self) -> None:  # type: ignore[override]
        """Look at all that comes before the body."""
        await super().prepare()
        try:
            self._look_at_head()
            self._target, self._below = await self.find(*self.path_args)
            if self.request.method != "OPTIONS":
                self._look_at_method(self._target)
                self._look_at_caller(self._target)
                self._look_at_length()
        except Exception as error:
            problem = problem_of(error)
            if problem is None or self._is_bodiless():
                raise
            self._refuse(problem)
        if not self._finished and not self._is_bodiless():
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self.hooks.settings.body_timeout, self._too_slow)

    # -- before the body ---------------------------------------------------------------------------------

    def _look_at_head(self) -> None:
        # Tornado's own limit ends a connection without a word; this handler counts by itself.
        connection: Any = self.request.connection
        connection.set_max_body_size(1 << 62)
        settings = self.hooks.settings
        if len(self.request.uri or "") > settings.longest_address:
            most = settings.longest_address
            raise Problem(414, "address-too-long", f"the address is longer than {most} bytes")
        size = sum(len(name) + len(value) + 4 for name, value in self.request.headers.get_all())
        if size > settings.largest_headers:
            raise Problem(
                431, "headers-too-large", f"the headers are larger than {settings.largest_headers} bytes"
            )

    def _look_at_method(self, target: Target) -> None:
        if self.request.method in self._allowed(target):
            return
        allowed = ", ".join([*self._allowed(target), "OPTIONS"])
        raise Problem(405, "wrong-method", f"this hook takes {allowed}", headers={"Allow": allowed})

    @staticmethod
    def _allowed(target: Target) -> list[str]:
        # A look at the head starts nothing, so it cannot be signed either.
        head = ["HEAD"] if "GET" in target.methods and target.auth != "signature" else []
        return [*target.methods, *head]

    def _look_at_caller(self, target: Target) -> None:
        headers = self.request.headers
        if target.auth == "token":
            self._secret_id = auth.check_token(headers, target.secrets)
        elif target.auth == "signature":
            window = self.hooks.settings.replay_window
            self._check = auth.SignatureCheck(headers, target.secrets, window=window)

    def _look_at_length(self) -> None:
        length = self.request.headers.get("Content-Length", "")
        if length.isdecimal() and int(length) > self.hooks.settings.largest_body:
            raise self._too_large()

    def _too_large(self) -> Problem:
        most = self.hooks.settings.largest_body
        return Problem(
            413, "body-too-large", f"the body is larger than {most} bytes", errors=[("body", "Too large")]
        )

    def _is_bodiless(self) -> bool:
        headers = self.request.headers
        return "Transfer-Encoding" not in headers and headers.get("Content-Length", "0") == "0"

    # -- the body ----------------------------------------------------------------------------------------

    def _refuse(self, problem: Problem) -> None:
        """Answer when the sender has stopped sending, so that it sees the answer; at once if it waits."""
        self._refusal = problem
        self._pieces.clear()
        self._check = None
        length = self.request.headers.get("Content-Length", "")
        waits = self.request.headers.get("Expect", "").lower() == "100-continue"
        if waits or (length.isdecimal() and int(length) > _DRAINED):
            self._fail(problem)

    def _fail(self, problem: Problem) -> None:
        """Answer before the body is complete, which ends the connection."""
        if not self._finished:
            self.clear()
            self.set_header("Connection", "close")
            self.write_error(problem.status_code, exc_info=(Problem, problem, None))

    def _too_slow(self) -> None:
        seconds = f"{self.hooks.settings.body_timeout:g}"
        self._fail(Problem(408, "body-too-slow", f"the body did not arrive within {seconds} seconds"))

    def data_received(self, chunk: bytes) -> None:
        """Take in a piece of the body."""
        self._size += len(chunk)
        if self._refusal is not None:
            if self._size > _DRAINED:
                self._fail(self._refusal)
            return
        if self._size > self.hooks.settings.largest_body:
            self._refuse(self._too_large())
            return
        self._pieces.append(chunk)
        if self._check is not None:
            self._check.update(chunk)

    def on_connection_close(self) -> None:
        """Stop waiting for a caller that is gone; the run goes on."""
        super().on_connection_close()
        self._gone = True
        self._stop_timer()
        if self._waiting is not None:
            self._waiting.cancel()

    def on_finish(self) -> None:
        """Forget the body."""
        self._stop_timer()
        self._pieces.clear()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # -- the answer --------------------------------------------------------------------------------------

    async def _take(self) -> None:
        self._stop_timer()
        if self._finished:
            return
        if self._refusal is not None:
            raise self._refusal
        target = self._target
        assert target is not None
        message_id = None
        if self._check is not None:
            self._secret_id = self._check.finish()
            message_id = self._check.message_id
        body = b"".join(self._pieces)
        self._pieces.clear()
        call = Call(
            method=self.request.method or "",
            path=self.request.path,
            below=self._below,
            query=self.request.query,
            headers=self.request.headers,
            header_pairs=list(self.request.headers.get_all()),
            body=body,
            secret_id=self._secret_id,
            message_id=message_id,
        )
        received = await self.hooks.take(target, call)
        address = ""
        if received.stage_run_id is not None:
            address = self.full_address(await self.hooks.address(received.stage_run_id))
        if self._gone:
            return
        self._waiting = asyncio.ensure_future(self.hooks.reply(target, received, address))
        try:
            reply = await self._waiting
        except asyncio.CancelledError:
            if self._gone:
                return
            raise
        self.send(reply)

    @allow_unauthenticated
    async def get(self, *parts: str) -> None:
        """Take a request."""
        await self._take()

    @allow_unauthenticated
    async def post(self, *parts: str) -> None:
        """Take a request."""
        await self._take()

    @allow_unauthenticated
    async def put(self, *parts: str) -> None:
        """Take a request."""
        await self._take()

    @allow_unauthenticated
    async def patch(self, *parts: str) -> None:
        """Take a request."""
        await self._take()

    @allow_unauthenticated
    async def delete(self, *parts: str) -> None:
        """Take a request."""
        await self._take()

    @allow_unauthenticated
    async def head(self, *parts: str) -> None:
        """Say that there is a hook; nothing is started."""
        self._stop_timer()
        if self._refusal is not None:
            raise self._refusal
        self.send(Reply(200))

    @allow_unauthenticated
    async def options(self, *parts: str) -> None:
        """Say which methods the hook takes, to browsers of the configured origins too."""
        self._stop_timer()
        if self._refusal is not None:
            raise self._refusal
        assert self._target is not None
        allowed = ", ".join([*self._allowed(self._target), "OPTIONS"])
        self.set_header("Allow", allowed)
        if self._headers.get("Access-Control-Allow-Origin"):
            self.set_header("Access-Control-Allow-Methods", allowed)
            wanted = self.request.headers.get("Access-Control-Request-Headers")
            if wanted:
                self.set_header("Access-Control-Allow-Headers", wanted)
            self.set_header("Access-Control-Max-Age", "600")
        self.send(Reply(204))


class HookHandler(CallHandler):
    """``workflows/hooks/{slug}/{path}/…``: starts a run, or wakes a stage that waits."""

    async def find(self, slug: str, path: str) -> tuple[Target, str]:  # type: ignore[override]
        """Return the hook of the live deployment."""
        target = await self.hooks.hook_at(slug, path)
        # As it was sent: a slash within a part is not one between parts.
        rest = self.request.path.removeprefix(url_path_join(self.base_url, "workflows/hooks", slug, path))
        if path_parameters(rest, target.route) is None:
            raise no_hook()
        return target, rest


class CallbackHandler(CallHandler):
    """``workflows/callbacks/{stage run}/{name}/{code}``: wakes the hook that an address was made for."""

    async def find(self, origin: str, name: str, code: str) -> tuple[Target, str]:  # type: ignore[override]
        """Return the hook that the address was made for."""
        return await self.hooks.callback_at(origin, name, code), ""


class AnswerHandler(PublicHandler):
    """``workflows/answers/{stage run}/{code}``: where a caller looks who was not answered at once."""

    @allow_unauthenticated
    async def get(self, stage_run: str, code: str) -> None:
        """Say how the run stands, and what the hook answered."""
        answer, state = await self.hooks.look_up(stage_run, code)
        response = answer.response
        shown = None
        if response is not None:
            shown = {
                "status": response["status"],
                "headers": response_headers(response),
                "body": response.get("body") or "",
                "encoding": response.get("encoding") or "text",
            }
        self._pause(answer.is_final and state not in ("running", "waiting"))
        body = {"run": answer.run_id, "state": str(state), "stage": str(answer.state), "response": shown}
        self.send(Reply(200, body))

    def _pause(self, ended: bool) -> None:
        if not ended:
            self.set_header("Retry-After", "1")

    head = get

    @allow_unauthenticated
    def options(self, *parts: str) -> None:
        """Say which methods there are."""
        self.set_header("Allow", "GET, HEAD, OPTIONS")
        self.send(Reply(204))


class ResponseHandler(PublicHandler):
    """``workflows/answers/{stage run}/{code}/response``: what the hook answered, as it would have come."""

    @allow_unauthenticated
    async def get(self, stage_run: str, code: str) -> None:
        """Give the answer, or say that there is none yet."""
        answer, state = await self.hooks.look_up(stage_run, code)
        if answer.is_final:
            self.send(reply_of(answer))
            return
        self.set_header("Retry-After", "1")
        self.send(Reply(202, {"run": answer.run_id, "state": str(state)}))

    head = get

    @allow_unauthenticated
    def options(self, *parts: str) -> None:
        """Say which methods there are."""
        self.set_header("Allow", "GET, HEAD, OPTIONS")
        self.send(Reply(204))


class NothingHandler(PublicHandler):
    """All that looks like an address of ours and is none."""

    @allow_unauthenticated
    def get(self, *parts: str) -> None:
        """Say that there is nothing."""
        raise no_hook()

    head = post = put = patch = delete = options = get


_ID = r"([0-9a-z]{20})"
_CODE = r"([0-9a-f]{40})"
_SLUG = r"([a-z0-9-]{1,200})"

#: Patterns below the server's base URL, and who serves them.
default_handlers: list[tuple[str, type[PublicHandler]]] = [
    (rf"workflows/hooks/{_SLUG}/{_SLUG}(?:/.*)?", HookHandler),
    (rf"workflows/callbacks/{_ID}/{_SLUG}/{_CODE}", CallbackHandler),
    (rf"workflows/answers/{_ID}/{_CODE}", AnswerHandler),
    (rf"workflows/answers/{_ID}/{_CODE}/response", ResponseHandler),
    (r"workflows/(?:hooks|callbacks|answers)(/.*)?", NothingHandler),
]
