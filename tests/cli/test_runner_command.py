"""``runner``: executes what is queued, and ends when told to."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from support.projects import write_project

from jupyter_workflows.store import NewRun, open_store

#: Longer than any start of a kernel takes.
PATIENCE = 120


def test_a_runner_works_until_it_is_told_to_end(own_folders: Path) -> None:
    document = write_project(own_folders, {"a": {"cells": ["print('done')"], "pool": "few"}})
    store = open_store(None)
    executable = Path(sys.executable).parent / "jupyter-workflows"
    process = subprocess.Popen(
        [executable, "runner", "--concurrency", "1", "--pool", "few=1", "--kernel-pool", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ,
        start_new_session=True,
    )
    try:
        run = store.create_run(NewRun(document.read_text(encoding="utf-8"), str(own_folders), "a"))
        deadline = time.monotonic() + PATIENCE
        while str(store.get_run(run).run.state) == "running":
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline, "the run did not end"
            time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        stdout, stderr = process.communicate(timeout=PATIENCE)
        details = store.get_run(run)
    finally:
        process.kill()
        process.wait()
        store.close()
    assert details.run.state == "completed", details
    assert process.returncode == 0, stderr
    assert stdout == ""
    assert f"run {run}" in stderr
    assert "a completed" in stderr
    assert "Traceback" not in stderr
