"""wscontrollers: `@receive` handlers, `async for`, a stream, and message-scoped services."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Annotated, Any

from pydantic import Field

from wscontrollers import (
    App,
    Container,
    Controller,
    Limits,
    Message,
    Module,
    Session,
    message_scoped,
    provider,
    receive,
    websocket,
)


class Say(Message):
    text: Annotated[str, Field(max_length=500)]


class Rename(Message):
    name: str


class Move(Message):
    x: int
    y: int


class Join(Message):
    room: str


class Leave(Message):
    room: str


class Vote(Message):
    choice: str
    weight: float = 1


class Edit(Message):
    at: int
    insert: str


class Ping(Message):
    number: int


class Noted(Message):
    who: str
    text: str


class Count(Message):
    items: int


class Item(Message):
    number: int
    text: str


Request = Say | Rename | Move | Join | Leave | Vote | Edit | Ping


class Handlers(Controller):
    """A handler for each message."""

    @websocket("/typed")
    async def typed(self) -> AsyncIterator[None]:
        """Messages go to the handlers."""
        yield

    @receive
    async def say(self, message: Say) -> Noted:
        return Noted(who="ann", text=message.text)

    @receive
    async def rename(self, message: Rename) -> Noted:
        return Noted(who="ann", text=message.name)

    @receive
    async def move(self, message: Move) -> Noted:
        return Noted(who="ann", text=f"{message.x} {message.y}")

    @receive
    async def join(self, message: Join) -> Noted:
        return Noted(who="ann", text=message.room)

    @receive
    async def leave(self, message: Leave) -> Noted:
        return Noted(who="ann", text=message.room)

    @receive
    async def vote(self, message: Vote) -> Noted:
        return Noted(who="ann", text=message.choice)

    @receive
    async def edit(self, message: Edit) -> Noted:
        return Noted(who="ann", text=message.insert)

    @receive
    async def ping(self, message: Ping) -> Noted:
        return Noted(who="ann", text="pong")


class Iterating(Controller):
    """A loop."""

    @websocket("/iterate")
    async def iterate(self, session: Session[Request, Noted]) -> None:
        """Each message is answered."""
        async for message in session:
            await session.send(noted(message))


TEXTS: Mapping[type[Message], Callable[[Any], str]] = {
    Say: lambda message: message.text,
    Rename: lambda message: message.name,
    Move: lambda message: f"{message.x} {message.y}",
    Join: lambda message: message.room,
    Leave: lambda message: message.room,
    Vote: lambda message: message.choice,
    Edit: lambda message: message.insert,
    Ping: lambda message: "pong",
}
"""As in `models`."""


def noted(message: Request) -> Noted:
    """The answer to a message."""
    return Noted(who="ann", text=TEXTS[message.__class__](message))


class Streaming(Controller):
    """A handler that yields."""

    @websocket("/stream")
    async def stream(self) -> AsyncIterator[None]:
        """Messages go to the handlers."""
        yield

    @receive
    async def count(self, message: Count) -> AsyncIterator[Item]:
        for number in range(message.items):
            yield Item(number=number, text="an item")


@message_scoped
class Work:
    """A service of one message."""


class Unit:
    """A service of one message that is cleaned up behind it."""


class Services(Module):
    """The service that is cleaned up."""

    @message_scoped
    @provider
    async def unit(self) -> AsyncIterator[Unit]:
        yield Unit()


class Bare(Controller):
    """What the next two are compared with."""

    @websocket("/bare")
    async def bare(self) -> AsyncIterator[None]:
        """Messages go to the handlers."""
        yield

    @receive
    async def ping(self, message: Ping) -> Noted:
        return Noted(who="ann", text="pong")


class Scoped(Controller):
    """A message-scoped service."""

    @websocket("/scoped")
    async def scoped(self) -> AsyncIterator[None]:
        """Messages go to the handlers."""
        yield

    @receive
    async def ping(self, message: Ping, work: Work) -> Noted:
        return Noted(who="ann", text="pong")


class CleanedUp(Controller):
    """A message-scoped service that is cleaned up."""

    @websocket("/unit")
    async def unit(self) -> AsyncIterator[None]:
        """Messages go to the handlers."""
        yield

    @receive
    async def ping(self, message: Ping, unit: Unit) -> Noted:
        return Noted(who="ann", text="pong")


# The bucket of the rate is asked for each message, as by default, but never empty.
app = App(
    controllers=[Handlers, Iterating, Streaming, Bare, Scoped, CleanedUp],
    container=Container(Services()),
    limits=Limits(rate=1_000_000, burst=1_000_000),
)
