"""How much of one message a known server's parser keeps while it comes in."""

from __future__ import annotations

import struct
import tracemalloc
from typing import Any

import pytest
from anyio import to_thread
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.protocols.websockets.wsproto_impl import FrameTooLargeError, WebsocketBuffer, WSProtocol
from wsproto.events import BytesMessage, TextMessage

from tests.integration.bare import handshake
from tests.serving import serving
from tests.session.connections import protocol as protocol
from wscontrollers import App, Limits, Message, Session
from wscontrollers.session.bounding import bound_messages
from wscontrollers.websockets import ServedWebSocket

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("anyio_backend", ["asyncio"])]

KIB = 1024


class Say(Message):
    text: str


async def receive() -> Any: ...


def served(protocol: Any) -> ServedWebSocket:
    """The WebSocket of a connection."""
    return ServedWebSocket({"type": "websocket"}, receive, protocol.send)


def kept_by(protocol: Any) -> Any:
    """What the connection's parser keeps of a message, or how much it may."""
    return getattr(protocol.conn, "max_message_size", None) or protocol.buffer


async def test_behind_a_middleware_nothing_is_bounded(protocol: Any) -> None:
    """Whose it is, is not known."""

    async def send(event: Any) -> None: ...

    before = kept_by(protocol)
    bound_messages(ServedWebSocket({"type": "websocket"}, receive, send), 10)
    bound_messages(served(protocol), None)
    assert kept_by(protocol) is before


async def test_another_version_is_not_touched(protocol: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its insides are not known."""
    before = kept_by(protocol)
    monkeypatch.setattr("uvicorn.__version__", "0.1.0")
    bound_messages(served(protocol), 10)
    assert kept_by(protocol) is before


@pytest.mark.parametrize("protocol", [WebSocketsSansIOProtocol], indirect=True)
async def test_a_parser_is_told_what_is_far_too_big(protocol: Any) -> None:
    """It ends that while it comes in; what is a little too big is the session's to refuse."""
    connection = protocol.conn
    for size, most in ((1_000_000, 4_000_000), (65_536, 262_144), (10, 262_144), (100_000_000, 262_144)):
        bound_messages(served(protocol), size)
        assert connection.max_message_size == most
    connection.max_message_size = None
    bound_messages(served(protocol), 65_536)
    assert connection.max_message_size == 262_144


@pytest.mark.parametrize("protocol", [WSProtocol], indirect=True)
@pytest.mark.parametrize(("event", "unit"), [(TextMessage, "ä"), (BytesMessage, b"ab")])
async def test_what_is_put_together_for_wsproto_is_cut_off(protocol: Any, event: Any, unit: Any) -> None:
    """Behind what is too big in any case nothing is kept, what comes is counted all the same, and the next message is whole."""
    assert type(protocol.buffer) is WebsocketBuffer
    bound_messages(served(protocol), 100)
    buffer = protocol.buffer
    part = event(data=unit * 32 * KIB)  # 64 KiB
    for _ in range(8):
        for _ in range(20):
            buffer.extend(part)
        message = buffer.to_message()
        kept = message.get("text", "").encode() or message["bytes"]
        assert 256 * KIB < len(kept) <= 256 * KIB + 64 * KIB
        buffer.clear()
    buffer.extend(event(data=unit * 4096 * KIB))  # 8 MiB at once, as what is inflated may come
    assert len(buffer.to_message().get("text", b"") or buffer.to_message()["bytes"]) == 256 * KIB + 1
    buffer.clear()
    for _ in range(256):
        buffer.extend(part)
    with pytest.raises(FrameTooLargeError):
        buffer.extend(part)
    buffer.clear()
    buffer.extend(event(data=unit))
    assert unit in buffer.to_message().values()


@pytest.mark.parametrize("ws", ["websockets-sansio", "wsproto"])
async def test_a_message_in_many_parts_takes_no_memory(ws: str) -> None:
    """The client of 8 MiB sees 1009, and the server has kept a fraction of it."""
    app = App(limits=Limits(message=16 * KIB))

    @app.websocket("/")
    async def endpoint(session: Session[Say, Say]) -> None:
        async for _ in session:
            pass

    def flood(address: str) -> tuple[bytes, int]:
        raw = handshake(address)
        part = struct.pack("!BBH4x", 0x00, 0x80 | 126, 32 * KIB) + b"a" * 32 * KIB
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        try:
            raw.sendall(b"\x01" + part[1:])
            for _ in range(254):
                raw.sendall(part)
            raw.sendall(b"\x80" + part[1:])
        except ConnectionError:
            pass  # it was refused while it came in
        growth = tracemalloc.get_traced_memory()[1] - before
        answer = raw.recv(4)
        raw.close()
        return answer, growth

    tracemalloc.start()
    try:
        with serving(app, ws=ws, log_level="critical") as address:
            answer, growth = await to_thread.run_sync(flood, address)
    finally:
        tracemalloc.stop()
    assert answer[:1] + answer[2:] == b"\x88" + struct.pack("!H", 1009)
    assert growth < 2048 * KIB
