from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_workflows.authoring import attempt as attempts
from jupyter_workflows.authoring import wire
from jupyter_workflows.authoring.blobs import Blobs
from jupyter_workflows.authoring.record import collect


class Run:
    """A stage run whose attempts are executed in this process, one after the other."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder / "stage-run"
        self.project = folder / "project"
        self.artifacts = folder / "artifacts"
        for path in (self.folder, self.project, self.artifacts):
            path.mkdir()
        self.attempt = 0
        self._monkeypatch = monkeypatch

    def begin(self, *, data: dict[str, Any] | None = None, **changes: Any) -> attempts.Attempt:
        """Begin an attempt; `data` are Python values, `changes` override the context."""
        self.attempt += 1
        context = {
            "format": 1,
            "run_id": "run1",
            "stage_run_id": "stage-run1",
            "attempt": self.attempt,
            "mode": "test",
            "workflow": {"uid": "u", "title": "Expenses"},
            "stage": {"id": "s1", "path": "submit", "title": "Submit", "type": "form"},
            "folder": str(self.folder),
            "project": str(self.project),
            "data": {key: self.encode(value) for key, value in (data or {}).items()},
            "inputs": None,
            "failure": None,
            "successors": [],
            "request": None,
            "answers": None,
            "scheduled_time": None,
            "assignee": None,
            "user": "anna",
            "artifacts": str(self.artifacts),
            **changes,
        }
        file = self.folder / f"context-{self.attempt}.json"
        file.write_text(json.dumps(context))
        self._monkeypatch.setenv("JUPYTER_WORKFLOWS_CONTEXT", str(file))
        attempts.begin(None)
        return attempts.current()

    def encode(self, value: Any) -> Any:
        """Return the wire form of a value whose bytes are among the run's artifacts."""
        blobs = Blobs(self.artifacts, None, 0)
        wire_form = wire.encode(value, key="value", save=blobs.save)
        for file in self.artifacts.glob("blobs/*"):
            target = self.artifacts / file.name[:2] / file.name
            target.parent.mkdir(exist_ok=True)
            file.rename(target)
        return wire_form

    def record(self) -> dict[str, Any]:
        """Return the finish record, as JSON that survives a kernel's message."""
        content = collect()._repr_mimebundle_()["application/json"]
        return json.loads(json.dumps(content, allow_nan=False))

    def changes(self) -> dict[str, Any]:
        """Return the changes of the finish record as Python values."""
        record = self.record()
        assert record["error"] is None, record["error"]
        blobs = Blobs(self.folder, self.artifacts, 99)
        return {key: wire.decode(value, load=blobs.load) for key, value in record["changes"].items()}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """A stage run of which attempts can be begun."""
    yield Run(tmp_path, monkeypatch)
    attempts.begin(None)


@pytest.fixture
def typed_in(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let lines be typed at the prompt."""

    def type_in(*lines: str) -> None:
        remaining = list(lines)

        def answer(prompt: str = "") -> str:
            if not remaining:
                raise EOFError
            return remaining.pop(0)

        monkeypatch.setattr("builtins.input", answer)
        monkeypatch.setattr("getpass.getpass", answer)

    return type_in
