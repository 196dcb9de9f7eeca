from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jupyter_workflows import FormError, get_stage
from jupyter_workflows.authoring import attempt as attempts
from jupyter_workflows.authoring.errors import FormParked
from jupyter_workflows.authoring.forms.answers import Answers
from jupyter_workflows.authoring.forms.half_filled import read_half_filled
from jupyter_workflows.authoring.forms.page import use_presenter
from jupyter_workflows.authoring.forms.presenter import OpenPage
from jupyter_workflows.forms import Fields, Page, read, read_file, read_number


class Person:
    """Answers pages as a person in front of a live form would."""

    def __init__(self) -> None:
        self.pages: list[OpenPage] = []
        self.answers: list[dict[str, Any]] = []

    def will_answer(self, *answers: dict[str, Any]) -> None:
        self.answers.extend(answers)

    def present(self, page: OpenPage) -> Answers:
        self.pages.append(page)
        if not self.answers:
            raise FormParked("gone")
        answers = Answers(self.answers.pop(0), page.actions[0])
        assert page.problems(answers) == {}
        return answers


@pytest.fixture
def person() -> Any:
    """A person who opens the forms of the runs."""
    person = Person()
    use_presenter(person)
    yield person
    use_presenter(None)


# --------------------------------------------------------------------------- answers given in advance


def test_without_answers_a_form_waits(run: Any) -> None:
    run.begin()
    with pytest.raises(FormParked, match="Waits for a person: the form 'Expense'"):
        Page("Expense").read("Who", required=False).run()
    run.begin()
    with pytest.raises(FormParked):
        Page("Notice").display("Hello").run()


def test_one_mapping_answers_all_pages(run: Any) -> None:
    run.begin(answers={"Who": "Anna", "Amount": 12, "action": "Send"})
    assert read("Who") == "Anna"
    answers = Page("Expense").read_number("Amount").read("Note", required=False).run(actions=["Drop", "Send"])
    assert answers == {"Amount": 12, "Note": ""}
    assert answers.action == "Send"
    assert answers.amount == answers["Amount"] == 12
    assert list(answers.items()) == [("Amount", 12), ("Note", "")]
    assert Page("Notice").display("Hello").run() == {}
    assert run.record()["asked"] == ["Who", "Amount", "Note"]
    assert run.record()["warnings"] == []


def test_a_list_has_one_mapping_for_each_page(run: Any) -> None:
    run.begin(answers=[{"Who": "Anna"}, {"Who": "Ben"}])
    assert [read("Who"), read("Who")] == ["Anna", "Ben"]
    with pytest.raises(FormParked):
        read("Who")
    run.begin(answers=[{"Whom": "Anna"}])
    for file in run.folder.glob("journal-*"):
        file.unlink()
    attempts.current()._journal = None
    with pytest.raises(FormError, match=r"no field 'Whom'; its fields are 'Who'\. Did you mean 'Who'\?"):
        read("Who")


@pytest.mark.parametrize("answers", ["Anna", 5, [5]])
def test_answers_of_another_shape_are_refused(run: Any, answers: Any) -> None:
    run.begin(answers=answers)
    with pytest.raises(FormError, match="answers given for the stage 'submit'"):
        read("Who")


def test_a_required_answer_that_is_missing_parks_and_keeps_the_others(run: Any) -> None:
    def page() -> Page:
        return Page("Expense").read_number("Amount").read("Who").read_password("Password")

    run.begin(answers={"Amuont": 5, "Who": "Anna", "Password": "hunter2"})
    with pytest.raises(FormParked) as parked:
        page().run()
    assert "needs an answer to 'Amount'" in str(parked.value)
    assert "'Amuont'. Did you mean 'Amount'?" in str(parked.value)
    assert parked.value._render_traceback_() == [str(parked.value)]
    draft = json.loads((run.folder / "draft.json").read_text())
    assert draft["state"] == {"Who": "Anna"}
    assert "hunter2" not in (run.folder / "draft.json").read_text()
    assert run.record()["warnings"] == [
        "an answer was given for 'Amuont', which the form did not ask. Did you mean 'Amount'?"
    ]


def test_a_button_must_be_named_where_there_are_several(run: Any) -> None:
    run.begin(answers={})
    with pytest.raises(FormParked, match="one of 'Approve', 'Reject'"):
        Page("Decide").run(actions=["Approve", "Reject"])
    run.begin(answers={"action": "Aprove"})
    with pytest.raises(FormError, match="no button 'Aprove'"):
        Page("Decide").run(actions=["Approve", "Reject"])
    run.begin(answers={"action": "x"})
    assert Page("Decide").read("action").run().action == "Submit"


