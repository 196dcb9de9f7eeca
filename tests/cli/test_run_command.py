"""``run``: real runs of small projects, their exit codes and what is printed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.projects import write_project

#: Longer than any start of a kernel takes.
PATIENCE = 120


def wait_for(file: Path, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not file.exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, f"{file} did not come"
        time.sleep(0.05)


def test_a_run_to_the_end(command, own_folders: Path) -> None:
    document = write_project(
        own_folders / "Größe ☃",
        {
            "first": {
                "cells": [
                    "import os\nfrom jupyter_workflows import get_stage\nstage = get_stage()\n"
                    "print('said')\nos.write(1, b'written')",
                    "stage['sum'] = stage['a'] + stage['b']\nstage['token'] = os.environ['TOKEN']",
                ],
                "test": {"data": {"a": 1, "b": 2}},
            },
            "second": {"cells": ["stage = __import__('jupyter_workflows').get_stage()\nstage['sum'] *= 10"]},
        },
        [{"source": "first", "target": "second"}],
    )
    sources = {path: path.read_bytes() for path in document.parent.rglob("*") if path.is_file()}
    (own_folders / "settings.env").write_text("TOKEN=secret\n")

    done = command(
        "run", document.parent, "--env-file", "settings.env", "--json", "--data", '{"a": 2, "b": 3}'
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["state"] == "completed"
    assert report["data"] == {"a": 2, "b": 3, "sum": 50, "token": "secret"}
    assert [stage["path"] for stage in report["stages"]] == ["first", "second"]
    assert "said" in Path(report["stages"][0]["notebook"]).read_text(encoding="utf-8")
    assert {path: path.read_bytes() for path in document.parent.rglob("*") if path.is_file()} == sources
    assert "first completed" in done.stderr

    # The stage's test data, with words instead of JSON.
    done = command("run", document, "--env-file", "settings.env")
    assert done.returncode == 0, done.stderr
    assert "sum" in done.stdout
    assert "30" in done.stdout

    done = command("runs", "logs", report["run"][:18])
    assert "said\n" in done.stdout


def test_a_failure_and_its_retry(call, own_folders: Path) -> None:
    document = write_project(
        own_folders,
        {
            "first": {"cells": ["1"]},
            "second": {"cells": ["2", "open('../there').read()"]},
            "third": {"cells": ["3"]},
        },
        [{"source": "first", "target": "second"}, {"source": "second", "target": "third"}],
    )
    result = call("run", document, "--quiet")
    assert result.exit_code == 1, result.output
    assert "second, cell 2: FileNotFoundError" in result.stdout
    assert "executed-1.ipynb" in result.stdout
    run = json.loads(call("runs", "list", "--json").stdout)["runs"][0]["id"]
    assert run in result.stdout

    (own_folders / "there").write_text("x")
    result = call("runs", "retry", run, "--json")
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert report["run"] == run
    assert [(stage["path"], stage["attempts"]) for stage in report["stages"]] == [
        ("first", 1),
        ("second", 2),
        ("third", 1),
    ]


def test_what_only_makes_one_stage_fail_does_not_keep_the_workflow_from_running(
    command, own_folders: Path
) -> None:
    document = write_project(
        own_folders,
        {
            "first": {
                "cells": [
                    "from jupyter_workflows import next_stage\nif False: next_stage(stage='nowhere')",
                    "if False: next_stage(stage='after')",
                ]
            },
            "absent": {"cells": ["1"], "kernel": "no-such-kernel"},
            "other": {"cells": ["2"]},
            "after": {"cells": ["3"]},
        },
        [
            {"source": "first", "target": "absent"},
            {"source": "first", "target": "other"},
            {"source": "absent", "target": "after"},
        ],
    )
    done = command("run", document, "--json")
    assert done.returncode == 1, done.stderr
    stages = {stage["path"]: stage for stage in json.loads(done.stdout)["stages"]}
    assert {path: stage["state"] for path, stage in stages.items()} == {
        "first": "completed",
        "absent": "failed",
        "other": "completed",
    }
    for words in ("no-such-kernel", "python3"):
        assert words in stages["absent"]["error"]["message"]
    for code in ("kernel-not-installed", "unknown-stage", "stage-not-next"):
        assert code in done.stderr

    document.write_text(document.read_text().replace('"target": "other"', '"target": "gone"'))
    done = command("run", document, "--json")
    assert done.returncode == 2
    assert "dangling-transition" in {finding["code"] for finding in json.loads(done.stdout)["findings"]}


def form(**settings: object) -> dict[str, object]:
    return {
        "type": "form",
        "cells": [
            "from jupyter_workflows import get_stage\nfrom jupyter_workflows.forms import read\n"
            "get_stage()['name'] = read('Your name')"
        ],
        **settings,
    }


def test_a_form_waits_or_is_answered(call, own_folders: Path) -> None:
    document = write_project(own_folders, {"ask": form(test={"answers": {"Your name": "Ada"}})})
    result = call("run", document)
    assert result.exit_code == 3, result.output
    for words in ("ask", "waits", "--answers"):
        assert words in result.stdout
    (task,) = json.loads(call("tasks", "--json").stdout)["tasks"]
    assert task["id"] in result.stdout
    result = call("run", document, "--json")
    assert result.exit_code == 3
    assert json.loads(result.stdout)["state"] == "waiting"

    result = call("run", document, "--test-answers", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["data"] == {"name": "Ada"}

    (own_folders / "answers.json").write_text('{"ask": {"Your name": "Grace"}}')
    result = call("run", document, "--test-answers", "--answers", "@answers.json", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["data"] == {"name": "Grace"}


def test_a_hook_gets_its_request(call, own_folders: Path) -> None:
    document = write_project(
        own_folders,
        {
            "receive": {
                "type": "hook",
                "cells": [
                    "from jupyter_workflows import get_stage\n"
                    "from jupyter_workflows.hooks import get_request\n"
                    "get_stage()['amount'] = get_request().body['amount']"
                ],
                "test": {"request": {"method": "POST", "body": {"amount": 1}}},
            }
        },
    )
    result = call("run", document, "--json", "--request", '{"method": "POST", "body": {"amount": 2}}')
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["data"] == {"amount": 2}


def test_several_entries(call, own_folders: Path) -> None:
    document = write_project(own_folders, {"left": {"cells": ["1"]}, "right": {"cells": ["2"]}})
    result = call("run", document)
    assert result.exit_code == 2
    assert "left, right" in result.stderr
    result = call("run", document, "--json")
    assert json.loads(result.stdout)["error"]["choices"] == ["left", "right"]
    result = call("run", document, "--stage", "middle")
    assert result.exit_code == 2
    assert "middle" in result.stderr
    result = call("run", document, "--stage", "right", "--json")
    assert result.exit_code == 0, result.output
    assert [stage["path"] for stage in json.loads(result.stdout)["stages"]] == ["right"]


def test_a_workflow_with_errors_is_not_run(call, own_folders: Path) -> None:
    document = write_project(
        own_folders,
        {"first": {"cells": ["1"]}, "last": {"notebook": "stages/nowhere.ipynb"}},
        [{"source": "first", "target": "last"}],
    )
    result = call("run", document)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "stages/nowhere.ipynb" in result.stderr
    value = json.loads(call("run", document, "--json").stdout)
    assert value["error"]["code"] == "invalid-workflow"
    assert [finding["stage"] for finding in value["findings"] if finding["severity"] == "error"] == ["last"]
    assert json.loads(call("runs", "list", "--json").stdout)["runs"] == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--answers", '{"nope": {}}'], ["nope", "ask"]),
        (["--answers", '{"ask": 12}'], ["ask", "FIELD"]),
        (["--answers", "{"], ["--answers", "column 2"]),
        (["--data", "@missing.json"], ["--data", "missing.json"]),
        (["--request", "{}"], ["--request"]),
        (["--env-file", "missing.env"], ["missing.env"]),
        (["--database", "mysql://x"], ["mysql"]),
        (["--concurrency", "0"], ["--concurrency"]),
    ],
    ids=" ".join,
)
def test_wrong_use(call, own_folders: Path, arguments: list[str], words: list[str]) -> None:
    document = write_project(own_folders, {"ask": form()})
    result = call("run", document, *arguments)
    assert result.exit_code == 2, result.output
    assert "Traceback" not in result.output
    for word in words:
        assert word in result.stderr
    assert json.loads(call("run", document, *arguments, "--json").stdout)["error"]["message"]


def test_an_interrupt_cancels_the_run(command, own_folders: Path) -> None:
    started = own_folders / "started"
    document = write_project(
        own_folders,
        {
            "long": {
                "cells": [f"import pathlib, time\npathlib.Path({str(started)!r}).touch()\ntime.sleep(600)"]
            }
        },
    )
    executable = Path(sys.executable).parent / "jupyter-workflows"
    process = subprocess.Popen(
        [executable, "run", document, "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ,
        start_new_session=True,
    )
    try:
        wait_for(started, process)
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
    assert process.returncode == 130, stderr
    error = json.loads(stdout)["error"]
    assert error["code"] == "interrupted"
    assert "Traceback" not in stderr
    details = json.loads(command("runs", "show", error["run"], "--json").stdout)
    assert details["state"] == "cancelled"


def test_the_demo_runs_to_its_end(command, own_folders: Path) -> None:
    done = command("demo", "first-steps", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["state"] == "completed"
    assert Path(report["document"]).parent == own_folders / "jupyter-workflows-demo" / "first-steps"
    assert all(Path(stage["notebook"]).is_file() for stage in report["stages"])
