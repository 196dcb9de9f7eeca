from __future__ import annotations

import base64
import datetime as dt
import inspect
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from jupyter_workflows import FormError, forms
from jupyter_workflows.authoring import attempt as attempts
from jupyter_workflows.authoring.errors import FormParked
from jupyter_workflows.forms import Fields, Page

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def ask(run: Any, name: str, answer: Any, *values: Any, **options: Any) -> Any:
    """Ask one question with an answer given in advance, then again from the journal; both must agree."""
    run.begin(answers={"Q": answer})
    first = getattr(forms, name)("Q", *values, **options)
    if name != "read_password":
        run.begin()
        again = getattr(forms, name)("Q", *values, **options)
        assert _content(again) == _content(first)
        assert type(again) is type(first)
    for file in run.folder.glob("journal-*"):
        file.unlink()
    return first


def _content(value: Any) -> Any:
    if isinstance(value, list):
        return [_content(item) for item in value]
    return (value.name, value.read_bytes()) if isinstance(value, Path) else value


SHELVES = {"Upper": 1, "Lower": 2.5, "None of them": None, "Pair": ("a", 1)}


@pytest.mark.parametrize(
    ("name", "values", "options", "answer", "expected"),
    [
        ("read", [], {}, "Anna ", "Anna "),
        ("read", [], {"pattern": "[A-Z]{2}"}, "AB", "AB"),
        ("read_textarea", [], {}, "a\nb", "a\nb"),
        ("read_email", [], {}, " anna@example.org ", "anna@example.org"),
        ("read_phone", [], {}, "+49 (30) 90-1820", "+49 (30) 90-1820"),
        ("read_password", [], {"min_length": 3}, "abc", "abc"),
        ("read_number", [], {}, 12, 12),
        ("read_number", [], {}, 12.5, 12.5),
        ("read_number", [], {"integer": True}, 12.0, 12),
        ("read_number", [], {"min": 0, "max": 0}, 0, 0),
        ("read_currency", [], {}, 12.5, Decimal("12.50")),
        ("read_currency", [], {}, "1234.56", Decimal("1234.56")),
        ("read_currency", [], {"decimals": 0, "currency": "JPY"}, 100, Decimal(100)),
        ("read_slider", [], {"min": 0, "max": 1, "step": 0.1}, 0.3, 0.3),
        ("read_rating", [], {"max": 10}, 7, 7),
        ("read_date", [], {"min": "2026-01-01"}, "2026-02-28", dt.date(2026, 2, 28)),
        ("read_time", [], {}, "14:30", dt.time(14, 30)),
        ("read_date_range", [], {}, ["2026-01-01", "2026-01-02"], (dt.date(2026, 1, 1), dt.date(2026, 1, 2))),
        ("read_date_range", [], {}, {"start": "2026-01-01", "end": "2026-01-01"}, (dt.date(2026, 1, 1),) * 2),
        ("read_dropdown", [["a", "b"]], {}, "b", "b"),
        ("read_dropdown", [["2025", "2026"]], {}, 2026, "2026"),
        ("read_dropdown", [[1, 2]], {}, "2", 2),
        ("read_dropdown", [SHELVES], {}, "Pair", ("a", 1)),
        ("read_dropdown", [SHELVES], {}, 2.5, 2.5),
        ("read_dropdown", [["a", "b", "c"]], {"multiple": True}, ["c", "a", "c"], ["a", "c"]),
        ("read_multiple_choice", [[("One", 1), ("Two", 2)]], {}, "Two", 2),
        ("read_multiple_choice", [[{"label": "One", "value": 1}, {"label": "Two"}]], {}, "Two", "Two"),
        ("read_dropdown", [[True, 1]], {}, 1, 1),
        ("read_checklist", [["a", "b"]], {"max": 1}, ["b"], ["b"]),
        ("read_checklist", [["a", "b"]], {"required": False}, [], []),
        ("read_checkbox", [], {}, False, False),
        ("read_checkbox", [], {"required": True}, True, True),
        ("read_toggle", [], {}, True, True),
        ("read_tags", [], {}, [" new", "new", "", "old"], ["new", "old"]),
        (
            "read_list",
            [Fields().read("Item").read_date("Day", required=False).read_checkbox("New", initial=True)],
            {"min": 1},
            [{"Item": "Pen", "Day": "2026-01-01"}, {"Item": "Ink", "New": False}],
            [
                {"Item": "Pen", "Day": dt.date(2026, 1, 1), "New": True},
                {"Item": "Ink", "Day": None, "New": False},
            ],
        ),
    ],
)
def test_answers_become_python_values(
    run: Any, name: str, values: list[Any], options: dict[str, Any], answer: Any, expected: Any
) -> None:
    value = ask(run, name, answer, *values, **options)
    assert value == expected
    if isinstance(expected, tuple) and name == "read_date_range":
        assert value.start == expected[0]
        assert value.end == expected[1]
    else:
        assert type(value) is type(expected)


