"""Forked kernels behave as ordinary ones do."""

from __future__ import annotations

import base64
import os
import re
import signal
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from support.kernels import LiveKernel, is_running, kernel, until

from jupyter_workflows.execution.kernels import ForkServer


def test_executes_cells_in_order(any_forked: LiveKernel) -> None:
    first = any_forked.execute("x = 20\nx + 1")
    assert first.value == 21
    assert first.reply["execution_count"] == 1
    assert [m["msg_type"] for m in first.messages] == ["status", "execute_input", "execute_result", "status"]
    assert any_forked.execute("_ + x, Out[1], In[1]").value == (41, 21, "x = 20\nx + 1")


def test_namespace_is_that_of_an_ordinary_kernel(server: ForkServer, forked: LiveKernel) -> None:
    question = "sorted(globals()), sorted(get_ipython().user_ns_hidden)"
    with kernel(None) as ordinary:
        ours, theirs = forked.value(question), ordinary.value(question)
    assert ours == theirs


def test_streams_are_told_apart(any_forked: LiveKernel) -> None:
    said = any_forked.execute("import sys\nprint('out')\nprint('err', file=sys.stderr)")
    assert (said.text(), said.text("stderr")) == ("out\n", "err\n")


def test_text_that_is_none_does_not_silence_what_follows(any_forked: LiveKernel) -> None:
    any_forked.execute("print('\\udc80\\ud800')")
    assert any_forked.execute("print('after')").text() == "after\n"


def test_output_appears_while_the_cell_runs(any_forked: LiveKernel, tmp_path: Path) -> None:
    code = f"""
    import pathlib, time
    print('working')
    while not pathlib.Path({str(tmp_path / "seen")!r}).exists():
        time.sleep(0.01)
    """
    assert any_forked.execute(dedent(code), meanwhile=(tmp_path / "seen").touch).status == "ok"


def test_shows_what_processes_and_c_code_write(any_forked: LiveKernel) -> None:
    said = any_forked.execute(
        "import os\nos.system('echo from a shell; echo and its errors >&2')\nos.write(1, b'raw')"
    )
    assert said.text() == "from a shell\nraw"
    assert said.text("stderr") == "and its errors\n"


def test_output_of_processes_belongs_to_its_cell(any_forked: LiveKernel) -> None:
    for number in range(5):
        assert any_forked.execute(f"import os; _ = os.system('echo {number}')").text() == f"{number}\n"


def test_shell_commands_and_magics(any_forked: LiveKernel) -> None:
    assert any_forked.execute("!echo $((20 + 1))").text().split() == ["21"]
    assert any_forked.execute("files = !echo a b\nfiles").value == ["a b"]
    assert "Wall time" in any_forked.execute("%%time\nx = 1").text()
    assert any_forked.execute("%%bash\necho hello").text() == "hello\n"
    assert "per loop" in any_forked.execute("%timeit -n 1 -r 1 pass").text()
    assert any_forked.execute("%pwd").value == "/tmp"


def test_errors_have_tracebacks(any_forked: LiveKernel) -> None:
    failed = any_forked.execute("def divide(a, b):\n    return a / b\n\ndivide(1, 0)")
    assert (failed.status, failed.reply["ename"]) == ("error", "ZeroDivisionError")
    traceback = re.sub("\x1b\\[[0-9;]*m", "", "\n".join(failed.reply["traceback"]))
    assert "4 divide(1, 0)" in traceback
    assert "2     return a / b" in traceback
    assert "execution/kernels" not in traceback
    assert any_forked.execute("1 +").reply["ename"] == "SyntaxError"
    assert any_forked.value("'still there'") == "still there"


def test_an_error_aborts_what_is_queued(any_forked: LiveKernel) -> None:
    async def both() -> list[str]:
        requests = [any_forked.client.execute(code) for code in ("1 / 0", "2")]
        replies = [await any_forked.client.get_shell_msg(timeout=None) for _ in requests]
        return [reply["content"]["status"] for reply in replies]

    assert any_forked.run(both()) == ["error", "aborted"]
    assert any_forked.value("3") == 3


