"""The server extension's application: configuration, routes, life cycle."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from jupyter_server.extension.application import ExtensionApp
from jupyter_server.utils import url_path_join
from traitlets import Bool, CaselessStrEnum, Dict, Float, Integer, List, Unicode, default

from jupyter_workflows.runner.wakeup import wake
from jupyter_workflows.store import EditorServer, Store, StoreError

from .base import API, NoSuchRoute
from .checks.handlers import default_handlers as checks
from .database import StoreThreads
from .deployments.handlers import default_handlers as deployments
from .deployments.upload import default_handlers as uploads
from .events.cells import CellBoard
from .events.feed import ChangeFeed
from .forms.channels import default_handlers as forms
from .forms.doors import Doors
from .health.handlers import default_handlers as health
from .health.manager import versions
from .hooks.handlers import default_handlers as hooks
from .hooks.service import HookService
from .hooks.settings import HookSettings
from .mail.handlers import default_handlers as mail
from .openapi import Route, openapi
from .operations import route_pattern
from .projects import ProjectPaths
from .runs.handlers import default_handlers as runs
from .schedules.handlers import default_handlers as schedules
from .supervisor import RunnerCommand, Supervisor
from .tasks.handlers import default_handlers as tasks
from .workflows.handlers import default_handlers as workflows
from .workingcopies.handlers import default_handlers as workingcopies

#: The REST routes: a path below `workflows/api`, and its handler.
ROUTES: list[Route] = [
    *health,
    *checks,
    *workingcopies,
    *workflows,
    *uploads,
    *deployments,
    *schedules,
    *runs,
    *tasks,
    *mail,
]


class WorkflowsApp(ExtensionApp):
    """Jupyter Workflows in a Jupyter server."""

    name = "workflows"
    description = "Business workflows whose stages are notebooks, with people in them."
    load_other_extensions = True

    database_url = Unicode(
        help="""URL of the database: sqlite:///FILE or postgresql://HOST/NAME.

        By default JUPYTER_WORKFLOWS_DATABASE, else an SQLite file in Jupyter's data folder.""",
    ).tag(config=True)

    @default("database_url")
    def _default_database_url(self) -> str:
        return os.environ.get("JUPYTER_WORKFLOWS_DATABASE", "")

    public_url = Unicode(
        help="""Address under which callers outside reach this server, with its base URL, such as
        https://example.org/jupyter/. Callback addresses are made of it.""",
    ).tag(config=True)

    hook_largest_body = Integer(
        HookSettings.largest_body, min=1, help="Bytes that the body of a hook's request may have."
    ).tag(config=True)

    hook_body_timeout = Float(
        HookSettings.body_timeout, min=0.1, help="Seconds within which the body of a request has to arrive."
    ).tag(config=True)

    hook_queue_depth = Integer(
        HookSettings.queue_depth,
        min=1,
        help="Stages of a workflow that may be queued before further requests to it are answered with 429.",
    ).tag(config=True)

    hook_longest_wait = Float(
        HookSettings.longest_wait,
        min=0,
        help="Seconds that a caller waits for a hook's answer at most; then it is told where to look for it.",
    ).tag(config=True)

    hook_allow_origins = List(
        Unicode(),
        help="""Origins whose pages may call hooks from a browser (CORS), such as https://example.org, or *.

        None by default. Callers that are no browsers need no such permission.""",
    ).tag(config=True)

    deploy_largest_upload = Integer(
        512 * 1024 * 1024,
        min=1,
        help="Bytes that a project may have, compressed, that `jupyter workflows deploy --to` sends.",
    ).tag(config=True)

    runner_enabled = Bool(
        True,
        help="""Whether this server starts and supervises a runner.

        Without it `jupyter workflows runner` executes what is queued, here or on other machines.""",
    ).tag(config=True)

    runner_concurrency = Integer(
        0, min=0, help="Stages executed at a time; 0: one more than there are processors."
    ).tag(config=True)

    runner_pools = Dict(
        key_trait=Unicode(),
        value_trait=Integer(min=1),
        help="At most so many stages of a pool at a time, by the pool's name, over all runners.",
    ).tag(config=True)

    runner_kernel_pool = Integer(
        2, min=0, help="Kernels kept ready, so that a stage starts at once. 0: none."
    ).tag(config=True)

    runner_preload = List(
        Unicode(), help="Modules that are imported once, before kernels are made (Linux), such as pandas."
    ).tag(config=True)

    form_idle = Float(
        900.0,
        min=1,
        help="""Seconds without input after which a form that somebody has open is closed.

        What was filled in is kept, and is there when the form is opened again.""",
    ).tag(config=True)

    form_limit = Integer(64, min=1, help="Forms that people may have open at a time.").tag(config=True)

    runner_poll_interval = Float(
        1.0, min=0.05, help="Seconds between two looks for work where no wake-up reaches the runner."
    ).tag(config=True)

    runner_on_stop = CaselessStrEnum(
        ["finish", "end"],
        "finish",
        help="""What becomes of what is executed when the server stops.

        finish: the runner claims nothing more, finishes what it executes and ends; a server that starts
        meanwhile takes it over. end: what it executes is ended, and taken up again later.""",
    ).tag(config=True)

    runner_environment = Dict(
        key_trait=Unicode(),
        value_trait=Unicode(),
        help="Environment variables for the runner and its kernels.",
    ).tag(config=True)

    keep_days = Float(
        None, allow_none=True, min=0, help="Days after which live runs that ended are removed; None: never."
    ).tag(config=True)

    keep_runs = Integer(
        None, allow_none=True, min=0, help="How many ended live runs of each workflow are kept; None: all."
    ).tag(config=True)

    events_interval = Float(
        2.0,
        min=0.05,
        help="Seconds between two looks for changes that nobody told this server of, to announce them.",
    ).tag(config=True)

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.started_at = datetime.now(UTC)
        self.supervisor: Supervisor | None = None
        self.feed: ChangeFeed | None = None
        self._erased = False

    # -- what handlers use --------------------------------------------------------------------------------

    @cached_property
    def database(self) -> StoreThreads:
        """The store, on threads."""
        return StoreThreads(self.database_url or None, log=self.log)

    @cached_property
    def cells(self) -> CellBoard:
        """How far the stages have come that the embedded runner executes."""
        return CellBoard()

    @cached_property
    def editor(self) -> EditorServer:
        """This server, as the test runs know it that its editors start."""
        return EditorServer.current(str(self.projects.root or ""))

    @cached_property
    def hooks(self) -> HookService:
        """What takes requests to hooks."""
        settings = HookSettings(
            public_url=self.public_url or None,
            largest_body=self.hook_largest_body,
            body_timeout=self.hook_body_timeout,
            queue_depth=self.hook_queue_depth,
            longest_wait=self.hook_longest_wait,
            allow_origins=tuple(self.hook_allow_origins),
        )
        return HookService(self.database, settings)

    @cached_property
    def doors(self) -> Doors:
        """The runners that open forms; the database must be open."""
        return Doors(self.database.store.state_folder / "forms")

    @cached_property
    def projects(self) -> ProjectPaths:
        """The projects in the server's files."""
        assert self.serverapp is not None
        return ProjectPaths(self.serverapp.contents_manager)

    @cached_property
    def openapi(self) -> dict[str, Any]:
        """The description of all routes."""
        assert self.serverapp is not None
        address = url_path_join(self.serverapp.base_url, API)
        return openapi(ROUTES, server=address, version=versions().jupyter_workflows)

    def look_for_changes(self) -> None:
        """Announce soon what has changed in the database."""
        if self.feed is not None:
            self.feed.look()

    # -- life cycle ---------------------------------------------------------------------------------------

    def initialize_handlers(self) -> None:
        """Add the routes."""
        self.handlers.extend((url_path_join(API, route_pattern(path)), handler) for path, handler in ROUTES)
        self.handlers.extend(hooks)
        self.handlers.extend(forms)
        # After the others: whatever is left.
        self.handlers.append((rf"{API}(?:/(.*))?", NoSuchRoute))

    async def _start_jupyter_server_extension(self, serverapp: Any) -> None:
        """Open the database, begin to announce changes, and start the runner."""
        self.feed = ChangeFeed(self)
        self.feed.start()
        try:
            store = await self.database.ready()
        except StoreError:
            return  # logged; the feed tries again, and starts the runner then
        await self.opened(store)

    async def opened(self, store: Store) -> None:
        """Go to work with the database: erase what editors tested before, then start the runner."""
        if not self._erased:
            self._erased = True
            try:
                removed = await self.database.write(store.erase_tests, self.editor)
            except StoreError as error:
                self.log.warning("test runs of an earlier server could not be erased: %s", error)
            else:
                if removed.runs:
                    self.log.info("%d test runs of an earlier server are erased", len(removed.runs))
                    wake(store.state_folder / "wake")  # a runner that lives on ends what it executes of them
        self.start_runner(store.state_folder)

    def start_runner(self, state: Any) -> None:
        """Start the embedded runner, unless it is turned off or there already."""
        if not self.runner_enabled or self.supervisor is not None:
            return
        store = self.database.store
        url = self.database_url or store.database.engine.url.render_as_string(hide_password=False)
        self.supervisor = Supervisor(
            self._runner_command(),
            database=url,
            state=state,
            version=versions().jupyter_workflows,
            log=self.log,
            on_change=self.feed.runner_changed if self.feed is not None else lambda status: None,
            on_work=self.feed.look if self.feed is not None else lambda: None,
            on_cells=self.feed.cells_changed if self.feed is not None else lambda cells: None,
        )
        self.supervisor.start()

    def _runner_command(self) -> RunnerCommand:
        arguments = ["--kernel-pool", str(self.runner_kernel_pool)]
        arguments += ["--poll-interval", str(self.runner_poll_interval)]
        arguments += ["--form-idle", str(self.form_idle), "--form-limit", str(self.form_limit)]
        if self.public_url:
            arguments += ["--public-url", self.public_url]
        if self.runner_concurrency:
            arguments += ["--concurrency", str(self.runner_concurrency)]
        for name, limit in sorted(self.runner_pools.items()):
            arguments += ["--pool", f"{name}={limit}"]
        for module in self.runner_preload:
            arguments += ["--preload", module]
        if self.keep_days is not None:
            arguments += ["--keep-days", str(self.keep_days)]
        if self.keep_runs is not None:
            arguments += ["--keep-runs", str(self.keep_runs)]
        return RunnerCommand(tuple(arguments), dict(self.runner_environment))

    def current_activity(self) -> dict[str, Any] | None:
        """Keep a server alive that stops when it is not used, while its runner executes something."""
        executing = self.supervisor.status.executing if self.supervisor is not None else None
        return {"stages": executing} if executing else None

    async def stop_extension(self) -> None:
        """Let the runner go, and close the database."""
        if self.feed is not None:
            await self.feed.stop()
        if self.supervisor is not None:
            await self.supervisor.stop(at_once=self.runner_on_stop == "end")
        await self.hooks.stop()
        await self.database.close()
