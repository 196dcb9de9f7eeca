"""The fork server: its pool, its end, and what it leaves behind."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from support.kernels import Watch, is_running, kernel, until

from jupyter_workflows.execution.kernels import ForkServer, ForkServerError, make_kernel_manager
from jupyter_workflows.execution.kernels.protocol import SOCKET_NAME


@pytest.fixture
def own() -> Iterator[ForkServer]:
    """A fork server of the test's own."""
    with ForkServer.start(pool=2) as server:
        yield server


def full(server: ForkServer, size: int = 2) -> list[int]:
    """Wait until the pool is full, and return its processes."""
    return until(lambda: ready if len(ready := server.statistics()["ready"]) == size else None)  # type: ignore[no-any-return]


def test_kernels_come_from_the_pool_and_the_pool_refills(own: ForkServer) -> None:
    pool = full(own)
    for _ in range(4):
        with kernel(own) as live:
            assert live.manager.kernel_origin == "warm"
            pid = live.pid
        assert pid in pool
        assert pid not in full(own)
        pool = full(own)


def test_without_a_pool_kernels_are_forked_on_demand(own: ForkServer) -> None:
    own.resize(0)
    until(lambda: own.statistics()["kernels"] == 0)
    with kernel(own) as live:
        assert live.manager.kernel_origin == "forked"
        assert live.value("1") == 1
    until(lambda: own.statistics()["kernels"] == 0)
    assert own.statistics()["ready"] == []


def test_a_burst_of_requests_gets_kernels_of_its_own(own: ForkServer) -> None:
    async def one() -> tuple[int, str]:
        manager = make_kernel_manager(fork_server=own)
        await manager.start_kernel(cwd="/tmp", env=dict(os.environ))
        client = manager.client()
        reply = await client.execute("1", reply=True)
        pid = manager.provisioner.pid  # type: ignore[union-attr]
        client.stop_channels()
        await manager.shutdown_kernel()
        return pid, reply["content"]["status"]

    async def burst() -> list[tuple[int, str]]:
        return await asyncio.gather(*(one() for _ in range(12)))

    results = asyncio.run(burst())
    assert len({pid for pid, _ in results}) == 12
    assert {status for _, status in results} == {"ok"}


def test_a_kernel_serves_one_attempt(own: ForkServer) -> None:
    pids = set()
    for _ in range(10):
        with kernel(own) as live:
            assert live.pid not in pids
            assert live.value("'mark' in globals()") is False
            live.execute("mark = 1")
            pids.add(live.pid)
    for pid in pids:
        until(lambda pid=pid: not is_running(pid))


def test_a_dead_kernel_of_the_pool_is_replaced(own: ForkServer) -> None:
    pool = full(own)
    for pid in pool:
        os.kill(pid, signal.SIGKILL)
    until(lambda: not set(own.statistics()["ready"]) & set(pool))
    assert full(own) != pool
    with kernel(own) as live:
        assert live.value("1") == 1


def test_two_hundred_kernels_leave_nothing_behind(own: ForkServer) -> None:
    folder = Path(own.address).parent

    async def many(count: int) -> None:
        for number in range(count):
            manager = make_kernel_manager(fork_server=own, connectable=number % 10 == 0)
            await manager.start_kernel(cwd="/tmp", env={"PATH": "/usr/bin"})
            client = manager.client()
            client.start_channels()
            await client.wait_for_ready(timeout=60)
            reply = await client.execute("1", reply=True)
            assert reply["content"]["status"] == "ok"
            client.stop_channels()
            await manager.finish()

    def figures() -> dict[str, Any] | None:
        now = own.statistics()
        return now if now["kernels"] == 2 and len(now["ready"]) == 2 else None

    asyncio.run(many(1))  # ZeroMQ's own descriptors come with the first
    before, mine = until(figures), descriptors()
    asyncio.run(many(200))
    after = until(figures)
    assert after["descriptors"] == before["descriptors"]
    assert after["threads"] == 1
    assert sorted(path.name for path in folder.iterdir()) == ["lock", "server"]
    assert descriptors() == mine
    assert after["owned"] == []


def descriptors() -> int:
    """Return how many files this process has open."""
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def test_finish_returns_at_once_and_the_kernel_ends(own: ForkServer, tmp_path: Path) -> None:
    with kernel(own) as live:
        live.execute(
            f"import atexit, pathlib\natexit.register(pathlib.Path({str(tmp_path / 'end')!r}).touch)"
        )
        watch = Watch(live.pid)
        live.client.stop_channels()
        live.run(live.manager.finish())
        assert not live.manager.has_kernel
        assert watch.ended()
        assert (tmp_path / "end").exists()


