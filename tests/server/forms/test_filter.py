"""What passes, without a kernel."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.forms import pack

from jupyter_workflows.server.forms.filter import FORM_MIME, FormFilter, FromKernel, Refused
from jupyter_workflows.server.forms.frames import MalformedFrame, read_frame, write_frame

DESCRIPTION: dict[str, Any] = {
    "attempt": 1,
    "position": 0,
    "revision": 0,
    "state": "open",
    "models": ["root", "text", "go", "pin"],
    "inputs": {"text": ["value"], "pin": ["value"]},
    "buttons": ["go"],
    "secrets": ["pin"],
}


@pytest.fixture
def filter_() -> FormFilter:
    """A filter that knows a form."""
    made = FormFilter("me")
    made.learn(DESCRIPTION)
    return made


def from_kernel(kind: str, content: dict[str, Any], session: str = "cell") -> FromKernel:
    """Return a message of the kernel's."""
    return FromKernel(kind, session, content, [b"{}", b"{}", b"{}", b"{}"])


def update(comm: str, **state: Any) -> dict[str, Any]:
    """Return an update of a widget."""
    return {"comm_id": comm, "data": {"method": "update", "state": state, "buffer_paths": []}}


def test_inputs_and_buttons_pass(filter_: FormFilter) -> None:
    assert filter_.judge("shell", "comm_msg", update("text", value="x"), 0) == "forward"
    click = {"comm_id": "go", "data": {"method": "custom", "content": {"event": "click"}}}
    assert filter_.judge("shell", "comm_msg", click, 0) == "forward"
    with pytest.raises(Refused):
        filter_.judge("shell", "comm_msg", click, 1)


def test_an_older_description_changes_nothing(filter_: FormFilter) -> None:
    assert filter_.learn({**DESCRIPTION, "position": 1, "models": ["next"], "inputs": {}})
    assert not filter_.learn(DESCRIPTION)
    with pytest.raises(Refused):
        filter_.judge("shell", "comm_msg", update("text", value="x"), 0)


def test_nothing_passes_once_it_is_submitted(filter_: FormFilter) -> None:
    filter_.learn({**DESCRIPTION, "state": "submitted"})
    with pytest.raises(Refused):
        filter_.judge("shell", "comm_msg", update("text", value="x"), 0)


def test_new_widgets_are_held_until_they_are_the_forms() -> None:
    made = FormFilter("me")
    messages = [
        from_kernel("comm_open", {"comm_id": "text"}),
        from_kernel("comm_open", {"comm_id": "other"}),
        from_kernel("comm_msg", update("text", value="x")),
        from_kernel("comm_msg", update("other", value="x")),
    ]
    assert [list(made.pass_on(message)) for message in messages] == [[], [], [], []]
    description = {**DESCRIPTION, "models": ["text"], "inputs": {}}
    told = from_kernel("display_data", {"data": {FORM_MIME: description, "text/html": "<script>"}})
    passed = list(made.pass_on(told))
    assert [(one.kind, one.content.get("comm_id")) for one in passed] == [
        ("comm_open", "text"),
        ("comm_msg", "text"),
        ("display_data", None),
    ]
    assert passed[-1].content["data"] == {FORM_MIME: {**description, "load": False}}


def test_who_came_too_late_for_some_asks_for_all() -> None:
    made = FormFilter("me")
    list(made.pass_on(from_kernel("comm_open", {"comm_id": "root"})))
    passed = list(made.pass_on(from_kernel("display_data", {"data": {FORM_MIME: DESCRIPTION}})))
    assert [one.kind for one in passed] == ["display_data"]
    assert passed[0].content["data"][FORM_MIME]["load"]


@given(st.binary(max_size=2000))
def test_no_bytes_break_the_parser(data: bytes) -> None:
    try:
        read_frame(data, largest_content=1000)
    except MalformedFrame:
        pass


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)


@given(
    st.sampled_from(["shell", "control", "stdin", "iopub"]),
    st.sampled_from(["comm_open", "comm_msg", "comm_close", "execute_request"]),
    st.sampled_from(["root", "text", "go", "pin", "other"]),
    json_values,
    st.integers(0, 3),
)
def test_nothing_but_inputs_clicks_and_questions_passes(
    channel: str, kind: str, comm: str, data: Any, buffers: int
) -> None:
    made = FormFilter("me")
    made.learn(DESCRIPTION)
    content = {"comm_id": comm, "data": data, "target_name": "jupyter.widget"}
    with pytest.raises(Refused):
        made.judge(channel, kind, content, buffers)


def test_frames_are_what_jupyterlab_writes() -> None:
    header = b'{"msg_id": "1", "msg_type": "status"}'
    parts = [header, b"{}", b"{}", b'{"a": 1}', b"buffer"]
    assert write_frame("iopub", parts) == pack("iopub", parts)
    frame = read_frame(pack("shell", parts), largest_content=100)
    assert (frame.channel, frame.content, frame.parts[4:]) == ("shell", {"a": 1}, [b"buffer"])
    with pytest.raises(MalformedFrame, match="too long"):
        read_frame(pack("shell", parts), largest_content=3)
