"""The real server of a test."""

from __future__ import annotations

import asyncio
import socket

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute

from tests.testing.endpoints import echo
from wscontrollers.testing import AsyncTestClient
from wscontrollers.testing.server import RealServer

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("anyio_backend", ["asyncio"], indirect=True)]


async def test_the_port_is_free_again() -> None:
    """Nothing listens behind the end of the client."""
    client = AsyncTestClient(Starlette(routes=[WebSocketRoute("/", echo)]), real=True)
    async with client:
        server = client._server
        assert server is not None
        assert server.address[0] == "127.0.0.1"
        with socket.create_connection(server.address, 1):
            pass
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(server.address, 1)


async def test_http_is_served_beside_the_sessions() -> None:
    """An application has both."""
    app = Starlette(routes=[Route("/", lambda request: PlainTextResponse("hello"))])
    server = RealServer(app)
    await server.start({})
    try:
        reader, writer = await asyncio.open_connection(*server.address)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
    finally:
        await server.stop()
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert answer.endswith(b"hello")


async def test_stopping_a_server_that_never_started_is_nothing() -> None:
    """As after a start that failed."""
    await RealServer(Starlette()).stop()
