"""Who may: Jupyter Server's identity provider and authorizer, as decorators with types."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeVar, cast

from jupyter_server.auth import decorator
from tornado import web

F = TypeVar("F", bound=Callable[..., Any])

#: The resource that the authorizer is asked about.
AUTH_RESOURCE = "workflows"


def authenticated(method: F) -> F:
    """Let only those in who are signed in."""
    return cast("F", web.authenticated(method))


def authorized(action: Literal["read", "write", "execute"]) -> Callable[[F], F]:
    """Let only those in who may do this with workflows.

    ``read`` looks, ``write`` changes what is there, ``execute`` has notebooks executed.

    Jupyter Server's decorator remembers action and resource of its first call, so both are given here.
    """
    return cast("Callable[[F], F]", decorator.authorized(action, AUTH_RESOURCE))