def test_an_answer_for_a_disabled_field_is_refused(run: Any) -> None:
    run.begin(answers={"Fixed": 5})
    with pytest.raises(FormError, match="'Fixed' can't be changed"):
        read_number("Fixed", initial=3, disabled=True)


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        ("too much", ["the form 'P': too much"]),
        (False, ["do not fit together"]),
        (["a", "b"], ["a; b"]),
        ({"A": "odd"}, ["field 'A': odd"]),
        (ValueError("bad"), ["bad"]),
        (AssertionError(), ["do not fit together"]),
    ],
)
def test_validators_refuse(run: Any, verdict: Any, words: list[str]) -> None:
    def check(answers: Answers) -> Any:
        if isinstance(verdict, Exception):
            raise verdict
        return verdict

    run.begin(answers={"A": "x"})
    with pytest.raises(FormError) as error:
        Page("P").read("A").validate(check).run()
    for word in words:
        assert word in str(error.value)


@pytest.mark.parametrize("verdict", [None, True, "", [], {}, {"A": ""}])
def test_validators_accept(run: Any, verdict: Any) -> None:
    run.begin(answers={"A": "x"})
    assert Page("P").read("A").validate(lambda answers: verdict).run() == {"A": "x"}


def test_a_mistake_in_a_validator_is_the_authors_error(run: Any) -> None:
    run.begin(answers={"A": "x"})
    with pytest.raises(TypeError, match="a validator returned 5"):
        Page("P").read("A").validate(lambda answers: 5).run()
    run.begin(answers={"A": "x"})
    with pytest.raises(ZeroDivisionError):
        Page("P").read("A").validate(lambda answers: 1 / 0).run()


def test_answers_can_be_stage_data(run: Any) -> None:
    (run.project / "a.pdf").write_bytes(b"%PDF")
    run.begin(answers={"Scan": "a.pdf", "Lines": [{"Item": "Pen"}]})
    get_stage()["form"] = Page("P").read_file("Scan").read_list("Lines", Fields().read("Item")).run()
    form = run.changes()["form"]
    assert form["Scan"].read_bytes() == b"%PDF"
    assert form["Lines"] == [{"Item": "Pen"}]


# --------------------------------------------------------------------------- the journal


def notebook(title: str = "Second", **options: Any) -> list[Any]:
    """A notebook of three pages."""
    return [
        read("First"),
        Page(title).display("Shown").read_number("Amount", **options).run(),
        read("Third"),
    ]


def test_answered_pages_are_not_asked_again(run: Any, person: Person) -> None:
    run.begin()
    person.will_answer({"First": "a"}, {"Amount": 5})
    with pytest.raises(FormParked):
        notebook()
    run.begin()
    person.will_answer({"Third": "c"})
    assert notebook() == ["a", {"Amount": 5}, "c"]
    assert [page.title or page.fields[0].label for page in person.pages] == [
        "First",
        "Second",
        "Third",
        "Third",
    ]
    run.begin()
    assert notebook() == ["a", {"Amount": 5}, "c"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda: notebook("Other"), "was 'Second' and is 'Other' now"),
        (lambda: notebook(hint="in euros"), "shows something else"),
        (lambda: notebook(key="amount"), "shows something else"),
        (
            lambda: [
                read("First"),
                Page("Second").display("Else").read_number("Amount").run(),
                read("Third"),
            ],
            "shows something else",
        ),
        (
            lambda: [
                read("First"),
                Page("Second").display("Shown").read_number("Sum", key="Amount").run(),
                read("Third"),
            ],
            "asks something else",
        ),
        (
            lambda: [
                read("First"),
                Page("Second").display("Shown").read_number("Amount").run(actions="Send"),
                read("Third"),
            ],
            "shows something else",
        ),
        (lambda: notebook(max=3), "does not fit any more"),
    ],
)
def test_a_changed_page_and_all_after_it_are_asked_again(
    run: Any, person: Person, change: Callable[[], Any], reason: str
) -> None:
    run.begin()
    person.will_answer({"First": "a"}, {"Amount": 5}, {"Third": "c"})
    notebook()
    run.begin()
    person.pages.clear()
    with pytest.raises(FormParked):
        change()
    assert len(person.pages) == 1
    (notice,) = person.pages[0].notices
    assert reason in notice
    assert "The earlier answers to 2 pages were dropped" in notice
    assert run.record()["warnings"] == [notice]
    entries = [json.loads(line) for line in (run.folder / "journal-2.jsonl").read_text().splitlines()]
    assert [(entry["type"], entry["position"], entry["count"]) for entry in entries] == [("discard", 1, 2)]
    # The old answers stay dropped when the page is what it was.
    run.begin()
    person.will_answer({"Amount": 1}, {"Third": "d"})
    assert notebook() == ["a", {"Amount": 1}, "d"]


def test_a_volatile_display_does_not_count(run: Any, person: Person) -> None:
    def page(text: str) -> Page:
        return Page("P").display(text, volatile=True).read("A")

    run.begin()
    person.will_answer({"A": "x"})
    page("12:00").run()
    run.begin()
    assert page("12:01").run() == {"A": "x"}


def test_what_a_frame_shows_counts(run: Any, person: Person) -> None:
    def page(value: int) -> Page:
        return Page("P").display(pd.DataFrame({"a": [value]})).read("A")

    run.begin()
    person.will_answer({"A": "x"})
    page(1).run()
    run.begin()
    assert page(1).run() == {"A": "x"}
    with pytest.raises(FormParked):
        page(2).run()


