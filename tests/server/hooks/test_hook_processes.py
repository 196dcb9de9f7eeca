"""Hooks from end to end: a server, its runner, and notebooks in kernels."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook
from support.hooks import Deployed, make_live
from support.projects import write_project
from support.servers import ServerProcess, server_process, wait_for

from jupyter_workflows.model.states import RunState
from jupyter_workflows.store import Store, open_store

PUBLIC = "https://hooks.example.org/jupyter/"

HOOKS = "from jupyter_workflows import get_stage\nfrom jupyter_workflows.hooks import get_request, respond\n"
ECHO = (
    HOOKS
    + """
import json
request = get_request()
respond(
    {
        "method": request.method,
        "body": repr(request.body),
        "query": dict(request.query),
        "params": dict(request.path_params),
        "headers": {name.lower(): value for name, value in request.headers.items()},
    },
    status=201,
    headers={"X-Stage": get_stage().path},
)
"""
)
SLOW = (
    HOOKS
    + """
import pathlib, time
flag = pathlib.Path(get_request().body["flag"])
respond("early")
while not flag.exists():
    time.sleep(0.02)
get_stage()["waited"] = True
"""
)
ORDER = (
    HOOKS
    + """
stage = get_stage()
stage["order_id"] = get_request().body["id"]
respond({"pay_at": stage.callback_url("paid")})
"""
)
PAID = HOOKS + "stage = get_stage()\nrespond(f'order {stage[\"order_id\"]} is paid: {get_request().text}')"

STAGES: dict[str, dict[str, Any]] = {
    "echo": {"type": "hook", "methods": ["GET", "POST"], "route": "{a}/{rest...}", "cells": [ECHO]},
    "signed": {"type": "hook", "auth": {"kind": "signature"}, "cells": [ECHO]},
    "slow": {"type": "hook", "cells": [SLOW]},
    "fails": {"type": "hook", "cells": ["raise ValueError('the password is sesame')"]},
    "accepts": {"type": "hook", "response": "accept", "cells": [ECHO]},
    "waits": {
        "type": "hook",
        "response_timeout": 60,
        "cells": [SLOW.replace('respond("early")', "") + "respond('late')"],
    },
    "order": {"type": "hook", "cells": [ORDER]},
    "paid": {"type": "hook", "cells": [PAID]},
}
TRANSITIONS = [{"source": "order", "target": "paid"}]


@pytest.fixture(scope="module", autouse=True)
def jp_server_cleanup() -> None:
    """Nothing is left in this process."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server that runs."""
    folder = tmp_path_factory.mktemp("hooks")
    with server_process(folder, WorkflowsApp__public_url=PUBLIC) as started:
        started.runner()
        yield started


@pytest.fixture(scope="module")
def store(server: ServerProcess) -> Iterator[Store]:
    """The server's store."""
    with contextlib.closing(open_store(server.database)) as opened:
        yield opened


@pytest.fixture(scope="module")
def live(server: ServerProcess, store: Store) -> Deployed:
    """The workflow, deployed."""
    document = write_project(server.root / "shop", STAGES, TRANSITIONS, title="Shop")
    (document.parent / "requirements.txt").write_text("jupyter_workflows\n")
    return make_live(store, document)


class Caller:
    """Calls hooks of a server."""

    def __init__(self, server: ServerProcess, live: Deployed) -> None:
        self.server = server
        self.live = live
        self.client = httpx.Client(timeout=60, trust_env=False)

    def __call__(self, hook: str, below: str = "", *, method: str = "POST", **options: Any) -> httpx.Response:
        """Call a hook, with its token."""
        headers = {"Authorization": f"Bearer {self.live.secrets[hook]}", **options.pop("headers", {})}
        url = f"{self.server.url}{self.live.path(hook)}{below}"
        return self.client.request(method, url, headers=headers, **options)


@pytest.fixture
def call(server: ServerProcess, live: Deployed) -> Iterator[Caller]:
    """Calls hooks."""
    caller = Caller(server, live)
    yield caller
    caller.client.close()


def ended(store: Store, run: str) -> Any:
    """Wait for the end of a run, and return it."""

    def found() -> Any:
        details = store.get_run(run)
        return details if details.run.state not in (RunState.RUNNING, RunState.WAITING) else None

    return wait_for(found, "the run to end")


def test_a_request_in_full(call: Caller) -> None:
    response = call("echo", "/1/x/y?q=ü", json={"n": [1, 2]})
    assert response.status_code == 201, response.text
    assert response.headers["X-Stage"] == "echo"
    answer = response.json()
    assert (answer["method"], answer["body"]) == ("POST", "{'n': [1, 2]}")
    assert answer["query"] == {"q": "ü"}
    assert answer["params"] == {"a": "1", "rest": "x/y"}
    assert "authorization" not in answer["headers"]
    assert call("echo", "/1", method="GET").json()["body"] == "None"