def test_top_level_await(any_forked: LiveKernel) -> None:
    assert (
        any_forked.execute("import asyncio\nawait asyncio.sleep(0.01)\nawait asyncio.sleep(0, 7)").value == 7
    )
    assert any_forked.value("asyncio.get_running_loop() is not None") is True
    together = "await asyncio.gather(*(asyncio.sleep(0.01, n) for n in range(3)))"
    assert any_forked.value(together) == [0, 1, 2]
    assert any_forked.value("await asyncio.to_thread(lambda: 5)") == 5
    process = "p = await asyncio.create_subprocess_exec('true')\nawait p.wait()"
    assert any_forked.execute(process).value == 0


def test_user_expressions(any_forked: LiveKernel) -> None:
    reply = any_forked.execute("", silent=True, user_expressions={"a": "6 * 7", "b": "1 / 0"}).reply
    assert reply["user_expressions"]["a"]["data"]["text/plain"] == "42"
    assert reply["user_expressions"]["b"]["ename"] == "ZeroDivisionError"


def test_display(any_forked: LiveKernel) -> None:
    shown = any_forked.execute(
        "from IPython.display import HTML, display\ndisplay(HTML('<b>1</b>'), metadata={'a': 1})"
    )
    assert shown.data("text/html") == ["<b>1</b>"]
    updated = any_forked.execute("handle = display(1, display_id=True)\nhandle.update(2)")
    assert [m["msg_type"] for m in updated.messages][2:4] == ["display_data", "update_display_data"]


def test_matplotlib_draws_inline(any_forked: LiveKernel) -> None:
    pytest.importorskip("matplotlib")
    drawn = any_forked.execute("import matplotlib.pyplot as plt\nplt.plot([1, 2, 3])\nplt.show()")
    (image,) = drawn.data("image/png")
    assert base64.b64decode(image).startswith(b"\x89PNG")
    assert "inline" in any_forked.value("plt.get_backend()")


def test_widgets_open_and_update_their_comms(any_forked: LiveKernel) -> None:
    made = any_forked.execute("import ipywidgets\nslider = ipywidgets.IntSlider(value=3)\nslider")
    comms = [m["content"] for m in made.messages if m["msg_type"] == "comm_open"]
    assert {comm["target_name"] for comm in comms} == {"jupyter.widget"}
    assert made.data("application/vnd.jupyter.widget-view+json")
    assert "jupyter.widget" in any_forked.value("list(get_ipython().kernel.comm_manager.targets)")
    model = next(
        comm["comm_id"] for comm in comms if comm["data"]["state"].get("_model_name") == "IntSliderModel"
    )
    update = {"comm_id": model, "data": {"method": "update", "state": {"value": 8}, "buffer_paths": []}}
    any_forked.client.shell_channel.send(any_forked.client.session.msg("comm_msg", update))
    assert any_forked.value("slider.value") == 8


def test_binary_buffers_travel(any_forked: LiveKernel) -> None:
    code = """
    import comm
    channel = comm.create_comm(target_name='test', data={'a': 1}, buffers=[b'abc', memoryview(b'defg')])
    """
    (opened,) = [m for m in any_forked.execute(dedent(code)).messages if m["msg_type"] == "comm_open"]
    assert [bytes(buffer) for buffer in opened["buffers"]] == [b"abc", b"defg"]
    assert opened["content"]["data"] == {"a": 1}


def test_large_outputs_arrive_whole(any_forked: LiveKernel) -> None:
    said = any_forked.execute("print('x' * 20_000_000)\nfor n in range(2000):\n    print(n)")
    assert len(said.text()) == 20_000_001 + sum(len(f"{n}\n") for n in range(2000))


def test_an_output_larger_than_what_may_be_unsent_arrives(any_forked: LiveKernel) -> None:
    size = 40 << 20
    assert len(any_forked.execute(f"print('x' * {size})").text()) == size + 1


def test_large_requests_arrive_whole(any_forked: LiveKernel) -> None:
    assert any_forked.execute(f"len({'x' * 5_000_000!r})").value == 5_000_000


def test_input_is_refused(any_forked: LiveKernel) -> None:
    asked = any_forked.execute("input('Name?')", allow_stdin=False)
    assert asked.reply["ename"] == "StdinNotImplementedError"
    assert any_forked.execute("import getpass; getpass.getpass()", allow_stdin=False).status == "error"


