"""`Page`: fields and displays that a person sees and submits together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Self

from ..attempt import current
from ..errors import FormParked
from .answers import Answers
from .builder import Fields
from .files import FileStore
from .half_filled import read_half_filled
from .presenter import OpenPage, Presenter, Validator
from .rendition import publish_page
from .replay import recall, remember

if TYPE_CHECKING:
    from ..attempt import Attempt
    from ..context import Context

_presenter: Presenter | None = None


class Page(Fields):
    """A form page.

    Parameters
    ----------
    title
        The heading.

    Examples
    --------
    >>> answers = Page("Expense").read_currency("Amount", min=0).read_file("Receipt").run()
    >>> answers["Amount"]
    """

    def __init__(self, title: str = "") -> None:
        super().__init__()
        self.title = title
        self._validators: list[Validator] = []

    def validate(self, validator: Validator) -> Self:
        """Check the answers together, before the page can be submitted.

        Parameters
        ----------
        validator
            Called with the answers. Nothing or True: they fit. Else a text that says what is wrong, or a
            mapping from field key to text; a `ValueError` is taken the same way.
        """
        if not callable(validator):
            raise TypeError(f"validate takes a function, not {type(validator).__name__}")
        self._validators.append(validator)
        return self

    def run(self, actions: str | Sequence[str] = "Submit") -> Answers:
        """Show the page and wait for the answers.

        Parameters
        ----------
        actions
            The text of the button, or of several.

        Returns
        -------
        Answers
            The answers by field key (also as attributes), and in ``action`` the button.
        """
        buttons = [actions] if isinstance(actions, str) else list(actions)
        if not buttons or not all(isinstance(text, str) and text for text in buttons):
            raise ValueError(f"actions must be the texts of one or more buttons, not {actions!r}")
        attempt = current()
        context = attempt.context
        page = OpenPage(
            title=self.title,
            parts=list(self.items),
            actions=buttons,
            validators=list(self._validators),
            position=attempt.position,
            files=FileStore(attempt.blobs, context.project),
        )
        attempt.position += 1
        if context.draft:
            answers = _present(page, attempt)
            publish_page(page, answers, "draft")
            return answers
        attempt.asked.extend(field.key for field in page.fields)
        recalled = recall(page, attempt)
        if recalled is not None:
            attempt.asked.extend(key for key in recalled if key not in attempt.asked)
            publish_page(page, recalled, "answered before")
            return recalled
        if context.folder is not None:
            page.prefill = {**page.prefill, **read_half_filled(context.folder, page)}
        try:
            answers = _present(page, attempt)
        except FormParked:
            publish_page(page, None, "waits for an answer")
            raise
        remember(page, answers, attempt)
        attempt.asked.extend(key for key in answers if key not in attempt.asked)
        publish_page(page, answers, "answered")
        return answers


def use_presenter(presenter: Presenter | None) -> None:
    """Let pages be presented in another way; `None` goes back to the usual one."""
    global _presenter
    _presenter = presenter


def _present(page: OpenPage, attempt: Attempt) -> Answers:
    presenter = _presenter
    if presenter is None and _is_live(attempt.context):
        from .live.presenter import LivePresenter

        presenter = LivePresenter(attempt.context)
    elif presenter is None and attempt.context.draft:
        from .terminal import TerminalPresenter

        presenter = TerminalPresenter(attempt.context)
    elif presenter is None:
        from .in_advance import ContextPresenter

        presenter = ContextPresenter(attempt.context)
    return presenter.present(page)


def _is_live(context: Context) -> bool:
    """Return whether a person looks at this execution through a front end that shows widgets."""
    if context.draft:
        from ..draft import notebook_file

        # Who executes a notebook without a front end, such as papermill, takes no input.
        from .live.pump import can_pump, kernel

        return can_pump() and bool(getattr(kernel(), "_allow_stdin", False)) and notebook_file() is not None
    return context.live > 0
