"""The front end's own checks, which need Node.js: linters, types, and the tests of its models."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

FRONT_END = Path(__file__).parents[2] / "labextension"


@pytest.fixture(scope="session")
def environment() -> dict[str, str]:
    """Variables with a `node` on the path, and the packages installed as the lock file says."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    environment = {**os.environ, "PATH": path}
    assert shutil.which("npm", path=path), "the extra `test` brings Node.js; install it again"
    if not (FRONT_END / "node_modules" / ".bin" / "vitest").exists():
        run("ci", environment)
    return environment


def run(script: str, environment: dict[str, str], *arguments: str) -> None:
    """Run an npm script, and show what it printed where it fails."""
    npm = shutil.which("npm", path=environment["PATH"])
    assert npm is not None
    command = [npm, script] if script == "ci" else [npm, "run", script, "--", *arguments]
    done = subprocess.run(
        command, cwd=FRONT_END, env=environment, capture_output=True, text=True, timeout=900, check=False
    )
    assert done.returncode == 0, f"{done.stdout[-8000:]}\n{done.stderr[-4000:]}"


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("script", ["lint", "test"])
def test_the_front_end_passes(script: str, environment: dict[str, str]) -> None:
    run(script, environment)


@pytest.mark.timeout(1200)
def test_the_types_are_those_of_the_schema(environment: dict[str, str], tmp_path: Path) -> None:
    """Whoever changes the schema generates the TypeScript types anew, too."""
    generated = FRONT_END / "src" / "document" / "generated.ts"
    before = generated.read_text()
    try:
        run("generate", environment)
        assert generated.read_text() == before, "run `npm run generate` in labextension and commit its result"
    finally:
        generated.write_text(before)
