"""Endpoints that several tests need."""

from __future__ import annotations

from starlette.websockets import WebSocket


async def echo(websocket: WebSocket) -> None:
    """Send back what comes, text or bytes."""
    await websocket.accept()
    while (message := await websocket.receive())["type"] == "websocket.receive":
        await websocket.send({**message, "type": "websocket.send"})


async def silent(websocket: WebSocket) -> None:
    """Read and say nothing."""
    await websocket.accept()
    while (await websocket.receive())["type"] == "websocket.receive":
        pass
