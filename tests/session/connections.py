"""Connections of uvicorn without a socket, for tests of what is known of its insides."""

from __future__ import annotations

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
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        self.written = b""
        self.is_broken = False

    def write(self, data: bytes) -> None:
        self.written += data

    def is_closing(self) -> bool:
        return self.is_broken

    def close(self) -> None:
        self.is_broken = True

    def get_extra_info(self, name: str) -> None: ...

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


@pytest.fixture(params=[WebSocketsSansIOProtocol, WSProtocol])
async def protocol(request: pytest.FixtureRequest, anyio_backend: str) -> AsyncIterator[Any]:
    """A connection whose handshake is accepted, of both implementations that are not deprecated."""
    is_over = anyio.Event()

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await is_over.wait()

    config = uvicorn.Config(application, log_config=None, ws_ping_interval=None)
    config.load()
    made = request.param(config, ServerState(), {})
    made.connection_made(Wire())
    made.data_received(HANDSHAKE)
    await made.send({"type": "websocket.accept"})
    made.transport.written = b""
    tasks = list(made.tasks)
    yield made
    is_over.set()
    for task in tasks:
        await task
    if made.close_timer is not None:
        made.close_timer.cancel()
