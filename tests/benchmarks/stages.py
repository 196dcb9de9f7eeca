"""What a stage of three cells costs, beside other ways to execute the same notebook.

Each execution has a kernel process of its own. All ways take their turn in each round, in random order, so
that what else the machine does falls on all of them alike; ratios are taken within rounds. Ours goes
through the local executor with a complete specification, and reads and writes stage data on top of what
the others do. Processor time is that of all processes, until the last of them has come to rest again.

The others are best installed in environments of their own: papermill imports every package that registers an
engine with it, and more of what it finds. Name their programs with ``--papermill``, ``--execute`` and
``--ploomber``; by default those beside this Python are taken. Nothing here is asserted.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import random
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(1, str(Path(__file__).parents[1]))

from measuring import Cpu, Family, Report, median, options, percentile, scratch
from support.projects import write_notebook

from jupyter_workflows.execution.executors.local import LocalExecutor
from jupyter_workflows.execution.spec import AttemptSpec, Successor
from jupyter_workflows.model.states import AttemptState

COMPUTE = "values = [n * n for n in range(30000)]\ntotal = sum(values) * x"
PLAIN = [("x = 1", ["parameters"]), COMPUTE, "print(total)"]
STAGE = [
    ("x = 1", ["parameters"]),
    f"from jupyter_workflows import get_stage\nstage = get_stage()\n{COMPUTE}",
    "stage['total'] = total\nstage['seen'] = [*stage['seen'], stage.path]\nprint(total)",
]
TOTAL = 3 * sum(n * n for n in range(30000))

BASE = "papermill"
BESIDE = str(Path(sys.executable).parent)


@dataclass
class Way:
    """A way to execute the notebook, and what it took."""

    name: str
    execute: Callable[[], Awaitable[None]]
    target: float | None = None
    family: Family | None = None
    seconds: list[float] = field(default_factory=list)
    cpu: Cpu = field(default_factory=Cpu)
    timings: dict[str, list[float]] = field(default_factory=dict)


class Commands:
    """Ways that are a command each."""

    def __init__(self, folder: Path) -> None:
        self.notebook = write_notebook(folder / "plain.ipynb", PLAIN)
        self.output = folder / "output.ipynb"
        self.environment = {**os.environ, "PYTHONWARNINGS": "ignore", "PLOOMBER_STATS_ENABLED": "false"}

    def way(self, name: str, program: str, *arguments: str) -> Way | None:
        """Return the way, if the program is found: by its path, or beside this Python."""
        found = shutil.which(program, path=BESIDE)
        if found is None:
            return None
        command = [found, str(self.notebook), *arguments]

        async def execute() -> None:
            subprocess.run(
                command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=self.environment, check=True
            )

        return Way(name, execute)


class Ours:
    """Ways through a local executor."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.notebook = write_notebook(folder / "project" / "stages" / "stage.ipynb", STAGE)
        self.number = 0

    def spec(self) -> AttemptSpec:
        """Return the specification of a new attempt."""
        self.number += 1
        folder = self.folder / "runs" / f"r{self.number // 10}" / f"s{self.number}"
        return AttemptSpec(
            run_id=f"r{self.number // 10}",
            stage_run_id=f"s{self.number}",
            attempt=1,
            workflow_uid="benchmark",
            workflow_title="Benchmark",
            stage_id="stage",
            stage_path="stage",
            stage_title="Stage",
            stage_type="script",
            mode="live",
            notebook=str(self.notebook),
            project=str(self.folder / "project"),
            cwd=str(self.notebook.parent),
            folder=str(folder),
            output=str(folder / "executed-1.ipynb"),
            artifacts=str(self.folder / "artifacts"),
            timeout=60.0,
            data={"x": 3, "seen": ["entry"], "customer": {"name": "Ada", "amount": 120.5}},
            successors=[Successor("next", "Next")],
            user="ada",
        )

    async def way(self, name: str, executor: LocalExecutor, target: float | None = None) -> Way:
        """Start an executor and return the way through it."""
        known = {*Family().workers, *Family().servers}
        await executor.start()
        way = Way(name, lambda: execute(), target)

        async def execute() -> None:
            outcome = await executor.execute(self.spec())
            if outcome.state is not AttemptState.COMPLETED or outcome.changes["total"] != TOTAL:
                raise RuntimeError(f"{name}: {outcome}")
            for phase, seconds in outcome.timings.items():
                way.timings.setdefault(phase, []).append(seconds)

        await execute()
        way.family = family = Family()
        family.workers = [pid for pid in family.workers if pid not in known]
        family.servers = {pid: server for pid, server in family.servers.items() if pid not in known}
        return way


