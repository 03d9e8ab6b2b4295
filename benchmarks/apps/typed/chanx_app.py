"""chanx on Starlette, without a channel layer, which a reply does not need."""

from __future__ import annotations

import logging
from typing import Annotated, Literal

import structlog
from chanx.core.decorators import channel, ws_handler
from chanx.fast_channels.websocket import AsyncJsonWebsocketConsumer
from chanx.messages.base import BaseMessage
from pydantic import BaseModel, Field
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute


class Text(BaseModel):
    text: Annotated[str, Field(max_length=500)]


class Name(BaseModel):
    name: str


class Position(BaseModel):
    x: int
    y: int


class Room(BaseModel):
    room: str


class Choice(BaseModel):
    choice: str
    weight: float = 1


class Change(BaseModel):
    at: int
    insert: str


class Number(BaseModel):
    number: int


class Note(BaseModel):
    who: str
    text: str


class Say(BaseMessage):
    action: Literal["say"] = "say"
    payload: Text


class Rename(BaseMessage):
    action: Literal["rename"] = "rename"
    payload: Name


class Move(BaseMessage):
    action: Literal["move"] = "move"
    payload: Position


class Join(BaseMessage):
    action: Literal["join"] = "join"
    payload: Room


class Leave(BaseMessage):
    action: Literal["leave"] = "leave"
    payload: Room


class Vote(BaseMessage):
    action: Literal["vote"] = "vote"
    payload: Choice


class Edit(BaseMessage):
    action: Literal["edit"] = "edit"
    payload: Change


class Ping(BaseMessage):
    action: Literal["ping"] = "ping"
    payload: Number


class Noted(BaseMessage):
    action: Literal["noted"] = "noted"
    payload: Note


def noted(text: str) -> Noted:
    """An answer."""
    return Noted(payload=Note(who="ann", text=text))


@channel(name="typed")
class Typed(AsyncJsonWebsocketConsumer):
    """A handler for each message."""

    @ws_handler
    async def say(self, message: Say) -> Noted:
        return noted(message.payload.text)

    @ws_handler
    async def rename(self, message: Rename) -> Noted:
        return noted(message.payload.name)

    @ws_handler
    async def move(self, message: Move) -> Noted:
        return noted(f"{message.payload.x} {message.payload.y}")

    @ws_handler
    async def join(self, message: Join) -> Noted:
        return noted(message.payload.room)

    @ws_handler
    async def leave(self, message: Leave) -> Noted:
        return noted(message.payload.room)

    @ws_handler
    async def vote(self, message: Vote) -> Noted:
        return noted(message.payload.choice)

    @ws_handler
    async def edit(self, message: Edit) -> Noted:
        return noted(message.payload.insert)

    @ws_handler
    async def ping(self, message: Ping) -> Noted:
        return noted("pong")


# Nobody else logs the end of a session either.
structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))

app = Starlette(routes=[WebSocketRoute("/typed", Typed.as_asgi())])
