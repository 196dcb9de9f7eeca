"""The workflows that a campaign keeps under way, and what each of them must come to."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from support.projects import write_project

from jupyter_workflows.authoring.wire import encode
from jupyter_workflows.model.records import StageData
from jupyter_workflows.model.states import RunMode, RunState, StageRunState
from jupyter_workflows.store import NewRun, RunDetails, StageRunRecord, Store

FOLDERS = ("kernels", "stumbled", "arriving", "arrived", "gates")
#: More than a campaign kills of one stage run.
RETRIES = {"max": 50, "delay": 0}
#: How many of the runs are cancelled while they are under way.
_CANCELLED = 0.05
BEGIN = "import world\nstage = world.begin()"
END = "world.note('ended', stage.stage_run_id, stage.attempt)"

Check = Callable[[RunDetails, int], list[str]]


def _orders(folder: Path) -> Path:
    """A fan-out with retries, effects and a road for failures; a join; a form; an artifact."""
    price = (
        "if stage['line'] % 3 == 1: world.stumble('as every third line does')\n"
        "world.work(0.05 * (stage['line'] % 4))\n"
        "world.effect('price')\n"
        "stage['price'] = stage['line'] ** 2"
    )
    receipt = "stage['total'] = sum(stage['prices'])\nstage['receipt'] = b'%d,' % stage['total'] * 40_000"
    approve = (
        "from jupyter_workflows.forms import read_number\n"
        "stage['approved'] = read_number('Amount', key='amount', required=True)"
    )
    ship = "assert bytes(stage['receipt']).startswith(b'%d,' % stage['total'])\nstage['shipped'] = True"
    return write_project(
        folder,
        {
            "split": {
                "retries": RETRIES,
                "cells": [BEGIN, "stage['lines'] = list(range(stage['size']))", END],
            },
            "price": {"retries": RETRIES, "cells": [BEGIN, price, END]},
            "rescue": {"retries": RETRIES, "cells": [BEGIN, "stage['price'] = stage['line'] ** 2", END]},
            "total": {
                "retries": RETRIES,
                "join": "all",
                "collect": {"prices": "price"},
                "cells": [BEGIN, receipt, END],
            },
            "approve": {"type": "form", "retries": RETRIES, "cells": [BEGIN, approve, END]},
            "ship": {"retries": RETRIES, "cells": [BEGIN, ship, END]},
        },
        [
            {"source": "split", "target": "price", "each": "lines", "as": "line"},
            {"source": "price", "target": "total"},
            {"source": "price", "target": "rescue", "on": "failed"},
            {"source": "rescue", "target": "total"},
            {"source": "total", "target": "approve"},
            {"source": "approve", "target": "ship"},
        ],
        title="Orders",
    )


def _payments(folder: Path) -> Path:
    """Effects that are interrupted between their intent and their result."""
    pay = "stage['paid'] = world.effect('pay', ('before', 'after')[stage['size'] % 2])"
    return write_project(
        folder,
        {
            "open": {"retries": RETRIES, "cells": [BEGIN, "stage['opened'] = True", END]},
            "pay": {"retries": RETRIES, "cells": [BEGIN, pay, END]},
            "book": {"retries": RETRIES, "cells": [BEGIN, "stage['booked'] = stage['paid']", END]},
        },
        [{"source": "open", "target": "pay"}, {"source": "pay", "target": "book"}],
        title="Payments",
    )


def _survey(folder: Path) -> Path:
    """Stages that are not tried again, and a join that goes on without them."""
    probe = "world.work(0.2)\nstage['found'] = stage['place']"
    return write_project(
        folder,
        {
            "plan": {
                "retries": RETRIES,
                "cells": [BEGIN, "stage['places'] = list(range(stage['size']))", END],
            },
            "probe": {"after_crash": "fail", "cells": [BEGIN, probe, END]},
            "summary": {
                "retries": RETRIES,
                "join": "settled",
                "collect": {"all": "found"},
                "cells": [BEGIN, "stage['count'] = len(stage['all'])", END],
            },
        },
        [
            {"source": "plan", "target": "probe", "each": "places", "as": "place"},
            {"source": "probe", "target": "summary"},
        ],
        title="Survey",
    )


def of(details: RunDetails, path: str, state: StageRunState | None = None) -> list[StageRunRecord]:
    return [
        found
        for found in details.stage_runs
        if found.path == path and (state is None or found.state is state)
    ]


def result(stage_run: StageRunRecord, key: str) -> object:
    return stage_run.result.values.get(key) if stage_run.result else None


def counts(details: RunDetails, **expected: int) -> list[str]:
    found = {path: len(of(details, path)) for path in expected}
    extra = {stage_run.path for stage_run in details.stage_runs} - set(expected)
    return [] if found == expected and not extra else [f"stage runs {found} {extra or ''}, not {expected}"]


def _check_orders(details: RunDetails, size: int) -> list[str]:
    rescued = len(of(details, "price", StageRunState.FAILED))
    wrong = counts(details, split=1, price=size, rescue=rescued, total=1, approve=1, ship=1)
    if wrong:
        return wrong
    (ship,) = of(details, "ship")
    expected = {"total": sum(n * n for n in range(size)), "approved": size, "shipped": True}
    found = {key: result(ship, key) for key in expected}
    return [] if found == expected else [f"it ended with {found}, not {expected}"]


def _check_payments(details: RunDetails, size: int) -> list[str]:
    wrong = counts(details, open=1, pay=1, book=1)
    if wrong:
        return wrong
    (pay,), (book,) = of(details, "pay"), of(details, "book")
    booked = result(book, "booked")
    return [] if booked == f"{pay.id}:pay" else [f"it booked {booked!r}"]


def _check_survey(details: RunDetails, size: int) -> list[str]:
    completed = of(details, "probe", StageRunState.COMPLETED)
    # A join begins with its first arrival: where no branch comes through there is none.
    wrong = counts(details, plan=1, probe=size, summary=1 if completed else 0)
    if wrong or not completed:
        return wrong
    (summary,) = of(details, "summary")
    if result(summary, "count") != len(completed):
        wrong.append(f"{result(summary, 'count')} probes were summed up, {len(completed)} had completed")
    return wrong


@dataclass(frozen=True, slots=True)
class Kind:
    """A workflow with the stage that begins it and what its ended runs are held against.

    Parameters
    ----------
    may_fail
        Paths of stages whose failure ends a run. What else failed is retried until it completes.
    """

    name: str
    write: Callable[[Path], Path]
    entry: str
    check: Check
    may_fail: frozenset[str] = frozenset()


KINDS = (
    Kind("orders", _orders, "split", _check_orders),
    Kind("payments", _payments, "open", _check_payments),
    Kind("survey", _survey, "plan", _check_survey, frozenset({"probe"})),
)


@dataclass(slots=True)
class StartedRun:
    """A run that the campaign started."""

    id: str
    kind: Kind
    size: int
    is_to_be_cancelled: bool = False
    cancelled: bool = False
    parked: set[str] = field(default_factory=set)

    def has_ended(self, details: RunDetails) -> bool:
        """Whether nothing more will happen to the run."""
        if details.run.state is RunState.FAILED:
            return {found.path for found in unhandled(details)} <= self.kind.may_fail
        return details.run.state in (RunState.COMPLETED, RunState.CANCELLED)


def unhandled(details: RunDetails) -> list[StageRunRecord]:
    """Return the stage runs whose failure no other stage took over."""
    return [
        found for found in details.stage_runs if found.state is StageRunState.FAILED and not found.handled
    ]


class Workload:
    """Writes the projects below a folder, and starts runs of them.

    Attributes
    ----------
    marks
        Where the stages leave what they did.
    """

    def __init__(self, folder: Path, chance: random.Random) -> None:
        self.marks = folder / "marks"
        self._chance = chance
        for name in FOLDERS:
            (self.marks / name).mkdir(parents=True, exist_ok=True)
        self._files: dict[str, Path] = {}
        for kind in KINDS:
            self._files[kind.name] = self.write(kind, folder)

    def write(self, kind: Kind, folder: Path) -> Path:
        """Write the project of a kind below a folder, and return its document."""
        project = folder / kind.name
        document = kind.write(project)
        shutil.copy(Path(__file__).with_name("world.py"), project)
        (project / "marks.txt").write_text(str(self.marks))
        (project / "requirements.txt").touch()
        return document

    def start(self, store: Store) -> StartedRun:
        """Start a run of a kind and size that chance names."""
        kind = self._chance.choices(KINDS, weights=(3, 5, 2))[0]
        size = self._chance.randint(2, 6)
        file = self._files[kind.name]
        run_id = store.create_run(
            NewRun(
                document_text=file.read_text(),
                project=str(file.parent),
                entry_stage=kind.entry,
                data=StageData({"size": encode(size, key="size", save=_no_artifacts)}, {"size": None}),
                mode=RunMode.LIVE,
                started_by="campaign",
            )
        )
        return StartedRun(run_id, kind, size, is_to_be_cancelled=self._chance.random() < _CANCELLED)

    def lines(self, name: str) -> list[list[str]]:
        """Return the words of the lines of a file that the stages append to."""
        file = self.marks / name
        return [line.split() for line in file.read_text().splitlines()] if file.exists() else []

    def effects(self) -> dict[str, int]:
        """Return how often each effect happened."""
        counts: dict[str, int] = {}
        for key, _attempt in self.lines("effects"):
            counts[key] = counts.get(key, 0) + 1
        return counts

    def open_all(self) -> None:
        """Open every gate, also those that are reached later."""
        (self.marks / "gates" / "all").touch()


def _no_artifacts(*_: object) -> str:
    raise AssertionError("a number needs no artifact")
