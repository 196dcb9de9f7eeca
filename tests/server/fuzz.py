"""Sends made-up requests, right and wrong ones, to all routes of the OpenAPI document.

`python tests/server/fuzz.py --examples 10000` does so for long; the tests do it for a minute.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis.core.failures import AcceptedNegativeData, FailureGroup, ServerError
from schemathesis.generation import GenerationMode
from schemathesis.openapi.checks import RejectedPositiveData

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from support.servers import ServerProcess, server_process
from support.stores import document, fail, finish, linear, start

from jupyter_workflows.store import RunnerIdentity, Store, open_store

PROJECT = "project/two.workflow"
#: Problems of a request's form; one whose form is right may still be refused for what it asks.
_FORM = ("invalid-request", "invalid-json", "body-missing", "wrong-content-type")


@dataclass
class Report:
    """What came of it."""

    examples: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    slowest: float = 0.0

    def __str__(self) -> str:
        lines = [
            f"{self.examples} requests; by status: "
            + ", ".join(f"{status}: {number}" for status, number in sorted(self.statuses.items())),
            f"slowest answer: {1000 * self.slowest:.0f} ms",
            f"{len(self.failures)} failures",
        ]
        return "\n".join([*lines, *self.failures])


def fill(store: Store, server: ServerProcess) -> dict[str, list[str]]:
    """Put something into the database, and return ids of each kind."""
    runner = RunnerIdentity.current()
    known: dict[str, list[str]] = {"run": [], "stage_run": [], "task": [], "deployment": [], "attempt": ["1"]}
    for text in (linear(3), document({"a": {"type": "form"}}, uid="w2")):
        known["run"] += [start(store, text, started_by="ada") for _ in range(4)]
    for place, claim in enumerate(store.claim(runner, limit=4)):
        if place % 2:
            fail(store, claim)
        else:
            finish(store, claim, {"text": "ä", "list": [1, None, {"a": 0.5}]})
    for run in known["run"]:
        known["stage_run"] += [stage_run.id for stage_run in store.get_run(run).stage_runs]
    known["task"] = [task.id for task in store.list_tasks().tasks]
    for _ in range(2):
        known["deployment"].append(server.post("deployments", {"path": PROJECT})["id"])
    known["workflow"] = ["two-scripts"]
    known["stage"] = ["order", "nightly", "a"]
    known["secret"] = [one.id for one in store.list_secrets(store.get_workflow("two-scripts").uid)]
    return known


def write_project(folder: Path) -> None:
    """Write a project with a stage of each kind but a form."""
    folder.mkdir(parents=True)
    for name in ("a", "b"):
        cell = {"cell_type": "code", "id": name, "metadata": {}, "outputs": [], "execution_count": None}
        notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{**cell, "source": "1"}]}
        (folder / f"{name}.ipynb").write_text(json.dumps(notebook))
    (folder / "requirements.txt").write_text("")
    stages: dict[str, dict[str, Any]] = {
        "a": {"type": "script", "path": "a", "notebook": "a.ipynb"},
        "b": {"type": "script", "path": "b", "notebook": "b.ipynb"},
        "h": {"type": "hook", "path": "order", "notebook": "a.ipynb", "auth": {"kind": "token"}},
        "j": {
            "type": "job",
            "path": "nightly",
            "notebook": "b.ipynb",
            "schedule": {"cron": "0 3 * * *", "timezone": "Europe/Berlin"},
        },
    }
    value = {
        "format": 1,
        "uid": "0b1c2d3e-0000-4000-8000-000000000001",
        "title": "Two scripts",
        "stages": {key: {**stage, "title": key.upper()} for key, stage in stages.items()},
        "transitions": {"t": {"source": "a", "target": "b"}},
    }
    (folder / "two.workflow").write_text(json.dumps(value))


def with_known(case: Any, known: Mapping[str, Sequence[str]], draw: Callable[[Any], Any]) -> None:
    """Put ids and names into a request that there are, so that it gets further than 404."""
    for name in case.path_parameters or {}:
        if known.get(name):
            case.path_parameters[name] = draw(st.sampled_from(known[name]))
    if isinstance(case.body, dict):
        if "path" in case.body and draw(st.booleans()):
            case.body["path"] = PROJECT
        if case.body.get("mode") == "live":
            case.body["workflow"] = "two-scripts"


def fuzz(
    server: ServerProcess, known: Mapping[str, Sequence[str]], *, examples: int, random: int | None = None
) -> Report:
    """Send about so many requests, the same share to each verb of each route."""
    report = Report()
    headers = {"Authorization": f"token {server.token}"}
    schema = schemathesis.openapi.from_url(f"{server.url}workflows/api/openapi.json", headers=headers)
    operations = [result.ok() for result in schema.get_all_operations()]
    modes = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]
    share = max(1, examples // (len(operations) * len(modes)))
    session = requests.Session()
    # Signed in by its token alone, so that a request without it is one of a stranger.
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    for operation in operations:
        for mode in modes:
            for failure in _fuzz_one(operation, mode, share, session, headers, known, report, random):
                report.failures.append(failure)
    return report


def _fuzz_one(
    operation: Any,
    mode: GenerationMode,
    examples: int,
    session: requests.Session,
    headers: dict[str, str],
    known: Mapping[str, Sequence[str]],
    report: Report,
    random: int | None,
) -> Iterator[str]:
    seen: set[str] = set()

    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(data=st.data())
    def send(data: st.DataObject) -> None:
        case = data.draw(operation.as_strategy(generation_mode=mode))
        if mode is GenerationMode.POSITIVE and data.draw(st.integers(0, 3)):
            with_known(case, known, data.draw)
        began = time.perf_counter()
        response = case.call(session=session, headers=headers)
        report.slowest = max(report.slowest, time.perf_counter() - began)
        report.examples += 1
        report.statuses[response.status_code] += 1
        problems = []
        if "Traceback" in response.text:
            problems.append("a stack trace")
        try:
            case.validate_response(response, headers=headers)
        except FailureGroup as group:
            problems += [str(failure) for failure in group.exceptions if _counts(failure, response)]
        for problem in problems:
            name = f"{operation.label} ({mode}): {problem}"
            if name.partition("\n")[0] not in seen:
                seen.add(name.partition("\n")[0])
                found.append(f"{name}\n  {case.as_curl_command()}\n  {response.text[:500]}")

    found: list[str] = []
    if random is not None:
        seed(random)(send)
    try:
        send()
    except Exception as error:
        found.append(f"{operation.label} ({mode}): {type(error).__name__}: {error}")
    yield from found


def _counts(failure: BaseException, response: Any) -> bool:
    """Return whether something is wrong that a check has found."""
    if isinstance(failure, RejectedPositiveData):
        return response.json().get("code") in _FORM
    if isinstance(failure, AcceptedNegativeData):
        # The token was left out to be wrong, but is sent with every request here.
        return "(was Authorization)" not in str(failure)
    if isinstance(failure, ServerError):
        # The server has no runner here, which opens forms; it says so, as documented.
        return not (response.status_code == 503 and response.json().get("code") == "no-runner")
    return True


def run(folder: Path, *, examples: int, random: int | None = None) -> Report:
    """Start a server with something in it, and send requests."""
    write_project(folder / "root" / "project")
    with server_process(folder, WorkflowsApp__runner_enabled="False") as server:
        store = open_store(server.database)
        try:
            known = fill(store, server)
            report = fuzz(server, known, examples=examples, random=random)
        finally:
            store.close()
        for sign in ("Traceback (most recent", " 500 "):
            if sign in server.log:
                report.failures.append(f"the server's log has {sign!r}:\n{server.log[-3000:]}")
    return report


def main() -> int:
    """Do it from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=10_000, help="about how many requests")
    parser.add_argument("--seed", type=int, default=None, help="for the same requests again")
    given_ = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        report = run(Path(folder), examples=given_.examples, random=given_.seed)
    print(report)
    return 1 if report.failures else 0


if __name__ == "__main__":
    sys.exit(main())
