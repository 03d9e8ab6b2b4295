"""chanx on Starlette, with its channel layer in memory."""

from __future__ import annotations

import logging
from typing import Literal

import structlog
from chanx.core.decorators import channel, ws_handler
from chanx.fast_channels.websocket import AsyncJsonWebsocketConsumer
from chanx.messages.base import BaseMessage
from fast_channels.layers import InMemoryChannelLayer, register_channel_layer
from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute

from benchmarks.apps.groups.texts import JOINED, read

# As much room as anybody needs: beyond it messages are dropped.
register_channel_layer("memory", InMemoryChannelLayer(capacity=10_000))


class Text(BaseModel):
    text: str


class Said(BaseMessage):
    action: Literal["said"] = "said"
    payload: Text


class Order(BaseMessage):
    action: Literal["order"] = "order"
    payload: Text


@channel(name="member")
class Member(AsyncJsonWebsocketConsumer):
    """Is in the group until the end."""

    channel_layer_alias = "memory"
    groups = ["room"]  # noqa: RUF012, chanx reads it from the class

    async def post_authentication(self) -> None:
        await self.send(text_data=JOINED)


@channel(name="publisher")
class Publisher(AsyncJsonWebsocketConsumer):
    """Publishes what is ordered."""

    channel_layer_alias = "memory"

    @ws_handler
    async def order(self, message: Order) -> None:
        count, text = read(message.payload.text)
        for _ in range(count):
            await self.broadcast_message(Said(payload=Text(text=text)), ["room"])


# Nobody else logs the end of a session either.
structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))

app = Starlette(routes=[WebSocketRoute("/member", Member.as_asgi()), WebSocketRoute("/publish", Publisher.as_asgi())])
