"""The choice of a kernel, and what papermill, nbclient and jupyter_client make of our managers."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import pickle
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from textwrap import dedent
from typing import Any

import nbformat
import pytest
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning import KernelProvisionerFactory
from jupyter_core.utils import run_sync
from nbclient import NotebookClient
from support.kernels import LiveKernel, kernel

from jupyter_workflows.execution.kernels import (
    ForkProvisioner,
    ForkServer,
    NoSuchKernel,
    StageKernelManager,
    make_kernel_manager,
)
from jupyter_workflows.execution.kernels.kernelspecs import is_forkable


@pytest.fixture
def specs(tmp_path: Path) -> KernelSpecManager:
    """A place for kernelspecs of the test's own."""
    return KernelSpecManager(kernel_dirs=[str(tmp_path / "kernels")], ensure_native_kernel=False)


def install(specs: KernelSpecManager, name: str, argv: list[str], **options: Any) -> None:
    """Install a kernelspec."""
    folder = Path(specs.kernel_dirs[0]) / name
    folder.mkdir(parents=True)
    spec = {"argv": argv, "display_name": name, "language": "python", **options}
    (folder / "kernel.json").write_text(json.dumps(spec))


IPYKERNEL = ["-m", "ipykernel_launcher", "-f", "{connection_file}"]


def test_a_kernel_that_is_not_installed(server: ForkServer) -> None:
    with pytest.raises(NoSuchKernel) as caught:
        make_kernel_manager("julia-9", fork_server=server)
    assert caught.value.name == "julia-9"
    assert "python3" in caught.value.available
    assert "'julia-9' is not installed" in str(caught.value)
    assert "python3" in str(caught.value)
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.available) == (str(caught.value), caught.value.available)


@pytest.mark.parametrize("name", [None, "python3", "python"])
def test_python_kernels_of_this_environment_are_forked(server: ForkServer, name: str | None) -> None:
    with kernel(server, name) as live:
        assert live.manager.kernel_origin in ("warm", "forked")
        assert live.manager.kernel_name == "python3"


def test_other_kernelspecs_take_the_ordinary_path(
    server: ForkServer, specs: KernelSpecManager, tmp_path: Path
) -> None:
    install(
        specs, "other", [sys.executable, "-m", "ipykernel_launcher", "--debug", "-f", "{connection_file}"]
    )
    with kernel(server, "other", kernel_spec_manager=specs) as live:
        assert live.manager.kernel_origin == "spec"
        assert live.value("'other'") == "other"


def test_a_kernelspec_of_the_same_kernel_under_another_name_is_forked(
    server: ForkServer, specs: KernelSpecManager
) -> None:
    install(specs, "mine", [sys.executable, *IPYKERNEL], env={"FROM_SPEC": "${BASE}/x"})
    env = {**os.environ, "BASE": "/base"}
    with kernel(server, "mine", kernel_spec_manager=specs, env=env) as live:
        assert live.manager.kernel_origin in ("warm", "forked")
        assert live.value("__import__('os').environ['FROM_SPEC']") == "/base/x"


@pytest.mark.parametrize(
    ("options", "forkable"),
    [
        ({}, True),
        ({"argv": ["python", *IPYKERNEL]}, True),
        ({"argv": ["python3", "-Xfrozen_modules=off", *IPYKERNEL]}, True),
        ({"argv": ["/usr/bin/python3.0", *IPYKERNEL]}, False),
        ({"argv": [sys.executable, *IPYKERNEL, "--pylab"]}, False),
        ({"argv": [sys.executable, "-m", "xeus", "-f", "{connection_file}"]}, False),
        ({"language": "R"}, False),
        ({"interrupt_mode": "message"}, False),
        ({"metadata": {"kernel_provisioner": {"provisioner_name": "x"}}}, False),
    ],
)
def test_which_kernelspecs_the_fork_server_can_make(options: dict[str, Any], forkable: bool) -> None:
    spec = KernelSpec(**{"argv": [sys.executable, *IPYKERNEL], "language": "python", **options})
    assert is_forkable(spec, sys.executable) is forkable


def test_a_link_to_the_interpreter_from_elsewhere_is_another_environment(tmp_path: Path) -> None:
    (tmp_path / "python").symlink_to(sys.executable)
    assert not is_forkable(
        KernelSpec(argv=[str(tmp_path / "python"), *IPYKERNEL], language="python"), sys.executable
    )


def test_without_a_fork_server_kernels_are_ordinary() -> None:
    with kernel(None) as live:
        assert live.manager.kernel_origin == "spec"
        assert live.client.language_info["name"] == "python"
        assert live.value("1 + 1") == 2


