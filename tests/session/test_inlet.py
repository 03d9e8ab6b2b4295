"""Receiving past a server's `receive`."""

from __future__ import annotations

import asyncio
import inspect
import re
from typing import Any

import anyio
import pytest
import uvicorn
from anyio.lowlevel import checkpoint
from hypothesis import example, given, settings
from hypothesis import strategies as st
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.protocols.websockets.wsproto_impl import WSProtocol

from tests.session.connections import opened
from tests.session.connections import protocol as protocol
from wscontrollers.session.direct import fault_of_reading
from wscontrollers.session.inlet import Inlet, inlet_of

asynchronous = pytest.mark.parametrize("anyio_backend", ["asyncio"])


def text(letter: str) -> bytes:
    """A client's frame with one letter; its mask is zero."""
    return b"\x81\x81\0\0\0\0" + letter.encode()


PING = b"\x89\x80\0\0\0\0"
CLOSE = b"\x88\x82\0\0\0\0\x03\xe8"


async def settled() -> None:
    """Let all that is ready run."""
    for _ in range(6):
        await checkpoint()


async def passed_by(protocol: Any) -> Inlet:
    """The inlet of a connection, behind the event that it connects."""
    inlet = inlet_of(protocol.receive)
    assert inlet is not None
    assert (await inlet.receive())["type"] == "websocket.connect"
    return inlet


@asynchronous
async def test_a_message_for_whom_somebody_waits_does_not_stop_the_reading(protocol: Any) -> None:
    """It is taken at once: to stop and to go on would be two calls of the system for nothing."""
    inlet = await passed_by(protocol)
    async with anyio.create_task_group() as tasks:
        got: list[str] = []

        async def take() -> None:
            got.append((await inlet.receive())["text"])

        tasks.start_soon(take)
        await settled()
        protocol.transport.arrive(protocol, text("a"))
    assert got == ["a"]
    assert protocol.transport.pauses == 0
    assert protocol.read_paused is False


@asynchronous
async def test_what_nobody_waits_for_stops_the_reading(protocol: Any) -> None:
    """The client is held back while a handler works, and until all is taken that came."""
    inlet = await passed_by(protocol)
    wire = protocol.transport
    wire.arrive(protocol, text("a") + text("b"))
    wire.arrive(protocol, text("c"))
    assert not wire.is_reading
    assert (await inlet.receive())["text"] == "a"
    assert not wire.is_reading
    assert (await inlet.receive())["text"] == "b"
    await settled()
    assert not wire.is_reading  # for the third has come meanwhile
    assert (await inlet.receive())["text"] == "c"
    assert wire.is_reading


@asynchronous
async def test_a_second_message_stops_the_reading_before_the_first_is_taken(protocol: Any) -> None:
    """What is read in one turn of the event loop is bounded: one message, and one read of the transport."""
    inlet = await passed_by(protocol)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(inlet.receive)
        await settled()
        protocol.transport.arrive(protocol, text("a"))
        assert protocol.transport.is_reading
        protocol.transport.arrive(protocol, text("b") * 3)
        assert not protocol.transport.is_reading
    assert not protocol.transport.is_reading
    assert protocol.read_paused is True


@asynchronous
async def test_who_is_cancelled_leaves_the_message_to_the_next(protocol: Any) -> None:
    """Also where it arrived in the same turn: nothing is lost, and nothing more is read meanwhile."""
    inlet = await passed_by(protocol)
    task = asyncio.create_task(inlet.receive())
    await settled()
    protocol.transport.arrive(protocol, text("a"))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not protocol.transport.is_reading
    assert (await inlet.receive())["text"] == "a"
    assert protocol.transport.is_reading
    task = asyncio.create_task(inlet.receive())
    await settled()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert protocol.transport.is_reading


@asynchronous
async def test_several_that_wait_are_served_in_their_order(protocol: Any) -> None:
    """Nothing of ours does that; uvicorn's own `receive` works on, too, for whoever has kept it."""
    inlet = await passed_by(protocol)
    tasks = [asyncio.create_task(receive()) for receive in (inlet.receive, protocol.receive, inlet.receive)]
    await settled()
    tasks[0].cancel()
    await settled()
    protocol.transport.arrive(protocol, text("a") + text("b") + text("c"))
    await settled()
    assert [task.result()["text"] for task in tasks[1:]] == ["a", "b"]
    assert not protocol.transport.is_reading
    assert (await protocol.receive())["text"] == "c"
    assert protocol.transport.is_reading


@asynchronous
async def test_behind_its_session_it_is_a_queue_and_nothing_more(protocol: Any) -> None:
    """It holds the connection no more, which holds it; what uvicorn does with its queue still works."""
    inlet = await passed_by(protocol)
    receive = inlet.release()
    assert receive == protocol.receive
    task = asyncio.create_task(receive())
    await settled()
    protocol.transport.arrive(protocol, text("a"))
    assert not protocol.transport.is_reading
    assert (await task)["text"] == "a"
    assert protocol.transport.is_reading
    assert protocol.queue.empty()
    assert protocol not in [getattr(inlet, name) for name in Inlet.__slots__]


