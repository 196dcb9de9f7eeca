"""What a new stage of each type looks like."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

#: A cell's source; Markdown if it begins with a heading.
Cells = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StageTemplate:
    """What a new stage looks like.

    Parameters
    ----------
    settings
        Fields of the stage beside those that all have.
    """

    title: str
    cells: Cells
    settings: Mapping[str, Any] = field(default_factory=dict)


STAGE_TEMPLATES: Mapping[str, StageTemplate] = {
    "script": StageTemplate(
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
    "form": StageTemplate(
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
    "hook": StageTemplate(
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
    "job": StageTemplate(
        "Collect",
        (
            "# Collect\n\nA job runs when its schedule says so: this one on Mondays at nine.",
            "from datetime import date\n\nfrom jupyter_workflows import get_stage\n\nstage = get_stage()",
            'stage["day"] = date.today()\nstage["day"]',
        ),
        {"schedule": {"cron": "0 9 * * 1", "timezone": "UTC"}},
    ),
}


def notebook_value(cells: Cells, name: str) -> dict[str, Any]:
    """Return a notebook with some cells.

    Parameters
    ----------
    name
        What the ids of its cells begin with: the same notebook has the same text whenever it is made.
    """
    # Without nbformat, which takes a while to import.
    made = []
    for index, source in enumerate(cells):
        markdown = source.startswith("#")
        cell: dict[str, Any] = {
            "cell_type": "markdown" if markdown else "code",
            "id": f"{name}-{index + 1}"[:64],
            "metadata": {},
            "source": source.splitlines(keepends=True),
        }
        if not markdown:
            cell |= {"execution_count": None, "outputs": []}
        made.append(cell)
    return {
        "cells": made,
        "metadata": {
            "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def notebook_text(cells: Cells, name: str) -> str:
    """Return the text of a notebook, as Jupyter writes it."""
    return json.dumps(notebook_value(cells, name), indent=1, ensure_ascii=False, sort_keys=True) + "\n"
