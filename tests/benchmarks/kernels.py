"""What kernels cost: forked ones (from the pool, and on demand) beside ordinary ones.

Run it on a quiet machine: ``python tests/benchmarks/kernels.py [--rounds N] [--preload a,b]``. The cases are
interleaved, so that what else the machine does falls on all of them alike. CPU seconds say more than the
clock does. Nothing here is asserted.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import resource
import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import psutil
from jupyter_client.manager import AsyncKernelManager

from jupyter_workflows.execution.kernels import ForkServer, make_kernel_manager

CELLS = [
    "import json, math\nvalues = [math.sqrt(n) for n in range(200)]",
    "total = sum(values)\njson.dumps({'total': total})",
    "for n in range(3):\n    print(n, total)",
]
QUESTION = {
    "cpu": "__import__('time').process_time()",
    "faults": "__import__('resource').getrusage(0).ru_minflt",
}

Figures = dict[str, list[float]]


async def execute(client: Any, code: str, **options: Any) -> dict[str, Any]:
    """Execute code, and read all that the kernel says of it."""
    request = client.execute(code, **options)
    while True:
        message = await client.get_iopub_msg(timeout=60)
        state = message["content"].get("execution_state")
        if message["parent_header"].get("msg_id") == request and state == "idle":
            break
    while True:
        message = await client.get_shell_msg(timeout=60)
        if message["parent_header"].get("msg_id") == request:
            return dict(message["content"])


async def ask(client: Any) -> tuple[float, int]:
    """Return the CPU seconds and page faults of the kernel so far."""
    reply = await execute(client, "", silent=True, user_expressions=QUESTION)
    answers = {key: value["data"]["text/plain"] for key, value in reply["user_expressions"].items()}
    return float(answers["cpu"]), int(answers["faults"])


async def stage(manager: Any, figures: Figures) -> None:
    """Do with a kernel what a stage does, and note what it costs."""
    begun, client_cpu = time.perf_counter(), time.process_time()
    await manager.start_kernel(cwd="/tmp", env=dict(os.environ))
    figures["launch (ms)"].append(1e3 * (time.perf_counter() - begun))
    client = manager.client()
    client.start_channels()
    await client.wait_for_ready(timeout=60)
    figures["start to ready (ms)"].append(1e3 * (time.perf_counter() - begun))
    before, _ = await ask(client)
    cells = time.perf_counter()
    await execute(client, "1 + 1")
    figures["1 + 1 (ms)"].append(1e3 * (time.perf_counter() - cells))
    for code in CELLS:
        await execute(client, code)
    after, faults = await ask(client)
    figures["CPU until ready (ms)"].append(1e3 * before)
    figures["CPU of cells (ms)"].append(1e3 * (after - before))
    figures["page faults"].append(faults)
    provisioner = manager.provisioner
    figures["PSS (MiB)"].append(psutil.Process(provisioner.pid).memory_full_info().pss / 2**20)
    client.stop_channels()
    figures["CPU of client (ms)"].append(1e3 * (time.process_time() - client_cpu))
    ending = time.perf_counter()
    if hasattr(provisioner, "used_cpu"):
        await manager.shutdown_kernel()
        figures["CPU of end (ms)"].append(1e3 * (provisioner.used_cpu - after))
        figures["CPU of kernel (ms)"].append(1e3 * provisioner.used_cpu)
    else:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        await manager.shutdown_kernel()
        ended = resource.getrusage(resource.RUSAGE_CHILDREN)
        kernel = ended.ru_utime + ended.ru_stime - used.ru_utime - used.ru_stime
        figures["CPU of end (ms)"].append(1e3 * (kernel - after))
        figures["CPU of kernel (ms)"].append(1e3 * kernel)
    figures["shutdown (ms)"].append(1e3 * (time.perf_counter() - ending))


def wait_for_pool(server: ForkServer, size: int) -> None:
    """Wait until the pool is full."""
    while len(server.statistics()["ready"]) < size:
        time.sleep(0.01)


def main() -> None:
    """Print the figures of all cases."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--preload", default="")
    parser.add_argument("--cases", default="warm,forked,spec,plain")
    arguments = parser.parse_args()
    preload = [name for name in arguments.preload.split(",") if name]
    with ForkServer.start(pool=2, preload=preload) as warm, ForkServer.start(pool=0, preload=preload) as cold:
        if warm.refused:
            print("refused:", warm.refused)
        cases: dict[str, Callable[[], Any]] = {
            "warm": lambda: make_kernel_manager(fork_server=warm),
            "forked": lambda: make_kernel_manager(fork_server=cold),
            "spec": make_kernel_manager,
            "plain": lambda: AsyncKernelManager(kernel_name="python3"),
        }
        results: dict[str, Figures] = {name: defaultdict(list) for name in arguments.cases.split(",")}
        for turn in range(arguments.rounds + 1):
            for name, figures in results.items():
                wait_for_pool(warm, 2)
                before = {server: server.statistics() for server in (warm, cold)}
                one: Figures = defaultdict(list)
                begun = time.perf_counter()
                asyncio.run(stage(cases[name](), one))
                one["all (ms)"].append(1e3 * (time.perf_counter() - begun))
                wait_for_pool(warm, 2)
                for server, key in ((warm, "warm"), (cold, "forked")):
                    now = server.statistics()
                    forks = now["forks"] - before[server]["forks"]
                    if key == name and forks:
                        used = now["cpu"] - before[server]["cpu"]
                        one["CPU of server per fork (ms)"].append(1e3 * used / forks)
                if turn:
                    for key, values in one.items():
                        figures[key] += values
        report(results)


def report(results: dict[str, Figures]) -> None:
    """Print a table of medians."""
    keys = list(dict.fromkeys(key for figures in results.values() for key in figures))
    print(f"{'medians':32}" + "".join(f"{name:>10}" for name in results))
    for key in keys:
        values = [
            statistics.median(figures[key]) if figures[key] else float("nan") for figures in results.values()
        ]
        print(f"{key:32}" + "".join(f"{value:10.1f}" for value in values))


if __name__ == "__main__":
    main()
