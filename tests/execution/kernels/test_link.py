"""Messages on a link."""

from __future__ import annotations

import asyncio
import json
import socket
from datetime import UTC, datetime
from queue import Empty
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jupyter_client.session import Session

from jupyter_workflows.execution.kernels import link
from jupyter_workflows.execution.kernels.channels import LinkChannel, LinkEnd

session = Session(key=b"")


def message(content: dict[str, Any]) -> dict[str, Any]:
    """Make a message."""
    return session.msg("test", content, metadata={"m": 1})


@given(
    st.lists(
        st.tuples(st.integers(0, 1), st.text(), st.lists(st.binary(max_size=50), max_size=3)), max_size=5
    ),
    st.integers(1, 40),
)
def test_messages_survive_being_cut_anywhere(sent: list[tuple[int, str, list[bytes]]], size: int) -> None:
    data = b"".join(
        link.pack(number, message({"t": text}), bufs, session.pack) for number, text, bufs in sent
    )
    reader, received = link.Messages(), []
    for place in range(0, len(data), size):
        received += list(reader.feed(data[place : place + size]))
    assert [(number, m["content"]["t"], [bytes(b) for b in m["buffers"]]) for number, m in received] == sent


def test_a_message_is_as_jupyter_client_would_have_it() -> None:
    original = message({"a": [1, "ü", None], "nan": 0.5})
    ((_, received),) = link.Messages().feed(link.pack(0, original, [], session.pack))
    expected = session.deserialize(session.feed_identities(session.serialize(original))[1])
    assert received == expected
    assert isinstance(received["header"]["date"], datetime)


def test_dates() -> None:
    text = json.dumps(
        {
            "header": {"msg_id": "", "msg_type": "", "date": "2024-01-01T00:00:00"},
            "parent_header": {"date": "?"},
        }
    ).encode()
    data = link._HEAD.pack(0, 1) + len(text).to_bytes(8, "big") + text
    ((_, received),) = link.Messages().feed(data)
    assert received["header"]["date"] == datetime(2024, 1, 1, tzinfo=UTC)
    assert received["parent_header"]["date"] == "?"


def test_large_messages_wait_for_a_slow_reader() -> None:
    async def talk() -> int:
        ours, theirs = socket.socketpair()
        near, far = LinkEnd(ours), LinkEnd(theirs)
        sender, receiver = LinkChannel(near, link.SHELL, session), LinkChannel(far, link.SHELL, session)
        sender._watch()
        for _ in range(3):
            sender.send(message({"x": "x" * 5_000_000}))
        sizes = [len((await receiver.get_msg())["content"]["x"]) for _ in range(3)]
        with pytest.raises(Empty):
            await receiver.get_msg(timeout=0)
        sender.close()
        assert not sender.is_alive()
        receiver.close()
        return sum(sizes)

    assert asyncio.run(talk()) == 15_000_000


def test_the_end_of_the_other_side_is_not_an_error() -> None:
    async def talk() -> None:
        ours, theirs = socket.socketpair()
        end = LinkEnd(ours)
        channel = LinkChannel(end, link.IOPUB, session)
        theirs.close()
        with pytest.raises(Empty):
            await channel.get_msg(timeout=0.1)
        channel.send(message({}))
        channel.close()
        channel.close()

    asyncio.run(talk())


def test_a_channel_moves_to_another_loop() -> None:
    ours, theirs = socket.socketpair()
    channel = LinkChannel(LinkEnd(ours), link.IOPUB, session)
    for number in range(2):

        async def receive() -> Any:
            waiting = asyncio.ensure_future(channel.get_msg(timeout=10))
            await asyncio.sleep(0)
            theirs.sendall(link.pack(link.IOPUB, message({"n": number}), [], session.pack))  # noqa: B023
            return (await waiting)["content"]["n"]

        assert asyncio.run(receive()) == number
    theirs.close()
