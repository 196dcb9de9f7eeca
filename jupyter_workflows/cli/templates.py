"""The first stage of a new project, of each type."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

#: A cell's source; Markdown if it begins with a heading.
_Cells = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Template:
    """What a first stage looks like.

    Parameters
    ----------
    settings
        Fields of the stage beside those that all have.
    """

    title: str
    cells: _Cells
    settings: Mapping[str, Any] = field(default_factory=dict)


TEMPLATES: Mapping[str, Template] = {
    "script": Template(
        "Prepare",
        (
            "# Prepare\n\n"
            "A script runs when its turn comes. What it sets in the stage data, the\n"
            "following stages find there. Its test data stands in the workflow: here, a name.",
            "from jupyter_workflows import get_stage\n\nstage = get_stage()",
            'name = stage.get("name", "world")\nstage["greeting"] = f"Hello, {name}!"\nstage["greeting"]',
        ),
        {"test": {"data": {"name": "Ada"}}},
    ),
    "form": Template(
        "Ask",
        (
            "# Ask\n\n"
            "A form asks a person. Each `read` shows a field, and the notebook goes on when it is answered.",
            "from jupyter_workflows import get_stage\nfrom jupyter_workflows.forms import read\n\n"
            'stage = get_stage()\nname = read("Your name")',
            'stage["name"] = name',
        ),
        {"test": {"answers": {"Your name": "Ada"}}},
    ),
    "hook": Template(
        "Receive",
        (
            "# Receive\n\n"
            "A hook runs when an HTTP request comes in, and answers it. Its test request stands in the\n"
            "workflow.",
            "from jupyter_workflows import get_stage\n"
            "from jupyter_workflows.hooks import get_request, respond\n\n"
            "stage = get_stage()\nbody = get_request().body",
            'stage["name"] = body["name"]\nrespond({"status": "received", "run": stage.run_id})',
        ),
        {
            "auth": {"kind": "token"},
            "methods": ["POST"],
            "test": {"request": {"method": "POST", "body": {"name": "Ada"}}},
        },
    ),
    "job": Template(
        "Collect",
        (
            "# Collect\n\nA job runs when its schedule says so: this one on Mondays at nine.",
            "from datetime import date\n\nfrom jupyter_workflows import get_stage\n\nstage = get_stage()",
            'stage["day"] = date.today()\nstage["day"]',
        ),
        {"schedule": {"cron": "0 9 * * 1", "timezone": "UTC"}},
    ),
}


def document_text(title: str, kind: str, notebook: str) -> str:
    """Return the text of a workflow with one stage.

    Parameters
    ----------
    notebook
        Path of the stage's notebook, relative to the document.
    """
    from jupyter_workflows.model.document import dump, load, new_document, slug

    template = TEMPLATES[kind]
    stage = {
        "type": kind,
        "path": slug(template.title),
        "title": template.title,
        "notebook": notebook,
        "position": [0, 0],
        **template.settings,
    }
    # A letter first, as in what the canvas makes.
    key = "s" + secrets.token_hex(3)
    value = json.loads(dump(new_document(title))) | {"stages": {key: stage}}
    return dump(load(json.dumps(value)))


def notebook_name(kind: str) -> str:
    """Return the file name of a first stage's notebook."""
    from jupyter_workflows.model.slugs import slug

    return f"{slug(TEMPLATES[kind].title)}.ipynb"


def notebook_text(kind: str) -> str:
    """Return the text of a first stage's notebook."""
    from importlib import import_module

    # Its functions have no types.
    nbformat: Any = import_module("nbformat")
    cells = [
        nbformat.v4.new_markdown_cell(source) if source.startswith("#") else nbformat.v4.new_code_cell(source)
        for source in TEMPLATES[kind].cells
    ]
    metadata = {
        "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    text: str = nbformat.writes(nbformat.v4.new_notebook(cells=cells, metadata=metadata))
    return f"{text}\n"
