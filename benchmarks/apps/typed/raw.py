"""Raw ASGI and pydantic, with everything written by hand: the floor."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from benchmarks.apps.typed.models import COUNT, REQUEST, End, Item, noted

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


async def app(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Look the path up and serve it."""
    if scope["type"] != "websocket":
        return
    await receive()
    await send({"type": "websocket.accept"})
    await ROUTES[scope["path"]](receive, send)


async def typed(receive: Receive, send: Send) -> None:
    """Each message is answered."""
    while (event := await receive())["type"] == "websocket.receive":
        message = REQUEST.validate_json(event["text"])
        await send({"type": "websocket.send", "text": noted(message).model_dump_json()})


async def stream(receive: Receive, send: Send) -> None:
    """A bare loop of sends."""
    while (event := await receive())["type"] == "websocket.receive":
        count = COUNT.validate_json(event["text"])
        for number in range(count.items):
            item = Item(re=count.ref, number=number, text="an item")
            await send({"type": "websocket.send", "text": item.model_dump_json()})
        await send({"type": "websocket.send", "text": End(re=count.ref).model_dump_json()})


ROUTES: dict[str, Callable[[Receive, Send], Awaitable[None]]] = {"/typed": typed, "/stream": stream}
