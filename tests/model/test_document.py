from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import jupyter_workflows.model
from jupyter_workflows.model import canonical
from jupyter_workflows.model.document import (
    DataReference,
    Document,
    DocumentError,
    FormStage,
    HookStage,
    ScriptStage,
    Transition,
    dump,
    load,
    new_document,
)

SCHEMA = json.loads(
    (Path(jupyter_workflows.model.__file__).parent / "schema/workflow.json").read_text("utf-8")
)
VECTORS = json.loads(Path(__file__).with_name("test_document_vectors.json").read_text("utf-8"))

FULL: dict[str, Any] = {
    "format": 1,
    "uid": "8b0c2f0e-6a1b-4a6e-9f58-2f4bb9c0b7a1",
    "title": "Expense approval",
    "description": "Über 100 €",
    "stages": {
        "s1": {
            "type": "form",
            "path": "submit",
            "title": "Submit",
            "notebook": "stages/submit.ipynb",
            "position": [0, 0.5],
            "assignee": {"from": "manager"},
            "due": "P2D",
            "remind": "P1D",
            "expires": "P1W",
            "start": "members",
            "test": {"data": {"a": None}, "answers": {"Amount": 12}, "request": {}},
        },
        "s2": {
            "type": "script",
            "path": "check",
            "title": "Check",
            "notebook": "stages/check.ipynb",
            "retries": {"max": 2, "delay": 10, "backoff": 2},
            "timeout": 600,
            "join": "all",
            "per": "line",
            "collect": {"scores": "score"},
            "after_crash": "fail",
            "memory": "2G",
            "pool": "slow",
            "kernel": "python3",
            "executor": "local",
            "disabled": True,
            "pinned": {"score": 1},
        },
        "s3": {
            "type": "hook",
            "path": "paid",
            "title": "Paid",
            "notebook": "stages/paid.ipynb",
            "methods": ["POST", "PUT"],
            "auth": {"kind": "signature"},
            "response": "accept",
            "response_timeout": 5,
            "match": {"order_id": "body.order.id"},
        },
        "s4": {
            "type": "job",
            "path": "weekly",
            "title": "Weekly",
            "notebook": "stages/weekly.ipynb",
            "schedule": {
                "cron": "0 9 * * 1",
                "timezone": "Europe/Berlin",
                "missed": "all",
                "overlap": "queue",
            },
        },
    },
    "transitions": {
        "t1": {"source": "s1", "target": "s2", "each": "lines", "as": "line", "order": 2, "label": "lines"},
        "t2": {"source": "s2", "target": "s1", "on": "failed", "condition": "amount > 1"},
        "t3": {"source": "s2", "target": "s3", "else": True},
    },
    "notes": {"n1": {"text": "*Hi*", "position": [1, 2], "size": [3, 4], "color": "yellow"}},
    "groups": {"g1": {"title": "Finance", "stages": ["s1"], "collapsed": True}},
    "board": {"fields": ["amount"]},
}


def changed(path: str, value: Any) -> str:
    """Return the text of the full document with one value set, by dotted path."""
    document = json.loads(json.dumps(FULL))
    *parents, last = path.split(".")
    place = document
    for part in parents:
        place = place[part]
    if value is KeyError:
        del place[last]
    else:
        place[last] = value
    return json.dumps(document)


def error_of(text: str | bytes) -> DocumentError:
    with pytest.raises(DocumentError) as caught:
        load(text, path="a.workflow")
    assert "pydantic" not in str(caught.value)
    assert all(finding.mend for finding in caught.value.findings)
    return caught.value


def test_everything_in_a_document_is_read() -> None:
    document = load(json.dumps(FULL))
    form, script, hook = document.stages["s1"], document.stages["s2"], document.stages["s3"]
    assert isinstance(form, FormStage)
    assert isinstance(form.assignee, DataReference)
    assert form.assignee.from_ == "manager"
    assert form.test is not None
    assert form.test.answers == {"Amount": 12}
    assert isinstance(script, ScriptStage)
    assert script.retries is not None
    assert (script.retries.max, script.timeout, script.join, script.per) == (2, 600, "all", "line")
    assert isinstance(hook, HookStage)
    assert hook.auth.kind == "signature"
    assert document.transitions["t1"].as_ == "line"
    assert document.transitions["t3"].else_
    assert document.board is not None
    assert json.loads(dump(document)) == FULL


def test_the_schema_holds_for_it() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(FULL, SCHEMA)
    jsonschema.validate(json.loads(dump(new_document("New"))), SCHEMA)