@pytest.mark.parametrize(
    ("name", "values", "options", "answer", "words"),
    [
        ("read", [], {}, 5, ["5 (a number)", "string"]),
        ("read", [], {}, "a\nb", ["more than one line"]),
        ("read", [], {}, "  ", ["required"]),
        ("read", [], {"min_length": 3}, "ab", ["at least 3"]),
        ("read", [], {"max_length": 3}, "abcd", ["at most 3"]),
        ("read", [], {"pattern": "[A-Z]+"}, "ab", ["'ab'", "[A-Z]+"]),
        ("read", [], {"pattern": "[A-Z]+", "message": "Capitals only"}, "ab", ["Capitals only"]),
        ("read_email", [], {}, "anna@", ["'anna@'", "anna@example.org"]),
        ("read_email", [], {}, "a@b@c.de", ["e-mail"]),
        ("read_phone", [], {}, "12", ["telephone"]),
        ("read_number", [], {}, "twelve", ["'twelve' (text)", "12.5"]),
        ("read_number", [], {}, True, ["true or false"]),
        ("read_number", [], {"min": 3}, 2, ["2 is too low", "3"]),
        ("read_number", [], {"max": 3}, 3.5, ["3.5 is too high", "3"]),
        ("read_number", [], {"integer": True}, 1.5, ["whole"]),
        ("read_currency", [], {}, 1.234, ["2 decimals"]),
        ("read_currency", [], {}, "NaN", ["amount"]),
        ("read_currency", [], {"max": 100}, "100.01", ["100.01 USD", "100 USD"]),
        ("read_slider", [], {"step": 5}, 7, ["between two steps"]),
        ("read_slider", [], {}, 101, ["too high"]),
        ("read_rating", [], {}, 0, ["too low"]),
        ("read_date", [], {}, "31.12.2026", ["'31.12.2026'", "2026-03-31"]),
        ("read_date", [], {}, 5, ["date"]),
        ("read_date", [], {"max": dt.date(2026, 1, 1)}, "2026-01-02", ["too high"]),
        ("read_time", [], {}, "25:00", ["14:30"]),
        ("read_time", [], {}, "12:00+01:00", ["time zone"]),
        ("read_date_range", [], {}, "2026-01-01", ["two dates"]),
        ("read_date_range", [], {}, ["2026-01-02", "2026-01-01"], ["before it starts"]),
        ("read_dropdown", [["apple", "pear"]], {}, "aple", ["'apple', 'pear'", "Did you mean 'apple'?"]),
        ("read_dropdown", [[1, 2]], {}, True, ["none of the options"]),
        ("read_dropdown", [["a", "b"]], {"multiple": True}, "a", ["not a list"]),
        ("read_checklist", [["a", "b"]], {"max": 1}, ["a", "b"], ["at most 1"]),
        ("read_checklist", [["a", "b"]], {}, [], ["required"]),
        ("read_checkbox", [], {"required": True}, False, ["must be ticked"]),
        ("read_checkbox", [], {}, "yes", ["neither true nor false"]),
        ("read_tags", [], {"max": 1}, ["a", "b"], ["at most 1"]),
        ("read_tags", [], {}, "a", ["list of texts"]),
        ("read_list", [Fields().read("Item")], {}, {"Item": "a"}, ["list of rows"]),
        (
            "read_list",
            [Fields().read("Item")],
            {},
            [{"Itm": "a"}],
            ["row 1", "'Itm'", "Did you mean 'Item'?"],
        ),
        ("read_list", [Fields().read("Item")], {}, [{"Item": "a"}, {}], ["row 2, Item", "required"]),
        ("read_list", [Fields().read_number("N", max=3)], {}, [{"N": 4}], ["row 1, N", "too high"]),
        ("read_list", [Fields().read("Item")], {"max": 1}, [{"Item": "a"}, {"Item": "b"}], ["at most 1"]),
    ],
)
def test_answers_that_do_not_fit_name_field_and_mend(
    run: Any, name: str, values: list[Any], options: dict[str, Any], answer: Any, words: list[str]
) -> None:
    with pytest.raises(FormError) as error:
        ask(run, name, answer, *values, **options)
    for word in ["field 'Q'", "Change the answer", *words]:
        assert word in str(error.value)


