"""``jupyter workflows demo``: copy a demo project, and run it or open it in JupyterLab."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from jupyter_workflows.cli.arguments import expanded
from jupyter_workflows.cli.base import Command
from jupyter_workflows.cli.demos import Copied, Demo, copy_demo, find_demos, missing_packages
from jupyter_workflows.cli.errors import COMPLETED, CliError
from jupyter_workflows.cli.execution import document_answers, execute, user_name
from jupyter_workflows.cli.loading import open_project, runnable, typed
from jupyter_workflows.cli.output import Output, is_interactive, json_option, pass_output, table
from jupyter_workflows.cli.stores import database_option, opened_store
from jupyter_workflows.cli.summary import exit_code, print_data, print_errors, print_stages

if TYPE_CHECKING:
    from jupyter_workflows.execution.project import Project
    from jupyter_workflows.store import Store


@click.command(cls=Command)
@click.argument("name", required=False)
@click.option(
    "--directory",
    metavar="FOLDER",
    default="jupyter-workflows-demo",
    show_default=True,
    help="Where the project is put, in a folder of the demo's name.",
)
@click.option("--list", "show_list", is_flag=True, help="List the demos and end.")
@click.option("--copy-only", is_flag=True, help="Copy the project, do no more.")
@click.option("--headless", is_flag=True, help="Run it here to its end, although this is a terminal.")
@database_option
@json_option
@click.option("-q", "--quiet", is_flag=True, help="Show no progress.")
@pass_output
def demo(
    output: Output,
    name: str | None,
    directory: str,
    show_list: bool,
    copy_only: bool,
    headless: bool,
    database: str | None,
    quiet: bool,
) -> int:
    """Copy a demo project into a folder, and show what it does.

    In a terminal: it is deployed, and JupyterLab is opened with it.

    With --headless, --json, or where there is no terminal: it is run to its end. No browser and no person is
    needed; its forms and hooks are given the answers and requests that the project carries for tests.

    Called again, it takes the project as it lies there; files that you changed stay as they are, and those
    that you removed are put back.

    \b
    Examples:
      jupyter workflows demo
      jupyter workflows demo --headless
      jupyter workflows demo --list
      jupyter workflows demo purchase-approval --directory ~/demos
    """
    demos = find_demos()
    if show_list:
        _list(output, demos)
        return COMPLETED
    if name is not None and name not in demos:
        raise CliError(
            f"There is no demo {name!r}",
            f"The demos are: {', '.join(demos)}",
            details={"choices": list(demos)},
        )
    chosen = demos[name] if name is not None else next(iter(demos.values()))
    copied = copy_demo(chosen, expanded(directory).absolute() / chosen.name)
    _tell_copied(output, chosen, copied)
    if copy_only:
        if output.json:
            output.emit(_copy_report(copied))
        else:
            _what_next(output, copied, None)
        return COMPLETED
    _refuse_without_packages(copied)
    if not headless and not output.json and is_interactive(sys.stdin) and is_interactive(sys.stdout):
        return _open(output, copied, database)
    return _run(output, copied, database, quiet=quiet)


def _open(output: Output, copied: Copied, database: str | None) -> int:
    """Deploy the project and open JupyterLab with it."""
    from jupyter_workflows.cli.lab import open_lab
    from jupyter_workflows.cli.versions import print_live
    from jupyter_workflows.deploying import deploy

    project = open_project(copied.document)
    runnable(project)
    unchanged = not copied.written and not copied.kept
    with opened_store(database) as store:
        if not (unchanged and _is_live(store, project)):
            print_live(output, deploy(store, project, by=user_name(), note="demo"))
    output.note("\nJupyterLab opens in your browser. Ctrl-C here, twice, ends it.", "bold")
    return open_lab(copied.document, database)


def _is_live(store: Store, project: Project) -> bool:
    """Return whether a version of the workflow is live that was deployed from the same file."""
    from jupyter_workflows.store import NotFound

    try:
        live = store.get_workflow(project.document.uid).live_deployment
    except NotFound:
        return False
    return live is not None and store.get_deployment(live).project == str(project.path)


def _list(output: Output, demos: dict[str, Demo]) -> None:
    if output.json:
        output.emit(
            {
                "demos": [
                    {"name": one.name, "title": one.title, "description": one.description}
                    for one in demos.values()
                ]
            }
        )
        return
    made = table(["demo", "title", "what it shows"])
    for one in demos.values():
        made.add_row(one.name, one.title, one.description)
    output.out.print(made)


def _tell_copied(output: Output, chosen: Demo, copied: Copied) -> None:
    output.note(f"{chosen.title}: {chosen.description}")
    output.note(f"The project is in {copied.folder}")
    if copied.kept:
        names = ", ".join(str(path) for path in copied.kept)
        output.note(f"Left as they are there, changed from the original: {names}", "yellow")
    output.note()


def _refuse_without_packages(copied: Copied) -> None:
    requirements = copied.folder / "requirements.txt"
    missing = missing_packages(requirements) if requirements.is_file() else []
    if missing:
        raise CliError(
            f"The project was copied, but it needs packages that are not installed: {', '.join(missing)}",
            "Install them, then run it again: pip install 'jupyter_workflows[demo]'",
            code="missing-packages",
            details={"packages": missing, "file": str(requirements)},
        )


def _run(output: Output, copied: Copied, database: str | None, *, quiet: bool) -> int:
    from jupyter_workflows.model.graph import Graph
    from jupyter_workflows.runner.foreground import RunOptions, find_entry

    project = open_project(copied.document)
    runnable(project)
    entry = project.document.stages[find_entry(Graph.from_document(project.document), None)]
    options = RunOptions(
        entry=entry.path,
        data=(entry.test.data if entry.test is not None else None) or {},
        answers=document_answers(project.document),
        user=user_name(),
        database=database,
    )
    report = execute(output, project, options, quiet=quiet)
    if output.json:
        output.emit({**_copy_report(copied), **report})
    else:
        output.note()
        print_stages(output, report)
        print_data(output, report["data"], "What the run came to")
        print_errors(output, report)
        _what_next(output, copied, report["run"])
    return exit_code(report["state"])


def _copy_report(copied: Copied) -> dict[str, Any]:
    return {
        "document": str(copied.document),
        "written": [path.as_posix() for path in copied.written],
        "kept": [path.as_posix() for path in copied.kept],
    }


def _what_next(output: Output, copied: Copied, run_id: str | None) -> None:
    document = typed(copied.document)
    output.print("\nWhat next", "bold")
    output.print(f"  Look at it in JupyterLab:  jupyter lab {document}")
    output.print(f"  Run it again:              jupyter workflows run {document} --test-answers")
    if run_id is not None:
        output.print(f"  See what this run did:     jupyter workflows runs show {run_id}")
        output.print(f"  Read what it printed:      jupyter workflows runs logs {run_id}")
    output.print("  Make a project of yours:   jupyter workflows new my-project")
