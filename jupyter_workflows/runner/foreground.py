"""Running one workflow in the foreground, in this process, to its end or until it only waits."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jupyter_workflows.authoring.wire import encode
from jupyter_workflows.execution.executors.local import LocalExecutor
from jupyter_workflows.execution.project import Project
from jupyter_workflows.model.graph import EntryError, Graph
from jupyter_workflows.model.records import StageData
from jupyter_workflows.model.states import RunMode, StageRunState
from jupyter_workflows.store import NewRun, RunnerIdentity, Store, StoreError, open_store

from .errors import RunnerError
from .events import Listener, RunEvent
from .runner import Runner
from .settings import RunnerSettings
from .stand_ins import pinned_artifacts


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How a workflow is run in the foreground.

    Parameters
    ----------
    entry
        Path of the stage to begin with; may be left out where the workflow has one entry.
    data
        Stage data to begin with.
    answers
        Answers of forms: stage path to field key to value (or a list of such mappings, one per page).
    request
        The request for an entry that is a hook; by default the stage's ``test.request``.
    environment
        Environment variables for the kernels.
    database
        URL of the database; the embedded one by default.
    """

    entry: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    answers: Mapping[str, Any] | None = None
    request: Mapping[str, Any] | None = None
    user: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    concurrency: int | None = None
    database: str | None = None


def run_workflow(project: Project, options: RunOptions, listener: Listener) -> str:
    """Run a project's working copy and return the run's id when it has ended or only waits.

    An interrupt (Ctrl-C) cancels the run, waits for that to be recorded and raises `KeyboardInterrupt`; a
    second one does not wait.

    Raises
    ------
    RunnerError
        It is not clear where to begin, or the options do not fit the workflow.
    StoreError
        The database cannot be used.
    """
    graph = Graph.from_document(project.document)
    entry = find_entry(graph, options.entry)
    store = open_store(options.database)
    try:
        identity = RunnerIdentity.current()
        new = working_copy_run(project, graph, entry, options, store, owner=identity.id)
        store.register_runner(identity)  # before the run: others can see then whether its owner lives
        try:
            run_id = store.create_run(new)
            listener(RunEvent("run-started", run_id, title=project.document.title))
            _work_off(store, identity, run_id, options, listener)
        finally:
            with contextlib.suppress(StoreError):  # the reason is on its way
                store.unregister_runner(identity)
        return run_id
    finally:
        store.close()


def continue_run(run_id: str, options: RunOptions, listener: Listener) -> None:
    """Go on with a run of the foreground whose process has ended: after a retry, or with an answered task.

    Of the options, `environment`, `concurrency` and `database` count. For the rest see `run_workflow`.
    """
    store = open_store(options.database)
    try:
        run = store.get_run_record(run_id)
        # Its owner alone may claim its stage runs: this process takes the owner's place.
        identity = RunnerIdentity.current(run.owner)
        listener(RunEvent("run-started", run_id, title=run.title))
        _work_off(store, identity, run_id, options, listener)
    finally:
        store.close()


def _work_off(
    store: Store, identity: RunnerIdentity, run_id: str, options: RunOptions, listener: Listener
) -> None:
    """Execute what there is of a run, until it has ended or only waits."""
    settings = RunnerSettings(form_limit=0)
    if options.concurrency is not None:
        settings = replace(settings, concurrency=options.concurrency)
    interrupted = False
    if not _has_settled(store, run_id):
        executor = LocalExecutor(
            concurrency=settings.concurrency, pool_size=settings.kernel_pool, preload=settings.preload
        )
        runner = Runner(
            store,
            executor,
            settings,
            identity=identity,
            only_run=run_id,
            listener=listener,
            environment=dict(options.environment),
        )
        interrupted = asyncio.run(_drive(runner, run_id))
    _tell_end(store, run_id, listener)
    if interrupted:
        raise KeyboardInterrupt


def find_entry(graph: Graph, path: str | None) -> str:
    """Return the key of the stage to begin with.

    Raises
    ------
    RunnerError
        With the possible paths as `choices`.
    """
    try:
        return graph.entry(path)
    except EntryError as error:
        mend = "Name one with --stage" if error.choices and path is None else ""
        raise RunnerError(error.message.rstrip("."), mend, choices=error.choices) from None