def test_a_dead_fork_server_is_noted_once_and_done_without(caplog: pytest.LogCaptureFixture) -> None:
    server = ForkServer.start(pool=1)
    os.kill(server.pid, signal.SIGKILL)
    with caplog.at_level(logging.WARNING, "jupyter_workflows"):
        for _ in range(2):
            with kernel(server) as live:
                assert live.manager.kernel_origin == "spec"
                assert live.value("1 + 1") == 2
    warnings = [record for record in caplog.records if record.name.startswith("jupyter_workflows")]
    assert len(warnings) == 1
    assert "slow way" in warnings[0].getMessage()
    server.stop()


def test_a_folder_whose_path_is_too_long_means_tcp(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = tmp_path / ("long" * 30)
    folder.mkdir()
    with ForkServer.start(pool=1, folder=folder) as server:
        assert len(server.address) > 108
        assert "too long for sockets" in caplog.text
        with kernel(server, connectable=True) as live:
            assert (live.manager.transport, live.manager.ip) == ("tcp", "127.0.0.1")
            assert live.value("1 + 1") == 2
        with kernel(server) as live:
            assert live.value("1 + 1") == 2
    assert list(folder.iterdir()) == []


def test_connectable_kernels_talk_over_private_sockets(server: ForkServer) -> None:
    with kernel(server, connectable=True) as live:
        assert live.manager.transport == "ipc"
        assert Path(live.manager.ip).parent == Path(server.address).parent
        second = live.manager.client()
        second.start_channels()
        live.run(second.wait_for_ready(timeout=30))
        assert live.run(second.execute("1", reply=True))["content"]["status"] == "ok"
        second.stop_channels()


def test_connectable_kernels_answer_on_all_channels(server: ForkServer) -> None:
    with kernel(server, connectable=True) as live:
        plain = AsyncKernelManager(kernel_name="python3", owns_kernel=False)
        plain.load_connection_info(live.manager.get_connection_info())  # type: ignore[arg-type]

        async def talk() -> tuple[str, str, bool]:
            client = plain.client()
            client.start_channels()
            await client.wait_for_ready(timeout=30)
            executed = await client.execute("1", reply=True)
            shown = client.session.msg("kernel_info_request")
            client.control_channel.send(shown)
            answered = await client.get_control_msg(timeout=30)
            while not client.hb_channel.is_beating():
                await asyncio.sleep(0.05)
            client.stop_channels()
            return executed["content"]["status"], answered["msg_type"], True

        assert live.run(talk()) == ("ok", "kernel_info_reply", True)


def test_connectable_kernels_are_shut_down_by_message(server: ForkServer) -> None:
    with kernel(server, connectable=True) as live:
        live.client.control_channel.send(live.client.session.msg("shutdown_request", {"restart": False}))
        reply = live.run(live.client.get_control_msg(timeout=30))
        assert reply["msg_type"] == "shutdown_reply"
        assert live.wait() == 0


def test_a_kernel_that_is_not_connectable_has_one_client(forked: LiveKernel) -> None:
    with pytest.raises(RuntimeError, match="connectable"):
        forked.manager.client()


@pytest.mark.parametrize("connectable", [False, True])
def test_nbclient_executes_notebooks(server: ForkServer, connectable: bool, tmp_path: Path) -> None:
    cells = [nbformat.v4.new_code_cell(code) for code in ("x = 1", "print(x)", "x + 1")]
    notebook = nbformat.v4.new_notebook(cells=cells)
    manager = make_kernel_manager(fork_server=server, connectable=connectable)
    NotebookClient(notebook, km=manager).execute(cwd=str(tmp_path), cleanup_kc=True)
    assert notebook.cells[1].outputs[0]["text"] == "1\n"
    assert notebook.cells[2].outputs[0]["data"]["text/plain"] == "2"
    assert notebook.metadata["language_info"]["name"] == "python"
    assert manager.kernel_origin in ("warm", "forked")
    assert not manager.has_kernel


def test_papermill_executes_notebooks(server: ForkServer, tmp_path: Path) -> None:
    papermill = pytest.importorskip("papermill")
    cells = [
        nbformat.v4.new_code_cell("x = 1", metadata={"tags": ["parameters"]}),
        nbformat.v4.new_code_cell("x + 1"),
    ]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "in.ipynb")
    manager = make_kernel_manager(fork_server=server)
    done = papermill.execute_notebook(
        str(tmp_path / "in.ipynb"),
        str(tmp_path / "out.ipynb"),
        parameters={"x": 20},
        kernel_name="python3",
        engine_name="nbclient",
        language="python",
        km=manager,
        progress_bar=False,
    )
    assert done.cells[-1].outputs[0]["data"]["text/plain"] == "21"
    run_sync(manager.kill)()  # nbclient ends only the kernels of managers that it has made itself


