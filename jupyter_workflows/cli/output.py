"""What commands print: results on standard output, everything else on standard error."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import click

from .errors import Problem

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

F = TypeVar("F", bound=Callable[..., Any])

#: Wide enough that a table that goes into a file or another program is never cut.
_UNLIMITED = 10_000

SEVERITY_STYLES = {"error": "bold red", "warning": "yellow", "info": "cyan"}
STATE_STYLES = {
    "completed": "green",
    "failed": "bold red",
    "timed_out": "bold red",
    "lost": "red",
    "cancelled": "magenta",
    "waiting": "yellow",
    "parked": "yellow",
    "joining": "cyan",
    "running": "cyan",
    "queued": "dim",
}


class Output:
    """Where a command prints, and how.

    Parameters
    ----------
    json
        Print one JSON object instead of words.
    debug
        Show the traceback of an unexpected error.
    """

    def __init__(self, *, json: bool = False, debug: bool = False) -> None:
        self.json = json
        self.debug = debug

    @cached_property
    def out(self) -> Console:
        """The console for results."""
        return _console(sys.stdout)

    @cached_property
    def err(self) -> Console:
        """The console for everything that is not the result."""
        return _console(sys.stderr)

    def emit(self, value: Any) -> None:
        """Print one JSON object, the result."""
        encoding = (getattr(sys.stdout, "encoding", None) or "ascii").lower().replace("-", "")
        text = json.dumps(value, indent=2, ensure_ascii=encoding != "utf8", default=str)
        click.echo(text)

    def print(self, text: str = "", style: str | None = None) -> None:
        """Print a line of the result; its text is taken as it is."""
        _print(self.out, text, style)

    def note(self, text: str = "", style: str | None = None) -> None:
        """Print a line that is not the result."""
        _print(self.err, text, style)

    def problem(self, problem: Problem) -> None:
        """Print an error, as JSON object if the command prints JSON."""
        if self.json:
            self.emit(problem.to_json())
        from rich.text import Text

        label = Text("Error: ", style="bold red")
        self.err.print(label + Text(problem.message), soft_wrap=True)
        if problem.findings:
            self.err.print(findings_table(problem.findings))
        if problem.mend:
            _print(self.err, problem.mend, None)

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """Within this, what other code and processes write to standard output goes to standard error.

        So that a program that reads the JSON object reads nothing else.
        """
        try:
            stdout, stderr = sys.stdout.fileno(), sys.stderr.fileno()
            sys.stdout.flush()
            saved = os.dup(stdout)
        except (OSError, ValueError):
            yield  # not on real files, as in tests
            return
        try:
            os.dup2(stderr, stdout)
            yield
        finally:
            sys.stdout.flush()
            os.dup2(saved, stdout)
            os.close(saved)


def is_interactive(stream: Any) -> bool:
    """Return whether somebody watches `stream` on a terminal that can redraw lines."""
    in_ci = os.environ.get("CI", "").lower() not in ("", "0", "false")
    terminal = os.environ.get("TERM", "") != "dumb"
    try:
        return bool(stream.isatty()) and terminal and not in_ci
    except ValueError:
        return False


def _console(stream: Any) -> Console:
    from rich.console import Console

    watched = is_interactive(stream)
    return Console(
        file=stream,
        force_terminal=None if watched else False,
        width=None if watched else _UNLIMITED,
        highlight=False,
        markup=False,
        emoji=False,
    )


def _print(console: Console, text: str, style: str | None) -> None:
    from rich.text import Text

    console.print(Text(text, style=style or ""), soft_wrap=True)


def table(columns: Sequence[str], *, title: str | None = None) -> Table:
    """Return an empty table in the look of all our tables."""
    from rich import box
    from rich.table import Table

    made = Table(
        box=box.SIMPLE_HEAD,
        title=title,
        title_justify="left",
        title_style="bold",
        header_style="bold",
        pad_edge=False,
        show_edge=False,
    )
    for column in columns:
        made.add_column(column, overflow="fold")
    return made


def findings_table(findings: Iterable[Any]) -> Table:
    """Return findings (as JSON values) as a table: what is wrong, and below it how to mend it."""
    from rich.text import Text

    made = table(["severity", "code", "where", "field", "finding"])
    made.columns[0].no_wrap = True
    for finding in findings:
        severity = str(finding.get("severity", "error"))
        words = Text(str(finding.get("message", "")))
        if mend := finding.get("mend"):
            words.append(f"\n→ {mend}", style="dim")
        made.add_row(
            Text(severity, style=SEVERITY_STYLES.get(severity, "")),
            Text(str(finding.get("code", ""))),
            Text(_where(finding)),
            Text(str(finding.get("field") or "")),
            words,
        )
    return made


def _where(finding: Any) -> str:
    if finding.get("where"):
        where = str(finding["where"])
    elif finding.get("transition"):
        where = f"transition {finding['transition']}"
    else:
        where = str(finding.get("stage") or "")
    return where + in_cell(finding.get("cell"))


def in_cell(index: int | None) -> str:
    """Return where in a notebook something is; people count cells from 1."""
    return "" if index is None else f", cell {index + 1}"


def state_text(state: str) -> Any:
    """Return a state in its colour."""
    from rich.text import Text

    return Text(state, style=STATE_STYLES.get(state, ""))


def json_option(function: F) -> F:
    """Add ``--json``: the command then prints one JSON object on standard output."""

    def remember(context: click.Context, _parameter: click.Parameter, value: bool) -> None:
        if value:
            context.find_object(Output).json = True  # type: ignore[union-attr]

    return click.option(
        "--json",
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=remember,
        help="Print one JSON object on standard output, everything else on standard error.",
    )(function)


pass_output = click.make_pass_decorator(Output, ensure=True)
