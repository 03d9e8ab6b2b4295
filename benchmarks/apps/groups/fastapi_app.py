"""FastAPI, with the connection manager of its documentation."""

from __future__ import annotations

from fastapi import FastAPI, WebSocket

from benchmarks.apps.groups.raw import Said
from benchmarks.apps.groups.texts import JOINED, read

app = FastAPI()
members: set[WebSocket] = set()


@app.websocket("/member")
async def member(websocket: WebSocket) -> None:
    """Be in the group until the end."""
    await websocket.accept()
    members.add(websocket)
    try:
        await websocket.send_text(JOINED)
        async for _ in websocket.iter_text():
            pass
    finally:
        members.discard(websocket)


@app.websocket("/publish")
async def publisher(websocket: WebSocket) -> None:
    """Publish what is ordered."""
    await websocket.accept()
    async for order in websocket.iter_text():
        count, text = read(order)
        for _ in range(count):
            written = Said(text=text).model_dump_json()
            for each in tuple(members):
                await each.send_text(written)
