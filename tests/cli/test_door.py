"""How commands end: errors in words, exit codes, JSON, interrupts, closed pipes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from jupyter_workflows.cli.base import Command, Door, Entry
from jupyter_workflows.cli.errors import CliError
from jupyter_workflows.cli.main import cli
from jupyter_workflows.cli.output import Output, json_option, pass_output
from jupyter_workflows.model.document import load
from jupyter_workflows.store.errors import NotFound


def raise_error(error: BaseException | Callable[[], Any]) -> Callable[..., Result]:
    """Return a function that calls a command which fails."""

    @click.command(cls=Command)
    @json_option
    @pass_output
    def fail(output: Output) -> None:
        if isinstance(error, BaseException):
            raise error
        error()

    class Group(Door):
        def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
            return fail if cmd_name == "fail" else None

    group = Group(name="test", entries={"fail": Entry("", "Fail.")}, callback=lambda: None)
    return lambda *arguments: CliRunner().invoke(group, ["fail", *arguments])


@pytest.mark.parametrize(
    ("error", "words", "code"),
    [
        (CliError("It is wrong", "Mend it"), ["It is wrong", "Mend it"], 2),
        (NotFound("there is no run 12", "See: runs list"), ["There is no run 12", "See: runs list"], 2),
        (lambda: load('{"format": 1}', path="a.workflow"), ["a.workflow", "uid", "It is missing"], 2),
        (lambda: Path("/nowhere/at-all").read_text(), ["/nowhere/at-all", "No such file"], 2),
        (ZeroDivisionError("oh"), ["ZeroDivisionError: oh", "report", "--debug"], 70),
    ],
)
def test_errors_are_told_in_words(error: Any, words: list[str], code: int) -> None:
    call = raise_error(error)
    result = call()
    assert result.exit_code == code
    assert result.stdout == ""
    for word in words:
        assert word in result.stderr
    assert "Traceback" not in result.output

    result = call("--json")
    assert result.exit_code == code
    value = json.loads(result.stdout)
    assert set(value) == {"error", "findings"}
    assert value["error"]["message"]
    assert value["error"]["code"]


def test_findings_are_in_the_json() -> None:
    value = json.loads(raise_error(lambda: load('{"format": 1}', path="a.workflow"))("--json").stdout)
    assert value["error"]["file"] == "a.workflow"
    assert {finding["field"] for finding in value["findings"]} == {"uid", "title"}


def test_debug_shows_the_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    call = raise_error(ZeroDivisionError("oh"))
    assert "Traceback" in call("--debug").stderr
    monkeypatch.setenv("JUPYTER_WORKFLOWS_DEBUG", "1")
    assert "Traceback" in call().stderr


def test_interrupt() -> None:
    call = raise_error(KeyboardInterrupt())
    assert call().exit_code == 130
    assert json.loads(call("--json").stdout)["error"]["code"] == "interrupted"


def test_markup_in_messages_is_not_followed() -> None:
    result = raise_error(CliError("[bold]x[/bold] [nope", "[link=a]b"))()
    assert "[bold]x[/bold] [nope" in result.stderr
    assert "[link=a]b" in result.stderr


@pytest.mark.parametrize("arguments", [["nope"], ["check", "--nope"], ["new"], ["--json", "nope"]])
def test_wrong_use(arguments: list[str]) -> None:
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 2
    assert "--help" in result.stderr


def test_the_overview_is_an_answer() -> None:
    alone = CliRunner().invoke(cli, [])
    assert alone.exit_code == 0
    assert alone.stdout == CliRunner().invoke(cli, ["--help"]).stdout
    for name in cli.entries:  # type: ignore[attr-defined]
        assert f"\n  {name} " in alone.stdout


def all_commands() -> list[list[str]]:
    """Return the words of every command."""

    def walk(command: click.Command, words: list[str]) -> list[list[str]]:
        found = [words]
        if isinstance(command, click.Group):
            context = click.Context(command)
            for name in command.list_commands(context):
                inner = command.get_command(context, name)
                assert inner is not None
                found += walk(inner, [*words, name])
        return found

    return walk(cli, [])


@pytest.mark.parametrize("words", all_commands(), ids=" ".join)
def test_every_command_has_help(words: list[str]) -> None:
    result = CliRunner().invoke(cli, [*words, "--help"])
    assert result.exit_code == 0, result.output
    assert len(result.stdout.splitlines()) > 8


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["runs"], ["--version"]], ids=" ".join)
def test_help_loads_no_heavy_library(arguments: list[str]) -> None:
    code = (
        "import sys\n"
        "from jupyter_workflows.cli.main import cli\n"
        "try:\n"
        f"    cli.main({arguments!r})\n"
        "finally:\n"
        "    heavy = {'sqlalchemy', 'papermill', 'rich', 'pydantic', 'nbformat', 'jupyter_client'}\n"
        "    print(sorted(heavy & set(sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stderr.strip() == "[]"


def test_a_closed_pipe_is_quiet() -> None:
    result = raise_error(BrokenPipeError())()
    assert result.exit_code == 141
    assert result.output == ""

    executable = Path(sys.executable).parent / "jupyter-workflows"
    shell = f"{executable} run --help | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", shell], capture_output=True, text=True, timeout=60)
    assert done.returncode in (0, 141)
    assert done.stderr == ""


def test_the_subcommand_of_jupyter() -> None:
    executable = Path(sys.executable).parent / "jupyter"
    done = subprocess.run(
        [executable, "workflows", "--version"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("jupyter workflows, version ")
