"""A WebSocket without a session, past the server."""

from __future__ import annotations

import asyncio
from array import array
from collections.abc import Callable
from typing import Any

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.serving import serving
from tests.session.connections import opened
from tests.session.connections import protocol as protocol
from wscontrollers import App, Depends, WebSocket, websocket
from wscontrollers.controller import Controller
from wscontrollers.session.direct import PLAIN, DirectWriter
from wscontrollers.session.inlet import Inlet
from wscontrollers.session.past import Past, way_past
from wscontrollers.websockets import ServedWebSocket, WebSocketDisconnect

asynchronous = pytest.mark.parametrize("anyio_backend", ["asyncio"])


async def served(protocol: Any) -> ServedWebSocket:
    """The WebSocket of a connection, accepted, with a way past the server."""
    made = ServedWebSocket(protocol.scope, protocol.receive, protocol.send)
    assert (await made.receive())["type"] == "websocket.connect"
    made.application_state = made.client_state  # the connection was accepted already
    made.way = way_past(made)
    return made


@asynchronous
async def test_frames_go_to_the_transport_and_come_from_it(protocol: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the server's `send` nor its `receive` is called."""
    made = await served(protocol)
    for name in ("send", "receive"):
        monkeypatch.setattr(type(protocol), name, None)
    await made.send_text("a")
    await made.send_bytes(b"b")
    await made.send_json(["c"])
    await made.send_json("d", mode="binary")
    assert protocol.transport.written == b'\x81\x01a\x82\x01b\x81\x05["c"]\x82\x03"d"'
    protocol.transport.arrive(protocol, b"\x81\x81\0\0\0\0a\x82\x81\0\0\0\0b")
    assert await made.receive_text() == "a"
    assert await made.receive_bytes() == b"b"


@asynchronous
async def test_who_sends_still_waits_for_a_peer_that_does_not_read(protocol: Any) -> None:
    """A full transport is a matter of the server's `send`, and nothing overtakes it."""
    made = await served(protocol)
    await made.send_text("a")
    protocol.transport.unread = 65_537
    protocol.pause_writing()
    sent: list[str] = []

    async def send() -> None:
        await made.send_text("b")
        sent.append("b")

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(send)
        await anyio.wait_all_tasks_blocked()
        assert not sent
        protocol.transport.unread = 0
        protocol.resume_writing()
    assert (sent, protocol.transport.written) == (["b"], b"\x81\x01a\x81\x01b")


@asynchronous
async def test_behind_the_endpoint_the_server_has_it_again(protocol: Any) -> None:
    """What comes then is taken by its own `receive`, and nothing is held that holds it."""
    made = await served(protocol)
    past = made.way
    assert isinstance(past, Past)
    await made.send_text("a")
    past.leave(made)
    assert made.way is None
    assert made.receive_event == protocol.receive
    assert not past.write("late")
    await made.send_text("b")
    assert protocol.transport.written == b"\x81\x01a\x81\x01b"
    held = [getattr(past, name, None) for kind in (Past, Inlet) for name in kind.__slots__]
    assert not any(isinstance(each, type(protocol) | DirectWriter) for each in held)


@asynchronous
async def test_who_still_receives_behind_the_endpoint_is_served_on(protocol: Any) -> None:
    """A task of its own that waits there goes on as with the server alone, and reading does not stop for ever."""
    made = await served(protocol)
    got: list[str] = []

    async def receive() -> None:
        got.extend([await made.receive_text() for _ in range(3)])

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(receive)
        await anyio.wait_all_tasks_blocked()
        assert made.way is not None
        made.way.leave(made)
        for letter in (b"a", b"b", b"c"):
            protocol.transport.arrive(protocol, b"\x81\x81\0\0\0\0" + letter)
    assert got == ["a", "b", "c"]


@asynchronous
@pytest.mark.parametrize("data", [b"abc", bytearray(b"abc"), "abc", None, 7, array("i", [1, 2])])
@pytest.mark.parametrize("method", ["send_text", "send_bytes"])
async def test_what_is_no_text_and_no_bytes_is_the_servers_affair(protocol: Any, method: str, data: Any) -> None:
    """It says what it says of it without us."""
    outcomes: list[Any] = []
    made = await served(protocol)
    for passes in (True, False):
        if not passes and made.way is not None:
            made.way.leave(made)
        protocol.transport.written = b""
        try:
            await getattr(made, method)(data)
            outcomes.append(protocol.transport.written)
        except Exception as error:
            outcomes.append(repr(error))
    assert outcomes[0] == outcomes[1]


@pytest.mark.parametrize("ends", [LookupError, asyncio.CancelledError, WebSocketDisconnect])
def test_the_way_is_left_whatever_ends_the_endpoint(ends: type[BaseException]) -> None:
    """Nothing of a session stays in its connection."""
    app = App()
    ways: list[Any] = []
    seen: list[ServedWebSocket] = []

    @app.websocket("/")
    async def fails(websocket: WebSocket) -> None:
        await websocket.accept()
        assert isinstance(websocket, ServedWebSocket)
        ways.append(websocket.way)
        seen.append(websocket)
        raise ends

    with serving(app) as address, connect(f"ws://{address}/") as session, pytest.raises(ConnectionClosed):
        session.recv(timeout=5)
    assert isinstance(ways[0], Past)
    assert seen[0].way is None


@asynchronous
async def test_others_are_not_passed_by(protocol: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Where either way must not be taken neither is: the log tells why."""

    async def around() -> Any:
        return await protocol.receive()

    made = ServedWebSocket(protocol.scope, around, protocol.send)
    with caplog.at_level("DEBUG", "wscontrollers.session"):
        assert way_past(made) is None
    assert "frames go through the server: it is no known server's own, or a middleware stands around it" in caplog.text
    assert made.receive_event is around


class Rooms(Controller):
    """A class is an endpoint like any other."""

    @websocket("/class")
    async def echo(self, socket: WebSocket) -> None:
        await echoed(socket)


async def echoed(socket: WebSocket) -> None:
    await socket.accept()
    async for message in frames(socket):
        if message.get("text") is not None:
            await socket.send_text(message["text"])
        else:
            await socket.send_bytes(message["bytes"])


async def frames(socket: WebSocket) -> Any:
    while (message := await socket.receive())["type"] == "websocket.receive":
        yield message


def application(ways: list[Any], **options: Any) -> App:
    app = App(controllers=[Rooms], **options)

    @app.websocket("/function")
    async def function(socket: WebSocket) -> None:
        await echoed(socket)

    @app.websocket_route("/plain")
    async def plain(socket: WebSocket) -> None:
        await echoed(socket)

    async def noted(socket: WebSocket) -> Any:
        yield
        ways.append(getattr(socket, "way", None))

    @app.websocket("/dependency")
    async def dependency(socket: WebSocket, _: None = Depends(noted)) -> None:
        await echoed(socket)

    return app


def echoes(session: ClientConnection, payloads: list[str | bytes]) -> list[str | bytes]:
    for payload in payloads:
        session.send(payload)
    return [session.recv(timeout=5) for _ in payloads]


PAYLOADS: list[str | bytes] = ["", "a", "é" * 60, "x" * 126, b"\0" * PLAIN, "y" * (PLAIN + 1), b"z" * 70_000, "ü" * 40_000]


@pytest.mark.parametrize("path", ["function", "class", "plain", "dependency"])
@pytest.mark.parametrize("compression", [None, "deflate"])
@pytest.mark.parametrize("ws", ["websockets-sansio", "wsproto"])
@pytest.mark.parametrize("direct", [True, False])
def test_a_real_server_echoes(path: str, compression: Any, ws: str, direct: bool) -> None:
    """Frames of all sizes and both kinds, in their order, compressed or not, from each kind of endpoint."""
    ways: list[Any] = []
    with (
        serving(application(ways, direct=direct), ws=ws) as address,
        connect(f"ws://{address}/{path}", compression=compression) as session,
    ):
        assert echoes(session, PAYLOADS) == PAYLOADS
    if path == "dependency":
        assert [isinstance(way, Past) for way in ways] == [direct]


@settings(deadline=None, max_examples=60)
@given(st.lists(st.sampled_from(["text", "bytes", "json", "pause", "resume", "close", "lost"]), max_size=12))
def test_it_comes_to_the_same(does: list[str]) -> None:
    """Whatever is sent and whatever happens to the connection: the same bytes, and the same exceptions."""
    sends: dict[str, Callable[[ServedWebSocket], Any]] = {
        "text": lambda made: made.send_text("t"),
        "bytes": lambda made: made.send_bytes(b"b"),
        "json": lambda made: made.send_json({"a": "ü"}),
        "close": lambda made: made.close(),
    }

    async def outcome(passes: bool) -> Any:
        from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

        connection = await opened(WebSocketsSansIOProtocol, lambda scope, receive, send: anyio.sleep_forever())
        made = await served(connection)
        if not passes and made.way is not None:
            made.way.leave(made)
        raised: list[str] = []
        for what in does:
            if what == "pause" and not connection.disconnected:
                connection.transport.unread = 65_537
                connection.pause_writing()
            elif what == "resume":
                connection.transport.unread = 0
                connection.resume_writing()
            elif what == "lost" and not connection.disconnected:
                connection.transport.close()
                connection.connection_lost(None)
            elif what in sends:
                with anyio.move_on_after(0.01 if connection.writable.is_set() else 0):
                    try:
                        await sends[what](made)
                    except Exception as error:
                        raised.append(repr(error))
        if connection.close_timer is not None:
            connection.close_timer.cancel()
        for task in list(connection.tasks):
            task.cancel()
        return raised, connection.transport.written

    async def both() -> None:
        assert await outcome(True) == await outcome(False)

    anyio.run(both)