def test_a_validator_is_asked_again_on_replay(run: Any, person: Person) -> None:
    run.begin()
    person.will_answer({"A": "x"}, {"A": "y"})
    Page("P").read("A").validate(lambda answers: None).run()
    run.begin()
    page = Page("P").read("A").validate(lambda answers: "no x any more" if answers.a == "x" else None)
    assert page.run() == {"A": "y"}
    assert "no x any more" in person.pages[-1].notices[0]


def test_a_password_is_asked_again_and_the_rest_stands(run: Any, person: Person) -> None:
    def pages() -> list[Any]:
        return [Page("Login").read("User").read_password("Password").run(), read("After")]

    run.begin()
    person.will_answer({"User": "anna", "Password": "hunter2"}, {"After": "z"})
    pages()
    for file in run.folder.rglob("*"):
        assert file.is_dir() or b"hunter2" not in file.read_bytes()
    run.begin()
    person.will_answer({"User": "anna", "Password": "hunter3"})
    assert pages() == [{"User": "anna", "Password": "hunter3"}, "z"]
    assert person.pages[-1].prefill == {"User": "anna"}
    # Another user is another answer: what was said after it has to be said again.
    run.begin()
    person.will_answer({"User": "ben", "Password": "hunter4"})
    with pytest.raises(FormParked):
        pages()


def test_files_are_replayed_from_their_bytes(run: Any, person: Person, tmp_path: Path) -> None:
    upload = tmp_path / "scan.pdf"
    upload.write_bytes(b"%PDF")
    run.begin()
    person.will_answer({"Scan": upload})
    read_file("Scan")
    upload.unlink()
    run.begin()
    assert read_file("Scan").read_bytes() == b"%PDF"
    (blob,) = (run.folder / "blobs").iterdir()
    blob.write_bytes(b"spoilt")
    run.begin()
    with pytest.raises(FormParked):
        read_file("Scan")
    assert "the file scan.pdf is gone" in person.pages[-1].notices[0]


@pytest.mark.parametrize(
    "state", [{}, {"A": 5}, {"A": None}, {"A": ["x"]}, "x", 5, None], ids=lambda state: json.dumps(state)
)
def test_a_damaged_answer_is_asked_again(run: Any, person: Person, state: Any) -> None:
    run.begin()
    person.will_answer({"A": "x"}, {"A": "y"})
    read("A")
    file = run.folder / "journal-1.jsonl"
    file.write_text(json.dumps({**json.loads(file.read_text()), "state": state}) + "\n")
    run.begin()
    assert read("A") == "y"


def test_half_a_page_comes_back(run: Any, person: Person) -> None:
    run.begin(answers={"Amount": 5})
    use_presenter(None)
    with pytest.raises(FormParked):
        Page("P").read_number("Amount").read("Who").run()
    use_presenter(person)
    run.begin()
    with pytest.raises(FormParked):
        Page("P").read_number("Amount").read("Who").run()
    assert person.pages[-1].prefill == {"Amount": 5}
    run.begin()
    with pytest.raises(FormParked):
        Page("Q").read_number("Amount").read("Who").run()
    assert person.pages[-1].prefill == {}
    for content in ("", "{", "[]", '{"format": 1}', '{"format": 2, "position": 0}'):
        (run.folder / "draft.json").write_text(content)
        assert read_half_filled(run.folder, person.pages[0]) == {}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_journal_cut_anywhere_gives_no_wrong_answer(run: Any, data: st.DataObject) -> None:
    for file in run.folder.glob("*"):
        if file.is_file():
            file.unlink()
    run.attempt = 0
    person = Person()
    use_presenter(person)
    try:
        run.begin()
        person.will_answer({"First": "a"}, {"Amount": 5}, {"Third": "c"})
        notebook()
        file = run.folder / "journal-1.jsonl"
        content = file.read_bytes()
        cut = data.draw(st.integers(0, len(content)))
        file.write_bytes(content[:cut])
        kept = [
            place for place, end in enumerate(_ends(content)) if cut >= end - 1
        ]  # the line's own end may be missing
        run.begin()
        person.pages.clear()
        # Other answers this time: what comes back tells who gave it.
        todo: list[dict[str, Any]] = [{"First": "A"}, {"Amount": 50}, {"Third": "C"}]
        person.will_answer(*todo[len(kept) :])
        old, new = ["a", {"Amount": 5}, "c"], ["A", {"Amount": 50}, "C"]
        assert notebook() == old[: len(kept)] + new[len(kept) :]
        run.begin()
        assert notebook() == old[: len(kept)] + new[len(kept) :]
    finally:
        use_presenter(None)


def _ends(content: bytes) -> list[int]:
    return [place + 1 for place, byte in enumerate(content) if byte == 10]


def test_a_fitting_file_answer_survives_in_base64(run: Any) -> None:
    run.begin(answers={"Scan": {"name": "x.bin", "content": base64.b64encode(bytes(range(256))).decode()}})
    assert read_file("Scan").read_bytes() == bytes(range(256))
