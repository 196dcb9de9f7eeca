"""What passes between a browser and the kernel of a form: the form's own widget messages, and nothing else.

Neither side of a connection is known here: messages are judged, not sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

FORM_MIME = "application/vnd.jupyter-workflows.form+json"

#: The comm over which front ends ask for the state of widgets.
_CONTROL = "jupyter.widget.control"
#: Such comms that a connection may have.
_MOST_CONTROLS = 64
#: Messages of new widgets that are kept until the form says that they are its own, and their bytes.
_MOST_HELD = 4000
_LARGEST_HELD = 64 * 1024 * 1024

Verdict = Literal["forward", "kernel-info", "comm-info"]


class Refused(Exception):
    """A message that does not pass; the text says why."""


@dataclass(slots=True)
class Form:
    """The form of the moment, as its kernel describes it."""

    order: tuple[int, int, int] = (0, -1, 0)
    state: str = "none"
    models: frozenset[str] = frozenset()
    inputs: dict[str, frozenset[str]] = field(default_factory=dict)
    buttons: frozenset[str] = frozenset()
    secrets: frozenset[str] = frozenset()
    customs: frozenset[str] = frozenset()

    @classmethod
    def of(cls, description: Mapping[str, Any]) -> Form:
        """Return the form of a description."""
        return cls(
            order=(int(description["attempt"]), int(description["position"]), int(description["revision"])),
            state=str(description["state"]),
            models=frozenset(description["models"]),
            inputs={model: frozenset(traits) for model, traits in description["inputs"].items()},
            buttons=frozenset(description["buttons"]),
            secrets=frozenset(description["secrets"]),
            customs=frozenset(description.get("customs", ())),
        )


@dataclass(slots=True)
class FromKernel:
    """A message of the kernel's."""

    kind: str
    parent_session: str
    content: dict[str, Any]
    parts: list[bytes]