def test_a_kernel_that_does_not_finish_is_killed() -> None:
    with ForkServer.start(pool=1, patience=0.5) as server, kernel(server) as live:
        live.execute("import threading, time\nthreading.Thread(target=time.sleep, args=(600,)).start()")
        watch = Watch(live.pid)
        live.client.stop_channels()
        live.run(live.manager.finish())
        assert watch.ended()


def test_a_busy_kernel_that_is_told_to_finish_is_killed() -> None:
    with ForkServer.start(pool=1, patience=0.5) as server, kernel(server) as live:
        live.client.execute("while True: pass")
        watch = Watch(live.pid)
        live.run(live.manager.finish())
        assert watch.ended()


def test_an_owner_that_goes_away_takes_its_kernel_with_it(own: ForkServer) -> None:
    script = """
    import asyncio, os, sys
    from jupyter_workflows.execution.kernels import ForkServer, make_kernel_manager
    async def main():
        manager = make_kernel_manager(fork_server=ForkServer.connect(sys.argv[1]))
        await manager.start_kernel(cwd='/tmp', env=dict(os.environ))
        client = manager.client()
        code = "import subprocess; print(subprocess.Popen(['sleep', '600']).pid)"
        client.execute(code)
        while True:
            message = await client.get_iopub_msg(timeout=60)
            if message['msg_type'] == 'stream':
                break
        client.execute('while True: pass')
        print(manager.provisioner.pid, message['content']['text'], flush=True)
        await asyncio.sleep(600)
    asyncio.run(main())
    """
    worker = subprocess.Popen(
        [sys.executable, "-c", dedent(script), own.address], stdout=subprocess.PIPE, text=True
    )
    assert worker.stdout is not None
    pids = [int(word) for word in worker.stdout.readline().split()]
    watches = [Watch(pid) for pid in pids]
    worker.kill()
    assert all(watch.ended() for watch in watches)
    worker.wait()
    worker.stdout.close()
    assert own.is_alive()


def test_the_servers_death_kills_its_kernels() -> None:
    server = ForkServer.start(pool=2)
    with kernel(server) as live:
        watches = [Watch(pid) for pid in [live.pid, *server.statistics()["ready"]]]
        os.kill(server.pid, signal.SIGKILL)
        assert all(watch.ended() for watch in watches)
        assert live.run(live.manager.is_alive()) is False
        assert live.wait() == -signal.SIGKILL
    server.stop()
    assert not Path(server.address).parent.exists()
    assert server.is_alive() is False


def test_the_starters_death_ends_the_server_and_all_kernels() -> None:
    script = """
    import asyncio, json, os
    from jupyter_workflows.execution.kernels import ForkServer, make_kernel_manager
    server = ForkServer.start(pool=2)
    async def main():
        manager = make_kernel_manager(fork_server=server)
        await manager.start_kernel(cwd='/tmp', env=dict(os.environ))
        figures = server.statistics()
        pids = [manager.provisioner.pid, figures['pid'], *figures['ready'], *figures['warming']]
        print(json.dumps([server.address, pids]), flush=True)
        await asyncio.sleep(600)
    asyncio.run(main())
    """
    starter = subprocess.Popen([sys.executable, "-c", dedent(script)], stdout=subprocess.PIPE, text=True)
    assert starter.stdout is not None
    address, pids = json.loads(starter.stdout.readline())
    watches = [Watch(pid) for pid in pids]
    starter.kill()
    assert all(watch.ended() for watch in watches)
    until(lambda: not Path(address).parent.exists())
    starter.wait()
    starter.stdout.close()


def test_stopping_ends_everything() -> None:
    server = ForkServer.start(pool=3)
    pids = [server.pid, *full(server, 3)]
    with kernel(server) as live:
        watches = [Watch(pid) for pid in [*pids, live.pid]]
        server.stop()
        assert all(watch.ended() for watch in watches)
    assert not Path(server.address).parent.exists()
    server.stop()


def test_the_folder_is_private(own: ForkServer) -> None:
    folder = Path(own.address).parent
    assert folder.stat().st_mode & 0o777 == 0o700
    assert len(own.address) < 60


def test_other_processes_connect_by_address(own: ForkServer) -> None:
    other = ForkServer.connect(own.address)
    assert (other.pid, other.executable) == (own.pid, sys.executable)
    with kernel(other) as live:
        assert live.manager.kernel_origin in ("warm", "forked")
    other.stop()  # whoever has the address may stop it
    until(lambda: not own.is_alive())


def test_nobody_there(tmp_path: Path) -> None:
    with pytest.raises(ForkServerError, match="does not answer"):
        ForkServer.connect(str(tmp_path / "server"))