def test_connectable_kernels_ask_for_input(server: ForkServer) -> None:
    with kernel(server, start=False, connectable=True) as live:
        live.start(stdin=True)

        async def ask_and_answer() -> Any:
            request = live.client.execute("name = input('Name?')", allow_stdin=True)
            question = await live.client.stdin_channel.get_msg(timeout=30)
            assert question["content"]["prompt"] == "Name?"
            live.client.input("Ada")
            return await live.client._recv_reply(request, timeout=30)

        assert live.run(ask_and_answer())["content"]["status"] == "ok"
        assert live.value("name") == "Ada"


@pytest.mark.parametrize("code", ["import time\nprint(1)\ntime.sleep(60)", "print(1)\nwhile True:\n    pass"])
def test_an_interrupt_ends_the_cell(any_forked: LiveKernel, code: str) -> None:
    def interrupt() -> None:
        os.kill(any_forked.pid, signal.SIGINT)

    interrupted = any_forked.execute(code, meanwhile=interrupt)
    assert interrupted.reply["ename"] == "KeyboardInterrupt"
    assert any_forked.value("1") == 1


def test_an_interrupt_ends_an_asynchronous_cell(any_forked: LiveKernel) -> None:
    def interrupt() -> None:
        os.kill(any_forked.pid, signal.SIGINT)

    code = "import asyncio, sys\nprint(1)\nsys.stdout.flush()\nawait asyncio.sleep(60)"
    assert any_forked.execute(code, meanwhile=interrupt).status == "error"
    assert any_forked.value("1") == 1


def test_an_interrupt_reaches_the_processes_of_a_cell(any_forked: LiveKernel) -> None:
    def interrupt() -> None:
        os.killpg(any_forked.pid, signal.SIGINT)

    code = "import subprocess\nprint(1, flush=True)\nsubprocess.run(['sleep', '60'])"
    assert any_forked.execute(code, meanwhile=interrupt).reply["ename"] == "KeyboardInterrupt"


def test_interrupts_do_not_tear_messages(any_forked: LiveKernel) -> None:
    for _ in range(10):
        code = "import sys\nwhile True:\n    print('x' * 3000)\n    sys.stdout.flush()"
        interrupted = any_forked.execute(code, meanwhile=lambda: os.kill(any_forked.pid, signal.SIGINT))
        assert interrupted.status == "error"
    assert any_forked.value("1") == 1


def test_an_idle_kernel_ignores_interrupts(any_forked: LiveKernel) -> None:
    for _ in range(20):
        os.kill(any_forked.pid, signal.SIGINT)
    assert any_forked.value("1") == 1


def test_sys_exit_does_not_end_the_kernel(any_forked: LiveKernel) -> None:
    left = any_forked.execute("import sys\nsys.exit(3)")
    assert (left.reply["ename"], left.reply["evalue"]) == ("SystemExit", "3")
    assert any_forked.value("1") == 1


def test_exit_ends_the_kernel(any_forked: LiveKernel) -> None:
    left = any_forked.execute("exit")
    assert [payload["source"] for payload in left.reply["payload"]] == ["ask_exit"]
    assert any_forked.wait() == 0


def test_a_killed_kernel_has_its_signal_for_exit_code(any_forked: LiveKernel) -> None:
    any_forked.client.execute("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)")
    assert any_forked.wait() == -signal.SIGSEGV


def test_os_exit_gives_its_code(any_forked: LiveKernel) -> None:
    any_forked.client.execute("import os\nos._exit(7)")
    assert any_forked.wait() == 7


def test_forked_processes_print(any_forked: LiveKernel) -> None:
    code = """
    import os, sys
    pid = os.fork()
    if pid == 0:
        print('child', flush=True)
        print('y' * 200_000, flush=True)
        os._exit(0)
    os.waitpid(pid, 0)[1]
    """
    said = any_forked.execute(dedent(code))
    assert said.value == 0
    assert said.text() == "child\n" + 200_000 * "y" + "\n"


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing(any_forked: LiveKernel, method: str) -> None:
    code = f"""
    import math, multiprocessing
    if __name__ == '__main__':
        with multiprocessing.get_context({method!r}).Pool(2) as pool:
            print(pool.map(math.factorial, range(5)))
    """
    assert any_forked.execute(dedent(code)).text() == "[1, 1, 2, 6, 24]\n"


