"""A campaign: runs under way, processes killed at random, and what must be true in the end."""

from __future__ import annotations

import contextlib
import json
import math
import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from jupyter_workflows.execution.kernels.locks import read_holder
from jupyter_workflows.model.states import RunState, StageRunState
from jupyter_workflows.runner.wakeup import wake
from jupyter_workflows.store import (
    NotFound,
    RunDetails,
    StageRunRecord,
    Store,
    StoreError,
    TaskFilter,
    WrongState,
    open_store,
)

from .live import Live
from .processes import CampaignServer, Place, RunnerProcess, Victim, family, is_running
from .workload import StartedRun, Workload, unhandled

#: Seconds that the last runs may take to end once nothing is killed any more.
PATIENCE = 300.0
#: Complaints after which a campaign is given up.
_TOO_MANY = 20
#: Seconds that are waited at most for something to come to its end between two kills.
_LONGEST_BREATH = 15.0
_LOOK = 0.05


class GaveUp(Exception):
    """A campaign got nowhere."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a campaign does.

    Parameters
    ----------
    pause
        Seconds between two kills, on average.
    under_way
        Runs that are kept under way, beside those that callers and due times start.
    callers
        Who call hooks over HTTP.
    runners
        Runners beside the server's own.
    seconds
        After which nothing more is killed, however many were up to then.
    """

    url: str
    kills: int
    seed: int
    pause: float = 1.5
    under_way: int = 6
    callers: int = 3
    runners: int = 1
    concurrency: int = 2
    kernel_pool: int = 1
    seconds: float = math.inf


@dataclass(frozen=True, slots=True)
class Kill:
    """A process that was killed.

    Parameters
    ----------
    gate
        The effect that was waiting between intent and result, if the victim was chosen for it.
    busy
        Attempts that were under way.
    """

    number: int
    at: float
    victim: Victim
    pid: int
    gate: str | None
    busy: int


@dataclass(slots=True)
class Figures:
    """What a campaign did."""

    kills: list[Kill] = field(default_factory=list)
    runs: list[StartedRun] = field(default_factory=list)
    crash_loops: int = 0
    retried: Counter[str] = field(default_factory=Counter)
    resolved: Counter[str] = field(default_factory=Counter)
    answered: int = 0
    parked: int = 0
    runners_started: int = 0
    servers_started: int = 0
    seconds: float = 0.0
    complaints: list[str] = field(default_factory=list)

    def by_victim(self) -> dict[str, int]:
        """Return how many of each kind were killed."""
        counts = Counter(kill.victim for kill in self.kills)
        return {str(victim): counts[victim] for victim in Victim}