def test_forms_and_files(call: Caller) -> None:
    answer = call("echo", "/1", data={"a": "1"}, files={"f": ("f.bin", b"\0\xff", "image/x")}).json()
    assert "Upload(name='f.bin', content_type='image/x', content=b'\\x00\\xff')" in answer["body"]
    assert "'a': '1'" in answer["body"]
    large = call("echo", "/1", content=b"\xff" * 1_000_000, headers={"Content-Type": "image/x"})
    assert large.json()["body"].count("\\xff") == 1_000_000


def test_the_caller_is_answered_before_the_notebook_ends(call: Caller, store: Store, tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    response = call("slow", json={"flag": str(flag)})
    assert response.text == "early"
    run = store.list_runs().runs[0]
    assert run.state is RunState.RUNNING
    flag.touch()
    assert ended(store, run.id).stage_runs[0].result.values["waited"] is True


def test_a_notebook_that_fails(call: Caller, store: Store) -> None:
    response = call("fails")
    assert response.status_code == 500
    assert response.headers["Content-Type"] == "application/problem+json"
    assert "sesame" not in response.text
    assert store.get_run(response.json()["run"]).run.state is RunState.FAILED


def test_an_accepted_request(call: Caller, store: Store) -> None:
    response = call("accepts", content="x")
    assert response.status_code == 202
    assert response.json()["address"].startswith(PUBLIC)
    ended(store, response.json()["run"])
    address = response.json()["address"].replace(PUBLIC, call.server.url)
    assert call.client.get(address).json()["state"] == "completed"
    assert call.client.get(f"{address}/response").json()["body"] == "'x'"


def test_the_clients_of_standard_webhooks_and_of_a_code_host(call: Caller, live: Deployed) -> None:
    secret = live.secrets["signed"]
    body = json.dumps({"type": "invoice.paid", "data": {"id": "ä"}})
    now = datetime.now(UTC)
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign("msg_1", now, body),
    }
    url = f"{call.server.url}{live.path('signed')}"
    assert call.client.post(url, content=body, headers=headers).status_code == 201
    digest = hmac.new(secret.encode(), body.encode(), hashlib.sha256).hexdigest()
    hub = {"X-Hub-Signature-256": f"sha256={digest}", "X-GitHub-Event": "push"}
    answer = call.client.post(url, content=body, headers=hub)
    assert answer.json()["headers"]["x-github-event"] == "push"
    forged = base64.b64encode(b"0" * 32).decode()
    headers["webhook-signature"] = f"v1,{forged}"
    assert call.client.post(url, content=body, headers=headers).status_code == 401


def test_an_address_that_a_notebook_gave_away(call: Caller, store: Store) -> None:
    first = call("order", json={"id": 17})
    address = first.json()["pay_at"]
    assert address.startswith(f"{PUBLIC}workflows/callbacks/")
    paid = call.client.post(address.replace(PUBLIC, call.server.url), content="cash")
    if paid.status_code == 202:  # it came before the run waited for it
        run = paid.json()["run"]
        ended(store, run)
        paid = call.client.post(address.replace(PUBLIC, call.server.url), content="cash")
    assert paid.text == "order 17 is paid: cash"
    run = store.list_runs().runs[0].id
    details = ended(store, run)
    assert details.run.state is RunState.COMPLETED
    folder = store.folder(run, details.stage_runs[0].id)
    key = store.address_key().hex()
    assert not any(key in file.read_text(errors="replace") for file in folder.rglob("*") if file.is_file())


def test_a_burst_is_worked_off(call: Caller, store: Store) -> None:
    answers: list[int] = []

    def work() -> None:
        answers.append(call("echo", "/1", method="GET").status_code)

    threads = [threading.Thread(target=work) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == 12 * [201]


def test_a_server_that_is_killed_loses_nothing(call: Caller, store: Store, tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    options: Any = {"json": {"flag": str(flag)}, "headers": {"Idempotency-Key": "k1"}}
    gone: list[Exception] = []

    def first() -> None:
        try:
            call("waits", **options)
        except httpx.HTTPError as error:
            gone.append(error)

    before = {run.id for run in store.list_runs().runs}
    thread = threading.Thread(target=first)
    thread.start()
    (new,) = wait_for(lambda: [run for run in store.list_runs().runs if run.id not in before], "the run")
    call.server.kill()
    thread.join()
    assert gone
    flag.touch()
    call.server.start()
    again = call("waits", **options)
    assert again.text == "late"
    assert {run.id for run in store.list_runs().runs} - before == {new.id}
