"""What must be true after a campaign, whatever was killed."""

from __future__ import annotations

import fcntl
import json
import os
import sqlite3
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psycopg

from jupyter_workflows.execution.kernels import ForkServer
from jupyter_workflows.model.states import AttemptState, RunState, StageRunState
from jupyter_workflows.runner.wakeup import RUNNERS, SERVERS, wake
from jupyter_workflows.store import AttemptRecord, RunDetails, StageRunRecord

from .campaign import Campaign
from .processes import Victim, wait_for_none
from .workload import StartedRun, unhandled

_ENDED = (StageRunState.COMPLETED, StageRunState.FAILED, StageRunState.CANCELLED)
_CRASH_LOOP = 3
#: What a kernel's own end is called, when nothing else ended with it.
_KERNEL_ENDS = frozenset({"KernelDied", "KernelStartError"})
_EXPECTED_ERRORS = _KERNEL_ENDS | {"RuntimeError", "OnceUnresolved"}
#: Signs of something in a runner's log that nobody foresaw.
_ALARMS = ("Traceback (most recent call last)", "could not be brought to an end")


def check(campaign: Campaign) -> list[str]:
    """Return what is wrong after a campaign whose runners were stopped."""
    found = list(campaign.figures.complaints)
    found += campaign.live.check()
    found += _leftovers(campaign)
    effects = campaign.workload.effects()
    started = {(words[0], int(words[1])) for words in campaign.workload.lines("started")}
    ended_kernels = 0
    for run in campaign.figures.runs:
        details = campaign.store.get_run(run.id)
        problems = [*_run(run, details)]
        for stage_run in details.stage_runs:
            attempts = details.attempts.get(stage_run.id, ())
            problems += _attempts(run, stage_run, attempts)
            problems += _evidence(campaign, stage_run, attempts, started)
            problems += _effects(campaign, stage_run, effects)
            ended_kernels += sum(_error(attempt) in _KERNEL_ENDS for attempt in attempts)
            campaign.figures.crash_loops += _is_crash_loop(stage_run)
        found += [f"{run.kind.name} run {run.id}: {problem}" for problem in problems]
    kernels_killed = campaign.figures.by_victim()[Victim.KERNEL]
    if ended_kernels > kernels_killed:
        found.append(
            f"{ended_kernels} attempts blame their kernel's end, {kernels_killed} kernels were killed"
        )
    found += [f"two kernels at once: {' '.join(words)}" for words in campaign.workload.lines("overlaps")]
    for log in campaign.place.log_files():
        text = log.read_text(errors="replace")
        for alarm in _ALARMS:
            if alarm in text:
                found.append(f"{log.name}: {text[max(0, text.index(alarm) - 300) :][:2500]}")
    return found


def between_intent_and_result(campaign: Campaign) -> int:
    """Return how many `once` calls were interrupted between their intent and their result."""
    return sum(
        states[-1] == "started"
        for run in campaign.figures.runs
        for file in campaign.store.run_folder(run.id).glob("*/journal-*.jsonl")
        for states in _journal(file).values()
    )


# -- runs -----------------------------------------------------------------------------------------------


def _run(run: StartedRun, details: RunDetails) -> Iterator[str]:
    state = details.run.state
    if not run.has_ended(details):
        yield f"it has not ended: {state}, {Counter(str(found.state) for found in details.stage_runs)}"
        return
    implied = _implied(details)
    if state is not (RunState.CANCELLED if run.cancelled else implied):
        yield f"it is {state}, its stage runs say {implied}"
    if len(details.stage_runs) != details.run.total:
        yield f"it counts {details.run.total} stage runs and has {len(details.stage_runs)}"
    places = Counter(
        (found.stage, found.key, found.sequence, tuple(sorted(found.scope.items())))
        for found in details.stage_runs
    )
    yield from (f"{place} is there {count} times" for place, count in places.items() if count > 1)
    if not run.cancelled:
        yield from run.kind.check(details, run.size)


def _implied(details: RunDetails) -> RunState:
    """Return the state that a run's stage runs imply."""
    if any(found.state not in _ENDED for found in details.stage_runs):
        return RunState.RUNNING
    return RunState.FAILED if unhandled(details) else RunState.COMPLETED


def _attempts(
    run: StartedRun, stage_run: StageRunRecord, attempts: tuple[AttemptRecord, ...]
) -> Iterator[str]:
    name = f"{stage_run.path} {stage_run.id}"
    numbers = [attempt.number for attempt in attempts]
    states = [attempt.state for attempt in attempts]
    # Cancelling raises the number for its fence alone.
    last = stage_run.attempt - (stage_run.state is StageRunState.CANCELLED)
    if numbers != list(range(1, last + 1)):
        yield f"{name}: attempts {numbers}, the last one is {last}"
    if any(state is AttemptState.RUNNING for state in states):
        yield f"{name}: an attempt is still called running: {states}"
    if any(attempt.ended_at is None for attempt in attempts):
        yield f"{name}: an attempt has no end"
    completed = states.count(AttemptState.COMPLETED)
    if completed != (stage_run.state is StageRunState.COMPLETED):
        yield f"{name} is {stage_run.state} with {completed} completed attempts"
    if completed and states[-1] is not AttemptState.COMPLETED:
        yield f"{name}: something came after the completed attempt: {states}"
    for attempt in attempts:
        if attempt.state is AttemptState.FAILED and _error(attempt) not in _EXPECTED_ERRORS:
            yield f"{name}: attempt {attempt.number} failed with {attempt.error}"
    lost_in_a_row = states[-_CRASH_LOOP:] == [AttemptState.LOST] * _CRASH_LOOP
    if _is_crash_loop(stage_run) and not lost_in_a_row:
        yield f"{name} is a crash loop with attempts {states}"
    if stage_run.path == "probe" and len(attempts) > 1:
        yield f"{name} was tried again in spite of its after_crash: {states}"


