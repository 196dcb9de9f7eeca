"""`runs` and `tasks` against a server say the same as against its database."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import Result
from support.projects import write_project
from support.servers import ServerProcess, server_process
from support.stores import document, fail, finish, linear, start

from jupyter_workflows.store import RunnerIdentity, Store, open_store

Call = Callable[..., Result]


class Remote:
    """A server with something in its database."""

    def __init__(self, server: ServerProcess, store: Store) -> None:
        self.server = server
        self.store = store
        runner = RunnerIdentity.current()
        self.done = start(store, linear(1), started_by="ada", values={"amount": 3})
        (claim,) = store.claim(runner, limit=1)
        file = store.folder(self.done, claim.id) / "executed-1.ipynb"
        file.parent.mkdir(parents=True)
        output = {"output_type": "stream", "name": "stdout", "text": "hello\nthere\n"}
        cell = {"cell_type": "code", "source": "", "outputs": [output], "metadata": {}, "execution_count": 1}
        file.write_text(json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
        finish(store, claim, {"text": "ä"}, output=str(file))
        self.failed = start(store, linear(2), started_by="bob")
        (claim,) = store.claim(runner, limit=1)
        fail(store, claim)
        self.waiting = start(store, document({"a": {"type": "form"}}, uid="w2"), started_by="ada")


@pytest.fixture(scope="module")
def remote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Remote]:
    """A server that runs for all tests of this module."""
    with server_process(tmp_path_factory.mktemp("server"), WorkflowsApp__runner_enabled="False") as server:
        store = open_store(server.database)
        yield Remote(server, store)
        store.close()


@pytest.fixture
def both(call: Call, remote: Remote) -> Callable[..., tuple[Result, Result]]:
    """Call a command against the server, and against its database."""

    def call_both(*arguments: str) -> tuple[Result, Result]:
        there = call(*arguments, "--server", remote.server.url, "--token", remote.server.token)
        here = call(*arguments, "--database", remote.server.database)
        return there, here

    return call_both


@pytest.mark.parametrize(
    "arguments",
    [
        ("runs", "list"),
        ("runs", "list", "--json"),
        ("runs", "list", "--state", "failed", "--state", "waiting", "--json"),
        ("runs", "list", "--limit", "1"),
        ("runs", "list", "--workflow", "nothing like it"),
        ("tasks",),
        ("tasks", "--json"),
        ("tasks", "--assignee", "ada", "--type", "form", "--json"),
        ("runs", "show", "DONE"),
        ("runs", "show", "DONE", "--json"),
        ("runs", "show", "FAILED"),
        ("runs", "show", "FAILED", "--json"),
        ("runs", "logs", "DONE"),
        ("runs", "logs", "DONE", "--json"),
        ("runs", "logs", "FAILED", "--stage", "a"),
    ],
    ids=" ".join,
)
def test_the_output_is_the_same(
    both: Callable[..., tuple[Result, Result]], remote: Remote, arguments: tuple[str, ...]
) -> None:
    names = {"DONE": remote.done, "FAILED": remote.failed}
    there, here = both(*(names.get(argument, argument) for argument in arguments))
    assert there.exit_code == here.exit_code == 0, there.output
    assert there.output == here.output


def test_a_run_is_found_by_the_beginning_of_its_id(
    both: Callable[..., tuple[Result, Result]], remote: Remote
) -> None:
    there, here = both("runs", "show", remote.waiting[:14], "--json")
    assert json.loads(there.stdout)["run"] == json.loads(here.stdout)["run"] == remote.waiting
    there, here = both("runs", "show", "zzzz")
    assert (there.exit_code, here.exit_code) == (2, 2)
    assert there.output == here.output


def test_runs_are_cancelled_and_tried_again(call: Call, remote: Remote) -> None:
    place = ("--server", remote.server.url, "--token", remote.server.token)
    run = start(remote.store, linear(1))
    result = call("runs", "cancel", run, *place)
    assert (result.exit_code, result.output) == (0, f"Run {run} is cancelled.\n")
    runner = RunnerIdentity.current()
    run = start(remote.store, linear(1))
    (claim,) = remote.store.claim(runner, limit=1, run_id=run)
    fail(remote.store, claim)
    result = call("runs", "retry", run, "--once", "pay=done:[1]", "--json", *place)
    assert json.loads(result.stdout)["retried"] == [{"stage": "a", "stage_run": claim.id}]
    (claim,) = remote.store.claim(runner, limit=1, run_id=run)
    assert claim.once == {"pay": "done:[1]"}
    result = call("runs", "cancel", remote.done, "--json", *place)
    assert result.exit_code == 2
    assert json.loads(result.stdout)["error"]["code"] == "wrong-state"


def test_the_token_is_found_where_the_server_runs(
    call: Call, remote: Remote, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = call("runs", "list", "--server", remote.server.url)
    assert result.exit_code == 2
    assert "wants its token" in result.stderr
    result = call("runs", "list", "--server", remote.server.url, "--token", "wrong")
    assert "does not know this token" in result.stderr
    in_address = f"{remote.server.url}lab/tree/x.ipynb?token={remote.server.token}"
    assert call("runs", "list", "--server", in_address).exit_code == 0
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", remote.server.environment["JUPYTER_RUNTIME_DIR"])
    assert (
        call("runs", "list", "--server", remote.server.url.replace("127.0.0.1", "localhost")).exit_code == 0
    )
    monkeypatch.setenv("JUPYTER_WORKFLOWS_SERVER", remote.server.url)
    assert remote.done in call("runs", "list").output
    # What is typed counts before the environment.
    assert (
        remote.done
        not in call("runs", "list", "--database", f"sqlite:///{Path.cwd() / 'new.sqlite3'}").output
    )


@pytest.mark.parametrize(
    ("server", "words"),
    [
        ("http://127.0.0.1:1/", "cannot be reached"),
        ("ftp://example.org", "not the address of a server"),
        ("", "not the address of a server"),
        ("http://[", "not the address of a server"),
    ],
)
def test_a_server_that_is_none_is_told_in_words(call: Call, server: str, words: str) -> None:
    result = call("tasks", "--server", server)
    assert result.exit_code == 2
    assert words in result.stderr
    assert not result.exception or isinstance(result.exception, SystemExit)


def test_another_server_is_told_in_words(call: Call, remote: Remote) -> None:
    result = call("tasks", "--server", f"{remote.server.url}somewhere/else", "--token", remote.server.token)
    assert result.exit_code == 2
    assert "Jupyter Workflows" in result.stderr


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A project with a hook and a job, on the machine of who deploys."""
    hook = {"type": "hook", "auth": {"kind": "token"}, "cells": ["1"]}
    job = {"type": "job", "schedule": {"cron": "0 3 * * *"}, "cells": ["1"]}
    file = write_project(tmp_path / "shop", {"order": hook, "nightly": job}, title="Shop")
    (file.parent / "requirements.txt").touch()
    return file