def working_copy_run(
    project: Project,
    graph: Graph,
    entry: str,
    options: RunOptions,
    store: Store,
    *,
    owner: str | None = None,
) -> NewRun:
    """Return a test run of a project's working copy.

    Parameters
    ----------
    owner
        Id of the runner that alone may claim it; `None`: any runner.

    Raises
    ------
    RunnerError
        The options do not fit the workflow.
    """
    stages = project.document.stages
    answers = _checked_answers(graph, options.answers)
    requests = {
        stage.path: stage.test.request
        for key, stage in stages.items()
        if key != entry and stage.type == "hook" and stage.test is not None and stage.test.request is not None
    }
    stage = stages[entry]
    request: Mapping[str, Any] | None = None
    if stage.type == "hook":
        request = options.request
        if request is None:
            request = (stage.test.request if stage.test is not None else None) or {}
    elif options.request is not None:
        raise RunnerError(
            f"the stage {stage.path!r} is a {stage.type}, which takes no request",
            "Leave --request out, or begin with a hook by --stage",
        )
    return NewRun(
        document_text=project.text,
        project=str(project.root),
        entry_stage=entry,
        data=initial_data(store, options.data),
        mode=RunMode.TEST,
        started_by=options.user,
        owner=owner,
        request=request,
        requests=requests or None,
        answers=answers,
        scheduled_time=datetime.now(UTC) if stage.type == "job" else None,
        artifacts=pinned_artifacts(project, store),
    )


def _checked_answers(graph: Graph, answers: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    if answers is None:
        return None
    forms = sorted(stage.path for stage in graph.stages.values() if stage.type == "form")
    for path in answers:
        if path not in forms:
            raise RunnerError(
                f"there are answers for {path!r}, which is no form of this workflow",
                f"The forms are: {', '.join(forms)}" if forms else "The workflow has no forms",
                choices=forms,
            )
    return answers


def initial_data(store: Store, data: Mapping[str, Any]) -> StageData:
    """Return the data that a run starts with, in wire form; large values go to the artifact store."""

    def save(content: bytes | Path, description: dict[str, Any]) -> str:
        if isinstance(content, Path):
            return store.artifacts.put_file(content)
        return store.artifacts.put_bytes(content)

    values = {key: encode(value, key=f"data[{key!r}]", save=save) for key, value in data.items()}
    return StageData(values, dict.fromkeys(values))


def _has_settled(store: Store, run_id: str) -> bool:
    """Return whether there is nothing to execute: the run begins with a form that nobody answers."""
    return all(stage_run.state is StageRunState.WAITING for stage_run in store.get_run(run_id).stage_runs)


async def _drive(runner: Runner, run_id: str) -> bool:
    """Run until the run is idle; return whether it was interrupted."""
    interrupts = 0
    cancelling: list[asyncio.Task[None]] = []

    async def cancel() -> None:
        await runner.in_database(runner.store.cancel_run, run_id, by="interrupt")
        await runner.renew()
        await runner.look_whether_idle()

    def on_interrupt() -> None:
        nonlocal interrupts
        interrupts += 1
        if interrupts == 1:
            cancelling.append(asyncio.get_running_loop().create_task(cancel()))
        else:
            runner.stop(at_once=True)

    with contextlib.ExitStack() as handlers:
        for number in _interrupting():
            handlers.enter_context(_signal_handler(number, on_interrupt))
        await runner.run()
        await asyncio.gather(*cancelling, return_exceptions=True)
    return interrupts > 0


def _interrupting() -> list[signal.Signals]:
    """Return the signals that end a run; the end of the terminal is one, unless (`nohup`) it is ignored."""
    hang_up = getattr(signal, "SIGHUP", None)
    if hang_up is None or signal.getsignal(hang_up) is signal.SIG_IGN:
        return [signal.SIGINT, signal.SIGTERM]
    return [signal.SIGINT, signal.SIGTERM, hang_up]


@contextlib.contextmanager
def _signal_handler(number: signal.Signals, handler: Callable[[], None]) -> Any:
    """Handle a signal on the event loop, where that is possible (not on Windows, only in the main thread)."""
    loop = asyncio.get_running_loop()
    try:
        loop.add_signal_handler(number, handler)
    except (NotImplementedError, RuntimeError, ValueError):
        yield
        return
    try:
        yield
    finally:
        loop.remove_signal_handler(number)


def _tell_end(store: Store, run_id: str, listener: Listener) -> None:
    details = store.get_run(run_id)
    for stage_run in details.stage_runs:
        if stage_run.state is StageRunState.WAITING:
            listener(
                RunEvent(
                    "stage-waiting",
                    run_id,
                    stage_run.id,
                    stage_run.path,
                    stage_run.title,
                    state=str(stage_run.state),
                    message=stage_run.assignee,
                )
            )
    listener(RunEvent("run-ended", run_id, title=details.run.title, state=str(details.run.state)))
