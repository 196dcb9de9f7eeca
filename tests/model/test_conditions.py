from __future__ import annotations

import ast
import string
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_workflows.authoring.wire import Artifact
from jupyter_workflows.model.conditions import ConditionError, ConditionSyntaxError, parse


def artifact(kind: str = "dataframe") -> Artifact:
    return Artifact(type=kind, hash="0" * 64, size=9, length=3)


DATA: dict[str, Any] = {
    "amount": 120,
    "price": Decimal("9.90"),
    "rate": 0.5,
    "name": "Ada",
    "nothing": None,
    "approved": True,
    "order": {"id": 7, "items": {"count": 2}, "in": "x"},
    "lines": [1, 2, 3],
    "empty": [],
    "day": date(2026, 3, 1),
    "at": datetime(2026, 3, 1, 9, tzinfo=UTC),
    "naive": datetime(2026, 3, 1, 9),
    "report": artifact(),
    "nested": {"report": artifact("array"), "all": [artifact("file")]},
}


@pytest.mark.parametrize(
    "source",
    [
        "amount > 100",
        "100 < amount <= 120",
        "not amount < 100 and (name == 'Ada' or missing)",
        "nothing is None",
        "amount is not None",
        "approved is True",
        "amount % 7 == 1 and amount // 7 == 17 and amount / 2 == 60 and -amount < +amount - 1",
        "'a' in lower(name) and 2 in lines and name in ['Ada', 'Bob'] and 'id' in order",
        "9 not in (1, 2)",
        "order.id == 7 and order['items'].count == 2 and order['in'] == 'x'",
        "len(lines) == 3 and len(name) == 3 and len(order) == 3 and len(report) == 3",
        "min(lines) == 1 and max(1, amount) == 120 and abs(-2) == 2",
        "upper(name) == 'ADA' and startswith(name, 'A')",
        "price * 2 > 19 and rate * 2 == 1.0 and amount * rate == 60",
        "name + '!' == 'Ada!' and [1] + [2] == [1, 2]",
        "report is not None",
        "name == 5 or True",
        "  amount\t> 1 ",
        "lines",
        "at == at and at - at == at - at",
    ],
)
def test_condition_holds(source: str) -> None:
    assert parse(source).evaluate(DATA) is True


def test_names_are_the_keys_it_reads() -> None:
    condition = parse("len(lines) > limit and order.id in [a, 'b']")
    assert condition.names == {"lines", "limit", "order", "a"}
    assert parse("max > min(1, 2)").names == {"max"}


def test_missing_name_is_named_with_alternatives() -> None:
    with pytest.raises(ConditionError) as caught:
        parse("amuont > 100").evaluate(DATA)
    assert caught.value.name == "amuont"
    assert "'amuont'" in caught.value.message
    assert "Did you mean 'amount'?" in caught.value.message
    assert "lines" in caught.value.message


def test_missing_name_in_empty_data() -> None:
    with pytest.raises(ConditionError, match="empty"):
        parse("x").evaluate({})


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("name > 5", ["name", "a text", "a number", "compared"]),
        ("nothing < 5", ["nothing (None)", "a number"]),
        ("at > day", ["a date with a time", "a date"]),
        ("at > naive", ["time zone"]),
        ("name - 1", ["name - 1", "a text"]),
        ("name * 3 == 'AdaAdaAda'", ["name * 3"]),
        ("'%d' % amount", ["a text"]),
        ("'%0999999999d' % amount", ["a text"]),
        ("[0] * 5", ["a list"]),
        ("amount / 0", ["division by zero"]),
        ("amount in 5", ["looked for"]),
        ("5 in name", ["looked for"]),
        ("order.nope", ["'nope'", "id"]),
        ("order['idd']", ["Did you mean 'id'?"]),
        ("name.upper", ["name.upper", "a text", "not a mapping"]),
        ("lines[0]", ["not a mapping"]),
        ("order[lines]", ["cannot be a key"]),
        ("order.keys", ["'keys'"]),
        ("name.__class__", ["not a mapping"]),
        ("order.__class__", ["'__class__'"]),
        ("__builtins__", ["'__builtins__'"]),
        ("len(5)", ["a number"]),
        ("lower(5)", ["a number"]),
        ("abs(name)", ["a text"]),
        ("min(empty)", ["empty list"]),
        ("min(name)", ["a text"]),
        ("min(1, 'a')", ["a number and a text"]),
        ("-name", ["a text"]),
    ],
)
def test_wrong_use_is_said_in_plain_words(source: str, words: list[str]) -> None:
    with pytest.raises(ConditionError) as caught:
        parse(source).evaluate(DATA)
    assert not isinstance(caught.value, ConditionSyntaxError)
    for word in words:
        assert word in caught.value.message


