"""FastAPI and pydantic: the loop that its users write."""

from __future__ import annotations

from fastapi import FastAPI, WebSocket

from benchmarks.apps.typed.models import COUNT, REQUEST, End, Item, noted

app = FastAPI()


@app.websocket("/typed")
async def typed(websocket: WebSocket) -> None:
    """Each message is answered."""
    await websocket.accept()
    async for text in websocket.iter_text():
        await websocket.send_text(noted(REQUEST.validate_json(text)).model_dump_json())


@app.websocket("/stream")
async def stream(websocket: WebSocket) -> None:
    """A loop of sends."""
    await websocket.accept()
    async for text in websocket.iter_text():
        count = COUNT.validate_json(text)
        for number in range(count.items):
            await websocket.send_text(Item(re=count.ref, number=number, text="an item").model_dump_json())
        await websocket.send_text(End(re=count.ref).model_dump_json())
