"""Every route is guarded, documented, and closed to strangers."""

from __future__ import annotations

import inspect
import re
from typing import Any

import pytest
from jupyter_server.auth import decorator
from tornado import web
from tornado.websocket import WebSocketHandler

from jupyter_workflows.server.app import ROUTES, WorkflowsApp

VERBS = ("get", "head", "post", "put", "patch", "delete", "options")
_EXAMPLES = {
    "run": "1q2w3e4r5t6z7u8v9w0x",
    "attempt": "1",
    "workflow": "shop",
    "stage": "pay",
    "artifact": "0" * 64,
}


def layers(method: Any) -> list[str]:
    """Return the files of the functions that are wrapped around a method."""
    found = []
    while method is not None:
        found.append(inspect.getsourcefile(method) or "")
        method = getattr(method, "__wrapped__", None)
    return found


def verbs_of(handler: type) -> list[str]:
    """Return the verbs that a handler implements."""
    plain = web.RequestHandler._unimplemented_method
    return [verb for verb in VERBS if getattr(handler, verb) is not plain]


def example(path: str) -> str:
    """Return a path with its parameters filled in."""
    return re.sub(r"\{(\w+)\}", lambda match: _EXAMPLES.get(match[1], _EXAMPLES["run"]), path)


@pytest.fixture
def handlers(jp_serverapp: Any, workflows_app: WorkflowsApp) -> dict[str, type]:
    """All handlers of the extension, by pattern, as the server has them."""
    found = {}
    for rule in jp_serverapp.web_app.wildcard_router.rules + jp_serverapp.web_app.default_router.rules:
        for inner in getattr(rule.target, "rules", [rule]):
            target = inner.target
            if isinstance(target, type) and target.__module__.startswith("jupyter_workflows"):
                found[inner.matcher.regex.pattern] = target
    return found


def test_the_server_has_all_routes(handlers: dict[str, type]) -> None:
    assert {handler for _, handler in ROUTES} <= set(handlers.values())


def test_every_verb_is_authenticated_and_authorized_or_says_that_it_is_not(handlers: dict[str, type]) -> None:
    assert handlers
    for handler in handlers.values():
        for verb in verbs_of(handler):
            method = getattr(handler, verb)
            if getattr(method, "__allow_unauthenticated", False):
                continue  # explicitly not: preflights, and hooks with a check of their own
            assert getattr(handler, "auth_resource", None), handler
            files = layers(method)
            if issubclass(handler, WebSocketHandler):
                # Websockets have a decorator of their own, and ask the authorizer themselves.
                assert inspect.getsourcefile(decorator) in files, handler
                assert "is_authorized" in inspect.getsource(handler), handler
                continue
            assert inspect.getsourcefile(web) in files, f"{handler}.{verb} is not authenticated"
            assert inspect.getsourcefile(decorator) in files, f"{handler}.{verb} is not authorized"


def test_no_decorated_verb_is_inherited(handlers: dict[str, type]) -> None:
    # Jupyter's decorator remembers the resource of its first call.
    for handler in handlers.values():
        for verb in verbs_of(handler):
            if getattr(getattr(handler, verb), "__allow_unauthenticated", False):
                continue
            owner = next(base for base in handler.__mro__ if verb in vars(base))
            assert owner is handler, f"{handler}.{verb} comes from {owner}"


def test_every_route_is_in_the_openapi_document(workflows_app: WorkflowsApp) -> None:
    paths = workflows_app.openapi["paths"]
    for path, handler in ROUTES:
        documented = set(paths[f"/{path}"])
        assert documented == set(verbs_of(handler)) - {"options"}, path
    assert len(paths) == len(ROUTES)


async def test_strangers_are_refused_everywhere(jp_fetch: Any, workflows_app: WorkflowsApp) -> None:
    for path, handler in ROUTES:
        for verb in verbs_of(handler):
            if verb == "options":
                continue
            response = await jp_fetch(
                "workflows",
                "api",
                *example(path).split("/"),
                method=verb.upper(),
                headers={"Authorization": "token wrong"},
                body=b"{}" if verb in ("post", "put", "patch") else None,
                raise_error=False,
            )
            assert response.code == 403, (verb, path)
            assert response.headers["Content-Type"] == "application/problem+json"
            assert b"not-signed-in" in response.body or b"forbidden" in response.body


async def test_what_is_no_route_is_a_problem_too(api: Any, jp_fetch: Any) -> None:
    (await api("GET", "nothing/here")).problem(404, "not-found")
    (await api("POST", "nothing/here", {})).problem(404, "not-found")
    found = (await api("DELETE", "runs")).problem(405, "wrong-method")
    assert found["instance"].endswith("workflows/api/runs")
    assert (await api("PATCH", "runs", {})).headers["Allow"] == "GET, POST, OPTIONS"


async def test_who_may_is_asked_by_resource_and_action(
    api: Any, jp_serverapp: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def refuse(handler: Any, user: Any, action: str, resource: str) -> bool:
        asked.append((action, resource))
        return False

    monkeypatch.setattr(jp_serverapp.authorizer, "is_authorized", refuse)
    (await api("GET", "runs")).problem(403, "forbidden")
    (await api("POST", "runs", {"mode": "live", "workflow": "shop"})).problem(403, "forbidden")
    (await api("POST", "runs/1q2w3e4r5t6z7u8v9w0x/cancel")).problem(403, "forbidden")
    assert asked == [("read", "workflows"), ("execute", "workflows"), ("write", "workflows")]