def _is_crash_loop(stage_run: StageRunRecord) -> bool:
    return stage_run.failure is not None and stage_run.failure.get("name") == "CrashLoop"


def _error(attempt: AttemptRecord) -> str | None:
    return attempt.error.get("name") if attempt.error else None


# -- evidence and effects -------------------------------------------------------------------------------


def _evidence(
    campaign: Campaign,
    stage_run: StageRunRecord,
    attempts: tuple[AttemptRecord, ...],
    started: set[tuple[str, int]],
) -> Iterator[str]:
    folder = campaign.store.folder(stage_run.run_id, stage_run.id)
    for attempt in attempts:
        if (stage_run.id, attempt.number) not in started:
            continue  # its first cell was never executed
        name = f"attempt {attempt.number} of {stage_run.path} {stage_run.id} ({attempt.state})"
        copy = folder / f"executed-{attempt.number}.ipynb"
        if not copy.exists():
            yield f"{name} left no executed copy"
            continue
        kept = json.loads(copy.read_text())["metadata"]["jupyter_workflows"]
        if (kept["stage_run"], kept["attempt"]) != (stage_run.id, attempt.number):
            yield f"{name}: its executed copy is another's: {kept}"
        # A cancelled attempt is fenced off before its copy is finished.
        if attempt.output != str(copy) and attempt.state is not AttemptState.CANCELLED:
            yield f"{name} does not name its executed copy: {attempt.output}"
    known = {attempt.number for attempt in attempts}
    for number in {number for found, number in started if found == stage_run.id} - known:
        yield f"attempt {number} of {stage_run.path} {stage_run.id} was executed, and is not recorded"


def _effects(campaign: Campaign, stage_run: StageRunRecord, effects: dict[str, int]) -> Iterator[str]:
    """Hold each `once` call against the effects that it had."""
    folder = campaign.store.folder(stage_run.run_id, stage_run.id)
    states: dict[str, str] = {}
    for file in sorted(folder.glob("journal-*.jsonl"), key=lambda file: int(file.stem.rpartition("-")[2])):
        for name, entries in _journal(file).items():
            states[name] = entries[-1]
    for name, state in states.items():
        count = effects.get(f"{stage_run.id}:{name}", 0)
        if count > 1 or (state == "completed" and count != 1):
            yield f"once({name!r}) of {stage_run.id} is {state} and had its effect {count} times"
        reported = stage_run.failure is not None and stage_run.failure.get("name") == "OnceUnresolved"
        if state == "started" and stage_run.state is StageRunState.FAILED and not reported:
            # Who gave up for another reason has not come to the call again, and cannot have reported it.
            if stage_run.failure and stage_run.failure.get("name") not in ("CrashLoop", *_KERNEL_ENDS):
                yield f"once({name!r}) of {stage_run.id} is unresolved: {stage_run.failure}"
        elif state == "started" and stage_run.state is StageRunState.COMPLETED:
            yield f"once({name!r}) of {stage_run.id} has no end, and its stage completed"


def _journal(file: Path) -> dict[str, list[str]]:
    """Return the states that an attempt's journal has of each `once` call, in order."""
    states: dict[str, list[str]] = {}
    for line in file.read_bytes().splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue  # torn by a kill
        if entry.get("type") == "once":
            states.setdefault(entry["key"], []).append(entry["state"])
    return states


# -- what is left behind --------------------------------------------------------------------------------


def _leftovers(campaign: Campaign) -> Iterator[str]:
    place = campaign.place
    for process in wait_for_none(place, 30):
        yield f"a process is left behind: {process}"
    # A fork server that was killed together with its runner leaves a folder, which the next one to start
    # removes once it is old enough that it cannot be one that is just being made.
    for folder in place.leftover_folders():
        os.utime(folder, (0, 0))
    ForkServer.start(pool=0, folder=_swept(campaign)).stop()
    for folder in place.leftover_folders():
        yield f"a fork server's folder is left behind: {list(folder.iterdir())}"
    wakes = campaign.store.state_folder / "wake"
    for kind in (RUNNERS, SERVERS):
        wake(wakes, kind=kind)
    if left := list(wakes.glob("*")):
        yield f"sockets are left behind: {left}"
    if left := list((campaign.store.state_folder / "embedded").glob("*/*.sock")):
        yield f"sockets of the server's runner are left behind: {left}"
    for lock in (campaign.store.state_folder / "runs").glob("*/*/lock"):
        with lock.open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                yield f"{lock} is still held"
    yield from _database(campaign)


def _swept(campaign: Campaign) -> None:
    """Have the next fork server's start look where the campaign's own ones lived."""
    os.environ["XDG_RUNTIME_DIR"] = str(campaign.place.sockets)


def _database(campaign: Campaign) -> Iterator[str]:
    path = campaign.store.database.path
    if path is not None:
        connection = sqlite3.connect(path, timeout=1, isolation_level=None)
        try:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
            (verdict,) = connection.execute("PRAGMA integrity_check").fetchone()
            if verdict != "ok":
                yield f"the database is damaged: {verdict}"
            if broken := connection.execute("PRAGMA foreign_key_check").fetchall():
                yield f"rows refer to others that are not there: {broken[:5]}"
        except sqlite3.OperationalError as error:
            yield f"the database is still locked: {error}"
        finally:
            connection.close()
        return
    url = campaign.settings.url
    with psycopg.connect(url, autocommit=True) as connection:
        others = connection.execute(
            "SELECT pid, state, query FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND state IS DISTINCT FROM 'idle'"
        ).fetchall()
        if others:
            yield f"sessions are left behind in the database: {others}"
