"""The runner as a program: `jupyter workflows runner`."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from dataclasses import replace
from pathlib import Path

from jupyter_workflows.execution.executors.local import LocalExecutor
from jupyter_workflows.store import open_store

from .embedded import TAKEN, Tie, take_place
from .events import Listener
from .runner import Runner
from .settings import RunnerSettings
from .smtp import SmtpSettings

log = logging.getLogger(__name__)


def run_runner(
    database_url: str | None,
    settings: RunnerSettings,
    *,
    stop_on_signals: bool = True,
    listener: Listener | None = None,
    embedded: Path | None = None,
) -> int:
    """Run a runner until it is told to stop, and return the exit code.

    Parameters
    ----------
    stop_on_signals
        SIGTERM and SIGINT let it finish what runs and end; a second one ends that too.
    embedded
        Folder in which servers find this runner; it ends with the last of them.

    Raises
    ------
    StoreError
        The database cannot be used.
    RunnerError
        The mail server's settings cannot be understood.
    """
    if settings.smtp is None:
        settings = replace(settings, smtp=SmtpSettings.take_from(os.environ))
    leave = None
    if embedded is not None:
        leave = take_place(embedded)
        if leave is None:
            log.info("another runner works for the servers already")
            return TAKEN
    store = open_store(database_url)
    try:
        executor = LocalExecutor(
            concurrency=settings.concurrency, pool_size=settings.kernel_pool, preload=settings.preload
        )
        runner = Runner(store, executor, settings, listener=listener)
        asyncio.run(_serve(runner, stop_on_signals, embedded))
        return 0
    finally:
        store.close()
        if leave is not None:
            leave()


async def _serve(runner: Runner, stop_on_signals: bool, embedded: Path | None) -> None:
    stops = 0

    def on_signal() -> None:
        nonlocal stops
        stops += 1
        if stops == 1:
            log.info("finishing what runs; a second signal ends it at once")
        runner.stop(at_once=stops > 1)

    if stop_on_signals:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, on_signal)
    if embedded is None:
        await runner.run()
        return
    tie = Tie(runner, embedded)
    runner.add_listener(tie.on_event)
    await tie.open()
    try:
        await runner.run()
    finally:
        await tie.close()
