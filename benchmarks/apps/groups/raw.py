"""Raw ASGI with pydantic, everything written by hand: the floor."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Literal

from pydantic import BaseModel

from benchmarks.apps.groups.texts import JOINED, read

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

ACCEPT = {"type": "websocket.accept"}


class Said(BaseModel):
    type: Literal["said"] = "said"
    text: str


members: set[Send] = set()


async def app(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Look the path up and serve it."""
    if scope["type"] != "websocket":
        return
    await receive()
    await send(ACCEPT)
    await (member if scope["path"] == "/member" else publisher)(receive, send)


async def member(receive: Receive, send: Send) -> None:
    """Be in the group until the end."""
    members.add(send)
    try:
        await send({"type": "websocket.send", "text": JOINED})
        while (await receive())["type"] == "websocket.receive":
            pass
    finally:
        members.discard(send)


async def publisher(receive: Receive, send: Send) -> None:
    """Publish what is ordered."""
    while (order := await receive())["type"] == "websocket.receive":
        count, text = read(order["text"])
        for _ in range(count):
            await publish(Said(text=text))


async def publish(message: Said) -> None:
    """Send a message to all members, as it stands in a thousand tutorials."""
    event = {"type": "websocket.send", "text": message.model_dump_json()}
    for send in tuple(members):
        await send(event)
