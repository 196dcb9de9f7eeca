"""Where the time of one attempt goes on this side of the kernel.

Run it on a quiet machine: ``python tests/benchmarks/engine.py [--rounds N] [--cells N] [--profile]``. It
executes the same small notebook again and again in this process, on warm forked kernels, and prints the
phases by the clock, this process's CPU time, and what the parts of papermill's and our own path take of it.
Nothing here is asserted.
"""

from __future__ import annotations

import argparse
import cProfile
import logging
import pstats
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

sys.path.insert(1, str(Path(__file__).parents[1]))

from support.attempts import Stage, code, notebook, wait_until

from jupyter_workflows.execution.attempt import execute_attempt
from jupyter_workflows.execution.executors.supply import AUTHORING
from jupyter_workflows.execution.kernels import ForkServer
from jupyter_workflows.execution.spec import AttemptSpec

#: Functions whose cumulated time is shown: a part of the file's path, and the function's name.
PARTS = {
    "read the source": ("execution/source.py", "read_source"),
    "write the context": ("execution/context.py", "write_context"),
    "choose parameters": ("execution/parameters.py", "stage_parameters"),
    "papermill: load": ("papermill/iorw.py", "load_notebook_node"),
    "papermill: parameterize": ("papermill/parameterize.py", "parameterize_notebook"),
    "papermill: infer parameters": ("papermill/inspection.py", "_infer_parameters"),
    "papermill: write": ("papermill/iorw.py", "write_ipynb"),
    "  of that to the disk": ("execution/session.py", "write"),
    "save on start": ("execution/manager.py", "flush"),
    "nbformat: validate": ("nbformat/validator.py", "validate"),
    "make the kernel's manager": ("kernels/manager.py", "make_kernel_manager"),
    "make the notebook's client": ("execution/client.py", "__init__"),
    "take in outputs": ("nbclient/client.py", "process_message"),
    "end the kernel": ("execution/running.py", "finish"),
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--cells", type=int, default=2, help="cells beside the one with the parameters")
    parser.add_argument("--profile", action="store_true", help="print the whole profile as well")
    arguments = parser.parse_args()
    logging.getLogger("papermill").setLevel(logging.WARNING)
    with tempfile.TemporaryDirectory() as folder, ForkServer.start(pool=1, preload=AUTHORING) as server:
        stage = Stage(Path(folder))
        reading = "from jupyter_workflows import get_stage\nstage = get_stage()\nstage['total'] = x + 1"
        content = notebook(code("x = 1", "parameters"), reading, *["print(x)"] * (arguments.cells - 1))
        specs = [stage.spec(content, data={"x": 2}, number=n) for n in range(2 * arguments.rounds + 5)]
        _execute(specs[:5], server)
        _print_phases(*_execute(specs[5 : 5 + arguments.rounds], server))
        profile = cProfile.Profile()
        _execute(specs[5 + arguments.rounds :], server, profile)
        _print_parts(profile, arguments.rounds)
        if arguments.profile:
            pstats.Stats(profile).sort_stats("tottime").print_stats(40)


def _execute(
    specs: list[AttemptSpec], server: ForkServer, profile: cProfile.Profile | None = None
) -> tuple[list[float], dict[str, list[float]]]:
    cpu: list[float] = []
    timings: dict[str, list[float]] = defaultdict(list)
    for spec in specs:
        wait_until(lambda: server.statistics()["ready"])
        before = time.process_time()
        if profile is not None:
            profile.enable()
        outcome = execute_attempt(spec, fork_server=server.address)
        if profile is not None:
            profile.disable()
        cpu.append(time.process_time() - before)
        if outcome.state != "completed":
            raise SystemExit(f"an attempt failed: {outcome}")
        for name, seconds in outcome.timings.items():
            timings[name].append(seconds)
    return cpu, timings


def _print_phases(cpu: list[float], timings: dict[str, list[float]]) -> None:
    print(f"{'CPU of this process':<32}{statistics.median(cpu) * 1e3:8.2f} ms a stage (median)")
    print("\nby the clock (medians; papermill includes kernel, cells, record and save)")
    for name, values in timings.items():
        print(f"  {name:<30}{statistics.median(values) * 1e3:8.2f} ms")


def _print_parts(profile: cProfile.Profile, rounds: int) -> None:
    print("\nparts, under a profiler, which slows them down (means)")
    functions = pstats.Stats(profile).stats  # type: ignore[attr-defined]
    for title, (file, name) in PARTS.items():
        seconds = sum(
            figures[3]
            for (path, _, function), figures in functions.items()
            if path.endswith(file) and function == name
        )
        print(f"  {title:<30}{seconds / rounds * 1e3:8.2f} ms")


if __name__ == "__main__":
    main()