@asynchronous
async def test_the_queue_of_the_installed_uvicorn_is_known(protocol: Any) -> None:
    """What is done with it in uvicorn is what the inlet can do; a new version has to be looked through (see `TESTED`)."""
    source = inspect.getsource(type(protocol))
    assert set(re.findall(r"self\.queue\.(\w+)", source)) == {"put_nowait", "get", "empty"}
    assert len(re.findall(r"\.queue\b", source)) == len(re.findall(r"self\.queue\.\w+\(|self\.queue: ", source))


@asynchronous
@pytest.mark.parametrize("name", ["queue", "loop", "read_paused", "transport"])
async def test_a_server_whose_insides_moved_is_not_passed_by(protocol: Any, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each attribute that is used is looked for."""
    monkeypatch.delattr(protocol, name)
    assert f"has no {name}" in str(fault_of_reading(protocol.receive))


@asynchronous
async def test_others_are_not_passed_by(protocol: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """A middleware, another version, another queue, or one for which somebody waits already; the log tells."""

    async def around() -> Any:
        return await protocol.receive()

    assert "middleware" in str(fault_of_reading(around))
    with caplog.at_level("DEBUG", "wscontrollers.session"):
        assert inlet_of(around) is None
    assert "frames come through the server's receive: it is no known server's own" in caplog.text
    with monkeypatch.context() as patched:
        patched.setattr(uvicorn, "__version__", "0.55.0")
        assert "0.55.0" in str(fault_of_reading(protocol.receive))
    with monkeypatch.context() as patched:
        patched.setattr(protocol, "queue", asyncio.LifoQueue[Any]())
        assert fault_of_reading(protocol.receive) == "its queue is a LifoQueue"
    await protocol.receive()
    task = asyncio.create_task(protocol.receive())
    await settled()
    assert fault_of_reading(protocol.receive) == "somebody else receives"
    task.cancel()


class Side:
    """A connection with who receives on it."""

    def __init__(self, protocol: Any, receive: Any) -> None:
        self.protocol = protocol
        self.receive = receive
        self.got: list[Any] = []
        self.task: asyncio.Task[Any] | None = None

    async def do(self, what: str) -> None:
        protocol, wire = self.protocol, self.protocol.transport
        if what == "receive":
            if self.task is None or self.task.done():
                self.task = asyncio.create_task(self._take())
        elif what == "cancel" and self.task is not None:
            self.task.cancel()
        elif what == "turn":
            await settled()
        elif what == "lost" and not protocol.disconnected:
            wire.close()
            protocol.connection_lost(None)
        elif what == "close" and not protocol.close_sent and not protocol.disconnected and not wire.is_broken:
            await protocol.send({"type": "websocket.close"})
        elif what == "shutdown" and not protocol.disconnected and not wire.is_broken:
            protocol.shutdown()
        elif what.startswith("data "):
            wire.arrive(protocol, b"".join(PARTS[part] for part in what[5:]))

    async def _take(self) -> None:
        self.got.append(await self.receive())

    def state(self) -> Any:
        wire = self.protocol.transport
        return self.got, wire.written, wire.is_broken or (wire.is_reading, self.protocol.read_paused)

    async def end(self) -> None:
        if self.task is not None:
            self.task.cancel()
        if self.protocol.close_timer is not None:
            self.protocol.close_timer.cancel()
        for task in list(self.protocol.tasks):
            task.cancel()
            await asyncio.wait((task,))


ENDS = {"lost", "close", "shutdown", "data c"}
PARTS = {"a": text("a"), "b": text("b"), "p": PING, "c": CLOSE}

steps = st.one_of(
    st.sampled_from(["receive", "receive", "turn", "turn", "cancel", "lost", "close", "shutdown"]),
    st.text("aabbp", min_size=1, max_size=3).map("data {}".format),
    st.just("data c"),
)


async def endless(scope: Any, receive: Any, send: Any) -> None:
    await anyio.sleep_forever()


@settings(deadline=None, max_examples=300)
@given(st.sampled_from([WebSocketsSansIOProtocol, WSProtocol]), st.lists(steps, max_size=25))
@example(WebSocketsSansIOProtocol, ["receive", "turn", "data a", "cancel", "turn", "data b", "receive", "turn", "receive"])
@example(WSProtocol, ["receive", "turn", "data a", "close", "turn", "data b"])
@example(WebSocketsSansIOProtocol, ["receive", "turn", "shutdown", "cancel"])
@example(WebSocketsSansIOProtocol, ["receive", "turn", "data a", "lost"])
def test_it_does_what_receive_does(cls: Any, does: list[str]) -> None:
    """Whatever arrives, is taken, given up or closed, and in which order: the same is received, the same is answered, and when
    nothing is left to do reading goes on on both connections or on none. Only what comes in one turn with a message is read at
    once, where `receive` leaves it to the kernel until that is taken."""

    async def both() -> None:
        ours, theirs = [await opened(cls, endless) for _ in range(2)]
        inlet = inlet_of(ours.receive)
        assert inlet is not None
        sides = Side(ours, inlet.receive), Side(theirs, theirs.receive)
        was_ahead = False
        for what in ["receive", "turn", *does, "turn"]:
            for side in sides:
                await side.do(what)
            ahead = theirs.transport.waiting - ours.transport.waiting
            assert ahead >= 0
            was_ahead = was_ahead or ahead > 0
            if was_ahead and what in ENDS:
                break  # what is read before the end is answered, what is read behind it is not
            if what == "turn" and not ahead:
                assert sides[0].state() == sides[1].state()
        for side in sides:
            await side.end()

    asyncio.run(both())