def _ended_children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


async def measure(way: Way, count: bool) -> None:
    """Execute once."""
    if way.family is not None:
        way.family.settle()
    before = way.family.cpu() if way.family is not None else Cpu(kernels=_ended_children())
    own = time.process_time()
    begin = time.perf_counter()
    await way.execute()
    seconds = time.perf_counter() - begin
    own = time.process_time() - own
    if way.family is not None:
        way.family.settle()
    after = way.family.cpu() if way.family is not None else Cpu(kernels=_ended_children())
    if count:
        used = after - before
        way.seconds.append(seconds)
        way.cpu += Cpu(own if way.family else 0.0, used.workers, used.server, used.kernels)
    else:
        way.timings.clear()


async def main() -> None:
    """Print the figures of all ways."""
    given = options(
        __doc__,
        rounds=12,
        warm_up=1,
        papermill="papermill",
        execute="jupyter-execute",
        ploomber="ploomber-engine",
    )
    report = Report(given)
    with scratch() as folder:
        commands, ours = Commands(folder), Ours(folder)
        if shutil.which(given.papermill, path=BESIDE) is None:
            raise SystemExit(f"{given.papermill} is not found; papermill is what all else is compared with")
        others = [
            commands.way(BASE, given.papermill, str(commands.output), "-p", "x", "3"),
            commands.way("jupyter execute", given.execute, "--output", str(commands.output)),
            commands.way("ploomber-engine", given.ploomber, str(commands.output), "-p", "x", "3"),
        ]
        if others[2] is None:
            report.note("ploomber-engine is left out. To compare with it, in an environment of its own:")
            report.note("  pip install ploomber-engine ipykernel; stages.py --ploomber BIN/ploomber-engine")
        elif importlib.util.find_spec("ploomber_engine") and given.papermill == "papermill":
            report.note("ploomber-engine is installed here: papermill, and so our workers, import it too")
        executors = {
            "ours, warm pool": (LocalExecutor(1, pool_size=2), 20.0),
            "ours, forked on demand": (LocalExecutor(1, pool_size=0), 8.0),
            "ours, ordinary kernel": (LocalExecutor(1, fork_server=False), None),
        }
        ways = [way for way in others if way is not None]
        try:
            for name, (executor, target) in executors.items():
                ways.append(await ours.way(name, executor, target))
            for turn in range(given.warm_up + given.rounds):
                for way in random.sample(ways, len(ways)):
                    await measure(way, turn >= given.warm_up)
        finally:
            for executor, _ in executors.values():
                await executor.stop()
    tell(report, ways)


def tell(report: Report, ways: list[Way]) -> None:
    """Show the figures."""
    base = next(way for way in ways if way.name == BASE).seconds
    rows = []
    for way in ways:
        number = len(way.seconds)
        shares = {
            "executor": way.cpu.own,
            "worker": way.cpu.workers,
            "fork server": way.cpu.server,
            "kernel": way.cpu.kernels,
        }
        rows.append(
            {
                "way": way.name,
                "median ms": 1e3 * (median(way.seconds) or 0),
                "p95 ms": 1e3 * (percentile(way.seconds, 0.95) or 0),
                "times papermill": median(b / own for b, own in zip(base, way.seconds, strict=True)),
                "target": way.target,
                "CPU ms": 1e3 * way.cpu.total / number,
                **{name: 1e3 * used / number if way.family else None for name, used in shares.items()},
            }
        )
    report.table(
        "stages",
        f"A stage of three cells, {len(base)} interleaved rounds (CPU: mean of a stage, by who computed)",
        rows,
    )
    phases = sorted({phase for way in ways for phase in way.timings})
    report.table(
        "phases",
        "Where the time goes, median ms",
        [
            {"way": way.name, **{name: 1e3 * (median(way.timings.get(name, [])) or 0) for name in phases}}
            for way in ways
            if way.timings
        ],
    )
    report.close()


if __name__ == "__main__":
    asyncio.run(main())
