"""What is done with requests to hooks: whom they are for, and what their callers are told."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_workflows.authoring.wire import encode
from jupyter_workflows.model.document import HookStage
from jupyter_workflows.model.states import RunState, StageRunState
from jupyter_workflows.runner.wakeup import QUEUED, wake
from jupyter_workflows.store import NotFound, WrongState, capabilities
from jupyter_workflows.store.hook_calls import (
    Hook,
    HookAnswer,
    HookCall,
    HookSecret,
    NobodyWaits,
    QueueFull,
    Received,
    RunEnded,
    SeveralWait,
)

from ..database import StoreThreads
from ..problems import Problem
from . import bodies
from .answers import Answers
from .settings import HookSettings

#: Requests a second that a queue is taken to be worked off with, for `Retry-After`.
_PACE = 10
#: Headers that an answer cannot have, whatever a stage run's folder says.
_NOT_SENT = frozenset(
    {
        "connection",
        "content-length",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "set-cookie",
        "set-cookie2",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)


@dataclass(frozen=True, slots=True)
class Target:
    """What a request is addressed to.

    Parameters
    ----------
    auth
        ``token``, ``signature`` or ``none``.
    accept
        Whether the caller is told at once that the request was accepted.
    wait
        Seconds that a caller waits.
    route
        Pattern of the path below the hook's own.
    hook
        `None` for a callback address, which is of the stage run `origin` and has the name `name`.
    """

    methods: tuple[str, ...]
    auth: str
    accept: bool
    wait: float
    route: str | None = None
    match: Mapping[str, str] | None = None
    secrets: tuple[HookSecret, ...] = ()
    hook: Hook | None = None
    origin: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """A request whose body has come and whose caller is known."""

    method: str
    path: str
    below: str
    query: str
    headers: Mapping[str, str]
    header_pairs: bodies.Pairs
    body: bytes
    secret_id: str | None = None
    message_id: str | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """What a caller is told."""

    status: int
    body: bytes | Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


class HookService:
    """Takes requests, and gives their answers.

    Parameters
    ----------
    database
        All calls of the store go through its threads.
    """

    def __init__(self, database: StoreThreads, settings: HookSettings | None = None) -> None:
        self.database = database
        self.settings = settings or HookSettings()
        self._key: bytes | None = None
        self.answers = Answers(self._look, lambda: self._wake_folder)

    @property
    def _wake_folder(self) -> Path:
        return self.database.store.state_folder / "wake"

    async def _look(self, names: Any) -> list[HookAnswer]:
        return await self.database.read(self.database.store.answers, names)

    async def stop(self) -> None:
        """Let all callers go; they are told where to look for their answers."""
        await self.answers.close()

    # -- whom a request is for ---------------------------------------------------------------------------

    async def hook_at(self, slug: str, path: str) -> Target:
        """Return the hook at an address.

        Raises
        ------
        Problem
            404: there is none. 503: it rests.
        """
        store = await self.database.ready()
        hook = await self.database.read(store.hook_at, slug, path)
        if hook is None:
            raise no_hook()
        record = hook.record
        if hook.paused:
            later = {"Retry-After": "60"}
            raise Problem(503, "paused", "the workflow of this hook is paused", "Try later", headers=later)
        stage = hook.parsed.document.stages[record.stage]
        return Target(
            methods=record.methods,
            auth=record.auth,
            accept=record.response == "accept",
            wait=record.response_timeout,
            route=route_of(stage),
            match=record.match,
            secrets=hook.secrets,
            hook=hook,
        )

    async def callback_at(self, origin: str, name: str, code: str) -> Target:
        """Return what a callback address stands for.

        Raises
        ------
        Problem
            404: the address was not given out here. 410: its run is not kept any more.
        """
        store = await self.database.ready()
        key = await self._address_key()
        if not capabilities.is_code(code, key, "callback", origin, name):
            raise Problem(404, "not-found", "there is nothing at this address")
        try:
            stage = await self.database.read(store.hook_stage, origin, name)
        except NotFound:
            raise gone() from None
        return Target(
            methods=tuple(stage.methods),
            auth="none",
            accept=stage.response == "accept",
            wait=stage.response_timeout,
            route=route_of(stage),
            origin=origin,
            name=name,
        )

    # -- taking a request --------------------------------------------------------------------------------

    async def take(self, target: Target, call: Call) -> Received:
        """Take a request; it is durable when this returns.

        Raises
        ------
        Problem
            It is not taken.
        """
        request, seen_hash = self._request(target, call)
        key = bodies.idempotency_key(call.headers, call.message_id) if target.hook is not None else None
        wanted = None
        if len(call.body) > 64 * 1024:
            seen = await asyncio.to_thread(bodies.checked, request, call.body)
        else:
            seen = bodies.checked(request, call.body)
        if target.match:
            wanted = bodies.matched(target.match, seen)
        members = bodies.body_members(call.body)
        sizes: dict[str, int] = {}
        if members is None:
            members = {"body": await self._keep_body(call.body, sizes)}
        taken = HookCall(
            request={**request, **members},
            body_hash=seen_hash,
            artifacts=sizes,
            wanted=wanted,
            key=key,
            secret_id=call.secret_id,
            depth=self.settings.queue_depth,
        )
        self.answers.open()
        received = await self._store(target, taken)
        if not received.repeated and received.stage_run_id is not None:
            wake(self._wake_folder, QUEUED)
        return received

    def _request(self, target: Target, call: Call) -> tuple[dict[str, Any], str]:
        parameters = bodies.path_parameters(call.below, target.route)
        if parameters is None:
            raise no_hook()
        request = {
            "method": call.method,
            "path": call.path,
            "path_params": parameters,
            "query": bodies.query_pairs(call.query),
            "headers": bodies.public_headers(call.header_pairs),
        }
        return request, bodies.content_hash(call.method, call.path, call.query, call.body)

    async def _keep_body(self, body: bytes, sizes: dict[str, int]) -> Any:
        store = self.database.store

        def save(content: bytes | Path, description: dict[str, Any]) -> str:
            assert isinstance(content, bytes)
            hashed = store.artifacts.put_bytes(content)
            sizes[hashed] = len(content)
            return hashed

        return await asyncio.to_thread(encode, body, key="body", save=save)

    async def _store(self, target: Target, taken: HookCall) -> Received:
        store = self.database.store
        try:
            if target.hook is not None:
                return await self.database.write(store.receive, target.hook, taken)
            return await self.database.write(store.receive_callback, target.origin, target.name, taken)
        except NobodyWaits as error:
            raise Problem(404, "nobody-waits", error.message) from None
        except SeveralWait as error:
            raise Problem(409, "several-wait", error.message, error.mend) from None
        except QueueFull as error:
            later = str(max(1, min(60, error.depth // _PACE)))
            raise Problem(
                429, "too-many-requests", error.message, error.mend, headers={"Retry-After": later}
            ) from None
        except (RunEnded, NotFound):
            raise gone() from None
        except WrongState as error:
            raise Problem(409, "used-already", error.message) from None

    # -- answering ---------------------------------------------------------------------------------------

    async def reply(self, target: Target, received: Received, address: str) -> Reply:
        """Wait for the answer to a request as long as its hook says.

        Parameters
        ----------
        address
            Where the caller may look for the answer later.
        """
        if received.stage_run_id is None:
            return Reply(202, {"run": received.run_id, "state": "early"})
        if target.accept:
            return accepted(received.run_id, address)
        wait = min(target.wait, self.settings.longest_wait)
        answer = await self.answers.wait(received.stage_run_id, wait, look=received.repeated)
        if answer is None:
            return accepted(received.run_id, address)
        return reply_of(answer)

    async def address(self, stage_run_id: str) -> str:
        """Return the path, below the server's base URL, at which a caller finds its answer."""
        return capabilities.answer(await self._address_key(), stage_run_id)

    async def _address_key(self) -> bytes:
        if self._key is None:
            self._key = await self.database.write(self.database.store.address_key)
        return self._key

    async def look_up(self, stage_run_id: str, code: str) -> tuple[HookAnswer, RunState]:
        """Return where a request stands.

        Raises
        ------
        Problem
            404: the address was not given out here, or the run is not kept any more.
        """
        store = await self.database.ready()
        if not capabilities.is_code(code, await self._address_key(), "answer", stage_run_id):
            raise Problem(404, "not-found", "there is nothing at this address")
        return await self.database.read(store.answer, stage_run_id)


