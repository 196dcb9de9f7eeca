"""``runs`` and ``tasks`` on a store in which a make-believe runner worked."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from support import stores
from support.projects import write_project

from jupyter_workflows.cli.main import cli
from jupyter_workflows.cli.notebook_output import plain
from jupyter_workflows.model.states import RunMode
from jupyter_workflows.store import RunnerIdentity, Store, open_store


@pytest.fixture
def store() -> Iterator[Store]:
    store = open_store(None)
    yield store
    store.close()


@pytest.fixture
def runner(store: Store) -> RunnerIdentity:
    identity = RunnerIdentity.current()
    store.register_runner(identity)
    return identity


def write_output(path: Path, *texts: str) -> None:
    """Write an executed notebook with one cell that printed each text."""
    cells = [
        {
            "cell_type": "code",
            "source": "",
            "metadata": {},
            "execution_count": 1,
            "outputs": [{"output_type": "stream", "name": "stdout", "text": text}],
        }
        for text in texts
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    new.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}))
    new.rename(path)


def failing(claim) -> None:
    if claim.stage_run.path == "b":
        raise ValueError("no [bold]good[/bold]")


def test_no_runs_yet(call) -> None:
    assert "no runs" in call("runs", "list").stdout
    assert json.loads(call("runs", "list", "--json").stdout) == {"runs": [], "cursor": None}
    assert "Nothing waits" in call("tasks").stdout


def test_list_is_filtered_and_paged(call, store: Store, runner: RunnerIdentity, own_folders: Path) -> None:
    good = [stores.start(store, stores.linear()) for _ in range(3)]
    stores.work(store, runner)
    bad = stores.start(store, stores.linear(uid="w2"), mode=RunMode.LIVE)
    stores.work(store, runner, failing)

    def ids(*arguments: object) -> list[str]:
        result = call("runs", "list", "--json", *arguments)
        assert result.exit_code == 0, result.output
        return [run["id"] for run in json.loads(result.stdout)["runs"]]

    assert ids() == [bad, *reversed(good)]
    assert ids("--state", "failed") == [bad]
    assert ids("--state", "failed", "--state", "completed", "--mode", "test") == list(reversed(good))
    assert ids("--workflow", "a WORK") == [bad, *reversed(good)]
    assert ids("--workflow", "other") == []

    page = json.loads(call("runs", "list", "--json", "--limit", "2").stdout)
    assert [run["id"] for run in page["runs"]] == [bad, good[2]]
    assert ids("--limit", "2", "--cursor", page["cursor"]) == [good[1], good[0]]
    assert call("runs", "list", "--cursor", "nonsense").exit_code == 2

    shown = call("runs", "list").stdout
    for run in (bad, *good):
        assert run in shown
    assert "failed" in shown

    document = write_project(own_folders / "mine", {"a": {"cells": ["1"]}})
    assert ids("--workflow", document) == []
    assert call("runs", "list", "--workflow", "missing.workflow").exit_code == 2


def test_show(call, store: Store, runner: RunnerIdentity) -> None:
    run = stores.start(store, stores.linear(), values={"x": 1}, started_by="ada")
    stores.work(store, runner, failing)
    result = call("runs", "show", run)
    assert result.exit_code == 0, result.output
    for word in (run, "A workflow", "failed", "by ada", "ValueError: no [bold]good[/bold]", "/project"):
        assert word in result.stdout

    value = json.loads(call("runs", "show", run, "--json").stdout)
    assert value["run"] == run
    assert value["state"] == "failed"
    assert [stage["path"] for stage in value["stages"]] == ["a", "b"]
    assert value["stages"][1]["error"]["name"] == "ValueError"
    assert value["stages"][1]["history"][0]["state"] == "failed"
    assert value["started_by"] == "ada"


def test_ids_may_be_shortened(call, store: Store) -> None:
    first, second = stores.start(store, stores.linear()), stores.start(store, stores.linear())
    assert call("runs", "show", first[:-1].upper()).exit_code == 0
    common = next(place for place in range(20) if first[place] != second[place])
    result = call("runs", "show", first[:common])
    assert result.exit_code == 2
    assert first in result.stderr
    assert second in result.stderr
    for wrong in ("zzzz", "", "%", "0" * 20):
        result = call("runs", "show", wrong)
        assert result.exit_code == 2, result.output
        assert "Traceback" not in result.output


def test_cancel(call, store: Store) -> None:
    run = stores.start(store, stores.linear())
    assert json.loads(call("runs", "cancel", run, "--json").stdout)["cancelled"] is True
    assert store.get_run(run).run.state == "cancelled"
    assert "already" in call("runs", "cancel", run).stdout


def test_an_ended_run_is_not_cancelled(call, store: Store, runner: RunnerIdentity) -> None:
    run = stores.start(store, stores.linear())
    stores.work(store, runner)
    result = call("runs", "cancel", run)
    assert result.exit_code == 2
    assert "completed" in result.stderr


def test_retry_queues_for_a_runner(call, store: Store, runner: RunnerIdentity) -> None:
    run = stores.start(store, stores.linear())
    stores.work(store, runner, failing)
    result = call("runs", "retry", run)
    assert result.exit_code == 0, result.output
    assert "b" in result.stdout
    assert "jupyter workflows runner" in result.stderr
    stores.work(store, runner)
    assert store.get_run(run).run.state == "completed"

    result = call("runs", "retry", run)
    assert result.exit_code == 2
    assert "has failed" in result.stderr


def test_retry_resolves_once(call, store: Store, runner: RunnerIdentity) -> None:
    run = stores.start(store, stores.linear())
    stores.work(store, runner, failing)
    for wrong in ("pay", "pay=maybe", "pay=done:{", "=again"):
        result = call("runs", "retry", run, "--once", wrong)
        assert result.exit_code == 2, result.output
        assert "--once" in result.stderr
    assert call("runs", "retry", run, "--stage", "nope").exit_code == 2
    assert call("runs", "retry", run, "--stage", "a").exit_code == 2

    resolved = ["--once", 'pay=done:{"receipt": "A=17"}', "--once", "mail=again"]
    result = call("runs", "retry", run, "--stage", "b", *resolved, "--json")
    assert result.exit_code == 0, result.output
    assert [stage["stage"] for stage in json.loads(result.stdout)["retried"]] == ["b"]
    (claim,) = store.claim(runner, limit=1)
    assert claim.once == {"pay": 'done:{"receipt": "A=17"}', "mail": "again"}


def test_tasks(call, store: Store, runner: RunnerIdentity) -> None:
    text = stores.document(
        {"a": {}, "b": {"type": "form", "assignee": "team:finance", "due": "P2D"}},
        {"t": {"source": "a", "target": "b"}},
    )
    run = stores.start(store, text)
    stores.work(store, runner)
    (task,) = json.loads(call("tasks", "--json").stdout)["tasks"]
    assert task["run"] == run
    assert task["assignee"] == "team:finance"
    assert task["deadline"]
    shown = call("tasks").stdout
    for word in (task["id"], run, "team:finance", "A workflow"):
        assert word in shown

    def number(*arguments: str) -> int:
        return len(json.loads(call("tasks", "--json", *arguments).stdout)["tasks"])

    assert number("--assignee", "ada") == 0
    assert number("--assignee", "ada", "--assignee", "team:finance") == 1
    assert number("--run", run[:-2], "--mode", "test", "--type", "form") == 1
    assert number("--type", "hook") == number("--mode", "live") == 0
    assert call("tasks", "--workflow", "no such").exit_code == 2


def test_logs(call, store: Store, runner: RunnerIdentity) -> None:
    run = stores.start(store, stores.linear(2))
    assert "Nothing was executed" in call("runs", "logs", run).stderr
    (claim,) = store.claim(runner, limit=1)
    executed = store.folder(run, claim.id) / "executed-1.ipynb"
    write_output(executed, "hello\n", "", "\x1b[31mred\x1b[0m\x1b]0;title\x07")
    stores.finish(store, claim, output=str(executed))
    (claim,) = store.claim(runner, limit=1)
    stores.fail(store, claim)

    result = call("runs", "logs", run)
    assert result.exit_code == 0, result.output
    assert result.stdout == ("--- a: completed\nhello\nred\n--- b: failed\nValueError: no good\n")
    assert call("runs", "logs", run, "--stage", "b").stdout == "--- b: failed\nValueError: no good\n"
    assert call("runs", "logs", run, "--stage", "nope").exit_code == 2
    assert call("runs", "logs", run, "--follow", "--json").exit_code == 2

    entries = json.loads(call("runs", "logs", run, "--json").stdout)["logs"]
    assert entries[0]["cells"] == [{"cell": 0, "text": "hello\n"}, {"cell": 2, "text": "red"}]
    assert entries[1]["error"]["name"] == "ValueError"


def test_logs_are_followed(store: Store, runner: RunnerIdentity, monkeypatch: pytest.MonkeyPatch) -> None:
    run = stores.start(store, stores.linear(2))
    (claim,) = store.claim(runner, limit=1)
    executed = store.folder(run, claim.id) / "executed-1.ipynb"
    write_output(executed, "one\n")
    looks = threading.Semaphore(0)
    real = Store.get_run

    def get_run(self, run_id):
        looks.release()
        return real(self, run_id)

    monkeypatch.setattr(Store, "get_run", get_run)
    results = []

    def follow() -> None:
        arguments = ["runs", "logs", run, "--follow", "--interval", "0.05"]
        results.append(CliRunner().invoke(cli, arguments))

    def look_again() -> None:
        while looks.acquire(blocking=False):
            pass
        for _ in range(3):
            assert looks.acquire(timeout=30)

    thread = threading.Thread(target=follow)
    thread.start()
    look_again()
    write_output(executed, "one\n", "two\n")
    look_again()
    stores.finish(store, claim, output=str(executed))
    stores.work(store, runner)
    thread.join(timeout=30)
    assert not thread.is_alive()
    assert results[0].exit_code == 0, results[0].output
    assert results[0].stdout == "--- a: running\none\ntwo\n--- a: completed\n--- b: completed\n"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("10%\r20%\r100%\ndone", "100%\ndone"),
        ("a\r\nb\r\n", "a\nb\n"),
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("bell\x07\x9b31mx", "bell31mx"),
        ("tab\tü ☃", "tab\tü ☃"),
    ],
)
def test_output_cannot_play_with_the_terminal(text: str, shown: str) -> None:
    assert plain(text) == shown


def test_database(call, tmp_path: Path) -> None:
    path = call("database", "path").stdout.strip()
    assert Path(path) == tmp_path / "data" / "workflows" / "workflows.sqlite3"
    assert not Path(path).exists()
    assert call("database", "upgrade").exit_code == 0
    assert Path(path).exists()
    url = f"sqlite:///{tmp_path / 'other.sqlite3'}"
    assert json.loads(call("database", "path", "--database", url, "--json").stdout)["url"] == url
    for wrong in ("nonsense", "mysql://x/y", "sqlite://", f"sqlite:///{tmp_path}"):
        result = call("database", "upgrade", "--database", wrong)
        assert result.exit_code == 2, result.output
        assert result.stderr.startswith("Error: ")
    secret = call("database", "path", "--database", "postgresql://me:hush@db.example.org/w").stdout
    assert "hush" not in secret


def test_bad_runner_options(call) -> None:
    for wrong in (["--pool", "x"], ["--pool", "x=0"], ["--pool", "x=many"], ["--concurrency", "0"]):
        result = call("runner", *wrong)
        assert result.exit_code == 2, result.output
        assert wrong[0] in result.stderr