def test_defaults() -> None:
    stage = {"path": "a", "title": "A", "notebook": "a.ipynb"}
    text = json.dumps(
        {
            "format": 1,
            "uid": "u",
            "title": "T",
            "stages": {"h": {"type": "hook", **stage}, "s": {"type": "script", **stage, "retries": {}}},
            "transitions": {"t": {"source": "h", "target": "s"}},
        }
    )
    document = load(text)
    hook, script, transition = document.stages["h"], document.stages["s"], document.transitions["t"]
    assert isinstance(hook, HookStage)
    assert (hook.auth.kind, hook.methods, hook.response, hook.response_timeout) == (
        "token",
        ["POST"],
        "wait",
        30,
    )
    assert script.retries is not None
    assert (script.retries.max, script.retries.delay, script.retries.backoff) == (0, 0, 1)
    assert (script.join, script.after_crash, script.start, script.disabled) == ("any", "retry", False, False)
    assert (transition.on, transition.as_, transition.order, transition.else_) == (
        "completed",
        "item",
        0,
        False,
    )
    assert json.loads(dump(document)) == json.loads(text), "what was not set is not written"


def test_unknown_fields_survive() -> None:
    for path in (
        "x-new",
        "stages.s1.x-new",
        "transitions.t1.x-new",
        "stages.s2.retries.x-new",
        "board.x-new",
    ):
        text = changed(path, {"a": [1, {"b": None}]})
        assert json.loads(dump(load(text))) == json.loads(text)


def test_text_is_canonical() -> None:
    text = dump(load(changed("stages.s1.position", [280.0, -0.0])))
    assert '"position": [\n        280,\n        0\n      ]' in text
    assert "Über 100 €" in text
    assert text.endswith("}\n")
    assert dump(load(text)) == text
    shuffled = json.dumps(dict(reversed(json.loads(text).items())))
    assert dump(load(shuffled)) == text
    assert dump(load("\ufeff" + text)) == dump(load(b"\xef\xbb\xbf" + text.encode())) == text


def test_changes_in_code_are_written() -> None:
    document = new_document("New")
    document.stages["a"] = ScriptStage(type="script", path="a", title="A", notebook="a.ipynb", timeout=60.0)
    document.transitions["t"] = Transition.model_validate({"source": "a", "target": "a", "else": True})
    document.stages["a"].kernel = None
    document.description = "Words"
    value = json.loads(dump(document))
    assert value["stages"]["a"] == {
        "notebook": "a.ipynb",
        "path": "a",
        "timeout": 60,
        "title": "A",
        "type": "script",
    }
    assert value["transitions"]["t"]["else"] is True
    assert value["description"] == "Words"
    assert load(dump(document)) == load(dump(load(dump(document))))


def test_no_bytes_are_a_new_workflow() -> None:
    first, second = load(""), load(b"")
    assert uuid.UUID(first.uid) != uuid.UUID(second.uid)
    assert (first.title, first.stages, first.transitions) == ("", {}, {})


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["about"] for vector in VECTORS])
def test_vectors_of_the_canonical_text(vector: dict[str, str]) -> None:
    value = canonical.parse(vector["json"])
    assert canonical.write(value) == vector["text"]
    assert canonical.write(canonical.parse(vector["text"])) == vector["text"]


@settings(max_examples=200)
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_read_back_the_same(number: float) -> None:
    text = canonical.write(number)
    assert float(text) == number
    assert canonical.write(canonical.parse(text)) == text


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("{", "invalid-json", "line 1, column 2"),
        ('{\n  "format": 1,\n}', "invalid-json", "line 3, column 1"),
        (" ", "invalid-json", "line 1"),
        (b"\xff\xfe", "invalid-encoding", "UTF-8"),
        ("[]", "wrong-type", "object"),
        ('{"a": {"format": 1, "format": 2}}', "duplicate-key", "'format'"),
        ('{"format": NaN}', "invalid-json", "NaN"),
        ('{"format": 1e999}', "invalid-json", "too large"),
        ("[" * 5000, "invalid-json", "deep"),
        ("[" * 150 + "]" * 150, "invalid-json", "deep"),
        ('{"a": ' + "1" * 5000 + "}", "invalid-json", "too large"),
        ("{}", "missing-field", "format"),
        ('{"format": 2}', "newer-format", "upgrade jupyter_workflows"),
        ('{"format": "1"}', "bad-value", "number"),
        ('{"format": true}', "bad-value", "number"),
        ('{"format": -1}', "bad-value", "number"),
        ('{"format": null}', "missing-field", "format"),
    ],
)
def test_unreadable_text(text: str | bytes, code: str, words: str) -> None:
    error = error_of(text)
    assert [finding.code for finding in error.findings] == [code]
    assert words.lower() in str(error).lower()
    assert "a.workflow" in str(error)


