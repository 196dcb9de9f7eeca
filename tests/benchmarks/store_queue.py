"""What a stage costs in the queue alone: claims and completions of three-stage runs, without kernels.

Run as ``python tests/benchmarks/store_queue.py [--runs N] [--postgres]``.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from support.postgres import postgres_server
from support.stores import fan_out, finish, linear, start

from jupyter_workflows.store import RunnerIdentity, Store, open_database


@contextmanager
def database_url(kind: str) -> Iterator[str]:
    """An empty database of a kind."""
    if kind == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            yield f"sqlite:///{folder}/state/workflows.sqlite3"
        return
    servers = postgres_server(durable=True)
    server = next(servers)
    try:
        yield server.create_database()
    finally:
        servers.close()


def one_after_the_other(store: Store, runner: RunnerIdentity, runs: int) -> None:
    """One claim and one completion at a time, as a runner with free capacity does."""
    text = linear(3)
    start(store, text)
    while claims := store.claim(runner, limit=1):  # warm the caches
        finish(store, claims[0])
    for _ in range(runs):
        start(store, text, values={"amount": 120, "email": "ada@example.org"})
    claim_cpu, complete_cpu, walls = [], [], []
    while True:
        wall, cpu = time.perf_counter(), time.process_time()
        claims = store.claim(runner, limit=1)
        claimed = time.process_time()
        if not claims:
            break
        finish(store, claims[0], {"seen": True})
        complete_cpu.append(time.process_time() - claimed)
        claim_cpu.append(claimed - cpu)
        walls.append(time.perf_counter() - wall)
    print(
        f"  linear: {len(walls)} stages, {len(walls) / sum(walls):.0f} stages/s, CPU per stage "
        f"{(sum(claim_cpu) + sum(complete_cpu)) / len(walls) * 1000:.2f} ms (median: claim "
        f"{statistics.median(claim_cpu) * 1000:.2f}, complete {statistics.median(complete_cpu) * 1000:.2f}); "
        f"wall median {statistics.median(walls) * 1000:.2f} ms"
    )


def fan(store: Store, runner: RunnerIdentity, width: int, join: str | None) -> None:
    """A wide fan-out, with or without a join behind it."""
    start(store, fan_out(join=join), values={"items": list(range(width))})
    finish(store, store.claim(runner, limit=1)[0])
    wall, cpu, count = time.perf_counter(), time.process_time(), 0
    while claims := store.claim(runner, limit=4):
        for claim in claims:
            finish(store, claim, {"score": claim.data.values.get("item", 0)})
            count += 1
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    name = "fan-out" if join is None else f"fan-out and join ({join})"
    print(f"  {name} of {width}: {count / wall:.0f} stages/s, CPU per stage {cpu / count * 1000:.2f} ms")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--width", type=int, default=1000)
    parser.add_argument("--postgres", action="store_true")
    options = parser.parse_args()
    for kind in ("sqlite", "postgresql") if options.postgres else ("sqlite",):
        with database_url(kind) as url:
            print(kind)
            store = Store(open_database(url))
            runner = RunnerIdentity.current()
            store.register_runner(runner)
            one_after_the_other(store, runner, options.runs)
            fan(store, runner, options.width, None)
            fan(store, runner, options.width, "all")
            store.close()


if __name__ == "__main__":
    main()