def test_jupyter_client_finds_the_provisioner(
    server: ForkServer, specs: KernelSpecManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    provisioner = {"provisioner_name": "workflows-fork-provisioner", "config": {"address": server.address}}
    install(specs, "forked", ["python"], metadata={"kernel_provisioner": provisioner})
    assert "workflows-fork-provisioner" in KernelProvisionerFactory.instance().get_provisioner_entries()

    async def use() -> list[Any]:
        manager = AsyncKernelManager(kernel_name="forked", kernel_spec_manager=specs)
        await manager.start_kernel(cwd="/tmp")
        seen: list[Any] = [type(manager.provisioner) is ForkProvisioner, await manager.is_alive()]
        client = manager.client()
        client.start_channels()
        await client.wait_for_ready(timeout=60)
        seen.append((await client.execute("1 / 0", reply=True))["content"]["ename"])
        client.execute("import time\nprint(1, flush=True)\ntime.sleep(60)")
        while (await client.get_iopub_msg(timeout=60))["msg_type"] != "stream":
            pass
        await manager.interrupt_kernel()
        seen.append((await client.get_shell_msg(timeout=60))["content"]["ename"])
        client.stop_channels()
        await manager.shutdown_kernel()
        return [*seen, await manager.is_alive()]

    result = asyncio.run(use())
    assert result[:3] == [True, True, "ZeroDivisionError"]
    assert result[4] is False


def test_a_restarted_kernel_is_a_new_process(server: ForkServer) -> None:
    with kernel(server) as live:
        live.execute("mark = 1")
        first = live.pid
        live.client.stop_channels()
        live.run(live.manager.restart_kernel())
        live.client = live.manager.client()
        assert live.pid != first
        assert live.value("'mark' in globals()") is False


def test_provisioner_information(server: ForkServer, forked: LiveKernel) -> None:
    provisioner = forked.manager.provisioner
    assert provisioner is not None
    assert provisioner.kernel_spec.language == "python"
    info = forked.run(provisioner.get_provisioner_info())
    assert (info["pid"], info["address"]) == (forked.pid, server.address)
    other = ForkProvisioner(kernel_id="", kernel_spec=provisioner.kernel_spec)
    forked.run(other.load_provisioner_info(json.loads(json.dumps(info))))
    assert other.pid == forked.pid
    forked.run(provisioner.terminate())
    assert forked.wait() == -signal.SIGTERM
    forked.run(other.load_provisioner_info(info))
    assert not other.has_process


def test_waiting_for_the_end_is_driven_by_events(forked: LiveKernel) -> None:
    async def both() -> tuple[int, ...]:
        provisioner: Any = forked.manager.provisioner
        assert await provisioner.poll() is None
        waiting = [asyncio.ensure_future(provisioner.exit_code()) for _ in range(2)]
        await asyncio.sleep(0)
        forked.client.execute("import os\nos._exit(5)")
        return tuple(await asyncio.gather(*waiting))

    assert forked.run(both()) == (5, 5)
    assert forked.run(forked.manager.is_alive()) is False


def test_killing(forked: LiveKernel) -> None:
    forked.client.execute("while True: pass")
    forked.run(forked.manager.kill())
    assert not forked.manager.has_kernel


def test_interrupting(forked: LiveKernel) -> None:
    async def interrupt() -> Any:
        request = forked.client.execute("import time\nprint(1, flush=True)\ntime.sleep(60)")
        while (await forked.client.get_iopub_msg(timeout=60))["msg_type"] != "stream":
            pass
        await forked.manager.interrupt_kernel()
        return await forked.client._recv_reply(request, timeout=60)

    assert forked.run(interrupt())["content"]["ename"] == "KeyboardInterrupt"


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_other_systems_do_without_a_fork_server(platform: str) -> None:
    script = """
    import asyncio, os, papermill, psutil, sys, zmq.asyncio
    import jupyter_client.asynchronous, jupyter_client.manager, jupyter_client.provisioning, nbclient
    sys.platform = PLATFORM
    if PLATFORM == "win32":
        os.name = "nt"
        for name in ("fcntl", "resource"):
            sys.modules[name] = None
    from jupyter_workflows.execution.kernels import (
        ForkProvisioner, ForkServer, ForkServerError, make_kernel_manager, take_over
    )
    try:
        ForkServer.start()
    except ForkServerError as error:
        print(error)
    # On a simulated Windows the libraries find no paths.
    print(None if PLATFORM == "win32" else make_kernel_manager().fork_server, take_over("lock"))
    """
    code = dedent(script).replace("PLATFORM", repr(platform))
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert said.returncode == 0, said.stderr
    assert "cannot be forked on this system" in said.stdout
    assert said.stdout.split()[-2:] == ["None", "None"]


def test_managers_share_one_context(server: ForkServer) -> None:
    first, second = (make_kernel_manager(fork_server=server) for _ in range(2))
    assert isinstance(first, StageKernelManager)
    assert first.context is second.context
    assert tempfile.gettempdir()
