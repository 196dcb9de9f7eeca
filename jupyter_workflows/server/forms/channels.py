"""The websocket of a form: a browser on one side, the form's kernel on the other."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import uuid
from typing import TYPE_CHECKING, Any, cast

import zmq
from jupyter_client.session import Session as KernelSession
from jupyter_core.utils import ensure_async
from jupyter_server.auth.decorator import ws_authenticated
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.base.websocket import WebSocketMixin
from jupyter_server.extension.handler import ExtensionHandlerMixin
from tornado import web
from tornado.websocket import WebSocketClosedError, WebSocketHandler
from zmq.eventloop.zmqstream import ZMQStream

from jupyter_workflows.store import NotFound

from ..auth import AUTH_RESOURCE
from ..base import name_of
from ..tasks.access import may_work_on
from .doors import Session
from .filter import FORM_MIME, FormFilter, FromKernel, Refused
from .frames import PROTOCOL, MalformedFrame, read_frame, write_frame

if TYPE_CHECKING:
    from ..app import WorkflowsApp

#: Bytes of a frame. Files come in pieces.
_LARGEST_FRAME = 64 * 1024 * 1024
_LARGEST_CONTENT = 4 * 1024 * 1024
#: Messages that wait to be judged; a browser that sends more is disconnected.
_MOST_WAITING = 2000
#: Refused messages that are put into the log, of each connection.
_MOST_LOGGED = 100
#: Seconds between two requests whether the kernel hears us.
_ASK = (0.01, 0.02, 0.05, 0.1)

#: Why a connection is closed, in the websocket's own code.
ENDED = 4410

audit = logging.getLogger("jupyter_workflows.forms")


class FormChannels(ExtensionHandlerMixin, WebSocketMixin, WebSocketHandler, JupyterHandler):
    """Lets the messages of a form's own widgets through."""

    auth_resource = AUTH_RESOURCE
    max_message_size = _LARGEST_FRAME

    @property
    def app(self) -> WorkflowsApp:
        """The extension's application."""
        return cast("WorkflowsApp", self.extensionapp)

    def set_default_headers(self) -> None:
        """Set none: there is no page."""

    def get_compression_options(self) -> None:
        """Do not compress."""
        return

    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        """Take the one protocol that is spoken here."""
        return PROTOCOL if PROTOCOL in subprotocols else None

    @ws_authenticated
    async def get(self, session: str) -> None:
        """Connect, if the task is of who asks."""
        user = self.current_user
        if not await ensure_async(self.authorizer.is_authorized(self, user, "write", AUTH_RESOURCE)):
            raise web.HTTPError(403)
        offered = self.request.headers.get("Sec-WebSocket-Protocol", "")
        if PROTOCOL not in [name.strip() for name in offered.split(",")]:
            raise web.HTTPError(400, "only the protocol %s is spoken here", PROTOCOL)
        await self.app.database.ready()
        doors = self.app.doors
        known = doors.known(session)
        if known is None:
            raise web.HTTPError(404, "this form is not open any more")
        self.who = name_of(self.identity_provider, user)
        try:
            task = await self.app.database.read(self.app.database.store.get_task, known.task)
        except NotFound:
            raise web.HTTPError(404, "this form is not open any more") from None
        if not may_work_on(task, self.identity_provider, user):
            raise web.HTTPError(403)
        self.form_session = known
        await super().get(session)

    async def open(self, session: str) -> None:
        """Connect to the kernel."""
        super().open()
        self.streams: list[Any] = []
        self._refused = 0
        self._info: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._heard = asyncio.Event()
        self._incoming: asyncio.Queue[Any] = asyncio.Queue(_MOST_WAITING)
        self._work = asyncio.create_task(self._serve(session), name=f"form {session}")

    def on_message(self, message: Any) -> None:
        """Have a message judged after those before it."""
        try:
            self._incoming.put_nowait(message)
        except asyncio.QueueFull:
            self._note("too many messages", "flood")
            self.close(1008, "too many messages")

    def on_close(self) -> None:
        """Disconnect from the kernel."""
        super().on_close()
        work = getattr(self, "_work", None)
        if work is not None:
            work.cancel()
        for stream in getattr(self, "streams", ()):
            stream.on_recv(None)
            stream.close(linger=0)
        self.streams = []

    async def _serve(self, session_id: str) -> None:
        found = await self.app.doors.attach(session_id)
        if found is None or found.connection is None:
            self.close(ENDED, "ended")
            return
        self._connect(found)
        try:
            await self._subscribe()
            await self._tell_form(found)
            while True:
                await self._take(await self._incoming.get())
        except asyncio.CancelledError:
            raise
        except WebSocketClosedError:
            pass
        except Exception:
            self.log.exception("the connection of a form failed")
            self.close(1011, "unexpected")

    def _connect(self, found: Session) -> None:
        connection = cast("dict[str, Any]", found.connection)
        self.session = KernelSession(
            key=connection["key"].encode(), signature_scheme=connection["signature_scheme"]
        )
        self.session.session = uuid.uuid4().hex  # it names us on the sockets: never the browser's choice
        self.filter = FormFilter(self.session.session)
        self.iopub = self._stream(connection, "iopub", zmq.SUB)
        self.shell = self._stream(connection, "shell", zmq.DEALER)
        self.control = self._stream(connection, "control", zmq.DEALER)
        self.iopub.on_recv(self._on_iopub)
        self.control.on_recv(self._on_info)
        # What the kernel replies concerns nobody: comm messages have no replies.
        self.shell.on_recv(lambda frames: None)

    def _stream(self, connection: dict[str, Any], channel: str, kind: int) -> Any:
        """Connect to a channel; all connections share one context, which holds threads and descriptors."""
        socket: zmq.Socket[bytes] = zmq.Context.instance().socket(kind)
        socket.linger = 1000
        socket.setsockopt(zmq.IDENTITY, self.session.bsession)
        if kind == zmq.SUB:
            socket.setsockopt(zmq.SUBSCRIBE, b"")
        between = "-" if connection["transport"] == "ipc" else ":"
        port = connection[f"{channel}_port"]
        socket.connect(f"{connection['transport']}://{connection['ip']}{between}{port}")
        stream = ZMQStream(socket)
        self.streams.append(stream)
        return stream

    async def _subscribe(self) -> None:
        """Ask until what the kernel publishes arrives; on control, where it answers while it computes."""
        tries = 0
        while not self._heard.is_set():
            self.session.send(self.control, "kernel_info_request")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._heard.wait(), _ASK[min(tries, len(_ASK) - 1)])
            tries += 1

    async def _tell_form(self, found: Session) -> None:
        """Tell the browser of the form that is open already."""
        try:
            text = await asyncio.to_thread((found.folder / "form.json").read_text)
            description = json.loads(text)
        except (OSError, ValueError):
            return
        if description.get("attempt") == found.attempt and self.filter.learn(description):
            told = self.filter.described(description)
            content = {"data": {FORM_MIME: told}, "metadata": {}, "transient": {}}
            self._send("iopub", self.session.msg("display_data", content))

    # -- from the browser ---------------------------------------------------------------------------------

    async def _take(self, message: Any) -> None:
        try:
            frame = read_frame(message, largest_content=_LARGEST_CONTENT)
        except MalformedFrame as error:
            self._note(str(error), "malformed")
            return
        kind = frame.header["msg_type"]
        try:
            verdict = self.filter.judge(frame.channel, kind, frame.content, len(frame.parts) - 4)
        except Refused as error:
            self._note(str(error), kind)
            return
        except Exception as error:  # whatever it was made of
            self._note(type(error).__name__, kind)
            return
        if verdict == "kernel-info":
            self._reply("kernel_info_reply", await asyncio.shield(self._info), frame.header)
        elif verdict == "comm-info":
            self._reply("comm_info_reply", {"status": "ok", "comms": {}}, frame.header)
        else:
            self._forward(kind, frame.header, frame.parts)

    def _forward(self, kind: str, header: dict[str, Any], parts: list[bytes]) -> None:
        # Nothing of the header but what names the message: no subshell, no forged session or parent.
        ours = self.session.msg_header(kind)
        ours["msg_id"] = header["msg_id"]
        ours["username"] = self.who
        metadata = {"version": "1.0.0"} if kind == "comm_open" else {}
        pack = self.session.pack
        self.session.send_raw(self.shell, [pack(ours), b"{}", pack(metadata), *parts[3:]])

    def _reply(self, kind: str, content: dict[str, Any], parent: dict[str, Any]) -> None:
        self._send("shell", self.session.msg(kind, content), parent)
        # JupyterLab holds its messages back for seconds if it hears of no idle kernel.
        self._send("iopub", self.session.msg("status", {"execution_state": "idle"}), parent)

    def _note(self, reason: str, kind: str) -> None:
        """Log an attempt to do what is not allowed."""
        self._refused += 1
        if self._refused <= _MOST_LOGGED:
            self.app.log.warning(
                "form %s: a message of %s was refused: %s (%s)",
                self.form_session.task,
                self.who,
                reason,
                kind[:40],
            )

    # -- from the kernel ----------------------------------------------------------------------------------

    def _on_info(self, frames: list[Any]) -> None:
        with contextlib.suppress(ValueError):
            _, parts = self.session.feed_identities(frames)
            message = self.session.deserialize(parts)
            if message["msg_type"] == "kernel_info_reply" and not self._info.done():
                self._info.set_result(message["content"])

    def _on_iopub(self, frames: list[Any]) -> None:
        self._heard.set()
        try:
            _, parts = self.session.feed_identities(frames)
            pieces: list[bytes] = [bytes(cast("bytes", part)) for part in parts[1:]]
            header, parent = json.loads(pieces[0]), json.loads(pieces[1])
            kind = header["msg_type"]
            if kind not in _PASSING:
                return
            message = FromKernel(kind, str(parent.get("session", "")), json.loads(pieces[3]), pieces)
        except (ValueError, KeyError, IndexError):
            return
        for passed in self.filter.pass_on(message):
            pieces = passed.parts
            if passed.kind in _REWRITTEN:
                pieces = [*pieces[:3], self.session.pack(passed.content), *pieces[4:]]
            if passed.parent_session != self.session.session:
                pieces = [pieces[0], b"{}", *pieces[2:]]  # somebody else's request
            self._write("iopub", pieces)

    def _send(self, channel: str, message: dict[str, Any], parent: dict[str, Any] | None = None) -> None:
        message["parent_header"] = parent or {}
        pack = self.session.pack
        self._write(
            channel, [pack(message[part]) for part in ("header", "parent_header", "metadata", "content")]
        )

    def _write(self, channel: str, parts: list[bytes]) -> None:
        with contextlib.suppress(WebSocketClosedError):
            self.write_message(write_frame(channel, parts), binary=True)


_PASSING = frozenset({"status", "display_data", "update_display_data", "comm_open", "comm_msg", "comm_close"})
_REWRITTEN = frozenset({"display_data", "update_display_data", "comm_msg"})

default_handlers = [(r"workflows/forms/(?P<session>[\w-]{10,64})/channels", FormChannels)]
