"""A person who may fill a form in tries to do more, with the real protocol against a real kernel."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
import websocket
from support.forms import FormClient, pack

CODE = "open({target!r}, 'w').write('here')"

CELLS = (
    "import ipywidgets\nsecret = ipywidgets.Text(value='a secret of the notebook')\n"
    "marker = ipywidgets.HTML(value='untouched')",
    "from jupyter_workflows import get_stage\nfrom jupyter_workflows.forms import Page",
    "answers = Page('Ask').display('**Shown**').read('Who').read_password('Pin').run()",
    "get_stage()['marker'] = marker.value\nget_stage()['who'] = answers.Who",
)


@pytest.fixture
def form(forms: Any) -> FormClient:
    """An open form."""
    client: FormClient = forms.open(forms.start(*CELLS))
    client.until_open("Ask")
    return client


def still_works(form: FormClient) -> None:
    """See that the form takes input, and that the server answers."""
    text = uuid.uuid4().hex
    form.update(form.field("Who"), value=text)
    form.until(lambda: form.states[form.field("Who")].get("value") == text)


def test_no_code_runs_and_nothing_else_is_reached(forms: Any, form: FormClient) -> None:
    target = forms.folder / "attacked"
    code = CODE.format(target=str(target))
    execute = {
        "code": code,
        "silent": False,
        "store_history": False,
        "user_expressions": {"x": code},
        "allow_stdin": True,
        "stop_on_error": False,
    }
    for channel in ("shell", "control", "stdin", "iopub", "hb", "", "shell\x00", "debug"):
        form.send("execute_request", execute, channel=channel)
        form.send("execute_request", execute, channel=channel, header={"subshell_id": "s"})
        form.send("input_reply", {"value": code}, channel=channel)
        for kind in (
            "inspect_request",
            "complete_request",
            "history_request",
            "is_complete_request",
            "shutdown_request",
            "interrupt_request",
            "debug_request",
            "create_subshell_request",
            "delete_subshell_request",
            "list_subshell_request",
            "usage_request",
        ):
            form.send(kind, {"code": code, "cursor_pos": 3, "restart": False}, channel=channel)
    for name in ("jupyter.widget", "jupyter.widget.version", "hub", "", "__main__"):
        content = {"comm_id": uuid.uuid4().hex, "target_name": name, "data": {"state": {}}}
        form.send("comm_open", content)
        form.send("comm_open", {**content, "target_module": "os"})
    still_works(form)
    assert not target.exists()


def test_only_inputs_are_written(forms: Any, form: FormClient) -> None:
    root = form.form["root"]
    shown = [model for model in form.form["models"] if model not in form.form["inputs"]]
    for model in [*shown, root]:
        form.update(model, value="<img src=x onerror=alert(1)>", _dom_classes=["x"], children=[])
        form.update(model, outputs=[{"output_type": "stream", "name": "stdout", "text": "x"}])
        form.send("comm_close", {"comm_id": model, "data": {}})
        content = {"comm_id": model, "target_name": "jupyter.widget.control", "data": {}}
        form.send("comm_open", content)
    who = form.field("Who")
    form.update(who, description="<b>x</b>")
    form.update(who, _model_module="evil", _view_name="Evil")
    form.update(who, value="IPY_MODEL_" + root)
    data = {"method": "update", "state": {}, "buffer_paths": [["_view_module"]]}
    form.send("comm_msg", {"comm_id": who, "data": data}, buffers=(b"evil",))
    data = {"method": "update", "state": {"value": "x"}, "buffer_paths": []}
    form.send("comm_msg", {"comm_id": who, "data": {**data, "more": 1}})
    form.send("comm_msg", {"comm_id": who, "data": {"method": "custom", "content": {"event": "click"}}})
    before = {model: dict(form.states[model]) for model in shown}
    still_works(form)
    form.load()
    for model in shown:
        assert form.states[model].get("value") == before[model].get("value")
        assert form.states[model].get("children") == before[model].get("children")


def test_other_widgets_are_not_read(form: FormClient) -> None:
    form.load()
    said = json.dumps(form.messages)
    assert "a secret of the notebook" not in said
    assert "untouched" not in said
    assert set(form.states) <= set(form.form["models"])


def test_a_secret_is_not_shown_to_others_who_have_the_form_open(forms: Any, form: FormClient) -> None:
    other = forms.open(form_task(forms))
    other.until_open()
    form.update(form.field("Pin"), value="hunter2")
    form.update(form.field("Who"), value="seen")
    other.until(lambda: other.states[other.field("Who")].get("value") == "seen")
    other.load()
    assert "hunter2" not in json.dumps(other.messages)
    for file in forms.task_folder(form_task(forms)).rglob("*"):
        if file.is_file():
            assert b"hunter2" not in file.read_bytes(), file


def form_task(forms: Any) -> str:
    """Return the id of the task that is open."""
    return str(forms.task())


GARBAGE = [
    b"",
    b"\xff" * 9,
    (2**63).to_bytes(8, "little") + b"x",
    (6).to_bytes(8, "little") + b"\x00" * 48,
    (4097).to_bytes(8, "little") * 5000,
    pack("shell", [b"{}", b"{}", b"{}"]),
    pack("shell", [b"[]", b"{}", b"{}", b"{}"]),
    pack("shell", [b"{}", b"{}", b"{}", b"{}"]),
    pack("shell", [b'{"msg_id": 1, "msg_type": "comm_msg"}', b"{}", b"{}", b"{}"]),
    pack("shell", [b'{"msg_id": "1", "msg_type": "comm_msg"}', b"{}", b"{}", b"[" * 100_000]),
    pack("shell", [b'{"msg_id": "1", "msg_type": "comm_msg"}', b"{}", b"{}", b'{"a":' * 10_000]),
    pack("shell", [b'{"msg_id": "1", "msg_type": "comm_msg"}', b"{}", b"{}", b'{"comm_id": ["x"]}']),
    pack("shell", [b'{"msg_id": "1", "msg_type": "comm_msg"}', b"{}", b"{}", b'{"comm_id": "x", "data": 5}']),
    pack("shell", [b"\x00" * 100, b"", b"", b"", *[b""] * 4000]),
    pack("sh\xc3\xa9ll", [b"{}", b"{}", b"{}", b"{}"]),
]


def test_malformed_frames_do_nothing(form: FormClient) -> None:
    for frame in GARBAGE:
        form.socket.send_binary(frame)
    form.socket.send("a text frame")
    form.send("comm_msg", {"comm_id": form.field("Who"), "data": {"method": "update", "state": 5}})
    form.send("comm_msg", {"comm_id": form.field("Who"), "data": {"method": "update", "state": {"value": 5}}})
    still_works(form)


def test_strangers_and_other_protocols_do_not_connect(server: Any, form: FormClient) -> None:
    session = "x" * 24
    for address, header, protocols in (
        (session, [f"Authorization: token {server.token}"], ["v1.kernel.websocket.jupyter.org"]),
        (session, [], ["v1.kernel.websocket.jupyter.org"]),
        ("..%2f..%2fapi", [f"Authorization: token {server.token}"], ["v1.kernel.websocket.jupyter.org"]),
        (session, [f"Authorization: token {server.token}"], None),
    ):
        url = f"{server.url.replace('http', 'ws', 1)}workflows/forms/{address}/channels"
        with pytest.raises(websocket.WebSocketBadStatusException) as refused:
            websocket.create_connection(url, header=header, subprotocols=protocols, timeout=10)
        assert refused.value.status_code in (400, 403, 404)


def test_attempts_are_logged(server: Any, form: FormClient) -> None:
    form.send("execute_request", {"code": "1"})
    still_works(form)
    assert "was refused: a message of this type (execute_request)" in server.log
