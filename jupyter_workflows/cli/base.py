"""The classes of all our commands: lazy groups, ``--debug``, and errors that end well."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, NoReturn

import click

from .errors import BROKEN_PIPE, INTERRUPTED, Problem, explain, require_text
from .output import Output


def _debug_option() -> click.Option:
    def remember(context: click.Context, _parameter: click.Parameter, value: bool) -> None:
        if value:
            context.find_object(Output).debug = True  # type: ignore[union-attr]

    return click.Option(
        ["--debug"],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=remember,
        help="Show where an unexpected error came from (also: JUPYTER_WORKFLOWS_DEBUG=1).",
    )


class Command(click.Command):
    """A command; its help text keeps its line breaks where it shows examples."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.params.append(_debug_option())


@dataclass(frozen=True, slots=True)
class Entry:
    """A command of a lazy group: where it is, and what the overview says about it."""

    target: str
    summary: str
    section: str = "Commands"


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called.

    Parameters
    ----------
    entries
        By name of the command.
    """

    def __init__(self, *arguments: Any, entries: Mapping[str, Entry], **settings: Any) -> None:
        settings.setdefault("no_args_is_help", False)
        settings.setdefault("invoke_without_command", True)
        super().__init__(*arguments, **settings)
        self.entries = entries
        self.params.append(_debug_option())

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.entries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = self.entries.get(cmd_name)
        if entry is None:
            return None
        module, _, attribute = entry.target.partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        if not ctx._protected_args and not ctx.args:
            # Help that was not asked for by name is still an answer, not wrong use.
            click.echo(ctx.get_help(), color=ctx.color)
            return None
        return super().invoke(ctx)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        sections: dict[str, list[tuple[str, str]]] = {}
        for name, entry in self.entries.items():
            sections.setdefault(entry.section, []).append((name, entry.summary))
        width = max(len(name) for name in self.entries)
        for section, rows in sections.items():
            with formatter.section(section):
                formatter.write_dl([(name.ljust(width), summary) for name, summary in rows])


class Door(LazyGroup):
    """The outermost group: every error ends here, in words and with an exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        # Before click sees them: it would end both with 1, as a failed run does.
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as error:
            raise click.exceptions.Exit(_interrupted(ctx.ensure_object(Output), error)) from error
        except BrokenPipeError as error:
            raise click.exceptions.Exit(_pipe_closed()) from error

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> NoReturn:
        """Run the command that `args` name, and exit."""
        arguments = list(sys.argv[1:] if args is None else args)
        plain = arguments[: arguments.index("--")] if "--" in arguments else arguments
        debug = os.environ.get("JUPYTER_WORKFLOWS_DEBUG", "").lower() not in ("", "0", "false")
        output = Output(json="--json" in plain, debug=debug or "--debug" in plain)
        try:
            for argument in arguments:
                require_text(argument, "The argument")
            code = super().main(
                arguments, prog_name, complete_var, standalone_mode=False, obj=output, **extra
            )
            sys.stdout.flush()
        except click.exceptions.Exit as error:
            code = error.exit_code
        except (KeyboardInterrupt, click.Abort) as error:
            code = _interrupted(output, error)
        except BrokenPipeError:  # when the last of it was flushed
            code = _pipe_closed()
        except Exception as error:
            code = _failed(output, error)
        sys.exit(code if isinstance(code, int) else 0)


def _failed(output: Output, error: Exception) -> int:
    problem = explain(error)
    if output.debug:
        import traceback

        traceback.print_exception(error)
    try:
        output.problem(problem)
        sys.stdout.flush()
    except BrokenPipeError:
        return _pipe_closed()
    return problem.exit_code


def _interrupted(output: Output, error: BaseException) -> int:
    run = getattr(error, "run_id", None)
    message = "Interrupted." if run is None else f"Interrupted: run {run} was cancelled."
    if output.json:
        details = {} if run is None else {"run": run}
        problem = Problem(message, code="interrupted", exit_code=INTERRUPTED, details=details)
        output.emit(problem.to_json())
    click.echo(message, err=True)
    return INTERRUPTED


def _pipe_closed() -> int:
    """Nobody reads on, as with ``| head``: end quietly, also when Python flushes at exit."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            os.dup2(nowhere, stream.fileno())
        except (OSError, ValueError):
            continue
    os.close(nowhere)
    return BROKEN_PIPE