class Campaign:
    """Keeps runs under way and kills processes until enough were killed and all runs have ended.

    Parameters
    ----------
    folder
        Empty, with a short path.
    tell
        Called with a line now and then.
    """

    def __init__(
        self, folder: Path, settings: Settings, tell: Callable[[str], None] = lambda line: None
    ) -> None:
        self.settings = settings
        self.place = Place(folder)
        self.chance = random.Random(settings.seed)
        self.workload = Workload(folder, self.chance)
        self.store: Store = open_store(settings.url, state=self._state_folder(folder))
        self.figures = Figures()
        self.live = Live(self.store, self.workload, folder, settings.seed, settings.callers)
        self._tell = tell
        self._runners: list[RunnerProcess] = []
        self._server: CampaignServer | None = None
        self._server_start = 0.0
        self._deck: list[Victim] = []
        self._killed: set[int] = set()
        self._under_way: list[StartedRun] = []
        self._busy: dict[str, StageRunRecord] = {}
        self._arrived: set[str] = set()
        self._next_kill = 0.0
        self._breath: int | None = None
        self._next_start = 0.0
        self._began = time.monotonic()

    def _state_folder(self, folder: Path) -> Path | None:
        """Return where runners on a server's database keep their files; beside SQLite's file else."""
        return None if self.settings.url.startswith("sqlite") else folder / "data" / "workflows"

    # -- the course of it ---------------------------------------------------------------------------------

    def run(self) -> Figures:
        """Do it all, and return what was done; what is wrong is for `invariants.check`."""
        try:
            self._kill_until_enough()
            self._drain()
        finally:
            self.live.finish()
            self._stop_server()
            self._stop_runners()
            self.figures.seconds = time.monotonic() - self._began
        return self.figures

    def close(self) -> None:
        """Close the store."""
        self.store.close()

    def _kill_until_enough(self) -> None:
        kills = self.figures.kills
        told = 0
        while len(kills) < self.settings.kills and time.monotonic() < self._began + self.settings.seconds:
            self._tend()
            own = sum(run.kind.name not in ("calls", "ticks") for run in self._under_way)
            for _ in range(own, self.settings.under_way):
                self._start_run()
            if self._is_time_to_kill():
                self._try_to_kill()
            if len(kills) >= told + 25:
                told = len(kills)
                self._tell(f"{told} kills, {len(self.figures.runs)} runs")
            time.sleep(_LOOK)

    def _drain(self) -> None:
        self.workload.open_all()
        self.live.finish()
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            calling = self.live.is_calling()
            self._tend(all_of_them=not calling)
            if not calling and not self._under_way:
                return
            time.sleep(_LOOK)

    def _stop_runners(self) -> None:
        for runner in self._runners:
            runner.terminate()
        for runner in self._runners:
            code = runner.wait(60)
            if code != 0:
                self._complain(f"runner {runner.number} ended with {code} when it was told to stop", runner)
            if code is None:
                runner.kill()
        self._runners = []

    def _tend(self, *, all_of_them: bool = False) -> None:
        """Do once what is to be done all the time."""
        self._keep_server()
        self._keep_runners()
        for run in self._insist(lambda: self.live.new_runs(all_of_them=all_of_them)):
            self._under_way.append(run)
            self.figures.runs.append(run)
        busy: dict[str, StageRunRecord] = {}
        for run in list(self._under_way):
            details = self._insist(lambda run=run: self.store.get_run(run.id, data=False))
            if run.has_ended(details):
                self._under_way.remove(run)
            elif details.run.state is RunState.FAILED:
                self._take_up(run, details)
            else:
                self._answer(run, details)
                self._perhaps_cancel(run, details)
            for stage_run in details.stage_runs:
                if stage_run.state is StageRunState.RUNNING:
                    busy[stage_run.id] = stage_run
        self._busy = busy
        self._open_gates()

    def _insist(self, function: Callable[[], Any]) -> Any:
        """Call the store as a person would: who gets an error tries again."""
        for _ in range(10):
            try:
                return function()
            except (NotFound, WrongState):
                raise
            except StoreError as error:
                self._complain(f"the campaign's own call failed: {error}")
                time.sleep(0.5)
        return function()

    def _complain(self, text: str, runner: RunnerProcess | CampaignServer | None = None) -> None:
        said = runner.log.read_text(errors="replace") if isinstance(runner, RunnerProcess) else ""
        said = runner.log if isinstance(runner, CampaignServer) else said
        end = f"; it said: {said[-1500:]}" if runner is not None else ""
        self.figures.complaints.append(text + end)
        if len(self.figures.complaints) >= _TOO_MANY:
            raise GaveUp("\n".join(self.figures.complaints))

    # -- the server and runners ---------------------------------------------------------------------------

    def _keep_server(self) -> None:
        server, now = self._server, time.monotonic()
        if server is not None:
            if server.exit_code is None:
                return
            if server.pid not in self._killed:
                self._complain(f"the server ended by itself ({server.exit_code})", server)
            # Mostly at once, so that it finds its runner at work; else so late that this one has gone.
            self._server_start = now + self.chance.choice((0.0, 0.0, 3 * self.settings.pause))
            self._server = None
        if now >= self._server_start:
            self.figures.servers_started += 1
            self._server = CampaignServer(
                self.place,
                self.settings.url,
                runner_concurrency=str(self.settings.concurrency),
                runner_kernel_pool=str(self.settings.kernel_pool),
            )
            self._server.launch()
            self.live.open(self._server.url)

    def _stop_server(self) -> None:
        if self._server is None:
            return
        self._server.process.terminate()
        try:
            code = self._server.process.wait(60)
        except subprocess.TimeoutExpired:
            self._complain("the server does not stop", self._server)
            self._server.kill()
        else:
            if code != 0:
                self._complain(f"the server ended with {code} when it was told to stop", self._server)

    def _families(self) -> list[dict[Victim, list[psutil.Process]]]:
        """Return the runners, each with what it started."""
        roots = [runner.pid for runner in self._runners if runner.exit_code is None]
        return [family(pid) for pid in [*roots, *(found.pid for found in self.place.embedded_runners())]]

    def _keep_runners(self) -> None:
        for runner in list(self._runners):
            if runner.exit_code is not None:
                self._runners.remove(runner)
                if runner.pid not in self._killed:
                    self._complain(f"runner {runner.number} ended by itself ({runner.exit_code})", runner)
                # Sometimes at once, sometimes so late that the other one has to do it all.
                self._next_start = time.monotonic() + self.chance.choice((0.0, 0.0, self.settings.pause))
        if len(self._runners) < self.settings.runners and time.monotonic() >= self._next_start:
            self.figures.runners_started += 1
            self._runners.append(
                RunnerProcess(
                    self.place,
                    self.settings.url,
                    *("--concurrency", str(self.settings.concurrency)),
                    *("--kernel-pool", str(self.settings.kernel_pool)),
                )
            )

    # -- people -------------------------------------------------------------------------------------------

    def _start_run(self) -> None:
        run = self._insist(lambda: self.workload.start(self.store))
        self._under_way.append(run)
        self.figures.runs.append(run)
        wake(self.store.state_folder / "wake")

    def _answer(self, run: StartedRun, details: RunDetails) -> None:
        """Answer forms; each first with nothing, so that it parks."""
        waiting = [found for found in details.stage_runs if found.state is StageRunState.WAITING]
        if not waiting:
            return
        tasks = self._insist(lambda: self.store.list_tasks(TaskFilter(run_id=run.id)))
        if {task.id for task in tasks.tasks} != {stage_run.id for stage_run in waiting}:
            return  # it has gone on meanwhile
        for stage_run in waiting:
            answers = {"amount": run.size} if stage_run.id in run.parked else {}
            try:
                self._insist(
                    lambda stage_run=stage_run, answers=answers: self.store.deliver(
                        stage_run.id, answers=answers, by="campaign"
                    )
                )
            except WrongState as error:
                self._complain(f"a waiting task took no answer: {error}")
            if stage_run.id in run.parked:
                self.figures.answered += 1
            else:
                run.parked.add(stage_run.id)
                self.figures.parked += 1
        wake(self.store.state_folder / "wake")

    def _perhaps_cancel(self, run: StartedRun, details: RunDetails) -> None:
        if run.is_to_be_cancelled and len(details.stage_runs) > 1:
            with contextlib.suppress(WrongState):
                run.cancelled = self._insist(lambda: self.store.cancel_run(run.id, by="campaign"))
            wake(self.store.state_folder / "wake")

    def _take_up(self, run: StartedRun, details: RunDetails) -> None:
        """Retry what failed, as a person does who has looked whether the effect happened."""
        for stage_run in unhandled(details):
            if stage_run.path in run.kind.may_fail:
                continue
            name = str((stage_run.failure or {}).get("name"))
            self.figures.retried[name] += 1
            once = None
            if name == "OnceUnresolved":
                once = self._resolutions(stage_run)
            elif name != "CrashLoop":
                self._complain(f"{run.kind.name} run {run.id}: {stage_run.path} failed: {stage_run.failure}")
            self._insist(
                lambda stage_run=stage_run, once=once: self.store.retry_stage_run(
                    stage_run.id, once=once, by="campaign"
                )
            )
        wake(self.store.state_folder / "wake")

    def _resolutions(self, stage_run: StageRunRecord) -> dict[str, str]:
        name = stage_run.path  # each stage that has an effect names it so
        key = f"{stage_run.id}:{name}"
        if self.workload.effects().get(key):
            self.figures.resolved["done"] += 1
            return {name: f"done:{json.dumps(key)}"}
        self.figures.resolved["again"] += 1
        return {name: "again"}

    # -- kills --------------------------------------------------------------------------------------------

    def _next_victim(self) -> Victim:
        if not self._deck:
            self._deck = list(Victim)
            self.chance.shuffle(self._deck)
        return self._deck[-1]

    def _arrivals(self) -> list[str]:
        return sorted(path.name for path in (self.workload.marks / "arrived").iterdir())

    def _open_gates(self) -> None:
        """Let through those who wait at a gate, unless somebody is to be killed there first."""
        for name in self._arrivals():
            if name in self._arrived:
                continue
            self._arrived.add(name)
            stage_run_id = name.partition(":")[0]
            if len(self.figures.kills) < self.settings.kills and self.chance.random() < 0.7:
                self._kill_at_gate(name, stage_run_id)
            (self.workload.marks / "gates" / name).touch()

    def _kill_at_gate(self, name: str, stage_run_id: str) -> None:
        """Kill one of those on whom an effect depends that has an intent, and no result yet."""
        try:
            stage_run = self._insist(lambda: self.store.get_stage_run(stage_run_id))
        except NotFound:
            return
        if stage_run.state is not StageRunState.RUNNING:
            return
        holder = read_holder(self.store.folder(stage_run.run_id, stage_run_id) / "lock")
        if holder is None or not holder.is_alive():
            return
        victim = self._next_victim()
        for found_family in self._families():
            kernels = [process for process in found_family[Victim.KERNEL] if process.pid == holder.pid]
            if kernels:
                found = {Victim.KERNEL: kernels, Victim.SERVER: self._servers()}.get(victim)
                if found := found if found is not None else found_family[victim]:
                    self._kill(victim, self.chance.choice(found), gate=name)
                return

    def _is_time_to_kill(self) -> bool:
        """Whether the pause is over and, mostly, some attempt came to its end in it: however slow the machine
        is, there is more to kill than what just starts.
        """
        now = time.monotonic()
        if now < self._next_kill:
            return False
        return self._breath is None or self._ends() > self._breath or now > self._next_kill + _LONGEST_BREATH

    def _ends(self) -> int:
        """Return how many stages have come to their end."""
        return len(self.workload.lines("ended"))

    def _try_to_kill(self) -> None:
        victim = self._next_victim()
        found = [process for those in self._families() for process in those[victim]]
        if victim is Victim.SERVER:
            found = self._servers()
        if victim is Victim.KERNEL and self.chance.random() < 0.8:
            found = [process for process in found if process.pid in self._busy_kernels()]
        if found:
            self._kill(victim, self.chance.choice(found))
        elif time.monotonic() > self._next_kill + _LONGEST_BREATH:
            # There is none at the moment: others first.
            self._deck += self.chance.sample(list(Victim), len(Victim))
            self._next_kill = time.monotonic()

    def _servers(self) -> list[psutil.Process]:
        if self._server is None or self._server.exit_code is not None:
            return []
        return [psutil.Process(self._server.pid)]

    def _busy_kernels(self) -> set[int]:
        holders = [
            read_holder(self.store.folder(stage_run.run_id, stage_run.id) / "lock")
            for stage_run in self._busy.values()
        ]
        return {holder.pid for holder in holders if holder is not None}

    def _kill(self, victim: Victim, process: psutil.Process, gate: str | None = None) -> None:
        if not is_running(process):
            return
        try:
            process.send_signal(signal.SIGKILL)
        except psutil.NoSuchProcess:
            return
        self._deck.pop()
        self._killed.add(process.pid)
        now = time.monotonic()
        self._next_kill = now + self.chance.uniform(0.1, 2 * self.settings.pause)
        self._breath = self._ends() if self.chance.random() < 0.7 else None
        number = len(self.figures.kills) + 1
        self.figures.kills.append(Kill(number, now - self._began, victim, process.pid, gate, len(self._busy)))
