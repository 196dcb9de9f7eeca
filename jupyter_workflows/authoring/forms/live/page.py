"""A page as widgets, from its first showing to its answers."""

from __future__ import annotations

import time
import traceback
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ipywidgets as widgets

from ..answers import Answers
from ..displays import Display
from ..fields import Field, InvalidAnswer
from ..half_filled import write_half_filled
from ..presenter import OpenPage
from .boxes import FieldBox
from .controls.base import PAGE_CLASS, css, markup
from .description import DISPLAY_MIME, all_widgets
from .pump import Pump

#: Seconds between two savings of a page that is being filled in.
_SAVE = 0.3
#: Seconds that changes may take that were on their way when a button was pressed.
_SETTLE = 0.06


class LivePage:
    """A page in front of a person.

    Parameters
    ----------
    folder
        Where the half-filled page is kept; `None`: nowhere.
    announce
        Called with the description of the page when it is shown, and whenever its widgets are others.
    saved
        Called when what is filled in has been kept.
    """

    def __init__(
        self,
        page: OpenPage,
        *,
        folder: Path | None,
        attempt: int,
        announce: Callable[[dict[str, Any]], None],
        saved: Callable[[], None],
    ) -> None:
        self.page = page
        self.id = uuid.uuid4().hex
        self.last_change = time.monotonic()
        self._folder = folder
        self._attempt = attempt
        self._announce = announce
        self._tell_saved = saved
        self._revision = 0
        self._dirty = False
        self._changed = False
        self._rebuilt = False
        self._saved_at = 0.0
        self._tried = False
        self._pressed: str | None = None
        self._answers: Answers | None = None
        self._boxes: dict[str, FieldBox] = {}
        self._problem = widgets.HTML()
        self._problem.add_class(css("errorBox"))
        self._actions = [self._button(action, place) for place, action in enumerate(page.actions)]
        row = widgets.HBox(self._actions)
        row.add_class(css("actions"))
        self._tail = [self._problem, row]
        self.root = widgets.VBox([])
        self.root.add_class(PAGE_CLASS)
        self._lay_out()
        self._fill_in()
        self._resolve()
        self._rebuilt = False

    # -- what is there ------------------------------------------------------------------------------------

    def _button(self, action: str, place: int) -> widgets.Button:
        button = widgets.Button(description=action, button_style="primary" if place == 0 else "")
        button.on_click(lambda _: self._press(action))
        return button

    def _lay_out(self) -> None:
        """Put the page's items into the page; fields that were there stay as they are."""
        parts: list[widgets.Widget] = []
        if self.page.title:
            parts.append(widgets.HTML(markup(self.page.title, "title", tag="h2")))
        parts += [widgets.HTML(markup(notice, "notice")) for notice in self.page.notices]
        boxes: dict[str, FieldBox] = {}
        for item in self.page.items:
            if isinstance(item, Field):
                boxes[item.key] = box = self._box_of(item)
                parts.append(box.widget)
            else:
                parts.append(_shown(item))
        self._boxes = boxes
        self.root.children = (*parts, *self._tail)

    def _box_of(self, field: Field) -> FieldBox:
        """Return the box of a field: that which is there, if it asks the same."""
        box = self._boxes.get(field.key)
        if box is not None and type(box.field) is type(field) and box.field.shown() == field.shown():
            box.field = box.control.field = field  # its limits may be others
            return box
        return self._new_box(field)

    def _new_box(self, field: Field) -> FieldBox:
        box = FieldBox(field)
        if field.initial is not None:
            box.control.show(field.initial, self.page.files)
        box.control.watch(self._note_change, self._note_rebuilt)
        return box

    def _fill_in(self, keys: set[str] | None = None) -> None:
        """Put back what was filled in before, into the fields with these keys or into all."""
        for key, state in self.page.prefill.items():
            box = self._boxes.get(key)
            if box is None or box.field.disabled or (keys is not None and key not in keys):
                continue
            try:
                box.control.show(box.field.restore(state, self.page.files), self.page.files)
            except (InvalidAnswer, ValueError, TypeError, KeyError, AttributeError):
                continue  # it is asked for anew
            box.control.touched = False
        if keys is None:
            self._changed = self._dirty = False

    def _resolve(self) -> None:
        """Ask what the answers so far call for; fields that stay keep their widgets, and the focus."""
        if not self.page.is_dynamic:
            return

        def value_of(field: Field) -> Any:
            box = self._boxes.get(field.key)
            if box is None or type(box.field) is not type(field):
                return field.start
            try:
                return box.read(self.page.files)
            except InvalidAnswer:
                return field.empty

        before = [repr(item) for item in self.page.items]
        for _ in range(5):
            try:
                self.page.resolve(value_of)
            except Exception as error:
                traceback.print_exc()
                self._complain(f"The form could not be worked out ({type(error).__name__}: {error})")
                return
            now = [repr(item) for item in self.page.items]
            if now == before:
                return
            before = now
            known = set(self._boxes)
            self._lay_out()
            self._fill_in(set(self._boxes) - known)
            self._rebuilt = True

    def describe(self, state: str = "open") -> dict[str, Any]:
        """Return what front end and filter need to know."""
        inputs: dict[str, list[str]] = {}
        buttons = [button.model_id for button in self._actions]
        secrets = []
        customs: list[str] = []
        for box in self._boxes.values():
            for widget, traits in box.control.inputs() if not box.field.disabled else ():
                inputs[widget.model_id] = list(traits)
                if box.field.secret:
                    secrets.append(widget.model_id)
            buttons += [button.model_id for button in box.control.buttons()]
            customs += [widget.model_id for widget in box.control.customs()]
        return {
            "form": self.id,
            "attempt": self._attempt,
            "position": self.page.position,
            "revision": self._revision,
            "state": state,
            "title": self.page.title,
            "root": self.root.model_id,
            "models": [widget.model_id for widget in all_widgets(self.root)],
            "inputs": inputs,
            "buttons": buttons,
            "secrets": secrets,
            "customs": customs,
        }

    # -- what happens -------------------------------------------------------------------------------------

    def _note_change(self) -> None:
        self._changed = self._dirty = True
        self.last_change = time.monotonic()

    def _note_rebuilt(self) -> None:
        self._rebuilt = True

    def _press(self, action: str) -> None:
        if self._pressed is None:  # of two people who press, the first has pressed
            self._pressed = action
            self.last_change = time.monotonic()

    def wait(self, over: Callable[[], None]) -> Answers:
        """Show the page until it is answered.

        Parameters
        ----------
        over
            Called often; it may raise to give up.
        """
        self._announce(self.describe())
        pump = Pump()

        def done() -> bool:
            if self._pressed is not None:
                pump.settle(_SETTLE)
                self._submit()
            return self._answers is not None

        def tick() -> None:
            self._react()
            over()

        try:
            pump.run(done, tick)
        finally:
            if self._answers is None:
                self._save()
        assert self._answers is not None
        self.freeze()
        return self._answers

    def _react(self) -> None:
        """Do what a change calls for."""
        if self._changed:
            self._resolve()
        if self._rebuilt:
            self._rebuilt = False
            self._revision += 1
            self._announce(self.describe())
        if self._changed:
            self._changed = False
            self._check(untouched=self._tried)
        if self._dirty and time.monotonic() - self._saved_at >= _SAVE:
            self._save()

    def _check(self, *, untouched: bool) -> Answers | None:
        """Show what is wrong; return the answers if nothing is."""
        files = self.page.files
        fine = [box.check(files, untouched=untouched) for box in self._boxes.values()]
        if not all(fine):
            self._complain("")
            return None
        answers = Answers(
            {key: box.read(files) for key, box in self._boxes.items()}, self._pressed or self.page.actions[0]
        )
        try:
            problems = self.page.problems(answers)
        except Exception as error:  # of the author's function, whom the cell's own output tells more
            traceback.print_exc()
            problems = {"": f"The answers could not be checked ({type(error).__name__}: {error})"}
        for key, problem in problems.items():
            if key in self._boxes:
                self._boxes[key].complain(problem)
        self._complain("; ".join(text for key, text in problems.items() if key not in self._boxes))
        return None if problems else answers

    def _submit(self) -> None:
        self._tried = True
        self._resolve()
        self._answers = self._check(untouched=True)
        if self._answers is None:
            self._pressed = None

    def _complain(self, problem: str) -> None:
        text = markup(problem, "error", attributes=' role="alert"') if problem else ""
        if self._problem.value != text:
            self._problem.value = text

    def _save(self) -> None:
        """Keep what is filled in so far."""
        self._dirty = False
        self._saved_at = time.monotonic()
        if self._folder is None:
            return
        states: dict[str, Any] = {}
        for key, box in self._boxes.items():
            if box.field.secret or box.field.disabled:
                continue
            try:
                states[key] = box.field.state_of(box.read(self.page.files), self.page.files)
            except InvalidAnswer:
                continue
        write_half_filled(self._folder, self.page, states, self._attempt)
        self._tell_saved()

    def freeze(self) -> None:
        """Take no more changes."""
        for button in self._actions:
            button.disabled = True
        for box in self._boxes.values():
            box.control.freeze()
            if box.field.secret:
                box.control.show("", self.page.files)  # it need not stay in a browser's memory

    def close(self) -> None:
        """Remove all widgets."""
        for widget in list(all_widgets(self.root)):
            widget.close()


def _shown(item: Display) -> widgets.Widget:
    data = {DISPLAY_MIME: {"data": item.data}, "text/plain": item.data.get("text/plain", "")}
    if "text/html" in item.data:
        data["text/html"] = item.data["text/html"]  # cleaned already, for front ends that are not ours
    output = {"output_type": "display_data", "data": data, "metadata": {}}
    shown = widgets.Output(outputs=(output,))
    shown.add_class(css("display"))
    return shown