def test_a_project_is_deployed_to_a_server(call: Call, remote: Remote, shop: Path) -> None:
    to = ("--to", remote.server.url, "--token", remote.server.token)
    result = call("deploy", str(shop), *to, "--note", "first", "--json")
    assert result.exit_code == 0, result.output
    made = json.loads(result.stdout)
    assert (made["version"], made["slug"], made["note"], made["snapshot"]) == (1, "shop", "first", None)
    assert [hook["address"] for hook in made["hooks"]] == ["workflows/hooks/shop/order"]
    assert [job["path"] for job in made["jobs"]] == ["nightly"]
    assert made["project"].endswith(f":{shop}")
    (record,) = remote.store.page_deployments(made["workflow"], limit=10)
    assert record.id == made["id"]
    snapshot = remote.store.snapshot_folder(record) / "project"
    assert (snapshot / "stages" / "order.ipynb").read_bytes() == (
        shop.parent / "stages" / "order.ipynb"
    ).read_bytes()
    again = call("deploy", str(shop), *to)
    assert again.exit_code == 0, again.output
    assert f"version 2 is live on {remote.server.url}, instead of version 1" in again.stdout.replace(
        "\n", " "
    )
    # The same as one that was deployed beside the database.
    here = call("deploy", str(shop), "--database", remote.server.database, "--json")
    assert json.loads(here.stdout).keys() == made.keys()
    assert json.loads(here.stdout)["hash"] == made["hash"]
    assert [job.keys() for job in json.loads(here.stdout)["jobs"]] == [job.keys() for job in made["jobs"]]
    assert [hook.keys() for hook in json.loads(here.stdout)["hooks"]] == [
        hook.keys() for hook in made["hooks"]
    ]


def test_what_a_server_finds_in_a_project_is_shown(call: Call, remote: Remote, shop: Path) -> None:
    (shop.parent / "requirements.txt").unlink()
    # A name of its own: another test deploys the shop to the same server.
    shop.write_text(shop.read_text().replace('"Shop"', '"Unfinished"'))
    to = ("--to", remote.server.url, "--token", remote.server.token)
    result = call("deploy", str(shop), *to, "--json")
    assert result.exit_code == 2
    found = json.loads(result.stdout)
    assert "no-requirements" in [finding["code"] for finding in found["findings"]], found


def test_a_project_is_not_deployed_to_strangers(call: Call, remote: Remote, shop: Path) -> None:
    result = call("deploy", str(shop), "--to", remote.server.url, "--token", "wrong")
    assert result.exit_code == 2
    assert "does not know this token" in result.stderr.replace("\n", " ")
    result = call("deploy", str(shop), "--to", "http://localhost:1/", "--token", "x")
    assert result.exit_code == 2
    assert "cannot be reached" in result.stderr.replace("\n", " ")
    result = call("deploy", str(shop), "--to", remote.server.url, "--database", remote.server.database)
    assert result.exit_code == 2
    assert "do not go together" in result.stderr


def test_server_and_database_do_not_go_together(call: Call, tmp_path: Path) -> None:
    result = call("tasks", "--server", "http://localhost:1", "--database", f"sqlite:///{tmp_path / 'x'}")
    assert result.exit_code == 2
    assert "do not go together" in result.stderr