@pytest.mark.parametrize(
    ("path", "value", "where", "code", "words"),
    [
        ("uid", KeyError, "uid", "missing-field", "missing"),
        ("uid", "../x", "uid", "bad-value", "letters"),
        ("title", 5, "title", "wrong-type", "a text, not 5"),
        ("stages", [], "stages", "wrong-type", "an object"),
        ("stages.s1", None, "stages.s1", "wrong-type", "an object, not null"),
        ("stages.s1.type", "from", "stages.s1.type", "bad-value", "form, hook, job, script"),
        ("stages.s1.type", ["form"], "stages.s1.type", "bad-value", "form, hook, job, script"),
        ("stages.s1.type", KeyError, "stages.s1.type", "missing-field", "form, hook, job, script"),
        ("stages.s1.notebook", KeyError, "stages.s1.notebook", "missing-field", "missing"),
        ("stages.s1.timeout", "60", "stages.s1.timeout", "wrong-type", 'a number, not "60"'),
        ("stages.s1.timeout", 0, "stages.s1.timeout", "bad-value", "more than 0"),
        ("stages.s1.position", [1], "stages.s1.position", "bad-value", "at least 2"),
        ("stages.s1.assignee", 5, "stages.s1.assignee", "wrong-type", "a text or an object"),
        ("stages.s1.assignee", {}, "stages.s1.assignee.from", "missing-field", "missing"),
        ("stages.s1.disabled", 1, "stages.s1.disabled", "wrong-type", "true or false"),
        ("stages.s2.retries.max", 1.5, "stages.s2.retries.max", "wrong-type", "whole number"),
        ("stages.s2.retries.delay", -1, "stages.s2.retries.delay", "bad-value", "at least 0"),
        ("stages.s2.join", "al", "stages.s2.join", "bad-value", "'any', 'all' or 'settled'"),
        ("stages.s3.methods", ["FETCH"], "stages.s3.methods[0]", "bad-value", "'POST'"),
        ("stages.s3.auth.kind", "x", "stages.s3.auth.kind", "bad-value", "'token'"),
        ("stages.s4.schedule.cron", KeyError, "stages.s4.schedule.cron", "missing-field", "missing"),
        ("transitions.t1.target", KeyError, "transitions.t1.target", "missing-field", "missing"),
        ("transitions.t3.else", "yes", "transitions.t3.else", "wrong-type", "true or false"),
        ("groups.g1.stages", ["s1", 2], "groups.g1.stages[1]", "wrong-type", "a text"),
    ],
)
def test_wrong_value(path: str, value: Any, where: str, code: str, words: str) -> None:
    error = error_of(changed(path, value))
    assert [(finding.where, finding.code) for finding in error.findings] == [(where, code)]
    assert words in str(error)


def test_all_wrong_values_are_told_at_once() -> None:
    value = json.loads(changed("stages.s1.timeout", "1"))
    value["stages"]["s2"]["pool"] = 1
    value["title"] = None
    error = error_of(json.dumps(value))
    assert {finding.where for finding in error.findings} == {"stages.s1.timeout", "stages.s2.pool", "title"}
    assert {finding.stage for finding in error.findings} == {"s1", "s2", None}


_json = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["type", "path", "from", "max", "x"]), inner, max_size=3)
    ),
    max_leaves=6,
)
_places = [
    *(f"stages.s1.{field}" for field in ("type", "position", "assignee", "test", "retries", "start")),
    *("stages.s3.methods", "stages.s3.match", "stages.s4.schedule", "stages.s2", "transitions.t1"),
    *("stages", "transitions", "notes.n1.size", "groups", "board", "uid", "format", "extra"),
]


@settings(max_examples=300, deadline=None)
@given(place=st.sampled_from(_places), value=_json)
def test_any_value_is_read_or_refused(place: str, value: Any) -> None:
    text = changed(place, value)
    try:
        document = load(text)
    except DocumentError as error:
        assert error.findings
        assert "pydantic" not in str(error)
    else:
        assert isinstance(document, Document)
        assert dump(load(dump(document))) == dump(document)
