"""Fork servers for the tests of kernels."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.kernels import LiveKernel, kernel

from jupyter_workflows.execution.kernels import ForkServer


@pytest.fixture(scope="session")
def server() -> Iterator[ForkServer]:
    """A fork server that the tests share; what changes a server's state needs one of its own."""
    with ForkServer.start(pool=1) as server:
        yield server


@pytest.fixture
def forked(server: ForkServer) -> Iterator[LiveKernel]:
    """A forked kernel, as stages have it."""
    with kernel(server) as live:
        yield live


@pytest.fixture(params=["link", "sockets"])
def any_forked(request: pytest.FixtureRequest, server: ForkServer) -> Iterator[LiveKernel]:
    """A forked kernel of each kind: linked to its client, and connectable."""
    with kernel(server, connectable=request.param == "sockets") as live:
        assert live.client.linked == (request.param == "link")
        yield live
