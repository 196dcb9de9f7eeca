"""The runner: one asyncio process that claims stage runs and has them executed."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, TypeVar

from jupyter_workflows.execution.executors.base import Executor
from jupyter_workflows.execution.executors.threads import ThreadExecutor
from jupyter_workflows.model.graph import Graph
from jupyter_workflows.model.records import Changes, Outcome
from jupyter_workflows.model.states import RunState, StageRunState
from jupyter_workflows.store import AttemptReport, Claim, RunnerIdentity, StaleClaim, Store, StoreError

from .attempts import AttemptRunner, Ended
from .events import Listener, RunEvent
from .forms import Door, FormSessions
from .mail import Mailer
from .periodic import Periodic, steady_seconds
from .scheduler import Clock, Scheduler
from .settings import RunnerSettings
from .wakeup import QUEUED, SERVERS, WakeUps, wake

log = logging.getLogger(__name__)
T = TypeVar("T")

#: Runs removed in one go.
_REMOVED_AT_ONCE = 50

_ENDED = frozenset({RunState.COMPLETED, RunState.FAILED, RunState.CANCELLED})
_IDLE_RUN = _ENDED | {RunState.WAITING}


class Runner:
    """Claims stage runs and has them executed until it is stopped.

    Parameters
    ----------
    store
        Where runs are kept. All calls go through one thread of the runner's, so that SQLite has one
        writer in this process and the event loop never waits for the database.
    executor
        Executes the attempts; the runner starts and stops it.
    only_run
        Claim stage runs of this run alone, and end when it has ended or only waits.
    listener
        Told what happens, on the event loop's thread.
    environment
        Environment variables for the kernels of the runs executed here; never stored.
    clock
        By which jobs are due; the database's by default.
    """

    def __init__(
        self,
        store: Store,
        executor: Executor,
        settings: RunnerSettings,
        *,
        identity: RunnerIdentity | None = None,
        only_run: str | None = None,
        listener: Listener | None = None,
        environment: dict[str, str] | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.store = store
        self.executor = executor
        self.settings = settings
        self.identity = identity or RunnerIdentity.current()
        self._only_run = only_run
        self._listeners = [] if listener is None else [listener]
        self._database = ThreadPoolExecutor(max_workers=1, thread_name_prefix="workflows-database")
        self._threads = ThreadExecutor(getattr(executor, "supply", None))
        self.forms = FormSessions(
            store,
            self.identity,
            self._threads,
            self.in_database,
            self._begin_form,
            idle=settings.form_idle,
            limit=settings.form_limit,
        )
        self._door = Door(store, self.identity, self.forms) if settings.form_limit else None
        self._attempts = AttemptRunner(
            store,
            executor,
            self.in_database,
            self._complete,
            self.emit,
            environment or {},
            self._tell_servers,
            settings.public_url,
            self.forms,
        )
        self._scheduler = Scheduler(
            store,
            self.in_database,
            interval=settings.schedule_interval if only_run is None else 0,
            started=self._tell_runners,
            resting=lambda: self._paused or self._stopping,
            clock=clock,
        )
        self._mailer = Mailer(store, self.in_database, settings.smtp)
        #: What is claimed in this runner's name, noted where it is claimed: on the database's thread.
        self._claimed: set[str] = set()
        self._held: dict[str, tuple[Claim, asyncio.Task[None]]] = {}
        self._work = asyncio.Event()
        self._leases_in_doubt = False
        self._claims_in_doubt = False
        self._renewed_at = steady_seconds()
        self._stopping = False
        self._paused = False
        self._run_is_idle = False

    # -- life cycle ---------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Work until `stop` was called, or, for one run alone, until it has ended or only waits."""
        wake_ups = WakeUps(self.store.state_folder / "wake", self._on_wake_up)
        periodic = Periodic(
            [
                ("renewing leases", self.settings.renew_interval, self.renew),
                ("looking for lost and expired stages", self.settings.sweep_interval, self.sweep),
                ("removing old runs", self.settings.retention_interval, self.retain),
                (
                    "sending mail",
                    self.settings.mail_interval if self._only_run is None else 0,
                    self.send_mail,
                ),
            ]
        )
        try:
            await self.executor.start()
            await self.in_database(self.store.register_runner, self.identity)
            if self.settings.public_url is not None:
                await self.in_database(self.store.address_key)  # kept there from here on
            wake_ups.open()
            periodic.start()
            if self._door is not None:
                await self._threads.start()
                await self._door.open()
            await self._first_look()
            self._scheduler.start()
            await self._dispatch()
            await self._finish()
        finally:
            wake_ups.close()
            if self._door is not None:
                await self._door.close()
                await self._threads.stop()
            await self.executor.stop()
            await self._finish()
            await self._scheduler.stop()
            await periodic.stop()
            await self._mailer.close()
            try:
                await self.in_database(self.store.unregister_runner, self.identity)
            except StoreError as error:
                log.warning("the runner could not sign off: %s", error)
            self._database.shutdown()

    def stop(self, *, at_once: bool = False) -> None:
        """Claim nothing more and end when what runs has ended.

        Parameters
        ----------
        at_once
            End that too. Its attempts are lost ones, which another runner takes up again.
        """
        self._stopping = True
        self._work.set()
        self.forms.park_all()
        if at_once:
            for stage_run_id in list(self._held):
                self._executor_of(stage_run_id).kill(stage_run_id)

    def pause(self) -> None:
        """Claim nothing more until `resume`; what runs goes on."""
        self._paused = True

    def resume(self) -> None:
        """Claim again."""
        self._paused = False
        self._work.set()
        self._scheduler.nudge()

    @property
    def paused(self) -> bool:
        """Whether nothing is claimed at the moment."""
        return self._paused

    @property
    def stopping(self) -> bool:
        """Whether it was told to stop."""
        return self._stopping

    @property
    def busy(self) -> int:
        """How many attempts are being executed or recorded."""
        return len(self._held)

    async def in_database(self, function: Callable[..., T], *arguments: Any, **keywords: Any) -> T:
        """Call `function` on the thread that talks to the database."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._database, lambda: function(*arguments, **keywords))

    def add_listener(self, listener: Listener) -> None:
        """Have somebody else told what happens, too."""
        self._listeners.append(listener)

    def emit(self, event: RunEvent) -> None:
        """Tell the listeners; their own failures do not disturb the runner."""
        for listener in self._listeners:
            try:
                listener(event)
            except Exception:
                log.exception("a listener failed on %s", event.kind)

    # -- claiming and executing ---------------------------------------------------------------------------

    def _on_wake_up(self, messages: list[bytes]) -> None:
        # Whoever woke us may have cancelled what runs here, unless they said that there is work and no more.
        if any(message != QUEUED for message in messages):
            self._leases_in_doubt = True
            self._scheduler.nudge()
        self._work.set()

    def _tell_servers(self, claim: Claim) -> None:
        """Tell those who wait for the answer to a request that there is one."""
        wake(self.store.state_folder / "wake", claim.id.encode(), kind=SERVERS)

    def _tell_runners(self) -> None:
        """Tell this runner and others that there is something to claim."""
        self._work.set()
        wake(self.store.state_folder / "wake", QUEUED)

    async def _dispatch(self) -> None:
        while not self._stopping and not self._run_is_idle:
            self._work.clear()
            try:
                if self._leases_in_doubt:
                    self._leases_in_doubt = False
                    await self.renew()
                if self._claims_in_doubt:
                    await self._take_back()
                free = self.settings.concurrency - self._batch
                if free > 0 and not self._stopping and not self._paused:
                    for claim in await self.in_database(self._claim, free):
                        self._begin(claim)
            except StoreError as error:
                # A database that went away as it committed may have done so all the same.
                self._claims_in_doubt = True
                log.warning("no stage could be claimed: %s", error)
            with contextlib.suppress(TimeoutError):
                # Not `wait_for`: in Python 3.11 that can swallow being cancelled.
                async with asyncio.timeout(self.settings.poll_interval):
                    await self._work.wait()

    def _claim(self, limit: int) -> list[Claim]:
        claims = self.store.claim(
            self.identity, limit=limit, run_id=self._only_run, pools=self.settings.pools
        )
        self._claimed.update(claim.id for claim in claims)
        return claims

    def _complete(self, claim: Claim, outcome: Outcome, report: AttemptReport, graph: Graph) -> Ended:
        """Record an end and fill its place at once: one way to the database's thread instead of two."""
        changes = self.store.complete(claim, outcome, report, graph)
        over = self._only_run is not None and changes.run_state in _IDLE_RUN
        over = over or self.forms.holds(claim)  # its place is not one of those
        if over or self._stopping or self._paused:
            return changes, []
        try:
            return changes, self._claim(1)
        except StoreError:
            self._claims_in_doubt = True
            return changes, []  # the next look finds it

    async def _take_back(self) -> None:
        """Give up what is claimed in this runner's name and not executed: nobody else would."""
        recovered = await self.in_database(
            lambda: self.store.recover(self.identity, held=frozenset(self._claimed.copy()))
        )
        self._claims_in_doubt = False
        self._note_lost(recovered)

    @property
    def _batch(self) -> int:
        """How many attempts take a place of their own: forms have others, so that nobody waits for them."""
        return sum(not self.forms.holds(claim) for claim, _ in self._held.values())

    def _executor_of(self, stage_run_id: str) -> Executor | ThreadExecutor:
        return self._threads if stage_run_id in self.forms else self.executor

    def _begin_form(self, claim: Claim) -> None:
        self._claimed.add(claim.id)
        self._begin(claim)

    def _begin(self, claim: Claim) -> None:
        task = asyncio.create_task(self._execute(claim), name=f"attempt {claim.id}")
        self._held[claim.id] = (claim, task)

    async def _execute(self, claim: Claim) -> None:
        try:
            changes, following = await self._attempts.execute(claim)
        except StaleClaim:
            log.info("stage run %s was cancelled or taken from this runner", claim.id)
            await self.look_whether_idle()
        except Exception:
            log.exception("stage run %s could not be brought to an end", claim.id)
            self._claims_in_doubt = True
        else:
            for next_claim in following:
                self._begin(next_claim)
            self._after(changes)
        finally:
            held = self._held.get(claim.id)
            # What followed may be another attempt of this stage run, which has the place now.
            if held is not None and held[0] is claim:
                del self._held[claim.id]
                self._claimed.discard(claim.id)
            self.forms.forget(claim)
            self._work.set()

    def _after(self, changes: Changes) -> None:
        if changes.due_at is not None and changes.state is StageRunState.QUEUED:
            delay = max(0.0, (changes.due_at - datetime.now(UTC)).total_seconds())
            asyncio.get_running_loop().call_later(delay + 0.001, self._work.set)
        self._note_run_state(changes.run_state)

    def _note_run_state(self, state: RunState) -> None:
        if state in _ENDED:
            self._scheduler.nudge()  # the job's next run may wait for this one
        if self._only_run is not None and state in _IDLE_RUN:
            self._run_is_idle = True
            self._work.set()

    async def look_whether_idle(self) -> None:
        """See whether the one run that this runner is for has ended meanwhile, or only waits."""
        if self._only_run is not None:
            details = await self.in_database(self.store.get_run, self._only_run)
            self._note_run_state(details.run.state)

    async def _first_look(self) -> None:
        await self.sweep()
        await self.look_whether_idle()

    async def _finish(self) -> None:
        """Wait for the attempts under way to be recorded."""
        while self._held:
            await asyncio.wait([task for _, task in self._held.values()])

    # -- periodic work ------------------------------------------------------------------------------------

    async def renew(self) -> None:
        """Extend the leases of what runs here, and end what is not this runner's any more.

        A runner that could not renew for too long ends its kernels itself: another one, on another
        machine, may have taken its stages up. (With SQLite there is no other machine, and this runner is
        seen to live.)
        """
        held = [claim for claim, _ in self._held.values()]
        try:
            gone = await self.in_database(self.store.renew, self.identity, held)
        except StoreError:
            too_long = steady_seconds() - self._renewed_at > self.settings.abandon_after
            if held and too_long and not self.store.database.is_sqlite:
                log.error("the leases could not be renewed for too long: ending what runs here")
                for claim in held:
                    self._executor_of(claim.id).kill(claim.id)
            raise
        self._renewed_at = steady_seconds()
        for claim in gone:
            self._executor_of(claim.id).cancel(claim.id)

    async def sweep(self) -> None:
        """Take up what vanished runners left, and end tasks whose time is over."""
        recovered = await self.in_database(self.store.recover, self.identity)
        self._note_lost(recovered)
        await self.in_database(self.store.cancel_abandoned)
        expired = await self.in_database(self.store.expire)
        if recovered or expired:
            self._work.set()

    def _note_lost(self, recovered: list[tuple[Claim, Changes]]) -> None:
        for claim, changes in recovered:
            ours = self._only_run in (None, claim.run.id)
            level = logging.WARNING if ours else logging.INFO
            log.log(level, "attempt %d of stage run %s was lost", claim.attempt, claim.id)
            if claim.run.id == self._only_run:
                self._note_run_state(changes.run_state)

    async def send_mail(self) -> None:
        """Send what lies in the outbox."""
        await self._mailer.deliver()

    async def retain(self) -> None:
        """Remove runs that are too old or too many, some at a time so that nothing else has to wait."""
        more = True
        while more and not self._stopping:
            removed = await self.in_database(
                self.store.retain,
                age=self.settings.keep_runs_for,
                count=self.settings.keep_runs,
                limit=_REMOVED_AT_ONCE,
            )
            more = removed.more
        from jupyter_workflows.deploying import tidy  # of no use to a run in the foreground

        # Not on the thread of the database: large folders may go.
        await asyncio.to_thread(tidy, self.store, keep=self.settings.keep_versions)