def test_modules_that_start_threads_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "with_thread.py").write_text(
        "import threading, time\nthreading.Thread(target=time.sleep, args=(600,), daemon=True).start()"
    )
    (tmp_path / "without_thread.py").write_text("value = 1")
    (tmp_path / "broken.py").write_text("raise ValueError('not today')")
    (tmp_path / "fatal.py").write_text("import os\nos._exit(3)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    names = ["with_thread", "without_thread", "broken", "fatal", "missing_module"]
    with ForkServer.start(pool=1, preload=names) as server:
        assert set(server.refused) == {"with_thread", "broken", "fatal", "missing_module"}
        assert "it starts threads (2 after the import)" in server.refused["with_thread"]
        assert "not today" in server.refused["broken"]
        assert "ended the process (3)" in server.refused["fatal"]
        assert "missing_module" in server.refused["missing_module"]
        assert server.statistics()["threads"] == 1
        with kernel(server) as live:
            assert live.value(
                "sorted({'with_thread', 'without_thread'} & set(__import__('sys').modules))"
            ) == ["without_thread"]


def test_scientific_libraries_can_be_imported_beforehand(tmp_path: Path) -> None:
    names = ["numpy", "pandas", "matplotlib", "matplotlib.pyplot", "pyarrow"]
    for name in names:
        pytest.importorskip(name)
    with ForkServer.start(pool=1, preload=names) as server:
        assert server.refused == {}
        code = """
        import numpy, pandas, pyarrow, matplotlib.pyplot as plt
        frame = pandas.DataFrame({'a': numpy.arange(3), 'b': ['x', 'y', None]})
        frame.plot(); plt.show()
        table = pyarrow.Table.from_pandas(frame)
        pyarrow.compute.sum(table['a']).as_py() if hasattr(pyarrow, 'compute') else 3
        """
        for _ in range(2):
            with kernel(server) as live:
                done = live.execute(dedent(code))
                assert done.status == "ok", done.reply
                assert done.data("image/png")
                path = tmp_path / "frame.parquet"
                parquet = f"frame.to_parquet({str(path)!r})\nlen(pandas.read_parquet({str(path)!r}))"
                assert live.execute(parquet).value == 3


def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    with pytest.raises(ForkServerError, match="cannot be started"):
        ForkServer.start(executable=str(tmp_path / "no-python"), folder=tmp_path)
    with pytest.raises(ForkServerError, match="ended while it was starting"):
        ForkServer.start(executable="/bin/false", folder=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_interrupt_at_the_terminal_does_not_reach_the_server(own: ForkServer) -> None:
    os.kill(own.pid, signal.SIGINT)
    with kernel(own) as live:
        assert live.value("1") == 1
    assert os.getsid(own.pid) == own.pid


def test_leftovers_of_killed_servers_are_removed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    if len(str(tmp_path)) >= 60:
        monkeypatch.setenv("XDG_RUNTIME_DIR", folder := tempfile.mkdtemp())
        tmp_path = Path(folder)
    leftover = tmp_path / "jwf-old"
    leftover.mkdir()
    (leftover / "lock").touch()
    (leftover / "k1-1").touch()
    os.utime(leftover, (1, 1))
    with ForkServer.start(pool=0) as server:
        assert Path(server.address).parent.parent == tmp_path
        assert not leftover.exists()


def test_nonsense_does_not_stop_the_server(own: ForkServer) -> None:
    for data in (
        b"nonsense\n",
        b"{}\n",
        b'{"op": "dance"}\n',
        b'{"op": "finish"}\n',
        b"\xff\xfe\n",
        b"[1]\n",
    ):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(own.address)
            connection.sendall(data)
    with kernel(own) as live:
        assert live.value("1") == 1
    until(lambda: own.statistics()["owned"] == [])


#: Starts a fork server and does not listen to it.
OWNER = """
import os, subprocess, sys, time
reader, writer = os.pipe()
os.close(reader)
command = [sys.executable, "-m", "jupyter_workflows.execution.kernels.server", "--folder", sys.argv[1]]
command += ["--owner", str(os.getpid()), "--ready", str(writer), "--pool", "0"]
subprocess.Popen(command, pass_fds=[writer], cwd=sys.argv[1]).wait()
"""


def test_an_owner_that_does_not_listen_is_no_error(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        command = [sys.executable, "-c", OWNER, folder]
        owner = subprocess.Popen(command, stderr=subprocess.PIPE)
        try:
            while not (served := owner.poll() is not None) and not _answers(f"{folder}/{SOCKET_NAME}"):
                time.sleep(0.02)
        finally:
            owner.kill()
            _, said = owner.communicate(timeout=60)
        assert not served, said
        assert b"Traceback" not in said


def _answers(address: str) -> bool:
    try:
        return bool(ForkServer.connect(address))
    except ForkServerError:
        return False
