"""Litestar and pydantic: a loop as with FastAPI, for its listener knows one type of message only."""

from __future__ import annotations

from typing import Any

from litestar import Litestar, WebSocket, websocket
from litestar.exceptions import WebSocketDisconnect

from benchmarks.apps.typed.models import COUNT, REQUEST, End, Item, noted

Socket = WebSocket[Any, Any, Any]


@websocket("/typed")
async def typed(socket: Socket) -> None:
    """Each message is answered."""
    await socket.accept()
    try:
        while True:
            message = REQUEST.validate_json(await socket.receive_text())
            await socket.send_text(noted(message).model_dump_json())
    except WebSocketDisconnect:
        pass


@websocket("/stream")
async def stream(socket: Socket) -> None:
    """A loop of sends."""
    await socket.accept()
    try:
        while True:
            count = COUNT.validate_json(await socket.receive_text())
            for number in range(count.items):
                await socket.send_text(Item(re=count.ref, number=number, text="an item").model_dump_json())
            await socket.send_text(End(re=count.ref).model_dump_json())
    except WebSocketDisconnect:
        pass


app = Litestar([typed, stream])
