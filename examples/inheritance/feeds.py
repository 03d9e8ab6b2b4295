"""A base for feeds, and two of them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Annotated, ClassVar, Generic, TypeVar

from pydantic import BaseModel

from wscontrollers import (
    App,
    Container,
    Controller,
    Denied,
    Depends,
    Module,
    Query,
    WebSocket,
    provider,
    singleton,
    websocket,
)


class Price(BaseModel):
    """What something costs."""

    symbol: str
    cents: int


class Headline(BaseModel):
    """What happened."""

    title: str


ItemT = TypeVar("ItemT", bound=BaseModel)


class Store(Generic[ItemT]):
    """Items of one kind, oldest first. `Store[Price]` and `Store[Headline]` are two keys of the container."""

    def __init__(self, items: Sequence[ItemT]) -> None:
        self.items = items


async def key_required(key: Annotated[str, Query()] = "") -> None:
    """A guard for all feeds."""
    if key != "open sesame":
        raise Denied(403, "no key")


async def paid_required(paid: Annotated[bool, Query()] = False) -> None:
    """A guard for some feeds."""
    if not paid:
        raise Denied(402, "not paid")


class Feed(Controller, Generic[ItemT]):
    """Sends the items of a store. It is abstract: `title` has no body, so it cannot be registered itself."""

    dependencies = (Depends(key_required),)

    def __init__(self, store: Store[ItemT]) -> None:
        self.store = store

    @abstractmethod
    def title(self) -> str:
        """What the feed is called."""

    @websocket("/all")
    async def all(self, websocket: WebSocket) -> None:
        """Send everything, and end."""
        await self.begin(websocket)
        for item in self.store.items:
            await websocket.send_text(item.model_dump_json())

    @websocket("/last")
    async def last(self, websocket: WebSocket) -> None:
        """Send the newest item, and end."""
        await self.begin(websocket)
        await websocket.send_text(self.store.items[-1].model_dump_json())

    async def begin(self, websocket: WebSocket) -> None:
        """Accept, and say which feed it is; no endpoint, because it has no mark."""
        await websocket.accept()
        await websocket.send_text(self.title())


class Counted:
    """A mixin is a plain class: its marked methods are endpoints of every controller that has it among its bases."""

    store: Store[Price]

    @websocket("/count")
    async def count(self, websocket: WebSocket) -> None:
        """Send how many items there are, and end."""
        await websocket.accept()
        await websocket.send_text(str(len(self.store.items)))


class Prices(Counted, Feed[Price]):
    """Has a guard more than its base; the one of the base stays, whatever the list says."""

    prefix = "/prices"
    dependencies = (Depends(paid_required),)

    def title(self) -> str:
        """What makes it concrete."""
        return "prices"


class Headlines(Feed[Headline]):
    """Replaces one endpoint and does without another."""

    prefix = "/headlines"
    all: ClassVar[None] = None  # type: ignore[assignment]  # takes the endpoint away

    def title(self) -> str:
        """What makes it concrete."""
        return "headlines"

    async def last(self, websocket: WebSocket) -> None:
        """Without a mark of its own it stays at the path of the base."""
        await websocket.accept()
        await websocket.send_text(f"*** {self.store.items[-1].title} ***")


class Data(Module):
    """What the feeds have to tell."""

    @singleton
    @provider
    def prices(self) -> Store[Price]:
        """Bound to `Store[Price]`, what the return annotation says."""
        return Store([Price(symbol="TEA", cents=310), Price(symbol="TEA", cents=320)])

    @singleton
    @provider
    def headlines(self) -> Store[Headline]:
        """Another key than the one above."""
        return Store([Headline(title="Water boils"), Headline(title="Tea is served")])


def make_app() -> App:
    """Both feeds."""
    return App(controllers=[Prices, Headlines], container=Container(Data()))
