"""What a worker imports, each time in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

IMPORT = "import sys; import jupyter_workflows.execution.executors.worker as worker; "


def run(code: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", IMPORT + code], capture_output=True, text=True, env=environment or None
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_worker_has_our_engine() -> None:
    code = "import papermill.engines as e; print(e.papermill_engines.get_engine('workflows').__name__)"
    assert run(code) == "WorkflowsEngine"


def test_what_was_left_out_can_be_imported_later() -> None:
    assert run("print('pyarrow' in sys.modules); import pyarrow; print(pyarrow.__name__)") == "False\npyarrow"


def test_a_broken_engine_of_somebody_else_does_no_harm(tmp_path: Path) -> None:
    package = tmp_path / "broken_engine-1.0.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: broken-engine\nVersion: 1.0\n")
    (package / "entry_points.txt").write_text("[papermill.engine]\nbroken = broken_engine:Engine\n")
    (tmp_path / "broken_engine.py").write_text("raise RuntimeError('this engine is broken')\n")
    assert run("print('up')", PYTHONPATH=str(tmp_path)) == "up"