def test_a_password_that_does_not_fit_is_not_repeated_in_the_message(run: Any) -> None:
    with pytest.raises(FormError) as error:
        ask(run, "read_password", "hunter2", pattern="[A-Z]+")
    assert "hunter2" not in str(error.value)
    with pytest.raises(FormError) as error:
        ask(run, "read_password", 123456)
    assert "123456" not in str(error.value)


def test_files_are_paths_with_their_own_name(run: Any) -> None:
    (run.project / "in").mkdir()
    (run.project / "in" / "scan 1.pdf").write_bytes(b"%PDF")
    file = ask(run, "read_file", "in/scan 1.pdf", accept=".pdf", max_size=4)
    assert (file.name, file.read_bytes()) == ("scan 1.pdf", b"%PDF")
    file = ask(run, "read_file", {"name": "../a.txt", "content": base64.b64encode(b"x").decode()})
    assert (file.name, file.read_bytes()) == ("a.txt", b"x")
    files = ask(run, "read_file", ["in/scan 1.pdf"], multiple=True)
    assert [item.name for item in files] == ["scan 1.pdf"]
    assert (
        ask(run, "read_image", {"name": "a.png", "content": base64.b64encode(PNG).decode()}).suffix == ".png"
    )


@pytest.mark.parametrize(
    ("answer", "options", "words"),
    [
        ("missing.pdf", {}, ["no file 'missing.pdf'"]),
        ("../secret", {}, ["outside the project"]),
        ("/etc/hostname", {}, ["outside the project"]),
        ("link", {}, ["outside the project"]),
        (5, {}, ["path in the project"]),
        ({"name": "a", "content": "%%%"}, {}, ["base64"]),
        ({"name": "a", "hash": "0" * 64}, {}, ["path in the project"]),
        ("data.csv", {"max_size": 2}, ["3 bytes", "at most 2"]),
        ("data.csv", {"accept": [".pdf", "image/*"]}, [".pdf, image/*"]),
        (["data.csv"] * 2, {"multiple": True, "max": 1}, ["at most 1 files"]),
    ],
)
def test_files_that_do_not_fit(run: Any, tmp_path: Path, answer: Any, options: Any, words: list[str]) -> None:
    (run.project / "data.csv").write_text("a,b")
    (tmp_path / "secret").write_text("s")
    (run.project / "link").symlink_to(tmp_path / "secret")
    with pytest.raises(FormError) as error:
        ask(run, "read_file", answer, **options)
    for word in words:
        assert word in str(error.value)