def test_process_pools_run_functions_of_the_notebook(any_forked: LiveKernel) -> None:
    code = """
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor
    def triple(x):
        return 3 * x
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context('fork')) as pool:
        print(list(pool.map(triple, range(3))))
    """
    assert any_forked.execute(dedent(code)).text() == "[0, 3, 6]\n"


def test_threads_print_into_their_cell(any_forked: LiveKernel) -> None:
    code = "import threading\nt = threading.Thread(target=print, args=('thread',))\nt.start(); t.join()"
    assert any_forked.execute(code).text() == "thread\n"


def test_classes_of_the_notebook_can_be_pickled(any_forked: LiveKernel) -> None:
    code = """
    import pickle
    class Point:
        def __init__(self, x): self.x = x
    pickle.loads(pickle.dumps(Point(4))).x, Point.__module__
    """
    assert any_forked.execute(dedent(code)).value == (4, "__main__")


def test_main_is_no_file(any_forked: LiveKernel) -> None:
    question = "import __main__\nhasattr(__main__, '__file__'), '__file__' in globals(), __name__"
    assert any_forked.execute(question).value == (False, False, "__main__")
    assert any_forked.value("__import__('sys').modules['__main__'].__dict__ is globals()") is True


def test_the_ipython_machinery_is_there(any_forked: LiveKernel) -> None:
    assert any_forked.value("type(get_ipython()).__name__, get_ipython().kernel is not None") == (
        "ZMQInteractiveShell",
        True,
    )
    assert any_forked.value("get_ipython().kernel.session is not None") is True
    any_forked.execute("%load_ext autoreload\n%autoreload 2")
    assert any_forked.value("get_ipython().run_line_magic('lsmagic', '') is not None") is True
    assert any_forked.execute("len?").reply["payload"][0]["source"] == "page"


def test_completion_and_inspection(any_forked: LiveKernel) -> None:
    any_forked.execute("variable_of_mine = {'a': 1}")

    async def ask() -> tuple[Any, Any]:
        client = any_forked.client
        completed = await client._recv_reply(client.complete("variable_of"), timeout=30)
        inspected = await client._recv_reply(client.inspect("len"), timeout=30)
        return completed["content"], inspected["content"]

    completed, inspected = any_forked.run(ask())
    assert "variable_of_mine" in completed["matches"]
    assert inspected["found"] is True


def test_kernel_info_needs_no_question(any_forked: LiveKernel) -> None:
    assert any_forked.client.language_info["name"] == "python"

    async def ask() -> Any:
        return await any_forked.client._recv_reply(any_forked.client.kernel_info(), timeout=30)

    assert any_forked.run(ask())["content"]["language_info"] == any_forked.client.language_info


def test_what_was_not_closed_is_written_at_the_end(any_forked: LiveKernel, tmp_path: Path) -> None:
    code = f"""
    import atexit, pathlib, tempfile, threading, time
    folder = pathlib.Path({str(tmp_path)!r})
    forgotten = open(folder / 'forgotten', 'w')
    forgotten.write('text')
    atexit.register((folder / 'atexit').write_text, 'text')
    class Witness:
        def __del__(self):
            (folder / 'finalised').write_text('text')
    witness = Witness()
    def late():
        time.sleep(0.2)
        (folder / 'thread').write_text('text')
    threading.Thread(target=late).start()
    scratch = tempfile.TemporaryDirectory()
    scratch.name
    """
    scratch = any_forked.execute(dedent(code)).value
    any_forked.shutdown()
    written = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert written == dict.fromkeys(("forgotten", "atexit", "finalised", "thread"), "text")
    assert not Path(scratch).exists()


def test_what_a_notebook_left_running_ends_with_its_kernel(any_forked: LiveKernel) -> None:
    pid = any_forked.execute("import subprocess\nsubprocess.Popen(['sleep', '600']).pid").value
    assert is_running(pid)
    any_forked.shutdown()
    until(lambda: not is_running(pid))
