"""What is deployed during a campaign: a hook that is called over HTTP, and a job that is due all the time."""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from support.hooks import Deployed, make_live
from support.projects import write_project

from jupyter_workflows.model.states import StageRunState
from jupyter_workflows.store import RunDetails, RunFilter, RunRecord, Store

from .workload import BEGIN, END, RETRIES, Kind, StartedRun, Workload, counts, of, result

#: Seconds between two due times of the job.
EVERY = 5
#: Seconds that a caller waits for an answer, and before it tries again.
_ANSWER = 60.0
_PAUSE = 0.3
#: Runs of each workflow among which new ones are looked for.
_NEWEST = 30


def _calls(folder: Path) -> Path:
    """A hook that answers, an effect, a hook in the middle, and what follows it."""
    receive = (
        "from jupyter_workflows.hooks import get_request, respond\n"
        "stage['order'] = get_request().body['order']\n"
        "respond({'order': stage['order'], 'run': stage.run_id})\n"
        "world.work(0.05)"
    )
    paid = (
        "from jupyter_workflows.hooks import get_request\n"
        "assert get_request().body['order'] == stage['order']\n"
        "stage['paid'] = get_request().body['amount']"
    )
    return write_project(
        folder,
        {
            "receive": {
                "type": "hook",
                "auth": {"kind": "token"},
                "response_timeout": 20,
                "retries": RETRIES,
                "cells": [BEGIN, receive, END],
            },
            "charge": {
                "retries": RETRIES,
                "cells": [BEGIN, "stage['charged'] = world.effect('charge')", END],
            },
            "paid": {
                "type": "hook",
                "auth": {"kind": "token"},
                "match": {"order": "body.order"},
                "response": "accept",
                "retries": RETRIES,
                "cells": [BEGIN, paid, END],
            },
            "ship": {"retries": RETRIES, "cells": [BEGIN, "stage['shipped'] = stage['paid']", END]},
        },
        [
            {"source": "receive", "target": "charge"},
            {"source": "charge", "target": "paid"},
            {"source": "paid", "target": "ship"},
        ],
        title="Calls",
    )


def _ticks(folder: Path) -> Path:
    """A job that is due every few seconds, whatever is missed meanwhile."""
    schedule = {"cron": f"*/{EVERY} * * * * *", "missed": "all", "overlap": "allow"}
    return write_project(
        folder,
        {
            "tick": {
                "type": "job",
                "schedule": schedule,
                "retries": RETRIES,
                "cells": [BEGIN, "stage['effect'] = world.effect('tick')", END],
            },
            "tock": {"retries": RETRIES, "cells": [BEGIN, "stage['tock'] = True", END]},
        },
        [{"source": "tick", "target": "tock"}],
        title="Ticks",
    )


def _check_calls(details: RunDetails, size: int) -> list[str]:
    wrong = counts(details, receive=1, charge=1, paid=1, ship=1)
    if wrong:
        return wrong
    (charge,), (ship,) = of(details, "charge"), of(details, "ship")
    found = (result(charge, "charged"), result(ship, "shipped"))
    return [] if found == (f"{charge.id}:charge", 7) else [f"it ended with {found}"]


def _check_ticks(details: RunDetails, size: int) -> list[str]:
    return counts(details, tick=1, tock=1)


CALLS = Kind("calls", _calls, "receive", _check_calls)
TICKS = Kind("ticks", _ticks, "tick", _check_ticks)


@dataclass(slots=True)
class Order:
    """What a caller sent, and was told."""

    id: str
    runs: set[str] = field(default_factory=set)
    taken: bool = False
    paid: bool = False


class Caller(threading.Thread):
    """Calls a hook, and tries again with the same key until its request is taken.

    Parameters
    ----------
    address
        Returns the server's address of the moment.
    """

    def __init__(self, address: Callable[[], str], deployed: Deployed, seed: int) -> None:
        super().__init__(daemon=True, name=f"caller {seed}")
        self.orders: list[Order] = []
        self.answers: Counter[str] = Counter()
        self.complaints: list[str] = []
        self._address = address
        self._deployed = deployed
        self._chance = random.Random(seed)
        self._last = threading.Event()

    def finish(self) -> None:
        """Begin no further order."""
        self._last.set()

    def run(self) -> None:
        """Call until nothing more is wanted."""
        while not self._last.wait(self._chance.uniform(0, 1.5)):
            order = Order(uuid.uuid4().hex)
            self.orders.append(order)
            try:
                self._insist(order, "receive")
                order.taken = True
                self._insist(order, "paid")
                order.paid = True
                if self._chance.random() < 0.1:
                    self._insist(order, "receive")  # a redelivery
            except Exception as error:
                self.complaints.append(f"calling for order {order.id}: {error!r}")
                return

    def _insist(self, order: Order, path: str) -> None:
        deadline = time.monotonic() + 600
        while True:
            try:
                status, answer = self._call(order, path)
            except ConnectionRefusedError:
                self.answers["refused"] += 1
            except OSError:
                self.answers["cut off"] += 1
            else:
                self.answers[str(status)] += 1
                if 200 <= status < 300:
                    self._note(order, path, status, answer)
                    return
                code = answer.get("code") if isinstance(answer, dict) else None
                if (status, code) not in _TRY_AGAIN:
                    self.complaints.append(f"{path} of order {order.id} was answered {status}: {answer}")
            if time.monotonic() > deadline:
                raise TimeoutError(f"{path} was not taken for ten minutes")
            time.sleep(_PAUSE)

    def _note(self, order: Order, path: str, status: int, answer: Any) -> None:
        if not isinstance(answer, dict) or "run" not in answer:
            self.complaints.append(f"{path} of order {order.id} was answered {status}: {answer!r}")
            return
        if path == "receive" and status == 200 and answer.get("order") != order.id:
            self.complaints.append(f"order {order.id} got the answer of order {answer.get('order')}")
        order.runs.add(answer["run"])

    def _call(self, order: Order, path: str) -> tuple[int, Any]:
        request = urllib.request.Request(
            self._address() + self._deployed.path(path),
            json.dumps({"order": order.id, "amount": 7}).encode(),
            {
                "Authorization": f"Bearer {self._deployed.secrets[path]}",
                "Content-Type": "application/json",
                "Idempotency-Key": f"{path}-{order.id}",
            },
            method="POST",
        )
        try:
            with urllib.request.urlopen(request, timeout=_ANSWER) as response:
                return response.status, json.loads(response.read())
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read() or b"null")
        except urllib.error.URLError as error:
            raise error.reason if isinstance(error.reason, OSError) else error from None
        except (ValueError, http.client.HTTPException) as error:  # a part of an answer
            raise ConnectionError(str(error)) from error