def test_an_image_must_be_one(run: Any) -> None:
    (run.project / "fake.png").write_text("no image")
    with pytest.raises(FormError, match=r"fake\.png is not an image"):
        ask(run, "read_image", "fake.png")


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("read", [], ""),
        ("read_textarea", [], ""),
        ("read_email", [], ""),
        ("read_phone", [], ""),
        ("read_password", [], ""),
        ("read_number", [], None),
        ("read_currency", [], None),
        ("read_slider", [], 0),
        ("read_rating", [], None),
        ("read_date", [], None),
        ("read_time", [], None),
        ("read_date_range", [], None),
        ("read_dropdown", [["a"]], None),
        ("read_multiple_choice", [["a"]], None),
        ("read_checklist", [["a"]], []),
        ("read_checkbox", [], False),
        ("read_toggle", [], False),
        ("read_tags", [], []),
        ("read_file", [], None),
        ("read_image", [], None),
        ("read_list", [Fields().read("Item")], []),
    ],
)
def test_what_is_optional_may_be_left_out(run: Any, name: str, values: list[Any], expected: Any) -> None:
    run.begin(answers={})
    assert getattr(forms, name)("Q", *values, required=False) == expected


def test_initial_values_are_taken_where_nothing_is_required(run: Any) -> None:
    run.begin(answers={})
    answers = (
        Page()
        .read_date("Day", initial=dt.date(2026, 1, 2), required=False)
        .read_dropdown("One", SHELVES, initial="Lower", required=False)
        .read_number("Fixed", initial=3, disabled=True)
        .run()
    )
    assert answers == {"Day": dt.date(2026, 1, 2), "One": 2.5, "Fixed": 3}
    run.begin(answers={})
    with pytest.raises(FormParked):
        forms.read_number("Required", initial=3)


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: Page().read(""), ValueError, "label"),
        (lambda: Page().read_number("N", initial="x"), ValueError, "initial value of 'N'"),
        (lambda: Page().read_number("N", mim=3), TypeError, "no option 'mim'. Did you mean 'min'?"),
        (lambda: Page().read_dropdown("D", []), ValueError, "no options"),
        (lambda: Page().read_dropdown("D", "abc"), TypeError, "list"),
        (lambda: Page().read_dropdown("D", ["a", "a"]), ValueError, "two options"),
        (lambda: Page().read("A").read_number("A"), ValueError, "key 'A'"),
        (lambda: Page().read_file("F", initial="x"), ValueError, "initial"),
        (lambda: Page().read_list("L", Fields()), TypeError, "fields of a row"),
        (lambda: Page().read_list("L", Fields().read_password("P")), TypeError, "passwords"),
        (lambda: Page().validate("x"), TypeError, "function"),
        (lambda: Page().run(actions=[]), ValueError, "buttons"),
    ],
)
def test_mistakes_of_authors_are_said_where_they_are_made(
    make: Any, error: type[Exception], words: str
) -> None:
    with pytest.raises(error) as raised:
        make()
    assert words in str(raised.value)


def test_help_shows_the_options_of_a_field() -> None:
    assert {"min", "max", "hint", "required", "initial"} <= set(
        inspect.signature(forms.read_number).parameters
    )
    assert "options" in inspect.signature(Page.read_dropdown).parameters
    assert "currency" in (forms.read_currency.__doc__ or "")


def test_states_in_the_journal_are_plain_json(run: Any) -> None:
    run.begin(answers={"When": "2026-01-02", "Amount": 5, "Password": "hunter2"})
    Page("P").read_date("When").read_currency("Amount").read_password("Password").run()
    entry = json.loads((run.folder / "journal-1.jsonl").read_text())
    assert entry["state"] == {"When": "2026-01-02", "Amount": "5.00"}
    assert attempts.current().asked == ["When", "Amount", "Password"]
