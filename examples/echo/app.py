"""Echo: what comes in goes out again."""

from __future__ import annotations

from typing import Annotated

from wscontrollers import App, Query, WebSocket

app = App()


@app.websocket("/echo/{name}")
async def echo(websocket: WebSocket, name: str, times: Annotated[int, Query(ge=1, le=10)] = 1) -> None:
    """Answer each text as often as the query asks for."""
    await websocket.accept()
    async for text in websocket.iter_text():
        for _ in range(times):
            await websocket.send_text(f"{name}: {text}")
