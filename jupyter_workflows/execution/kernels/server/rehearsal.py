"""Running cells in the server, before any fork, so that no kernel has to be the first to do so.

What is imported late, compiled, cached or specialised by the interpreter on the way is then there for all
kernels, and lies in memory that they share. Nothing is sent anywhere, and afterwards the shell is as new.
"""

from __future__ import annotations

import linecache
import sys
from typing import Any

from jupyter_client.session import Session
from tornado.ioloop import IOLoop

from jupyter_workflows.execution.kernels import link
from jupyter_workflows.execution.kernels.server.linked import ShellLink

#: What notebooks typically do: results, output, errors, magics, display, waiting.
_CELLS = (
    "1 + 1",
    "import datetime, json, math, os, pathlib, re, sys, time\nfor n in range(3):\n    print(n)",
    "def double(x):\n    return 2 * x\n\nclass Pair:\n    pass\n[double(x) for x in range(3)]",
    "%time pass",
    "from IPython.display import HTML, Markdown, display\ndisplay(HTML('<b>1</b>'), Markdown('*1*'))",
    "import asyncio\nawait asyncio.sleep(0)\n{'a': 1.5, 'b': ['c', None]}",
    "print('!', file=sys.stderr)\ndouble(Pair())",
)

#: The interpreter specialises code that has run a few times.
_TIMES = 10


def rehearse(kernel: Any, streams: list[Any], loop: Any) -> None:
    """Run cells in a loop, and forget them."""
    shell, session = kernel.shell, kernel.session
    names, hidden = dict(shell.user_ns), dict(shell.user_ns_hidden)
    compiled = set(linecache.cache)
    outputs = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = streams
    session.linked = True
    try:
        loop.run_until_complete(_run_cells(kernel))
    finally:
        for stream in streams:
            stream.flush()
        sys.stdout, sys.stderr = outputs
        session.linked = False
    shell.user_ns.clear()
    shell.user_ns.update(names)
    shell.user_ns_hidden.clear()
    shell.user_ns_hidden.update(hidden)
    shell.history_manager.reset(new_session=True)
    for name in ("_i", "_ii", "_iii", "_i00"):
        setattr(shell.history_manager, name, "")
    shell.displayhook._ = shell.displayhook.__ = shell.displayhook.___ = ""
    shell.execution_count = 1
    for name in set(linecache.cache) - compiled:
        del linecache.cache[name]
    shell.compile._filename_map.clear()
    shell.last_execution_result, shell.last_execution_succeeded = None, True
    for name in ("last_type", "last_value", "last_traceback", "last_exc"):
        vars(sys).pop(name, None)
    kernel.set_parent([], {"header": {}})
    session.message_count = 0


async def _run_cells(kernel: Any) -> None:
    shell = ShellLink(kernel.iopub_thread, IOLoop.current())
    kernel.shell_stream = shell
    kernel.start()
    client = Session(key=b"")
    for _ in range(_TIMES):
        for code in _CELLS:
            await shell.rehearse(_request(client, code))
        question = {"value": "__import__('json')"}
        await shell.rehearse(_request(client, "", silent=True, user_expressions=question))


def _request(client: Session, code: str, **options: Any) -> bytes:
    content = {
        "code": code,
        "silent": False,
        "store_history": True,
        "user_expressions": {},
        "allow_stdin": False,
        "stop_on_error": False,
        **options,
    }
    return link.pack(link.SHELL, client.msg("execute_request", content), (), client.pack)