@pytest.mark.parametrize(
    "source",
    [
        "report > 1",
        "report == 1",
        "1 == report",
        "report",
        "not report",
        "report and True",
        "report.shape",
        "report['a']",
        "report + 1",
        "report in lines",
        "1 in report",
        "max(report)",
        "max(1, report)",
        "-report",
        "lower(report)",
    ],
)
def test_artifact_can_only_be_counted(source: str) -> None:
    with pytest.raises(ConditionError) as caught:
        parse(source).evaluate(DATA)
    assert "report" in caught.value.message
    assert "len(" in caught.value.message
    assert "a table" in caught.value.message


def test_artifact_within_a_value_is_found() -> None:
    with pytest.raises(ConditionError, match=r"nested\.report is an array"):
        parse("nested.report > 2").evaluate(DATA)
    with pytest.raises(ConditionError, match=r"\[report\] contains a table"):
        parse("[report] == [1]").evaluate(DATA)
    with pytest.raises(ConditionError, match="nested contains an array"):
        parse("nested == order").evaluate(DATA)
    assert parse("len(nested.report) == 3 and 'report' in nested").evaluate(DATA)


def test_data_frame_is_not_touched() -> None:
    pandas = pytest.importorskip("pandas")
    data = {"df": pandas.DataFrame({"a": [1]})}
    assert parse("len(df) == 1").evaluate(data)
    for source in ("df", "df.a", "df == 1", "df.to_csv", "df['a']", "1 in df"):
        with pytest.raises(ConditionError, match="df"):
            parse(source).evaluate(data)
    with pytest.raises(ConditionSyntaxError, match="Methods"):
        parse("df.to_csv('x')")


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("", "empty"),
        ("  ", "empty"),
        ("amount >", "Not an expression"),
        ("amount = 5", "=="),
        ("a && b", "“and”"),
        ("import os", "Not an expression"),
        ("a; b", "Not an expression"),
        ("9**4000000", r"\*\*"),
        ("1 << 9999999", "<<"),
        ("a @ b", "@"),
        ("~a", "~"),
        ("a | b", r"\|"),
        ("lambda: 1", "lambda"),
        ("[x for x in a]", "comprehension"),
        ("{x for x in a}", "comprehension"),
        ("any(x for x in a)", "any"),
        ("f'{a}'", "f-string"),
        ("(b := 5)", ":="),
        ("{'a': 1}", "dict"),
        ("{1, 2}", "set"),
        ("a if b else c", "if"),
        ("a[1:2]", "slice"),
        ("[*a]", r"\*"),
        ("max(*a)", r"\*"),
        ("max(a, key=b)", "named"),
        ("len()", "argument"),
        ("len(a, b)", "argument"),
        ("startswith(a)", "2 arguments"),
        ("name.upper()", "Methods"),
        ("'{0.__class__}'.format(a)", "Methods"),
        ("open('/etc/passwd')", "open"),
        ("__import__('os')", "__import__"),
        ("(lambda: 1)()", "cannot be called"),
        ("a is 5", "=="),
        ("...", "cannot be used"),
        ("b'x'", "cannot be used"),
        ("1j", "cannot be used"),
        ("9" * 1000, "too large"),
        ("1" * 4999, "cannot be read|too large|Not an expression"),
        ("+".join(["a"] * 150), "nested|parts"),
        ("[" + "1," * 300 + "]", "parts"),
        ("(" * 100 + "1" + ")" * 100 + "x", "Not an expression"),
        ("-" * 4000 + "1", "read|nested|parts|Not an expression"),
        ("a" * 6000, "longer"),
        ("a\0b", "read|Not an expression"),
    ],
)
def test_refused_when_read(source: str, words: str) -> None:
    with pytest.raises(ConditionSyntaxError, match=words):
        parse(source)


