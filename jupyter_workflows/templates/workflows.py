"""Templates of whole workflows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from textwrap import dedent
from typing import Any

from .stages import STAGE_TEMPLATES, Cells


@dataclass(frozen=True, slots=True)
class Planned:
    """A stage of a template.

    Parameters
    ----------
    settings
        Fields of the stage beside those that all have.
    """

    type: str
    title: str
    cells: Cells
    position: tuple[int, int] = (0, 0)
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Arrow:
    """A transition of a template, between the titles of two of its stages."""

    source: str
    target: str
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WorkflowTemplate:
    """What a new workflow begins with.

    Parameters
    ----------
    title
        Of the template, and of a workflow that is given no other.
    requirements
        Packages that its notebooks import, beside our own.
    """

    name: str
    title: str
    description: str
    stages: tuple[Planned, ...] = ()
    arrows: tuple[Arrow, ...] = ()
    requirements: tuple[str, ...] = ()


def of_stage(kind: str) -> WorkflowTemplate:
    """Return the template with one stage of a type."""
    stage = STAGE_TEMPLATES[kind]
    planned = Planned(kind, stage.title, stage.cells, settings=stage.settings)
    return WorkflowTemplate(kind, "Workflow", "", (planned,))


def _cells(text: str) -> Cells:
    """Return the cells of a notebook that is written as one text, with lines of hyphens between them."""
    return tuple(cell.strip() for cell in dedent(text).split("\n---\n"))


_BLANK = WorkflowTemplate("blank", "New workflow", "An empty canvas.")

_APPROVAL = WorkflowTemplate(
    "approval",
    "Approval",
    "A person asks for something, a rule decides whether somebody has to approve it.",
    (
        Planned(
            "form",
            "Ask",
            _cells(
                """
                # Ask

                Whoever starts the workflow says what is wanted, and who decides.

                ---

                from jupyter_workflows import get_stage
                from jupyter_workflows.forms import Page

                stage = get_stage()
                answers = (
                    Page("Request")
                    .read("What for?", key="purpose")
                    .read_number("Amount", key="amount")
                    .read_email("Who decides?", key="approver")
                    .run()
                )

                ---

                for key, value in answers.items():
                    stage[key] = value
                """
            ),
            settings={
                "test": {
                    "answers": {"purpose": "A microscope", "amount": 1200, "approver": "ada@example.org"}
                }
            },
        ),
        Planned(
            "script",
            "Check the rules",
            _cells(
                """
                # Check the rules

                What is small needs no approval. The transitions read `needs_approval`.

                ---

                from jupyter_workflows import get_stage

                stage = get_stage()

                ---

                stage["needs_approval"] = stage["amount"] > 100
                stage["needs_approval"]
                """
            ),
            (280, 0),
        ),
        Planned(
            "form",
            "Approve",
            _cells(
                """
                # Approve

                The person who was named decides.

                ---

                from jupyter_workflows import get_stage
                from jupyter_workflows.forms import Page

                stage = get_stage()
                answers = (
                    Page("Approve")
                    .display(f"**{stage['purpose']}** for {stage['amount']}")
                    .read_dropdown("Decision", ["Approve", "Decline"], key="decision")
                    .run()
                )

                ---

                stage["approved"] = answers["decision"] == "Approve"
                """
            ),
            (560, -80),
            {"assignee": {"from": "approver"}, "due": "P2D", "test": {"answers": {"decision": "Approve"}}},
        ),
        Planned(
            "script",
            "Tell the outcome",
            _cells(
                """
                # Tell the outcome

                Both ways lead here.

                ---

                from jupyter_workflows import get_stage

                stage = get_stage()

                ---

                approved = stage.get("approved", True)
                stage["outcome"] = "approved" if approved else "declined"
                stage["outcome"]
                """
            ),
            (840, 0),
        ),
    ),
    (
        Arrow("Ask", "Check the rules"),
        Arrow(
            "Check the rules",
            "Approve",
            {"condition": "needs_approval", "label": "over the limit", "order": 1},
        ),
        Arrow("Check the rules", "Tell the outcome", {"else": True, "label": "small", "order": 2}),
        Arrow("Approve", "Tell the outcome"),
    ),
)

_REPORT = WorkflowTemplate(
    "report",
    "Scheduled report",
    "A job collects figures when its schedule says so, and a report is made of them.",
    (
        Planned(
            "job",
            "Collect",
            _cells(
                """
                # Collect

                On Mondays at nine. Put here where your figures come from.

                ---

                import random
                from datetime import date, timedelta

                from jupyter_workflows import get_stage

                stage = get_stage()

                ---

                days = [date.today() - timedelta(days=back) for back in range(7, 0, -1)]
                stage["figures"] = [
                    {"day": day.isoformat(), "visits": random.randint(80, 120)} for day in days
                ]
                """
            ),
            settings={"schedule": {"cron": "0 9 * * 1", "timezone": "UTC", "missed": "latest"}},
        ),
        Planned(
            "script",
            "Summarise",
            _cells(
                """
                # Summarise

                ---

                from jupyter_workflows import get_stage

                stage = get_stage()

                ---

                visits = [figure["visits"] for figure in stage["figures"]]
                stage["total"] = sum(visits)
                stage["best"] = max(stage["figures"], key=lambda figure: figure["visits"])["day"]
                """
            ),
            (280, 0),
            {"retries": {"max": 1, "delay": 60}},
        ),
        Planned(
            "script",
            "Write the report",
            _cells(
                r"""
                # Write the report

                The executed copy of this notebook is the report.

                ---

                from IPython.display import Markdown
                from jupyter_workflows import get_stage

                stage = get_stage()

                ---

                rows = "\n".join(f"| {figure['day']} | {figure['visits']} |" for figure in stage["figures"])
                Markdown(
                    f"**{stage['total']} visits**, the most on {stage['best']}\n\n"
                    f"| day | visits |\n| --- | --- |\n{rows}"
                )
                """
            ),
            (560, 0),
        ),
    ),
    (
        Arrow("Collect", "Summarise"),
        Arrow("Summarise", "Write the report"),
    ),
)

_ANSWER = WorkflowTemplate(
    "answer",
    "Hook with an answer",
    "A program sends a request, gets its answer at once, and the work goes on.",
    (
        Planned(
            "hook",
            "Receive",
            _cells(
                """
                # Receive

                The caller gets the answer of `respond` while the workflow goes on.

                ---

                from jupyter_workflows import get_stage
                from jupyter_workflows.hooks import get_request, respond

                stage = get_stage()
                body = get_request().body

                ---

                stage["customer"] = body["customer"]
                stage["amount"] = body["amount"]
                respond({"status": "received", "run": stage.run_id})
                """
            ),
            (0, 0),
            {
                "auth": {"kind": "token"},
                "methods": ["POST"],
                "response": "wait",
                "response_timeout": 30,
                "test": {"request": {"method": "POST", "body": {"customer": "Ada", "amount": 250}}},
            },
        ),
        Planned(
            "script",
            "Handle",
            _cells(
                """
                # Handle

                ---

                from jupyter_workflows import get_stage

                stage = get_stage()

                ---

                stage["message"] = f"{stage['customer']} ordered for {stage['amount']}"
                stage["message"]
                """
            ),
            (280, -80),
        ),
        Planned(
            "script",
            "Look into it",
            _cells(
                """
                # Look into it

                A failure leads here, and is handled.

                ---

                from jupyter_workflows import get_stage

                stage = get_stage()

                ---

                failure = stage.failure
                stage["message"] = f"Failed: {failure}"
                stage["message"]
                """
            ),
            (280, 80),
        ),
    ),
    (
        Arrow("Receive", "Handle"),
        Arrow("Receive", "Look into it", {"on": "failed", "label": "failed"}),
    ),
)

#: By name, in the order in which they are shown.
WORKFLOW_TEMPLATES: Mapping[str, WorkflowTemplate] = {
    template.name: template for template in (_BLANK, _APPROVAL, _REPORT, _ANSWER)
}
