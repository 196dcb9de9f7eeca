"""A Jupyter server with our extension in the test's own process, and a make-believe runner."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from support.stores import document, fail, finish

from jupyter_workflows.model.records import Failure
from jupyter_workflows.runner.wakeup import SERVERS, WakeUps, wake
from jupyter_workflows.server.app import WorkflowsApp
from jupyter_workflows.store import Claim, RunnerIdentity, Store, new_id
from jupyter_workflows.store.deployment_records import NewDeployment

#: What a stage does: returns changes of its data, raises `ValueError` to fail; it may answer by `respond`.
Behaviour = Callable[["Attempt"], Any]


def _nothing(attempt: Attempt) -> None:
    """Do what a notebook without cells does."""


@dataclass
class Attempt:
    """A claimed stage run, for a behaviour."""

    runner: ScriptedRunner
    claim: Claim

    @property
    def request(self) -> Mapping[str, Any]:
        """What the hook was called with."""
        assert self.claim.request is not None
        return self.claim.request

    async def respond(
        self, body: str | bytes = "", status: int = 200, headers: Mapping[str, str] | None = None
    ) -> None:
        """Answer, while the stage goes on."""
        binary = isinstance(body, bytes)
        text = base64.b64encode(body).decode() if isinstance(body, bytes) else body
        response = {
            "status": status,
            "headers": dict(headers or {}),
            "body": text,
            "encoding": "base64" if binary else "text",
        }
        store = self.runner.store
        await asyncio.to_thread(store.respond, self.claim, response)
        wake(store.state_folder / "wake", self.claim.id.encode(), kind=SERVERS)


@dataclass
class ScriptedRunner:
    """Claims what is queued and lets a function stand in for each notebook, by the stage's path."""

    store: Store
    behaviours: dict[str, Behaviour] = field(default_factory=dict)
    concurrency: int = 8
    seen: list[Claim] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.identity = RunnerIdentity.current(new_id())
        self._wake_ups = WakeUps(self.store.state_folder / "wake", lambda messages: self._work.set())
        self._work = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._main: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to claim."""
        await asyncio.to_thread(self.store.register_runner, self.identity)
        self._wake_ups.open()
        self._main = asyncio.create_task(self._claim())

    async def stop(self) -> None:
        """Claim nothing more, and end what is executed."""
        assert self._main is not None
        for task in (self._main, *self._tasks):
            task.cancel()
        self._wake_ups.close()
        await asyncio.gather(self._main, *self._tasks, return_exceptions=True)

    async def _claim(self) -> None:
        while True:
            self._work.clear()
            free = self.concurrency - len(self._tasks)
            claims = []
            if free > 0:
                claims = await asyncio.to_thread(self.store.claim, self.identity, limit=free)
            for claim in claims:
                self.seen.append(claim)
                task = asyncio.create_task(self._execute(claim))
                self._tasks.add(task)
                task.add_done_callback(self._done)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.2):
                    await self._work.wait()

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._work.set()

    async def _execute(self, claim: Claim) -> None:
        behave: Behaviour = self.behaviours.get(claim.stage_run.path, _nothing)
        changes = None
        try:
            changes = behave(Attempt(self, claim))
            if asyncio.iscoroutine(changes):
                changes = await changes
        except ValueError as error:
            await asyncio.to_thread(fail, self.store, claim, Failure("ValueError", str(error)))
        else:
            values = changes if isinstance(changes, Mapping) else None
            await asyncio.to_thread(finish, self.store, claim, values)
        wake(self.store.state_folder / "wake", claim.id.encode(), kind=SERVERS)


@dataclass
class Hooks:
    """The server with its store, for tests."""

    app: WorkflowsApp
    url: str
    store: Store
    runner: ScriptedRunner
    client: httpx.AsyncClient
    secrets: dict[str, str] = field(default_factory=dict)

    def deploy(
        self,
        stages: Mapping[str, Mapping[str, Any]],
        transitions: Mapping[str, Mapping[str, Any]] | None = None,
        *,
        uid: str = "w1",
        slug: str = "shop",
    ) -> None:
        """Make a workflow live; hooks are open unless they say otherwise."""
        complete = {
            key: {"auth": {"kind": "none"}, **stage} if stage.get("type") == "hook" else stage
            for key, stage in stages.items()
        }
        new = NewDeployment(new_id(), document(complete, transitions, uid=uid), slug, "hash", 0, "/project")
        made = self.store.add_deployment(new, lambda folder: folder)
        self.secrets.update({secret.path: secret.secret for secret in made.secrets})

    def hook(self, path: str, below: str = "", *, slug: str = "shop") -> str:
        """Return the address of a hook."""
        return f"{self.url}workflows/hooks/{slug}/{path}{below}"

    async def post(self, path: str, *, below: str = "", **options: Any) -> httpx.Response:
        """Call a hook by POST."""
        return await self.client.post(self.hook(path, below), **options)

    @staticmethod
    def problem(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
        """Return the problem details of an answer."""
        assert response.status_code == status, response.text
        assert response.headers["content-type"] == "application/problem+json"
        found: dict[str, Any] = json.loads(response.content)
        assert found["status"] == status
        assert found["code"] == code, found
        assert "Traceback" not in response.text
        return found

    async def until(self, condition: Callable[[], Any]) -> Any:
        """Wait until a condition holds, and return its value."""
        async with asyncio.timeout(20):
            while not (value := condition()):
                await asyncio.sleep(0.01)
            return value

    def run(self, run_id: str) -> Any:
        """Return a run with its stage runs."""
        return self.store.get_run(run_id)


@pytest.fixture
def hook_settings() -> dict[str, Any]:
    """Settings of the extension."""
    return {}


@pytest.fixture
def jp_server_config(tmp_path: Path, hook_settings: dict[str, Any]) -> dict[str, Any]:
    """Our extension, without a runner."""
    return {
        "ServerApp": {"jpserver_extensions": {"jupyter_workflows": True}},
        "WorkflowsApp": {
            "database_url": f"sqlite:///{tmp_path / 'state' / 'workflows.sqlite3'}",
            "runner_enabled": False,
            **hook_settings,
        },
    }


@pytest.fixture
def hooks(
    jp_serverapp: Any,
    http_server: Any,
    jp_http_port: int,
    jp_base_url: str,
    jp_asyncio_loop: asyncio.AbstractEventLoop,
) -> Iterator[Hooks]:
    """The server, a runner of the tests' own and a client."""
    (app,) = jp_serverapp.extension_manager.extension_apps["jupyter_workflows"]

    async def start() -> Hooks:
        store = await app.database.ready()
        runner = ScriptedRunner(store)
        await runner.start()
        client = httpx.AsyncClient(timeout=30, trust_env=False)
        return Hooks(app, f"http://localhost:{jp_http_port}{jp_base_url}", store, runner, client)

    async def stop() -> None:
        await made.client.aclose()
        await made.runner.stop()

    made = jp_asyncio_loop.run_until_complete(start())
    yield made
    jp_asyncio_loop.run_until_complete(stop())
