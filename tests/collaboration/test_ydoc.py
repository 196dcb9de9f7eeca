"""The shared document on the server's side."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jupyter_ydoc import ydocs
from pycrdt import Doc, Map
from support.shared_documents import texts, values

from jupyter_workflows.collaboration.text import Content, parse, write
from jupyter_workflows.collaboration.ydoc import YWorkflow

FOLDER = Path(__file__).with_name("vectors")
TEXTS = json.loads((FOLDER / "texts.json").read_text("utf-8"))
PROBLEMS = json.loads((FOLDER / "problems.json").read_text("utf-8"))

SMALL = '{"format": 1, "uid": "u", "title": "T", "stages": {"a": {"type": "form", "position": [280, 0.5]}}}'

#: What the twin in the browser shares after it loaded `SMALL` and set the stage's `timeout` to 60.
BROWSER = (
    "0109050028010466696c6506736f75726365017601047465787477627b22666f726d6174223a20312c20227569"
    "64223a202275222c20227469746c65223a202254222c2022737461676573223a207b2261223a207b2274797065"
    "223a2022666f726d222c2022706f736974696f6e223a205b3238302c20302e355d7d7d7d280108776f726b666c"
    "6f7706666f726d6174017d01280108776f726b666c6f770375696401770175280108776f726b666c6f77057469"
    "746c6501770154270106737461676573016101280005040474797065017704666f726d2800050408706f736974"
    "696f6e0175027d98047c3f000000280005040774696d656f7574017d3c28010573746174650564697274790178"
    "00"
)


def document(text: str, client: int = 0) -> YWorkflow:
    made = YWorkflow(Doc(client_id=client))
    made.set(text)
    return made


def sync(one: YWorkflow, other: YWorkflow) -> None:
    update = one.ydoc.get_update(other.ydoc.get_state())
    one.ydoc.apply_update(other.ydoc.get_update(one.ydoc.get_state()))
    other.ydoc.apply_update(update)


def stages(of: YWorkflow) -> Map[Any]:
    return of.ydoc.get("stages", type=Map)


def test_it_is_registered() -> None:
    assert ydocs["workflow"] is YWorkflow
    assert YWorkflow().version == "1.0.0"


@pytest.mark.parametrize("vector", TEXTS, ids=[vector["about"] for vector in TEXTS])
def test_source_is_what_was_loaded_until_the_graph_differs(vector: dict[str, str]) -> None:
    shared = document(vector["text"])
    assert shared.get() == vector["text"]
    if vector["canonical"]:
        stages(shared)["new"] = Map({"type": "script"})
        assert shared.get() != vector["text"]
        del stages(shared)["new"]
        assert shared.get() == vector["text"]
    shared.set(vector["canonical"])
    assert shared.get() == vector["canonical"]


@pytest.mark.parametrize("vector", PROBLEMS, ids=[vector["about"] for vector in PROBLEMS])
def test_what_is_no_graph_is_kept(vector: dict[str, Any]) -> None:
    shared = document(SMALL)
    shared.set(vector["text"])
    assert shared.get() == vector["text"]
    shared.set(SMALL)
    assert shared.get() == SMALL
    assert len(stages(shared)) == 1


@settings(max_examples=300, deadline=None)
@given(st.text(st.characters()))
def test_any_text_is_kept(text: str) -> None:
    shared = document(SMALL)
    shared.set(text)
    assert shared.get() == text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def test_a_new_workflow_has_no_identity_before_somebody_edits_it() -> None:
    shared = YWorkflow()
    assert shared.get() == ""
    shared.set("")
    assert shared.get() == ""
    assert shared.ydoc.get("workflow", type=Map).to_py() == {}


@settings(max_examples=200, deadline=None)
@given(texts)
def test_the_same_text_makes_the_same_history(text: str) -> None:
    one, other = document(text), document(text)
    assert one.ydoc.get_state() == other.ydoc.get_state()
    # Who has the one can go on with the other.
    client = YWorkflow(Doc(client_id=7))
    client.ydoc.apply_update(one.ydoc.get_update())
    stages(client)["new"] = Map()
    stages(client)["new"]["type"] = "script"
    for key in stages(client).keys():  # noqa: SIM118
        stages(client)[key]["title"] = "mine"
    sync(client, other)
    assert other.get() == client.get()
    content = parse(other.get())
    assert isinstance(content, Content)
    assert {stage["title"] for stage in content.collections["stages"].values()} == {"mine"}


@settings(max_examples=200, deadline=None)
@given(before=texts, after=texts)
def test_only_what_differs_is_changed(before: str, after: str) -> None:
    shared = document(before)
    kept = dict(stages(shared).items())
    shared.set(after)
    assert shared.get() == after
    assert shared.get() == document(after).get()
    content = parse(after)
    assert isinstance(content, Content)
    events: list[Any] = []
    shared.observe(lambda name, event: events.append(name))
    shared.set(after)
    shared.set(after)
    assert events == []
    # A stage that is still there is the same one, so that others can go on editing it.
    for key, thing in kept.items():
        if key in content.collections["stages"]:
            thing["z"] = 1
            assert stages(shared)[key]["z"] == 1


def test_changes_are_told() -> None:
    shared = document(SMALL)
    names: list[str] = []
    shared.observe(lambda name, event: names.append(name))
    shared.set("<<<")
    stages(shared)["a"]["title"] = "A"
    shared.ydoc.get("workflow", type=Map)["title"] = "B"
    shared.dirty = True
    assert names == ["file", "stages", "workflow", "state"]
    shared.unobserve()
    shared.set(SMALL)
    assert len(names) == 4


_steps = st.lists(
    st.tuples(
        st.booleans(),
        st.one_of(
            st.tuples(st.just("set"), texts | st.just("<<<") | st.just("")),
            st.tuples(st.just("field"), st.sampled_from("abc"), values),
            st.tuples(st.just("put"), st.sampled_from("abc")),
            st.tuples(st.just("remove"), st.sampled_from("abc")),
            st.just(("sync",)),
        ),
    ),
    max_size=12,
)


@settings(max_examples=200, deadline=None)
@given(_steps)
def test_whatever_two_do_they_have_the_same_document(steps: list[tuple[bool, tuple[Any, ...]]]) -> None:
    one, other = document(SMALL, 0), YWorkflow(Doc(client_id=2))
    sync(one, other)
    for first, (what, *arguments) in steps:
        target = one if first else other
        if what == "set":
            target.set(arguments[0])
            assert target.get() == arguments[0]
        elif what == "put":
            stages(target)[arguments[0]] = Map({"type": "form", "title": "New"})
        elif what == "remove":
            stages(target).pop(arguments[0], None)
        elif what == "field" and arguments[0] in stages(target):
            content = parse(json.dumps({"format": 1, "value": arguments[1]}))
            assert isinstance(content, Content)
            stages(target)[arguments[0]]["x"] = content.meta["value"]
        elif what == "sync":
            sync(one, other)
    sync(one, other)
    assert one.get() == other.get()
    content = parse(one.get())
    if isinstance(content, Content):
        third = YWorkflow(Doc(client_id=3))
        third.set(one.get())
        assert write(content) == write(Content(content.meta, content.collections))
        assert third.get() == one.get()


def test_it_reads_what_the_browser_shares() -> None:
    shared = YWorkflow()
    shared.ydoc.apply_update(bytes.fromhex(BROWSER))
    assert json.loads(shared.get())["stages"]["a"] == {
        "type": "form",
        "position": [280, 0.5],
        "timeout": 60,
    }
    assert '"position": [\n        280,\n        0.5\n      ]' in shared.get()
    assert '"timeout": 60,' in shared.get()
