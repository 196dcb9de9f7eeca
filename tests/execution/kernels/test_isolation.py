"""Kernels of one fork server share nothing that they must not share."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest
from support.kernels import LiveKernel, is_running, kernel, until

from jupyter_workflows.execution.kernels import ForkServer, read_holder, take_over
from jupyter_workflows.execution.kernels.errors import KernelStartError
from jupyter_workflows.execution.kernels.platforms import start_ticks


@pytest.fixture(scope="module")
def heavy() -> Iterator[ForkServer]:
    """A fork server with numerical libraries imported beforehand."""
    pytest.importorskip("numpy")
    with ForkServer.start(pool=2, preload=["numpy", "numpy.random", "multiprocessing", "tempfile"]) as server:
        assert server.refused == {}
        yield server


RANDOM = """
import multiprocessing, numpy, os, random, secrets, ssl, tempfile, uuid
(
    os.getpid(),
    random.random(),
    float(numpy.random.random()),
    float(numpy.random.default_rng().random()),
    str(uuid.uuid4()),
    os.urandom(8).hex(),
    secrets.token_hex(8),
    ssl.RAND_bytes(8).hex(),
    next(tempfile._get_candidate_names()),
    bytes(multiprocessing.current_process().authkey).hex(),
    get_ipython().kernel.ident,
    get_ipython().kernel.session.session,
)
"""


@pytest.mark.parametrize("pool", [0, 2])
def test_no_two_kernels_have_process_or_random_state_in_common(heavy: ForkServer, pool: int) -> None:
    heavy.resize(pool)
    seen = []
    for _ in range(3):
        with kernel(heavy) as live:
            seen.append(live.execute(RANDOM).value)
    for values in zip(*seen, strict=True):
        assert len(set(values)) == len(seen), values


def test_a_connectable_kernel_has_a_key_of_its_own(server: ForkServer) -> None:
    with kernel(server, connectable=True) as first, kernel(server, connectable=True) as second:
        keys = {first.manager.session.key, second.manager.session.key}
        addresses = {first.manager.ip, second.manager.ip}
    assert len(keys) == len(addresses) == 2
    assert all(len(key) >= 32 for key in keys)


def test_a_kernel_inherits_no_descriptors(server: ForkServer) -> None:
    question = """
    import os, re
    def describe(fd):
        try:
            return re.sub(r'[0-9]+', 'N', os.readlink(f'/proc/self/fd/{fd}'))
        except OSError:
            return None
    sorted(filter(None, (describe(fd) for fd in os.listdir('/proc/self/fd'))))
    """
    with kernel(server), kernel(server), kernel(server) as live:
        open_files = live.execute(dedent(question)).value
    # Standard input, and where output and errors went before; their pipes; epoll, its wake-up pair, and the
    # wake-up of the publisher; the pair of the relay; the channel to the server; the link.
    assert open_files.count("/dev/null") == 3
    assert sum(name.startswith("pipe:") for name in open_files) == 4
    assert sum(name.startswith("socket:") for name in open_files) == 6
    assert set(open_files) <= {
        "/dev/null",
        "/proc/N/fd",
        "anon_inode:[eventpoll]",
        "anon_inode:[eventfd]",
        "pipe:[N]",
        "socket:[N]",
    }


def test_the_environment_is_the_given_one(server: ForkServer, monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], "STAGE": "Größe 1", "LANG": "C.UTF-8"}
    with kernel(server, env=given) as live:
        seen = live.value("dict(__import__('os').environ)")
        child = live.execute("import subprocess\nsubprocess.check_output(['env'], text=True)").value
    by_ipython = {"TERM", "CLICOLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "PAGER", "GIT_PAGER", "MPLBACKEND"}
    assert set(seen) - set(given) == by_ipython
    assert seen["STAGE"] == "Größe 1"
    assert "STAGE=Größe 1" in child
    assert "OPENBLAS_NUM_THREADS" not in child


def test_secrets_of_the_owner_do_not_reach_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_TOKEN_OF_THE_SERVER", "secret-value")
    with ForkServer.start(pool=0) as server, kernel(server, env={"PATH": "/usr/bin"}) as live:
        initial = live.execute("open('/proc/self/environ').read()").value
        assert "secret-value" not in initial
        assert "A_TOKEN" not in Path(f"/proc/{server.pid}/environ").read_text()


def test_directory_and_search_path(server: ForkServer, tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "module_of_project.py").write_text("value = 5")
    (tmp_path / "stages").mkdir()
    (tmp_path / "stages" / "helper_of_stage.py").write_text("value = 6")
    env = {**os.environ, "PYTHONPATH": str(tmp_path / "project")}
    with kernel(server, cwd=tmp_path / "stages", env=env) as live:
        assert live.value("__import__('os').getcwd()") == str(tmp_path / "stages")
        assert live.execute("import module_of_project, helper_of_stage\nmodule_of_project.value").value == 5
        ours = live.execute("import sys\nsys.path").value
        assert live.execute("_dh[0]").data() == [f"PosixPath('{tmp_path / 'stages'}')"]
        spawned = "subprocess.run([sys.executable, '-c', 'import module_of_project'], check=True)"
        assert live.execute(f"import subprocess, sys\n{spawned}").status == "ok"
    with kernel(None, cwd=tmp_path / "stages", env=env) as ordinary:
        assert ours == ordinary.execute("import sys\nsys.path").value


def test_a_folder_that_is_not_there(server: ForkServer, tmp_path: Path) -> None:
    with kernel(server, start=False) as live, pytest.raises(KernelStartError, match="nowhere"):
        live.start(cwd=tmp_path / "nowhere")


def test_settings_of_python_in_the_environment(server: ForkServer, tmp_path: Path) -> None:
    env = {
        **os.environ,
        "PYTHONPYCACHEPREFIX": str(tmp_path / "cache"),
        "PYTHONDONTWRITEBYTECODE": "",
        "TZ": "Asia/Tokyo",
        "TMPDIR": str(tmp_path),
    }
    question = """
    import sys, tempfile, time
    sys.pycache_prefix, sys.dont_write_bytecode, time.tzname[0], tempfile.gettempdir()
    """
    with kernel(server, env=env) as live:
        assert live.execute(dedent(question)).value == (str(tmp_path / "cache"), False, "JST", str(tmp_path))


def test_numerical_threads_are_given_back(heavy: ForkServer) -> None:
    threads = "import os\nlen(os.listdir('/proc/self/task'))"
    env = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    calculation = "import numpy\nm = numpy.ones((400, 400))\nfloat((m @ m)[0, 0])"
    with kernel(heavy, env={**env, "OPENBLAS_NUM_THREADS": "3"}) as live:
        assert live.execute(calculation).value == 400
        several = live.execute(threads).value
    with kernel(heavy, env={**env, "OPENBLAS_NUM_THREADS": "1"}) as live:
        assert live.execute(calculation).value == 400
        one = live.execute(threads).value
    assert several == one + 2


def test_memory_is_limited(server: ForkServer) -> None:
    with kernel(server, memory=2 * 2**30) as live:
        assert live.execute("bytearray(3 * 10**9)").reply["ename"] == "MemoryError"
        assert live.execute("len(bytearray(10**9))").value == 10**9


def test_numpy_can_be_imported_in_little_memory(server: ForkServer) -> None:
    pytest.importorskip("numpy")
    with kernel(server, memory=512 * 2**20) as live:
        assert live.execute("import numpy\nfloat(numpy.ones(1000).sum())").value == 1000
        assert live.execute("numpy.ones(10**9)").status == "error"
        assert live.value("1") == 1


def test_memory_of_ordinary_kernels_is_limited() -> None:
    with kernel(None, memory=2 * 2**30) as live:
        assert live.execute("bytearray(3 * 10**9)").reply["ename"] == "MemoryError"


def test_a_kernel_holds_its_lock_for_life(server: ForkServer, tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    with kernel(server, lock=lock) as live:
        holder = read_holder(lock)
        assert holder is not None
        assert (holder.pid, holder.start) == (live.pid, start_ticks(live.pid))
        busy = pytest.raises(KernelStartError, match=f"process {live.pid} still works")
        with kernel(server, lock=lock, start=False) as second, busy:
            second.start()
        assert live.value("1") == 1
    assert take_over(lock) is None


def test_a_new_attempt_takes_the_lock_over(server: ForkServer, tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    with kernel(server, lock=lock) as old:
        child = old.execute("import subprocess\nsubprocess.Popen(['sleep', '600']).pid").value
        killed = take_over(lock)
        assert killed is not None
        assert killed.pid == old.pid
        assert old.wait() == -9
        until(lambda: not is_running(child))
        with kernel(server, lock=lock) as new:
            assert new.value("1") == 1
            holder = read_holder(lock)
            assert holder is not None
            assert holder.pid == new.pid


def test_the_lock_is_not_passed_to_other_programs(server: ForkServer, tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    with kernel(server, lock=lock) as live:
        detached = "import subprocess\nsubprocess.Popen(['sleep', '30'], start_new_session=True).pid"
        opened = []
        for file in Path(f"/proc/{live.execute(detached).value}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):  # the program closes some as it starts
                opened.append(file.readlink())
    assert opened
    assert lock not in opened
    assert take_over(lock) is None


def test_processes_in_sessions_of_their_own_end_with_the_kernel(server: ForkServer) -> None:
    with kernel(server) as live, kernel(server) as other:
        detached = "import subprocess\nsubprocess.Popen(['sleep', '30'], start_new_session=True).pid"
        pid, spared = live.execute(detached).value, other.execute(detached).value
        os.kill(live.pid, 9)
        until(lambda: not is_running(pid))
        assert is_running(spared)
    until(lambda: not is_running(spared))


def test_kernels_are_leaders_of_their_sessions(forked: LiveKernel) -> None:
    ids = "import os\nos.getpid(), os.getsid(0), os.getpgid(0)"
    assert set(forked.execute(ids).value) == {forked.pid}


def test_startup_files_of_the_profile_are_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    startup = tmp_path / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "first.py").write_text("from_startup = 1")
    (tmp_path / "profile_default" / "ipython_config.py").write_text(
        "c.InteractiveShell.ast_node_interactivity = 'all'\n"
        "c.InteractiveShellApp.exec_lines = ['from_line = 2']\n"
    )
    with ForkServer.start(pool=1) as server, kernel(server) as live:
        assert live.execute("from_startup\nfrom_line").data() == ["1", "2"]


def test_importing_the_kernels_package_is_light() -> None:
    code = "import sys, jupyter_workflows.execution.kernels, json; print(json.dumps(sorted(sys.modules)))"
    loaded = json.loads(subprocess.check_output([sys.executable, "-c", code]))
    assert not {"zmq", "jupyter_client", "IPython", "ipykernel", "tornado"} & set(loaded)
