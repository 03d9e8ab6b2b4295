"""What a known server cannot know of a connection that is not read from."""

from __future__ import annotations

import socket
import struct
from typing import Any

import pytest

from tests.session.connections import protocol as protocol
from wscontrollers.session.patience import is_gone, protocol_of, spare

pytestmark = pytest.mark.parametrize("anyio_backend", ["asyncio"])


async def test_a_connection_is_known_with_its_server_and_version(protocol: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind a middleware, and of another version, nothing is."""

    async def send(event: Any) -> None: ...

    assert protocol_of(protocol.send) is protocol
    assert protocol_of(send) is None
    monkeypatch.setattr("uvicorn.__version__", "0.1.0")
    assert protocol_of(protocol.send) is None


async def test_an_end_is_seen_that_nobody_read(protocol: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server closed, or the peer was reset; one that has only sent, or ended its own side politely, is there."""
    assert not is_gone(protocol), "a transport without a socket tells nothing"
    with socket.create_server(("127.0.0.1", 0)) as listening, socket.create_connection(listening.getsockname()) as peer:
        ours, _ = listening.accept()
        with ours:
            monkeypatch.setattr(protocol.transport, "get_extra_info", {"socket": ours}.get)
            assert not is_gone(protocol)
            peer.sendall(b"x")
            assert not is_gone(protocol)
            peer.shutdown(socket.SHUT_WR)
            assert not is_gone(protocol)
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            peer.close()
            assert is_gone(protocol)
            monkeypatch.undo()
    protocol.transport.close()
    assert is_gone(protocol)


async def test_no_pong_is_waited_for(protocol: Any) -> None:
    """The next ping is sent in its time, with no deadline for the one before; without a ping under way nothing happens."""
    protocol.ping_interval = protocol.ping_timeout = 100
    spare(protocol)
    assert protocol.ping_timer is None
    protocol.send_keepalive_ping()
    deadline = protocol.pong_timer
    spare(protocol)
    assert deadline.cancelled()
    assert protocol.pong_timer is None
    assert protocol.ping_timer is not None
    protocol.stop_keepalive()
