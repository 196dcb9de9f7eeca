"""What was asked and answered, for the executed notebook."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

from .displays import Display, publish
from .fields import Field

if TYPE_CHECKING:
    from .answers import Answers
    from .presenter import OpenPage


#: Type that marks an output as a part of a page, for front ends that show a form which is over.
PAGE_MIME = "application/vnd.jupyter-workflows.page+json"


def publish_page(page: OpenPage, answers: Answers | None, remark: str) -> None:
    """Put a page into the notebook's output as it was asked and answered.

    Parameters
    ----------
    answers
        `None` if nobody answered yet.
    remark
        A word on how it ended, such as ``answered``.
    """
    outputs = [
        {**data, PAGE_MIME: {"position": page.position, "remark": remark}}
        for data in renditions(page, answers, remark)
    ]
    if page.display_id is not None:
        # In the place of the live page.
        publish(outputs.pop(0), display_id=page.display_id, update=True)
    for data in outputs:
        publish(data)


def publish_displays(page: OpenPage) -> None:
    """Put what a page shows into the notebook's output, before it is asked."""
    for item in page.items:
        if isinstance(item, Display):
            publish(item.data)
    page.displayed = True


def renditions(page: OpenPage, answers: Answers | None, remark: str) -> list[dict[str, Any]]:
    """Return a page as outputs of a notebook: displays as they are, the fields between them as tables."""
    groups: list[Display | list[Field]] = []
    for item in page.items:
        if isinstance(item, Field):
            if not groups or isinstance(groups[-1], Display):
                groups.append([])
            last = groups[-1]
            assert isinstance(last, list)
            last.append(item)
        elif not page.displayed:
            groups.append(item)
    outputs = []
    if page.title or page.notices:
        outputs.append(_head(page))
    outputs.extend(group.data if isinstance(group, Display) else _table(group, answers) for group in groups)
    button = answers.action if answers is not None else ""
    text = f"{button} ({remark})" if button else remark
    outputs.append({"text/html": f"<p><em>{html.escape(text)}</em></p>", "text/plain": f"→ {text}"})
    return outputs


def _head(page: OpenPage) -> dict[str, Any]:
    markup = f"<h3>{html.escape(page.title)}</h3>" if page.title else ""
    markup += "".join(f"<p><strong>{html.escape(notice)}</strong></p>" for notice in page.notices)
    return {"text/html": markup, "text/plain": "\n".join(filter(None, [page.title, *page.notices]))}


def _table(fields: list[Field], answers: Answers | None) -> dict[str, Any]:
    rows, lines = [], []
    for field in fields:
        answer = field.text_of(answers[field.key]) if answers is not None else ""
        hint = f"<br><small>{html.escape(field.hint)}</small>" if field.hint else ""
        rows.append(
            f"<tr><th style='text-align: left; vertical-align: top'>{html.escape(field.label)}{hint}</th>"
            f"<td style='text-align: left; white-space: pre-wrap'>{html.escape(answer or '—')}</td></tr>"
        )
        lines.append(f"  {field.label}: {answer or '—'}")
    return {"text/html": f"<table>{''.join(rows)}</table>", "text/plain": "\n".join(lines)}
