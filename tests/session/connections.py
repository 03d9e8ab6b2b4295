"""Connections of uvicorn without a socket, for tests of what is known of its insides."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest
import uvicorn
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.protocols.websockets.wsproto_impl import WSProtocol
from uvicorn.server import ServerState

HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


class Wire:
    """A transport that keeps what is written, and hands over what arrives while it reads."""

    def __init__(self) -> None:
        self.written = b""
        self.is_broken = False
        self.is_reading = True
        self.pauses = 0
        self._arrived: deque[bytes] = deque()
        self._protocol: Any = None
        self.protocols = 0
        self.aborted = self.unread = 0

    def write(self, data: bytes) -> None:
        self.written += data

    def is_closing(self) -> bool:
        return self.is_broken

    def close(self) -> None:
        self.is_broken = True

    def abort(self) -> None:
        self.aborted += 1

    def get_write_buffer_size(self) -> int:
        return self.unread

    def get_extra_info(self, name: str) -> None: ...

    def get_protocol(self) -> Any:
        return self._protocol

    def set_protocol(self, protocol: Any) -> None:
        """Whose `data_received` is called is looked up here, as uvloop does it."""
        self._protocol, self._data_received = protocol, protocol.data_received
        self.protocols += 1

    def pause_reading(self) -> None:
        self.pauses += 1
        self.is_reading = False

    def resume_reading(self) -> None:
        if not self.is_reading:
            self.is_reading = True
            asyncio.get_running_loop().call_soon(self._hand_over)

    def arrive(self, protocol: Any, data: bytes) -> None:
        """One read's worth of data comes in; it is handed over now, or when this reads again."""
        assert self._protocol is protocol
        self._arrived.append(data)
        self._hand_over()

    @property
    def waiting(self) -> int:
        """How many reads' worth of data wait to be read."""
        return len(self._arrived)

    def _hand_over(self) -> None:
        while self._arrived and self.is_reading and not self.is_broken:
            self._data_received(self._arrived.popleft())


async def opened(cls: Any, application: Any, *, handshake: bytes = HANDSHAKE, **options: Any) -> Any:
    """A connection whose handshake is accepted."""
    config = uvicorn.Config(application, log_config=None, ws_ping_interval=None, **options)
    config.load()
    made = cls(config, ServerState(), {})
    wire = Wire()
    wire.set_protocol(made)
    made.connection_made(wire)
    made.data_received(handshake)
    await made.send({"type": "websocket.accept"})
    made.transport.written = b""
    return made


@pytest.fixture(params=[WebSocketsSansIOProtocol, WSProtocol])
async def protocol(request: pytest.FixtureRequest, anyio_backend: str) -> AsyncIterator[Any]:
    """A connection whose handshake is accepted, of both implementations that are not deprecated."""
    is_over = anyio.Event()

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await is_over.wait()

    made = await opened(request.param, application)
    tasks = list(made.tasks)
    yield made
    is_over.set()
    for task in tasks:
        await task
    if made.close_timer is not None:
        made.close_timer.cancel()
