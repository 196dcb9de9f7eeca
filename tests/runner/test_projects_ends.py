"""What stages leave behind, and how they end: real kernels, through the door of `jupyter workflows run`."""

from __future__ import annotations

from pathlib import Path

import psutil
from support.projects import write_project

from jupyter_workflows.execution.project import Project
from jupyter_workflows.runner.foreground import RunOptions, run_workflow
from jupyter_workflows.runner.report import run_report
from jupyter_workflows.store import open_store

STAGE = "from jupyter_workflows import get_stage\nstage = get_stage()"


def test_nothing_that_a_stage_started_survives_it(tmp_path: Path) -> None:
    file = write_project(
        tmp_path,
        {
            "leave": {
                "cells": [
                    STAGE,
                    "import os, subprocess, threading, time",
                    "shell = 'setsid sleep 600 & echo $! > orphan; sleep 600'\n"
                    "own = subprocess.Popen(['sh', '-c', shell], start_new_session=True)",
                    "threading.Thread(target=time.sleep, args=(600,)).start()",
                    "forked = os.fork()",
                    "while not os.path.exists('orphan') or not open('orphan').read(): time.sleep(0.01)",
                    "stage['left'] = [own.pid, int(open('orphan').read()), forked]",
                ]
            }
        },
    )
    url = f"sqlite:///{tmp_path / 'state' / 'test.sqlite3'}"
    run_id = run_workflow(Project.open(file), RunOptions(database=url), lambda event: None)
    store = open_store(url)
    report = run_report(store, run_id)
    store.close()
    assert report["state"] == "completed", report
    left = report["data"]["left"]
    assert all(pid > 0 for pid in left)
    assert not [pid for pid in left if psutil.pid_exists(pid)]
