"""``deploy``, ``deployments``, ``rollback`` and ``secrets``."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from support.projects import write_notebook, write_project

from jupyter_workflows.store import open_store

Call = Callable[..., Result]


@pytest.fixture
def project(own_folders: Path) -> Path:
    folder = own_folders / "orders"
    write_project(
        folder,
        {
            "call": {"type": "hook", "cells": ["1"]},
            "signed": {"type": "hook", "auth": {"kind": "signature"}, "cells": ["1"]},
            "nightly": {"type": "job", "schedule": {"cron": "0 3 * * *"}, "cells": ["1"]},
        },
        title="Orders & returns",
    )
    (folder / "requirements.txt").write_text("")
    return folder / "test.workflow"


def as_json(result: Result, code: int = 0) -> Any:
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


def test_deploying_says_what_is_live(call: Call, project: Path) -> None:
    result = call("deploy", project, "--note", "first")
    assert result.exit_code == 0, result.output
    assert "Orders & returns: version 1 is live." in result.stdout
    assert "workflows/hooks/orders-returns/call" in result.stdout
    assert "0 3 * * * (UTC)" in result.stdout
    assert "not shown again" in result.stdout and "whsec_" in result.stdout
    again = call("deploy", project)
    assert "version 2 is live, instead of version 1" in again.stdout
    assert "whsec_" not in again.stdout and "not shown again" not in again.stdout


def test_deploying_for_programs(call: Call, project: Path, own_folders: Path) -> None:
    write_notebook(project.parent / "stages" / "call.ipynb", ["import numpy"])
    made = as_json(call("deploy", project, "--json", "--note", "first", "--slug", "shop"))
    assert (made["version"], made["slug"], made["live"], made["instead_of"]) == (1, "shop", True, None)
    assert (made["note"], made["paused"], made["project"]) == ("first", False, str(project))
    assert [hook["address"] for hook in made["hooks"]] == [
        "workflows/hooks/shop/call",
        "workflows/hooks/shop/signed",
    ]
    assert [(job["path"], job["active"]) for job in made["jobs"]] == [("nightly", True)]
    assert datetime.fromisoformat(made["jobs"][0]["next_due"]) > datetime.fromisoformat(made["created_at"])
    assert {secret["path"]: secret["kind"] for secret in made["secrets"]} == {
        "call": "token",
        "signed": "signature",
    }
    assert [finding["code"] for finding in made["findings"]] == ["package-not-required"]
    assert (Path(made["snapshot"]) / "project" / "test.workflow").exists()
    os.chdir(project.parent)
    assert as_json(call("deploy", "--json"))["version"] == 2
    refused = as_json(call("deploy", "--json", "--strict"), 2)
    assert refused["error"]["code"] == "invalid-workflow"


def test_what_is_wrong_is_shown_and_nothing_is_deployed(call: Call, project: Path) -> None:
    (project.parent / "requirements.txt").unlink()
    (project.parent / "stages" / "call.ipynb").unlink()
    result = call("deploy", project)
    assert result.exit_code == 2
    assert "is not deployed, because of 2 findings" in result.stderr
    assert "no-requirements" in result.stderr and "an empty file" in result.stderr
    assert "There is no notebook stages/call.ipynb" in result.stderr
    assert "jupyter workflows check" in result.stderr
    refused = as_json(call("deploy", project, "--json"), 2)
    assert {(one["code"], one["where"]) for one in refused["findings"]} == {
        ("missing-notebook", "call"),
        ("no-requirements", None),
    }
    assert "Nothing is deployed" in call("deployments").stdout


def test_a_name_that_is_taken(call: Call, project: Path, own_folders: Path) -> None:
    call("deploy", project)
    other = write_project(own_folders / "other", {"a": {"cells": ["1"]}}, title="Orders, returns")
    (own_folders / "other" / "requirements.txt").write_text("")
    result = call("deploy", other)
    assert result.exit_code == 2
    assert "'orders-returns'" in result.stderr and "--slug NAME" in result.stderr
    assert as_json(call("deploy", other, "--json"), 2)["error"]["code"] == "slug-taken"
    assert call("deploy", other, "--slug", "No!").exit_code == 2
    assert call("deploy", other, "--slug", "returns").exit_code == 0


def test_listing_versions(call: Call, project: Path) -> None:
    assert as_json(call("deployments", "--json")) == {"deployments": [], "paused": []}
    call("deploy", project, "--note", "the [first] one")
    call("deploy", project)
    result = call("deployments")
    assert "the [first] one" in result.stdout and "live" in result.stdout
    for name in ("orders-returns", project):
        listed = as_json(call("deployments", name, "--json"))["deployments"]
        assert [(one["version"], one["live"]) for one in listed] == [(2, True), (1, False)]
    assert len(as_json(call("deployments", "--limit", "1", "--json"))["deployments"]) == 1
    missing = call("deployments", "nothing")
    assert missing.exit_code == 2 and "ever deployed" in missing.stderr


def test_rolling_back_and_forward(call: Call, project: Path) -> None:
    assert call("rollback", project).exit_code == 2
    call("deploy", project)
    only = call("rollback", "orders-returns")
    assert only.exit_code == 2 and "no version before 1" in only.stderr
    call("deploy", project)
    back = as_json(call("rollback", "orders-returns", "--json"))
    assert (back["version"], back["live"], back["instead_of"], back["secrets"]) == (1, True, 2, [])
    newer = call("rollback", "orders-returns", "2")
    assert newer.exit_code == 2 and "newer than version 1" in newer.stderr
    assert (
        "version 2 is live, instead of version 1"
        in call("deployments", "orders-returns", "--activate", "2").stdout
    )
    assert call("rollback", project, "1").exit_code == 0
    assert "version 9" in call("deployments", project, "--activate", "9").stderr


def test_pausing_and_resuming(call: Call, project: Path) -> None:
    call("deploy", project)
    assert "orders-returns is paused." in call("deployments", project, "--pause").stdout
    assert "as before" in call("deployments", project, "--pause").stdout
    assert "live, paused" in call("deployments").stdout
    paused = call("deploy", project)
    assert "--resume" in paused.stderr and "paused" in paused.stdout
    assert as_json(call("deployments", project, "--resume", "--json")) == {
        "workflow": json.loads(project.read_text())["uid"],
        "slug": "orders-returns",
        "paused": False,
        "changed": True,
    }
    assert call("deployments", "--pause").exit_code == 2
    assert call("deployments", project, "--pause", "--resume").exit_code == 2


def test_secrets_are_listed_without_being_shown(call: Call, project: Path) -> None:
    made = as_json(call("deploy", project, "--json"))
    secrets = {one["path"]: one["secret"] for one in made["secrets"]}
    result = call("secrets", project)
    assert result.exit_code == 0
    for secret in secrets.values():
        assert secret not in result.output and secret[-4:] in result.stdout
    assert "never" in result.stdout and "revoked" in result.stdout
    listed = as_json(call("secrets", "orders-returns", "--json"))
    assert {one["path"]: one["hint"] for one in listed["secrets"]} == {
        path: secret[-4:] for path, secret in secrets.items()
    }


def test_rotating_with_an_overlap(call: Call, project: Path) -> None:
    call("deploy", project)
    before = datetime.now().astimezone()
    rotated = as_json(call("secrets", project, "--rotate", "call", "--overlap", "2h", "--json"))
    assert rotated["secret"]["path"] == "call"
    old = {one["id"]: one["expires_at"] for one in rotated["secrets"] if one["path"] == "call"}
    assert old.pop(rotated["secret"]["id"]) is None
    (expires,) = old.values()
    assert abs(datetime.fromisoformat(expires) - before - timedelta(hours=2)) < timedelta(minutes=5)
    shown = call("secrets", project, "--rotate", "signed", "--overlap", "0")
    assert "not shown again" in shown.stdout and "whsec_" in shown.stdout
    assert (
        len(
            [one for one in as_json(call("secrets", project, "--json"))["secrets"] if one["path"] == "signed"]
        )
        == 1
    )


def test_revoking(call: Call, project: Path) -> None:
    call("deploy", project)
    listed = as_json(call("secrets", project, "--json"))["secrets"]
    token = next(one for one in listed if one["kind"] == "token")
    revoked = as_json(call("secrets", project, "--revoke", token["id"], "--json"))
    assert revoked["revoked"] == token["id"]
    assert [one["kind"] for one in revoked["secrets"]] == ["signature"]
    missing = call("secrets", project, "--revoke", token["id"])
    assert missing.exit_code == 2 and "no secret whose id begins" in missing.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--rotate", "nothing"], "Its hooks are: call, signed"),
        (["--rotate", "call", "--overlap", "soon"], "24h"),
        (["--rotate", "call", "--overlap", "9999d"], "more than a year"),
        (["--overlap", "1h"], "Add --rotate"),
        (["--rotate", "call", "--revoke", "x"], "at once"),
    ],
)
def test_wrong_use_of_secrets(call: Call, project: Path, arguments: list[str], words: str) -> None:
    call("deploy", project)
    result = call("secrets", project, *arguments)
    assert result.exit_code == 2 and words in result.stderr, result.output


@pytest.mark.parametrize("name", ["deploy", "deployments", "rollback", "secrets"])
def test_help_has_examples_and_exit_codes(call: Call, name: str) -> None:
    result = call(name, "--help")
    assert result.exit_code == 0
    assert f"jupyter workflows {name} " in result.stdout and "--json" in result.stdout


def test_the_command_itself(command: Any, project: Path) -> None:
    done = command("deploy", project, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["version"] == 1
    store = open_store()
    assert [workflow.slug for workflow in store.list_workflows()] == ["orders-returns"]
    store.close()