def test_syntax_error_has_a_position() -> None:
    with pytest.raises(ConditionSyntaxError) as caught:
        parse("  amount > (lambda: 1)")
    assert (caught.value.line, caught.value.column) == (1, 13)
    with pytest.raises(ConditionSyntaxError) as caught:
        parse("\n  (a +\n  f'x')")
    assert (caught.value.line, caught.value.column) == (3, 3)


def test_numbers_stay_bounded() -> None:
    data = {"big": 10**300}
    with pytest.raises(ConditionError, match="too large"):
        parse("big * big * big > 1").evaluate(data)
    with pytest.raises(ConditionError, match="too large"):
        parse("big / 1").evaluate({"big": 2**1024 - 1})
    with pytest.raises(ConditionError, match="too large"):
        parse("day + duration").evaluate({"day": date.max, "duration": timedelta(days=1)})
    with pytest.raises(ConditionError, match="too large"):
        parse("x + 1").evaluate({"x": 2**20_000})


def test_texts_stay_bounded() -> None:
    data = {"text": "x" * 60_000}
    assert parse("len(text) == 60000").evaluate(data)
    with pytest.raises(ConditionError, match="too long"):
        parse("text + text").evaluate(data)


def test_deeply_nested_value_is_an_error_of_the_condition() -> None:
    value: list[Any] = []
    for _ in range(50_000):
        value = [value]
    with pytest.raises(ConditionError):
        parse("a == b").evaluate({"a": value, "b": [1]})


_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=5)
    | st.decimals()
    | st.dates()
    | st.datetimes()
    | st.timedeltas()
    | st.just(artifact()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=5,
)

_OPERATORS = [
    *("+", "-", "*", "/", "//", "%", "**", "<", "<=", ">", ">=", "==", "!=", "|", "@"),
    *("in", "not in", "and", "or", "is", "is not"),
]

_expressions = st.recursive(
    st.sampled_from(["a", "b", "c", "d", "1", "0", "2.5", "'x'", "''", "None", "True", "[]", "-1"]),
    lambda inner: st.one_of(
        st.tuples(
            inner,
            st.sampled_from(_OPERATORS),
            inner,
        ).map(lambda parts: f"({' '.join(parts)})"),
        st.tuples(st.sampled_from(["not ", "-", "+", "~"]), inner).map("".join),
        st.tuples(inner, st.sampled_from([".a", "['a']", ".__class__", "[0]", ".b", "()"])).map("".join),
        st.tuples(
            st.sampled_from(["len", "min", "max", "abs", "lower", "upper", "startswith", "eval"]),
            st.lists(inner, max_size=3),
        ).map(lambda call: f"{call[0]}({', '.join(call[1])})"),
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]"),
    ),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(source=_expressions, data=st.dictionaries(st.sampled_from("abc"), _values))
def test_expressions_raise_nothing_else(source: str, data: dict[str, Any]) -> None:
    try:
        assert isinstance(parse(source).evaluate(data), bool)
    except ConditionError as error:
        assert error.message


@settings(max_examples=300, deadline=None)
@given(st.text(string.printable + "é\ud800\0", max_size=40))
def test_any_text_raises_nothing_else(source: str) -> None:
    try:
        parse(source)
    except ConditionSyntaxError as error:
        assert error.line >= 1
        assert error.column >= 1


@settings(max_examples=150, deadline=None)
@given(source=_expressions, values=st.tuples(*[st.integers(-5, 5)] * 4))
def test_agrees_with_python(source: str, values: tuple[int, ...]) -> None:
    data = dict(zip("abcd", values, strict=True))
    try:
        result = parse(source).evaluate(data)
    except ConditionError:
        return
    names = {"lower": str.lower, "upper": str.upper, "startswith": str.startswith, **data}
    code = compile(ast.parse(source, mode="eval"), "condition", "eval")
    assert result is bool(eval(code, names))
