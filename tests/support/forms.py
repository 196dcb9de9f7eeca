"""A person in front of a form, without a browser: speaks to the form's websocket as JupyterLab does."""

from __future__ import annotations

import itertools
import json
import time
import uuid
from collections.abc import Callable
from typing import Any

import websocket

from .servers import ServerProcess

PROTOCOL = "v1.kernel.websocket.jupyter.org"
FORM = "application/vnd.jupyter-workflows.form+json"


def pack(channel: str, parts: list[bytes]) -> bytes:
    """Return a frame."""
    pieces = [channel.encode(), *parts]
    offsets = [8 * (len(pieces) + 2)]
    for piece in pieces:
        offsets.append(offsets[-1] + len(piece))
    return b"".join(n.to_bytes(8, "little") for n in (len(offsets), *offsets)) + b"".join(pieces)


def unpack(data: bytes) -> tuple[str, list[bytes]]:
    """Return channel and parts of a frame."""
    count = int.from_bytes(data[:8], "little")
    offsets = [int.from_bytes(data[8 * (i + 1) : 8 * (i + 2)], "little") for i in range(count)]
    pieces = [data[a:b] for a, b in itertools.pairwise(offsets)]
    return pieces[0].decode(), pieces[1:]


class Closed(Exception):
    """The server closed the connection."""


class FormClient:
    """A connection to a form.

    Attributes
    ----------
    form
        The latest description.
    states
        What is known of widgets, by model.
    """

    def __init__(self, server: ServerProcess, session: str, *, protocol: str = PROTOCOL) -> None:
        self.client = uuid.uuid4().hex
        url = f"{server.url.replace('http', 'ws', 1)}workflows/forms/{session}/channels"
        self.socket = websocket.create_connection(
            url,
            header=[f"Authorization: token {server.token}"],
            subprotocols=[protocol] if protocol else None,
            timeout=30,
        )
        self.form: dict[str, Any] = {}
        self.states: dict[str, dict[str, Any]] = {}
        self.messages: list[tuple[str, str, dict[str, Any]]] = []

    def close(self) -> None:
        """Go away."""
        self.socket.close()

    # -- sending ------------------------------------------------------------------------------------------

    def send(
        self,
        kind: str,
        content: Any,
        *,
        channel: str = "shell",
        buffers: tuple[bytes, ...] = (),
        header: dict[str, Any] | None = None,
        parent: dict[str, Any] | None = None,
    ) -> None:
        """Send a message."""
        head = {
            "msg_id": uuid.uuid4().hex,
            "msg_type": kind,
            "session": self.client,
            "username": "",
            "version": "5.3",
            "date": "2026-01-01T00:00:00Z",
            **(header or {}),
        }
        parts = [json.dumps(part).encode() for part in (head, parent or {}, {}, content)]
        self.socket.send_binary(pack(channel, [*parts, *buffers]))

    def update(self, model: str, **state: Any) -> None:
        """Change traits of a widget."""
        data = {"method": "update", "state": state, "buffer_paths": []}
        self.send("comm_msg", {"comm_id": model, "data": data})

    def press(self, button: str) -> None:
        """Press the button with a text."""
        model = self.find("ButtonModel", description=button)
        data = {"method": "custom", "content": {"event": "click"}}
        self.send("comm_msg", {"comm_id": model, "data": data})

    def load(self) -> None:
        """Ask for the state of all widgets."""
        comm = uuid.uuid4().hex
        self.send("comm_open", {"comm_id": comm, "target_name": "jupyter.widget.control", "data": {}})
        self.send("comm_msg", {"comm_id": comm, "data": {"method": "request_states"}})
        self.until(lambda: bool(self.states))

    # -- receiving ----------------------------------------------------------------------------------------

    def receive(self) -> None:
        """Take one message in."""
        code, data = self.socket.recv_data()
        if code == websocket.ABNF.OPCODE_CLOSE:
            raise Closed(int.from_bytes(data[:2], "big"))
        channel, parts = unpack(data)
        kind, content = json.loads(parts[0])["msg_type"], json.loads(parts[3])
        self.messages.append((channel, kind, content))
        if kind in ("display_data", "update_display_data"):
            described = content["data"][FORM]
            if "models" in described:
                self.form = described
        elif kind == "comm_open":
            self.states[content["comm_id"]] = dict(content["data"]["state"])
        elif kind == "comm_msg":
            found = content["data"]
            if found.get("method") == "update_states":
                for model, one in found["states"].items():
                    self.states.setdefault(model, {}).update(one["state"])
                    self.states[model].setdefault("_model_name", one.get("model_name"))
            elif found.get("method") in ("update", "echo_update"):
                self.states.setdefault(content["comm_id"], {}).update(found["state"])

    def until(self, condition: Callable[[], Any], seconds: float = 20) -> Any:
        """Take messages in until a condition holds, and return its value."""
        deadline = time.monotonic() + seconds
        self.socket.settimeout(seconds)
        while not (value := condition()):
            assert time.monotonic() < deadline, f"in vain; the form is {self.form}"
            self.receive()
        return value

    def until_open(self, title: str | None = None) -> None:
        """Wait for a page that takes answers."""
        self.until(
            lambda: self.form.get("state") == "open" and (title is None or self.form["title"] == title)
        )
        if self.form["root"] not in self.states:
            self.load()
        self.until(lambda: self.form["root"] in self.states)

    def find(self, model_name: str | None = None, **state: Any) -> str:
        """Return the model of the form that has a state."""
        for model in self.form["models"]:
            found = self.states.get(model, {})
            if model_name in (None, found.get("_model_name")) and all(
                found.get(name) == value for name, value in state.items()
            ):
                return str(model)
        raise AssertionError(f"no {model_name} with {state} among {self.states}")

    def field(self, label: str) -> str:
        """Return the model of the input with a label."""
        for model in self.form["inputs"]:
            if self.states.get(model, {}).get("description", "").startswith(label):
                return str(model)
        raise AssertionError(f"no input {label!r} among {self.states}")

    def errors(self) -> list[str]:
        """Return the errors that the page shows."""
        return [
            state["value"]
            for model, state in self.states.items()
            if model in self.form["models"] and 'role="alert"' in str(state.get("value", ""))
        ]
