"""Raw ASGI over Redis, by hand: a worker publishes, and each sends to its own members what comes in."""

from __future__ import annotations

import asyncio
import os
from typing import Any

from redis.asyncio import Redis

from benchmarks.apps.groups import raw
from benchmarks.apps.groups.raw import ACCEPT, Receive, Said, Send, member
from benchmarks.apps.groups.texts import read

redis = Redis.from_url(os.environ["BENCHMARKS_REDIS"])
listening: set[asyncio.Task[None]] = set()


async def app(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Look the path up and serve it; the first session subscribes."""
    if scope["type"] != "websocket":
        return
    await receive()
    await send(ACCEPT)
    if scope["path"] == "/member":
        if not listening:
            pubsub = redis.pubsub(ignore_subscribe_messages=True)
            await pubsub.subscribe("room")
            listening.add(asyncio.create_task(listen(pubsub)))
        await member(receive, send)
    else:
        await publisher(receive)


async def listen(pubsub: Any) -> None:
    """Send what comes in to all members."""
    async for arrived in pubsub.listen():
        event = {"type": "websocket.send", "text": arrived["data"].decode()}
        for send in tuple(raw.members):
            try:
                await send(event)
            except OSError:
                raw.members.discard(send)  # it is gone, and the others are not


async def publisher(receive: Receive) -> None:
    """Publish what is ordered."""
    while (order := await receive())["type"] == "websocket.receive":
        count, text = read(order["text"])
        for _ in range(count):
            await redis.publish("room", Said(text=text).model_dump_json())
