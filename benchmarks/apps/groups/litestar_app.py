"""Litestar, with its channels in memory."""

from __future__ import annotations

from typing import Any

from litestar import Litestar, WebSocket, websocket
from litestar.channels import ChannelsPlugin
from litestar.channels.backends.memory import MemoryChannelsBackend
from litestar.exceptions import WebSocketDisconnect

from benchmarks.apps.groups.raw import Said
from benchmarks.apps.groups.texts import JOINED, read

Socket = WebSocket[Any, Any, Any]


@websocket("/member")
async def member(socket: Socket, channels: ChannelsPlugin) -> None:
    """Be in the group until the end, as its own handlers of channels are."""
    await socket.accept()
    async with channels.start_subscription("room") as subscriber:
        await socket.send_text(JOINED)
        async with subscriber.run_in_background(socket.send_text, join=False):
            while (await socket.receive())["type"] != "websocket.disconnect":
                pass


@websocket("/publish")
async def publisher(socket: Socket, channels: ChannelsPlugin) -> None:
    """Publish what is ordered."""
    await socket.accept()
    try:
        while True:
            count, text = read(await socket.receive_text())
            for _ in range(count):
                channels.publish(Said(text=text).model_dump_json(), "room")
    except WebSocketDisconnect:
        pass


app = Litestar([member, publisher], plugins=[ChannelsPlugin(MemoryChannelsBackend(), channels=["room"])])
