"""A runner with an executor that does what the test says instead of executing notebooks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from jupyter_workflows.execution.executors.base import OnProgress
from jupyter_workflows.execution.spec import AttemptOutcome, AttemptSpec
from jupyter_workflows.model.states import AttemptState, RunState
from jupyter_workflows.runner.runner import Runner
from jupyter_workflows.store import NewRun, Store

Behaviour = Callable[[AttemptSpec], Coroutine[Any, Any, AttemptOutcome]]


class ScriptedExecutor:
    """Does what the test says instead of executing notebooks."""

    def __init__(self, behaviour: Behaviour) -> None:
        self.behaviour = behaviour
        self.active: dict[str, asyncio.Task[AttemptOutcome]] = {}
        self.executed: list[str] = []
        self.cancelled: list[str] = []
        self.most_active = 0

    async def start(self) -> None:
        pass

    async def stop(self, *, wait: bool = True) -> None:
        pass

    async def execute(self, spec: AttemptSpec, on_progress: OnProgress | None = None) -> AttemptOutcome:
        self.executed.append(spec.stage_path)
        task = asyncio.ensure_future(self.behaviour(spec))
        self.active[spec.stage_run_id] = task
        self.most_active = max(self.most_active, len(self.active))
        try:
            return await task
        except asyncio.CancelledError:
            return AttemptOutcome(AttemptState.CANCELLED)
        finally:
            del self.active[spec.stage_run_id]

    def cancel(self, stage_run_id: str) -> None:
        self.cancelled.append(stage_run_id)
        if stage_run_id in self.active:
            self.active[stage_run_id].cancel()

    def kill(self, stage_run_id: str) -> None:
        self.cancel(stage_run_id)


def begin(store: Store, file: Path, entry: str, **fields: Any) -> str:
    return store.create_run(
        NewRun(document_text=file.read_text(), project=str(file.parent), entry_stage=entry, **fields)
    )


async def until(condition: Callable[[], bool], *, seconds: float = 20) -> None:
    """Wait for a condition that other tasks or processes bring about."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.005)


def run_while(runner: Runner, body: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a runner as long as `body` takes, then stop it."""

    async def both() -> None:
        running = asyncio.create_task(runner.run())
        try:
            await body()
        finally:
            runner.stop()
            await running

    asyncio.run(both())


def state_of(store: Store, run_id: str) -> RunState:
    return store.get_run_record(run_id).state