#: What a caller may be told before its request is taken: no run waits for it yet; its stage failed, and is
#: tried again by hand; the database is being opened, or busy.
_TRY_AGAIN = {
    (404, "nobody-waits"),
    (500, "stage-failed"),
    (503, "database-busy"),
}


class Live:
    """The deployed workflows of a campaign, those who call them, and their runs."""

    def __init__(self, store: Store, workload: Workload, folder: Path, seed: int, callers: int) -> None:
        self._store = store
        self._known: set[str] = set()
        calls = make_live(store, workload.write(CALLS, folder))
        ticks = make_live(store, workload.write(TICKS, folder))
        self.kinds = {calls.uid: CALLS, ticks.uid: TICKS}
        self._ticks = ticks.uid
        self._calls = calls.uid
        self._since = datetime.now(UTC)
        self._until = self._since
        self._url = ""
        self.callers = [Caller(lambda: self._url, calls, seed + place) for place in range(callers)]

    def open(self, url: str) -> None:
        """Let callers call, or know of another address."""
        self._url = url
        for caller in self.callers:
            if caller.ident is None:
                caller.start()

    def finish(self) -> None:
        """Begin nothing new; what is begun goes on."""
        for caller in self.callers:
            caller.finish()
        self._store.pause(self._ticks)
        self._until = datetime.now(UTC)

    def is_calling(self) -> bool:
        """Whether somebody is still waiting for a request to be taken."""
        return any(caller.is_alive() for caller in self.callers)

    def new_runs(self, *, all_of_them: bool = False) -> list[StartedRun]:
        """Return the runs that came since the last time, looking at the newest ones, or at all."""
        found = []
        for uid, kind in self.kinds.items():
            records = islice(self._runs(uid), None if all_of_them else _NEWEST)
            found += [StartedRun(record.id, kind, 0) for record in records if record.id not in self._known]
        self._known |= {run.id for run in found}
        return found

    def _runs(self, uid: str) -> Iterator[RunRecord]:
        cursor = None
        while True:
            page = self._store.list_runs(RunFilter(workflow_uid=uid), limit=_NEWEST, cursor=cursor)
            yield from page.runs
            if (cursor := page.cursor) is None:
                return

    def check(self) -> list[str]:
        """Hold what callers were told, and the times that were due, against the runs that there are."""
        found = [complaint for caller in self.callers for complaint in caller.complaints]
        found += [f"{caller.name} is still calling" for caller in self.callers if caller.is_alive()]
        return [*found, *self._check_orders(), *self._check_times()]

    def _check_orders(self) -> Iterator[str]:
        runs: dict[str, list[str]] = {}
        for record in self._runs(self._calls):
            details = self._store.get_run(record.id)
            (first,) = [stage_run for stage_run in details.stage_runs if stage_run.path == "receive"]
            name = result(first, "order") if first.state is StageRunState.COMPLETED else None
            runs.setdefault(str(name), []).append(record.id)
        for caller in self.callers:
            for order in caller.orders:
                made = runs.pop(order.id, [])
                if len(made) > 1:
                    yield f"order {order.id} has {len(made)} runs"
                if order.taken and not made:
                    yield f"order {order.id} got a 2xx, and has no run"
                if len(order.runs) > 1 or not order.runs <= set(made):
                    yield f"order {order.id} was told of the runs {order.runs}, and has {made}"
                if not order.paid:
                    yield f"order {order.id} was not paid"
        yield from (f"runs {ids} are of an order {name} that nobody made" for name, ids in runs.items())

    def _check_times(self) -> Iterator[str]:
        times = Counter(record.scheduled_time for record in self._runs(self._ticks))
        yield from (f"{time} has {count} runs" for time, count in times.items() if count > 1)
        first = datetime.fromtimestamp((int(self._since.timestamp()) // EVERY + 2) * EVERY, UTC)
        # What was due last may not have been seen before the pause.
        seen = max((time for time in times if time is not None), default=first)
        if self._until - seen > timedelta(seconds=60):
            yield f"no job was started after {seen}, until {self._until}"
        while first < seen:
            if first not in times:
                yield f"what was due at {first} has no run"
            first += timedelta(seconds=EVERY)
