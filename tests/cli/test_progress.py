"""How a run is shown while it goes on."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest
from rich.console import Console

from jupyter_workflows.cli.output import Output, is_interactive
from jupyter_workflows.cli.progress import LiveProgress, PlainProgress, Progress, QuietProgress, duration
from jupyter_workflows.execution.spec import AttemptError
from jupyter_workflows.runner.events import RunEvent

DUE = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
EVENTS = [
    RunEvent("run-started", "r1", title="Expenses"),
    RunEvent("stage-started", "r1", "s1", "submit", "Submit", 1),
    RunEvent("cell", "r1", "s1", "submit", "Submit", 1, cell=1, cells=3),
    RunEvent("stage-started", "r1", "s2", "check[0]", "Check", 2),
    RunEvent(
        "stage-ended",
        "r1",
        "s2",
        "check[0]",
        "Check",
        2,
        state="failed",
        error=AttemptError("ValueError", "no [bold]good\nat all", 3),
        seconds=1.25,
        due_at=DUE,
    ),
    RunEvent("notice", "r1", message="mind the gap"),
    RunEvent("stage-ended", "r1", "s1", "submit", "Submit", 1, state="completed", seconds=70),
    RunEvent("stage-waiting", "r1", "s3", "approve", "Approve", state="waiting", message="team:finance"),
    RunEvent("run-ended", "r1", state="waiting"),
]


def show(kind: type[Progress], *, terminal: bool, encoding: str = "utf-8") -> str:
    output = Output()
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding, write_through=True)
    output.__dict__["err"] = Console(
        file=stream, force_terminal=terminal, width=200, markup=False, highlight=False, color_system=None
    )
    with kind(output) as progress:
        for event in EVENTS:
            progress(event)
    assert progress.run_id == "r1"
    stream.seek(0)
    return stream.read()


def test_plain_lines() -> None:
    assert show(PlainProgress, terminal=False).splitlines() == [
        "Run r1 of Expenses",
        "· submit starts",
        "· check[0] starts (attempt 2)",
        "✗ check[0] failed (attempt 2) (1.2 s): ValueError: no [bold]good at all, cell 4; tried again at "
        f"{DUE.astimezone():%H:%M:%S}",
        "mind the gap",
        "✓ submit completed (1 min 10 s)",
        "… approve waits for team:finance",
    ]


def test_plain_lines_in_ascii() -> None:
    text = show(PlainProgress, terminal=False, encoding="ascii")
    assert "ok submit completed" in text
    assert ".. approve waits" in text


def test_live_lines() -> None:
    text = show(LiveProgress, terminal=True)
    assert "✓ submit completed" in text
    assert "ValueError: no [bold]good at all" in text
    assert "mind the gap" in text
    assert "\x1b[?25h" in text, "the cursor is shown again"


def test_live_lines_in_ascii() -> None:
    assert "ok submit completed" in show(LiveProgress, terminal=True, encoding="ascii")


def test_quiet() -> None:
    assert show(QuietProgress, terminal=False) == "mind the gap\n"


class Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("variables", "live"),
    [({}, True), ({"CI": "true"}, False), ({"CI": "false"}, True), ({"TERM": "dumb"}, False)],
)
def test_live_on_terminals_only(
    variables: dict[str, str], live: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("CI", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert is_interactive(Terminal()) is live
    assert is_interactive(io.StringIO()) is False


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.04, "0.0 s"), (59.94, "59.9 s"), (59.97, "1 min 0 s"), (3600, "1 h 0 min")]
)
def test_durations(seconds: float, words: str) -> None:
    assert duration(seconds) == words
