"""Raw ASGI, with everything written by hand: the floor."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qsl

from anyio.to_thread import run_sync

from benchmarks.apps.graph import Clock, Desk, Journal, Store

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

ACCEPT = {"type": "websocket.accept"}


async def app(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Look the path up and serve it."""
    if scope["type"] != "websocket":
        return
    await receive()
    path = scope["path"]
    serve = ROUTES.get(path)
    if serve is not None:
        await serve(receive, send)
    else:
        await four(scope, receive, send)


async def nothing(receive: Receive, send: Send) -> None:
    """Accept, wait for the end."""
    await send(ACCEPT)
    await receive()


async def four(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Four parameters."""
    room = scope["path"].rpartition("/")[2]
    query = dict(parse_qsl(scope["query_string"].decode("latin-1")))
    limit, order = int(query["limit"]), query.get("order", "new")
    token = next(value for name, value in scope["headers"] if name == b"x-token").decode("latin-1")
    assert room
    assert limit
    assert order
    assert token
    await send(ACCEPT)
    await receive()


async def echo(receive: Receive, send: Send) -> None:
    """Each text frame back."""
    await send(ACCEPT)
    while (message := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": message["text"]})


def token() -> str:
    return "token"


def locale() -> str:
    return "en"


def limits(settings: str) -> int:
    return 100


async def settings() -> str:
    return "settings"


async def user(token: str, database: str) -> str:
    return "ann"


async def tenant(user: str) -> str:
    return "tea"


async def permissions(user: str) -> str:
    return "all"


async def features(settings: str, locale: str, limits: int) -> str:
    return "new"


@asynccontextmanager
async def database(settings: str) -> AsyncGenerator[str]:
    yield "database"


@asynccontextmanager
async def unit(database: str) -> AsyncGenerator[str]:
    yield "unit"


CLOCK = Clock()
STORE, JOURNAL = Store(CLOCK), Journal(CLOCK)


async def ten(receive: Receive, send: Send) -> None:
    """Ten functions and a class, called one behind the other."""
    the_token = token()
    the_settings = await settings()
    async with database(the_settings) as the_database:
        the_user = await user(the_token, the_database)
        await permissions(the_user)
        await tenant(the_user)
        await features(the_settings, locale(), limits(the_settings))
        async with unit(the_database):
            Desk(CLOCK, STORE, JOURNAL)
            await send(ACCEPT)
            await receive()


async def ten_threads(receive: Receive, send: Send) -> None:
    """The same, with each plain function in a worker thread."""
    the_token = await run_sync(token)
    the_settings = await settings()
    async with database(the_settings) as the_database:
        the_user = await user(the_token, the_database)
        await permissions(the_user)
        await tenant(the_user)
        await features(the_settings, await run_sync(locale), await run_sync(limits, the_settings))
        async with unit(the_database):
            Desk(CLOCK, STORE, JOURNAL)
            await send(ACCEPT)
            await receive()


ROUTES: dict[str, Callable[[Receive, Send], Awaitable[None]]] = {
    "/nothing": nothing,
    "/ten": ten,
    "/ten-threads": ten_threads,
    "/echo": echo,
}