class FormFilter:
    """Judges the messages of one connection.

    Parameters
    ----------
    session
        By which the kernel knows this connection.
    """

    def __init__(self, session: str) -> None:
        self.session = session
        self.form = Form()
        #: Widgets that the browser has been told of.
        self._known: set[str] = set()
        self._controls: set[str] = set()
        self._held: list[FromKernel] = []
        self._held_bytes = 0

    def described(self, description: dict[str, Any]) -> dict[str, Any]:
        """Return what the browser is told of the form: also whether it has to ask for its widgets."""
        return {**description, "load": not self.form.models <= self._known}

    def learn(self, description: Mapping[str, Any]) -> bool:
        """Take a description in; return whether it is at least as new as the one that is known."""
        form = Form.of(description)
        if form.order < self.form.order:
            return False
        self.form = form
        return True

    # -- from the browser ---------------------------------------------------------------------------------

    def judge(self, channel: str, kind: str, content: Mapping[str, Any], buffers: int) -> Verdict:
        """Say what becomes of a message to the kernel.

        Raises
        ------
        Refused
            It does not pass.
        """
        if channel != "shell":
            raise Refused(f"the channel {channel[:20]}")
        if kind == "kernel_info_request":
            return "kernel-info"
        if kind == "comm_info_request":
            return "comm-info"
        if kind == "comm_open":
            self._judge_open(content)
        elif kind == "comm_close":
            if content.get("comm_id") not in self._controls:
                raise Refused("closing a comm of the kernel's")
            self._controls.discard(str(content["comm_id"]))
        elif kind == "comm_msg":
            self._judge_message(content, buffers)
        else:
            raise Refused("a message of this type")
        return "forward"

    def _judge_open(self, content: Mapping[str, Any]) -> None:
        comm = content.get("comm_id")
        if content.get("target_name") != _CONTROL:
            raise Refused("opening a comm of another target")
        if not isinstance(comm, str) or not 0 < len(comm) <= 64:
            raise Refused("a comm without a name")
        # With a widget's id it would take the widget's place.
        if comm in self.form.models or any(held.content.get("comm_id") == comm for held in self._held):
            raise Refused("opening a comm with a widget's id")
        if comm in self._controls or len(self._controls) >= _MOST_CONTROLS:
            raise Refused("opening a comm once more")
        if content.get("data") not in (None, {}) or content.get("target_module") is not None:
            raise Refused("opening a comm with data")
        self._controls.add(comm)

    def _judge_message(self, content: Mapping[str, Any], buffers: int) -> None:
        comm, data = content.get("comm_id"), content.get("data")
        if not isinstance(comm, str) or not isinstance(data, Mapping):
            raise Refused("a comm message that is none")
        method = data.get("method")
        if comm in self._controls:
            if data != {"method": "request_states"} or buffers:
                raise Refused("another request on the control comm")
            return
        form = self.form
        if form.state != "open" or comm not in form.models:
            raise Refused("a widget that is not of the open form")
        if method == "request_state" and set(data) == {"method"} and not buffers:
            return
        if method == "custom":
            if comm in form.buttons and data.get("content") == {"event": "click"} and not buffers:
                return
            if comm in form.customs:
                return
            raise Refused("a custom message")
        if method != "update" or comm not in form.inputs:
            raise Refused("a widget that is no input")
        self._judge_update(form.inputs[comm], data, buffers)

    def _judge_update(self, traits: frozenset[str], data: Mapping[str, Any], buffers: int) -> None:
        state, paths = data.get("state"), data.get("buffer_paths", [])
        if not isinstance(state, Mapping) or not isinstance(paths, list) or len(paths) != buffers:
            raise Refused("an update that is none")
        if not set(data) <= {"method", "state", "buffer_paths"}:
            raise Refused("an update with more than a state")
        names = set(state)
        for path in paths:
            if not isinstance(path, list) or not path or not all(isinstance(at, str | int) for at in path):
                raise Refused("buffers without a place")
            names.add(path[0])
        if not names <= traits:
            raise Refused("a trait that is no input")
        if _refers_to_models(state):
            raise Refused("a reference to another widget")

    # -- from the kernel ----------------------------------------------------------------------------------

    def pass_on(self, message: FromKernel) -> Iterable[FromKernel]:
        """Return what the browser gets when a message comes from the kernel."""
        kind, content = message.kind, message.content
        mine = message.parent_session == self.session
        if kind == "status":
            return [message] if mine else []
        if kind in ("display_data", "update_display_data"):
            return self._pass_description(message)
        if kind == "comm_open":
            return self._hold(message)
        if kind not in ("comm_msg", "comm_close"):
            return []
        comm = content.get("comm_id")
        if comm in self._controls:
            return [message] if self._cut_states(message) else []
        if self._held:
            return self._hold(message)  # it may be about widgets that are to come
        return [message] if self._concerns(message, mine) else []

    def _pass_description(self, message: FromKernel) -> list[FromKernel]:
        description = message.content.get("data", {}).get(FORM_MIME)
        if not isinstance(description, dict):
            return []
        if "models" in description:
            if not self.learn(description):
                return []
            passed = self._release()
            description = self.described(description)
        else:
            passed = []
        message.content = {"data": {FORM_MIME: description}, "metadata": {}, "transient": {}}
        return [*passed, message]

    def _hold(self, message: FromKernel) -> list[FromKernel]:
        size = sum(map(len, message.parts))
        if len(self._held) < _MOST_HELD and self._held_bytes + size <= _LARGEST_HELD:
            self._held.append(message)
            self._held_bytes += size
        return []

    def _release(self) -> list[FromKernel]:
        """Return what was held back and turned out to be the form's."""
        held, self._held, self._held_bytes = self._held, [], 0
        opened = {message.content.get("comm_id") for message in held if message.kind == "comm_open"}
        if not self.form.models <= self._known | opened:
            return []  # we were late for some: the browser asks for all
        passed = []
        for message in held:
            comm = message.content.get("comm_id")
            if message.kind != "comm_open":
                if self._concerns(message, message.parent_session == self.session):
                    passed.append(message)
            elif comm in self.form.models and comm not in self._known:
                passed.append(message)
        self._known |= self.form.models
        return passed

    def _concerns(self, message: FromKernel, mine: bool) -> bool:
        comm = message.content.get("comm_id")
        # What one person types into a field for a secret is not for the others who have the form open.
        return comm in self.form.models and (mine or comm not in self.form.secrets)

    def _cut_states(self, message: FromKernel) -> bool:
        """Cut what the kernel says of all its widgets down to those of the form."""
        data = message.content.get("data")
        if not isinstance(data, dict) or data.get("method") != "update_states":
            return message.kind == "comm_close"
        form = self.form
        data["states"] = states = {
            model: state for model, state in data.get("states", {}).items() if model in form.models
        }
        self._known |= set(states)
        for model in form.secrets & set(states):
            states[model] = {**states[model], "state": {**states[model].get("state", {}), "value": ""}}
        paths = data.get("buffer_paths", [])
        kept = [place for place, path in enumerate(paths) if path and path[0] in states]
        data["buffer_paths"] = [paths[place] for place in kept]
        message.parts = [*message.parts[:4], *(message.parts[4 + place] for place in kept)]
        return True


def _refers_to_models(value: Any) -> bool:
    if isinstance(value, str):
        return value.startswith("IPY_MODEL_")
    if isinstance(value, Mapping):
        return any(map(_refers_to_models, value.values()))
    return isinstance(value, list) and any(map(_refers_to_models, value))
