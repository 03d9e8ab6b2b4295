"""Starlette and pydantic."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from benchmarks.apps.typed.models import COUNT, REQUEST, End, Item, noted


async def typed(websocket: WebSocket) -> None:
    """Each message is answered."""
    await websocket.accept()
    async for text in websocket.iter_text():
        await websocket.send_text(noted(REQUEST.validate_json(text)).model_dump_json())


async def stream(websocket: WebSocket) -> None:
    """A loop of sends."""
    await websocket.accept()
    async for text in websocket.iter_text():
        count = COUNT.validate_json(text)
        for number in range(count.items):
            await websocket.send_text(Item(re=count.ref, number=number, text="an item").model_dump_json())
        await websocket.send_text(End(re=count.ref).model_dump_json())


app = Starlette(routes=[WebSocketRoute("/typed", typed), WebSocketRoute("/stream", stream)])
