"""A notebook that its author executes by hand: the stage's test data stands in for a run."""

from __future__ import annotations

import json
import os
import sys
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path, PureWindowsPath
from typing import Any

from .blobs import Blobs
from .context import Context, Successor
from .wire import encode

#: Documents whose context was announced, with the time they were read; `get_stage` says it once.
_announced: set[Path | None] = set()


def draft_context() -> Context:
    """Return the context of a draft. A missing or damaged document makes an empty one, with a warning."""
    notebook = notebook_file()
    problems: list[str] = []
    for document in _documents(notebook):
        try:
            value = json.loads(document.read_bytes() or b"{}")
            found = _stage(value, document.parent, notebook)
            if found is not None:
                return _context(value, found, document)
        except Exception as error:  # whatever is wrong with it, the author's notebook must run
            problems.append(f"{document.name} can't be read ({type(error).__name__}: {error})")
    name = notebook.name if notebook else "this notebook"
    reason = "; ".join(problems) or "no workflow here has a stage with it"
    warnings.warn(f"{name} is executed by hand without test data: {reason}", stacklevel=2)
    return _with_user(Context(draft=True, stage_title=notebook.stem if notebook else ""), None)


def refreshed(context: Context) -> Context | None:
    """Return a new context if the draft's document was changed since it was read."""
    if context.origin is None or _stamps.get(context.origin) == _stamp(context.origin):
        return None
    return draft_context()


def announce(context: Context) -> None:
    """Say once that this is a draft, and of what."""
    if context.origin in _announced:
        return
    _announced.add(context.origin)
    if context.origin is None:
        print("Draft: executed by hand, outside a run; the stage data is empty.")
        return
    count = len(context.data)
    what = f"{count} key{'s' if count != 1 else ''} of test data" if count else "no test data"
    print(f"Draft of the stage {context.stage_path!r} in {context.origin.name}, with {what}; not in a run.")


def notebook_file() -> Path | None:
    """Return the notebook that this kernel executes, if the front end said which one it is."""
    name = os.environ.get("JPY_SESSION_NAME") or _vscode_name()
    if not name:
        return None
    direct = Path(name)
    if direct.is_absolute() and direct.is_file():
        return direct.resolve()
    # A name within the server's root, perhaps behind a drive's prefix; the kernel starts in its folder.
    return (Path.cwd() / PureWindowsPath(name).name.rpartition(":")[2]).resolve()


def _vscode_name() -> str | None:
    get_ipython = getattr(sys.modules.get("IPython"), "get_ipython", None)
    shell = get_ipython() if get_ipython else None
    name = getattr(shell, "user_ns", {}).get("__vsc_ipynb_file__")
    return name if isinstance(name, str) else None


def _documents(notebook: Path | None) -> Iterator[Path]:
    start = [Path.cwd()] if notebook is None else [notebook.parent, Path.cwd()]
    seen = set()
    for folder in dict.fromkeys(folder for first in start for folder in (first, *first.parents)):
        try:
            documents = sorted(folder.glob("*.workflow"))
        except OSError:
            continue
        for document in documents:
            if document.is_file() and document not in seen:
                seen.add(document)
                yield document


def _stage(document: Any, project: Path, notebook: Path | None) -> str | None:
    stages = document.get("stages") or {}
    candidates = []
    for key in sorted(stages, key=lambda key: str(stages[key].get("path"))):
        name = stages[key].get("notebook")
        if not isinstance(name, str):
            continue
        file = (project / name).resolve()
        # Without a name for the notebook only a stage that is alone in this folder can be meant.
        if file == notebook or (notebook is None and file.parent == Path.cwd().resolve()):
            candidates.append(key)
    if notebook is None and len(candidates) != 1:
        return None
    return candidates[0] if candidates else None


def _context(document: Any, key: str, file: Path) -> Context:
    stage = document["stages"][key]
    test = stage.get("test") or {}
    blobs = Blobs(None, None, 1)
    data = {
        str(name): encode(value, key=str(name), save=blobs.save)
        for name, value in (test.get("data") or {}).items()
    }
    joins = stage.get("join") in ("all", "settled")
    context = Context(
        draft=True,
        origin=file,
        project=file.parent,
        stage_path=str(stage.get("path") or key),
        stage_title=str(stage.get("title") or ""),
        stage_type=str(stage.get("type") or "script"),
        workflow_title=str(document.get("title") or ""),
        data=data,
        inputs=[data] if joins else None,
        successors=_successors(document, key),
        request=test.get("request"),
        answers=test.get("answers"),
    )
    _stamps[file] = _stamp(file)
    return _with_user(context, stage.get("assignee"))


def _successors(document: Any, source: str) -> tuple[Successor, ...]:
    transitions = [
        (key, transition)
        for key, transition in (document.get("transitions") or {}).items()
        if transition.get("source") == source
        and transition.get("on", "completed") == "completed"
        and transition.get("target") in document["stages"]
    ]
    transitions.sort(key=lambda item: (item[1].get("order") or 0, item[0]))
    targets = [(document["stages"][item["target"]], item.get("each")) for _, item in transitions]
    return tuple(
        Successor(str(stage.get("path")), str(stage.get("title") or ""), each) for stage, each in targets
    )


def _with_user(context: Context, assignee: object) -> Context:
    import getpass
    from dataclasses import replace

    try:
        user = getpass.getuser()
    except (OSError, KeyError, ImportError):  # no name in the environment or the password database
        user = "author"
    if isinstance(assignee, Mapping):
        assignee = context.data.get(str(assignee.get("from")))
    return replace(context, user=user, assignee=assignee if isinstance(assignee, str) else user)


_stamps: dict[Path, tuple[int, int] | None] = {}


def _stamp(file: Path) -> tuple[int, int] | None:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size
