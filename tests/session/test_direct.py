"""Writing past a server's `send`."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest
import uvicorn
from uvicorn.protocols.websockets.wsproto_impl import WSProtocol
from websockets.extensions.permessage_deflate import PerMessageDeflate

from tests.session.connections import protocol as protocol
from wscontrollers.session.direct import PLAIN, TESTED, direct_writer, fault_of, write_to_each


async def nothing(*_: Any) -> None: ...


pytestmark = pytest.mark.parametrize("anyio_backend", ["asyncio"])


async def test_a_known_server_is_passed_by(protocol: Any) -> None:
    """Its transport is given the bytes as they are."""
    assert fault_of(protocol.send) is None
    writer = direct_writer(protocol.send)
    assert writer is not None
    assert writer.write(b"\x81\x01a")
    await protocol.send({"type": "websocket.send", "text": "a"})
    assert protocol.transport.written == b"\x81\x01a" * 2


async def test_the_insides_of_the_installed_uvicorn_are_known(protocol: Any) -> None:
    """A new version has to be looked through first: what `send` does before it writes, and what is used of it. Then it is added
    to `TESTED`."""
    assert ".".join(uvicorn.__version__.split(".")[:2]) in TESTED
    assert all(hasattr(protocol, name) for name in ("config", "conn", "transport", "writable", "close_sent", "disconnected"))


@pytest.mark.parametrize("version", ["0.53.9", "0.55.0", "1.0"])
async def test_an_unknown_version_is_not_passed_by(protocol: Any, version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the reason says so."""
    monkeypatch.setattr(uvicorn, "__version__", version)
    assert fault_of(protocol.send) == f"uvicorn {version} is none of 0.54"
    assert direct_writer(protocol.send) is None


@pytest.mark.parametrize("name", ["close_sent", "disconnected", "handshake_complete", "transport", "writable", "conn", "config"])
async def test_a_server_whose_insides_moved_is_not_passed_by(protocol: Any, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each attribute that is used is looked for."""
    monkeypatch.delattr(protocol, name)
    assert f"has no {name}" in str(fault_of(protocol.send))


async def test_a_middleware_is_not_passed_by(protocol: Any) -> None:
    """It would not see the frames; nor is another server, or the client of a test."""

    async def around(event: Any) -> None:
        await protocol.send(event)

    assert "middleware" in str(fault_of(around))
    assert "no known server" in str(fault_of(SimpleNamespace(send=nothing).send))


async def test_a_handshake_without_an_answer_is_not_passed_by(protocol: Any) -> None:
    """Nor is a connection that is closing, or one in the midst of a message."""
    protocol.handshake_complete = False
    assert fault_of(protocol.send) is not None
    protocol.handshake_complete = True
    await protocol.send({"type": "websocket.close"})
    assert "CLOSING" in str(fault_of(protocol.send))


async def test_extensions_but_deflate_are_not_passed_by(protocol: Any) -> None:
    """A frame without an extension's bits is legal where permessage-deflate was negotiated, and nowhere else for certain."""
    if isinstance(protocol, WSProtocol):
        return  # it is given no other extension
    protocol.conn.extensions = [PerMessageDeflate(False, False, 15, 15)]
    assert fault_of(protocol.send) is None
    protocol.conn.extensions = [SimpleNamespace()]
    assert fault_of(protocol.send) == "there are extensions: SimpleNamespace"
    protocol.conn.extensions = []
    protocol.conn.expect_continuation_frame = True
    assert fault_of(protocol.send) == "a message is sent in fragments"


async def test_what_is_debugged_is_told_why(caplog: pytest.LogCaptureFixture) -> None:
    """Who wonders why nothing is written directly finds it in the log."""
    with caplog.at_level("DEBUG", "wscontrollers.session"):
        assert direct_writer(nothing) is None
    assert "frames go through the server's send: it is no known server's own" in caplog.text


def paused(protocol: Any) -> None:
    protocol.transport.unread = 65_537
    protocol.pause_writing()


def broken(protocol: Any) -> None:
    protocol.transport.close()


def lost(protocol: Any) -> None:
    protocol.connection_lost(None)


def closed_by_the_peer(protocol: Any) -> None:
    protocol.data_received(b"\x88\x82\0\0\0\0\x03\xe8")


def shut_down(protocol: Any) -> None:
    protocol.shutdown()


def broke_the_rules(protocol: Any) -> None:
    protocol.data_received(b"\x81\x01a")  # not masked (RFC 6455, section 5.1)


@pytest.mark.parametrize("happens", [paused, broken, lost, closed_by_the_peer, shut_down, broke_the_rules])
async def test_nothing_is_written_where_send_would_not(protocol: Any, happens: Any) -> None:
    """Behind a close frame, to a transport that is gone or full: there `send` has to see, and not a byte is written."""
    writer = direct_writer(protocol.send)
    assert writer is not None
    happens(protocol)
    before = protocol.transport.written
    assert not writer.write(b"\x81\x01a")
    member = addressee(writer)
    assert list(write_to_each([member], b"\x81\x01a")) == [(member, None)]
    assert protocol.transport.written == before


def addressee(direct: Any, *, writing: bool = False, steps: bool = True) -> Any:
    return SimpleNamespace(direct=direct, writing=writing, steps=steps)


async def test_a_frame_goes_to_many_in_one_walk(protocol: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who cannot be written to at once is told of, with what failed, and the others are written to all the same."""
    writer = direct_writer(protocol.send)
    busy, gap = addressee(writer, writing=True), addressee(writer, steps=False)
    unknown, free = addressee(None), addressee(writer)
    assert list(write_to_each([free, busy, gap, unknown, free], b"x")) == [(busy, None), (gap, None), (unknown, None)]
    assert protocol.transport.written == b"xx"
    failure = OSError("broken")

    def fail(packet: bytes) -> None:
        raise failure

    monkeypatch.setattr(protocol.transport, "write", fail)
    assert list(write_to_each([free, busy], b"x")) == [(free, failure), (busy, None)]


async def test_a_slow_peer_that_reads_on_is_written_to_again(protocol: Any) -> None:
    """When the transport says that there is room."""
    writer = direct_writer(protocol.send)
    assert writer is not None
    paused(protocol)
    assert not writer.write(b"\x81\x01a")
    protocol.resume_writing()
    assert writer.write(b"\x81\x01a")


async def test_nothing_is_written_behind_our_close_frame(protocol: Any) -> None:
    """It is the last one (RFC 6455, section 5.5.1)."""
    writer = direct_writer(protocol.send)
    assert writer is not None
    await protocol.send({"type": "websocket.close"})
    before = protocol.transport.written
    assert not writer.write(b"\x81\x01a")
    assert protocol.transport.written == before


async def test_long_frames_are_left_to_a_server_that_compresses(protocol: Any) -> None:
    """A short one fits into a packet anyway; wsproto does not tell what was negotiated, so that its configuration decides."""
    if isinstance(protocol, WSProtocol):
        assert plain(protocol) == PLAIN
        protocol.config.ws_per_message_deflate = False
        assert plain(protocol) == sys.maxsize
        return
    assert plain(protocol) == sys.maxsize
    protocol.conn.extensions = [PerMessageDeflate(False, False, 15, 15)]
    assert plain(protocol) == PLAIN


def plain(protocol: Any) -> int:
    writer = direct_writer(protocol.send)
    assert writer is not None
    return writer.plain
