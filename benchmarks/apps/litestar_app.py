"""Litestar."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Litestar, WebSocket, websocket
from litestar.exceptions import WebSocketDisconnect
from litestar.params import Parameter

Socket = WebSocket[Any, Any, Any]


@websocket("/nothing")
async def nothing(socket: Socket) -> None:
    """Accept, wait for the end."""
    await socket.accept()
    await socket.receive()


@websocket("/four/{room:str}")
async def four(
    socket: Socket,
    room: str,
    limit: int,
    token: Annotated[str, Parameter(header="x-token")],
    order: str = "new",
) -> None:
    """Four parameters."""
    assert room
    assert limit
    assert order
    assert token
    await socket.accept()
    await socket.receive()


@websocket("/echo")
async def echo(socket: Socket) -> None:
    """Each text frame back."""
    await socket.accept()
    try:
        while True:
            await socket.send_text(await socket.receive_text())
    except WebSocketDisconnect:
        pass


app = Litestar([nothing, four, echo])
