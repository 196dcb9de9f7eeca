"""What is given on the command line: JSON, files, variables."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from jupyter_workflows.cli.arguments import assignments, environment_file, json_object
from jupyter_workflows.cli.errors import CliError

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.text(), json_values, max_size=4))
def test_json_objects_are_read(value: dict[str, object]) -> None:
    assert json_object(json.dumps(value), "--data") == value


@given(
    st.text()
    | st.text(alphabet='{}[]":,0123456789eE+-.\\u truefalsn@\t\n', max_size=40)
    | json_values.map(json.dumps).flatmap(lambda text: st.integers(0, len(text)).map(lambda end: text[:end]))
)
@example('{"a": 1e999}')
@example('{"a": NaN}')
@example('{"a": "\\ud800"}')
@example('{"a": ' + "1" * 5000 + "}")
@example("[" * 100_000)
@example("@")
@example("@\0")
@example("@~nobody-of-this-name/x")
@example("@/")
@example("\udcff")
def test_any_text_is_read_or_refused_in_words(text: str) -> None:
    try:
        value = json_object(text, "--data")
    except CliError as error:
        assert "--data" in error.message
        assert error.exit_code == 2
    else:
        assert isinstance(value, dict)


def refused(text: str) -> CliError:
    with pytest.raises(CliError) as caught:
        json_object(text, "--data")
    return caught.value


def test_a_mistake_is_shown_where_it_is() -> None:
    error = refused('{"amount": 12,\n "paid": yes}')
    assert "line 2, column 10" in error.message
    assert '"paid": yes}' in error.message
    mark = error.message.splitlines()[-1]
    line = error.message.splitlines()[-2]
    assert line[mark.index("^")] == "y"
    assert "--data @FILE" in error.mend


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[1]", "a list"),
        ("12", "a number"),
        ("null", "null"),
        ('"x"', "a text"),
        ("true", "true or false"),
        ('{"a": 1, "a": 2}', "'a' is there twice"),
        ('{"a": NaN}', "NaN"),
        ('{"a": 1e999}', "too large"),
        ("", "line 1, column 1"),
    ],
)
def test_what_is_wrong_is_named(text: str, words: str) -> None:
    assert words in refused(text).message


def test_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "Größe ☃.json"
    file.write_text('\ufeff{"a": "ü"}', encoding="utf-8")
    assert json_object(f"@{file}", "--data") == {"a": "ü"}
    monkeypatch.setenv("HOME", str(tmp_path))
    assert json_object("@~/Größe ☃.json", "--data") == {"a": "ü"}

    assert "missing.json" in refused(f"@{tmp_path / 'missing.json'}").message
    assert "Is a directory" in refused(f"@{tmp_path}").message
    file.write_bytes(b'{"a": "\xff"}')
    assert "UTF-8" in refused(f"@{file}").message
    file.write_text("{", encoding="utf-8")
    assert str(file) in refused(f"@{file}").message


def test_environment_file(tmp_path: Path) -> None:
    file = tmp_path / "settings.env"
    file.write_text(
        "# a comment\n\nexport TOKEN='a b # c'\nURL=https://example.org/?a=b#c\nEMPTY=\nLATE=x # later\n",
        encoding="utf-8",
    )
    assert environment_file(str(file)) == {
        "TOKEN": "a b # c",
        "URL": "https://example.org/?a=b#c",
        "EMPTY": "",
        "LATE": "x",
    }
    assert environment_file(None) == {}
    file.write_text("A=1\nnot a variable\n", encoding="utf-8")
    with pytest.raises(CliError, match="line 2"):
        environment_file(str(file))


@given(st.lists(st.text(), max_size=3).map(tuple))
def test_assignments_are_read_or_refused_in_words(pairs: tuple[str, ...]) -> None:
    try:
        found = assignments(pairs, "--pool", "NAME=N")
    except CliError as error:
        assert "NAME=N" in error.message
    else:
        assert len(found) <= len(pairs)