def route_of(stage: Any) -> str | None:
    """Return the pattern of the path below a hook's own."""
    assert isinstance(stage, HookStage)
    return stage.route


def no_hook() -> Problem:
    """Return the problem of an address without a hook."""
    return Problem(404, "no-such-hook", "there is no hook at this address")


def gone() -> Problem:
    """Return the problem of an address whose run has ended."""
    return Problem(410, "run-ended", "the run that this address belongs to has ended")


def accepted(run_id: str, address: str) -> Reply:
    """Return what a caller is told whose request is taken and not answered yet."""
    return Reply(202, {"run": run_id, "state": "running", "address": address}, {"Location": address})


def reply_of(answer: HookAnswer) -> Reply:
    """Return what a caller is told in the end."""
    response = answer.response
    if response is None:
        if answer.state is StageRunState.COMPLETED:
            return Reply(200, {"run": answer.run_id})
        if answer.state is StageRunState.CANCELLED:
            raise Problem(500, "run-cancelled", "the run was cancelled", run=answer.run_id)
        raise Problem(500, "stage-failed", "the request was taken, but its stage failed", run=answer.run_id)
    return Reply(int(response["status"]), response_body(response), response_headers(response))


def response_body(response: Mapping[str, Any]) -> bytes:
    """Return the bytes of what a notebook answered."""
    text = str(response.get("body") or "")
    if response.get("encoding") == "base64":
        import base64

        return base64.b64decode(text)
    return text.encode(errors="replace")


def response_headers(response: Mapping[str, Any]) -> dict[str, str]:
    """Return the headers of what a notebook answered."""
    headers = response.get("headers") or {}
    return {str(name): str(value) for name, value in headers.items() if str(name).lower() not in _NOT_SENT}
