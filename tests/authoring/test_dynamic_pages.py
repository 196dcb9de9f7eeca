"""Pages whose fields depend on the answers so far, without a person."""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_workflows.authoring.errors import FormError, FormParked
from jupyter_workflows.forms import Answers, Fields, Page


def trip() -> Page:
    """Return a page that asks for kilometres of those who took the car."""
    return (
        Page("Trip")
        .read_dropdown("How", ["car", "train"])
        .depends(lambda so_far: Fields().read_number("Kilometres") if so_far["How"] == "car" else None)
    )


def test_what_depends_is_asked_of_those_whom_it_concerns(run: Any) -> None:
    run.begin(answers={"How": "car", "Kilometres": 12})
    assert trip().run() == {"How": "car", "Kilometres": 12}
    run.begin(answers=[{"How": "train"}])
    for file in run.folder.glob("journal-*"):
        file.unlink()
    assert trip().run() == {"How": "train"}


def test_what_depends_is_required_where_it_is_asked(run: Any) -> None:
    run.begin(answers={"How": "car"})
    with pytest.raises(FormParked, match="Kilometres"):
        trip().run()


def test_an_answered_page_is_not_asked_again(run: Any) -> None:
    run.begin(answers={"How": "car", "Kilometres": 12})
    answers = trip().run()
    run.begin()
    again = trip().run()
    assert again == answers
    assert isinstance(again, Answers)


def test_an_answered_page_that_would_ask_something_else_now_is_asked_again(run: Any) -> None:
    run.begin(answers={"How": "car", "Kilometres": 12})
    trip().run()
    run.begin()
    changed = Page("Trip").read_dropdown("How", ["car", "train"])
    with pytest.raises(FormParked):
        changed.depends(
            lambda so_far: Fields().read_number("Miles") if so_far["How"] == "car" else None
        ).run()


def test_parts_may_depend_on_parts(run: Any) -> None:
    run.begin(answers={"A": True, "B": True, "C": "deep"})
    answers = (
        Page()
        .read_checkbox("A")
        .depends(lambda so_far: Fields().read_checkbox("B") if so_far["A"] else None)
        .depends(lambda so_far: Fields().read("C") if so_far.get("B") else None)
        .run()
    )
    assert answers == {"A": True, "B": True, "C": "deep"}


def test_a_function_that_returns_something_else_is_an_error(run: Any) -> None:
    run.begin()
    with pytest.raises(FormError, match="must return Fields"):
        Page().read("A").depends(lambda so_far: "B").run()  # type: ignore[arg-type,return-value]
