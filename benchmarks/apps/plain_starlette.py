"""Starlette alone."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket


async def nothing(websocket: WebSocket) -> None:
    """Accept, wait for the end."""
    await websocket.accept()
    await websocket.receive()


async def echo(websocket: WebSocket) -> None:
    """Each text frame back."""
    await websocket.accept()
    async for text in websocket.iter_text():
        await websocket.send_text(text)


app = Starlette(routes=[WebSocketRoute("/nothing", nothing), WebSocketRoute("/echo", echo)])
