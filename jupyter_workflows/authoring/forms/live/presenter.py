"""Pages in front of a person: in a form session, or under the cell of who executes the notebook by hand."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from ...errors import FormParked
from ..answers import Answers
from ..displays import publish
from ..half_filled import read_half_filled
from ..in_advance import ContextPresenter
from .description import FORM_MIME, write_description
from .page import LivePage

if TYPE_CHECKING:
    from ...context import Context
    from ..presenter import OpenPage

_VIEW_MIME = "application/vnd.jupyter.widget-view+json"


class LivePresenter:
    """Shows pages as widgets, and waits for the person.

    Answers that the run was given are used first.

    Parameters
    ----------
    context
        The attempt's.
    """

    def __init__(self, context: Context) -> None:
        self._context = context

    def present(self, page: OpenPage) -> Answers:
        """Show a page until it is answered."""
        context = self._context
        if context.answers is not None:
            try:
                return ContextPresenter(context).present(page)
            except FormParked:
                if context.folder is not None:
                    page.prefill = {**page.prefill, **read_half_filled(context.folder, page)}
        widgets.register_comm_target()  # a forked kernel imported ipywidgets before there was a kernel
        live = LivePage(
            page,
            folder=context.folder,
            attempt=context.attempt,
            announce=self._announcer(page),
            saved=lambda: None if context.draft else tell("saved"),
        )
        try:
            answers = live.wait(lambda: self._look_at_the_clock(live))
        except FormParked:
            self._say(page, {**live.describe("closed"), "reason": "idle"})
            raise
        except BaseException:
            self._say(page, live.describe("closed"))
            raise
        self._say(page, live.describe("submitted"))
        if context.draft:
            live.close()
        page.displayed = False
        return answers

    def _look_at_the_clock(self, live: LivePage) -> None:
        idle = self._context.live
        if idle and time.monotonic() - live.last_change > idle:
            raise FormParked(f"Closed after {idle:g} s without input: {live.page.name} waits for an answer.")

    def _announcer(self, page: OpenPage) -> Any:
        page.display_id = f"jupyter-workflows-form-{page.position}-{time.time_ns()}"
        first = True

        def announce(description: dict[str, Any]) -> None:
            nonlocal first
            write_description(self._context.folder, description)
            data: dict[str, Any] = {FORM_MIME: description, "text/plain": f"{page.name} waits for an answer"}
            if self._context.draft:
                data[_VIEW_MIME] = {
                    "version_major": 2,
                    "version_minor": 0,
                    "model_id": description["root"],
                }
            if first or not self._context.draft:
                # By hand the view stays as it is; elsewhere only the description is looked at.
                publish(data, display_id=page.display_id, update=not first)
            first = False

        return announce

    def _say(self, page: OpenPage, description: dict[str, Any]) -> None:
        write_description(self._context.folder, description)
        if not self._context.draft:
            publish({FORM_MIME: description, "text/plain": ""}, display_id=page.display_id, update=True)


def tell(state: str, **more: Any) -> None:
    """Tell who looks at the form something that is no output of the notebook."""
    publish({FORM_MIME: {"state": state, **more}}, display_id="jupyter-workflows-form", update=True)
