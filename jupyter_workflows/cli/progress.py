"""Showing a run while it goes on: live on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from .output import STATE_STYLES, Output, in_cell, is_interactive

if TYPE_CHECKING:
    from rich.spinner import Spinner
    from rich.text import Text

    from jupyter_workflows.runner.events import RunEvent

_MARKS = {"completed": "✓", "failed": "✗", "timed_out": "✗", "lost": "✗", "cancelled": "■", "parked": "…"}
_PLAIN_MARKS = {
    "completed": "ok",
    "failed": "x",
    "timed_out": "x",
    "lost": "x",
    "cancelled": "-",
    "parked": "..",
}
_ENDED_WORDS = {
    "completed": "completed",
    "failed": "failed",
    "timed_out": "ran out of time",
    "lost": "was lost",
    "cancelled": "was cancelled",
    "parked": "waits",
}


def duration(seconds: float) -> str:
    """Return a length of time as people write it."""
    if round(seconds, 1) < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min"


def one_line(text: str, limit: int = 300) -> str:
    """Return a text without line breaks, and not too long."""
    flat = " ".join(text.split())
    return flat if len(flat) <= limit else f"{flat[: limit - 1]}…"


class Progress(ABC):
    """Listens to a run and shows it.

    Attributes
    ----------
    run_id
        The run's id, once it has started.
    """

    def __init__(self, output: Output) -> None:
        self.output = output
        self.run_id: str | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        return None

    def __call__(self, event: RunEvent) -> None:
        """Take what happened."""
        if event.kind == "run-started":
            self.run_id = event.run_id
        self.show(event)

    @abstractmethod
    def show(self, event: RunEvent) -> None:
        """Show what happened."""


class QuietProgress(Progress):
    """Shows nothing but notices."""

    def show(self, event: RunEvent) -> None:
        """Show a notice."""
        if event.kind == "notice" and event.message:
            self.output.note(event.message)


class PlainProgress(Progress):
    """Prints a line when a stage starts, ends, or waits."""

    def show(self, event: RunEvent) -> None:
        """Print a line."""
        line = described(event, marks(self.output))
        if line is not None:
            self.output.err.print(line, soft_wrap=True)


class LiveProgress(Progress):
    """Shows a line with a spinner for each stage run that goes on, and leaves a line of each that ended."""

    def __init__(self, output: Output) -> None:
        super().__init__(output)
        self._running: dict[str, _Going] = {}
        from rich.live import Live

        self._live = Live(
            console=output.err, get_renderable=self._render, refresh_per_second=10, transient=True
        )

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._live.stop()

    def show(self, event: RunEvent) -> None:
        """Take up or take away the line of a stage run."""
        name = event.stage_run_id or ""
        if event.kind == "stage-started":
            going = dict(self._running)
            going[name] = _Going(event.path or name, event.attempt or 1, _spinner(self.output))
            # The display's own thread reads it: it is replaced, never changed.
            self._running = going
        elif event.kind == "cell" and name in self._running:
            self._running[name].cell, self._running[name].cells = event.cell, event.cells
        elif event.kind == "stage-ended":
            self._running = {key: one for key, one in self._running.items() if key != name}
        if event.kind not in ("stage-started", "cell"):
            line = described(event, marks(self.output))
            if line is not None:
                self.output.err.print(line, soft_wrap=True)

    def _render(self) -> Any:
        from rich.table import Table

        grid = Table.grid(padding=(0, 1))
        for _ in range(4):
            grid.add_column(no_wrap=True, overflow="ellipsis")
        for going in self._running.values():
            grid.add_row(going.spinner, going.name(), going.cells_text(), going.elapsed())
        return grid


@dataclass
class _Going:
    """A stage run that goes on."""

    path: str
    attempt: int
    spinner: Spinner
    cell: int | None = None
    cells: int | None = None
    since: float = field(default_factory=time.monotonic)

    def name(self) -> Text:
        from rich.text import Text

        text = Text(self.path, style="bold")
        if self.attempt > 1:
            text.append(f" (attempt {self.attempt})", style="yellow")
        return text

    def cells_text(self) -> Text:
        from rich.text import Text

        return Text(f"cell {self.cell} of {self.cells}" if self.cell else "starting", style="dim")

    def elapsed(self) -> Text:
        from rich.text import Text

        return Text(duration(time.monotonic() - self.since), style="dim")


def _spinner(output: Output) -> Spinner:
    from rich.spinner import Spinner

    return Spinner("dots" if _unicode(output.err.file) else "line", style="cyan")


def described(event: RunEvent, marks: dict[str, str]) -> Text | None:
    """Return the line that tells of an event; `None` for those that need none."""
    from rich.text import Text

    path = event.path or event.stage_run_id or ""
    again = f" (attempt {event.attempt})" if event.attempt and event.attempt > 1 else ""
    if event.kind == "run-started":
        return Text.assemble("Run ", (event.run_id, "bold"), f" of {event.title}" if event.title else "")
    if event.kind == "stage-started":
        return Text.assemble(f"{marks['started']} ", (path, "bold"), f" starts{again}")
    if event.kind == "stage-ended":
        return _ended(event, path, again, marks)
    if event.kind == "stage-waiting":
        whom = f" for {event.message}" if event.message else ""
        return Text.assemble((f"{marks['parked']} ", "yellow"), (path, "bold"), f" waits{whom}")
    if event.kind == "notice" and event.message:
        return Text(event.message, style="yellow")
    return None


def _ended(event: RunEvent, path: str, again: str, marks: dict[str, str]) -> Text:
    from rich.text import Text

    state = event.state or "completed"
    style = STATE_STYLES.get(state, "")
    line = Text.assemble(
        (f"{marks.get(state, '?')} ", style), (path, "bold"), f" {_ENDED_WORDS.get(state, state)}{again}"
    )
    if event.seconds is not None:
        line.append(f" ({duration(event.seconds)})", style="dim")
    if event.error is not None:
        where, message = in_cell(event.error.cell), one_line(event.error.message)
        if where[1:] in message:  # such as “ in cell 2” of what ended in it
            where = ""
        line.append(f": {event.error.name}: {message}{where}", style=style)
    if event.due_at is not None:
        line.append(f"; tried again at {event.due_at.astimezone():%H:%M:%S}", style="yellow")
    return line


def marks(output: Output) -> dict[str, str]:
    """Return the signs for what may happen, as far as standard error can show them."""
    return {**_MARKS, "started": "·"} if _unicode(output.err.file) else {**_PLAIN_MARKS, "started": "."}


def _unicode(stream: Any) -> bool:
    try:
        "✓✗■…·".encode(getattr(stream, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def make_progress(output: Output, *, quiet: bool) -> Progress:
    """Return the display that fits where standard error goes."""
    if quiet:
        return QuietProgress(output)
    return LiveProgress(output) if is_interactive(sys.stderr) else PlainProgress(output)
